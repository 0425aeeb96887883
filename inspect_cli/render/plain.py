"""The text view for pipes and files: the layout without colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from inspect_cli.events.base import Entry
from inspect_cli.events.capture import HostsNamed
from inspect_cli.events.summary import Capture, Tally
from inspect_cli.events.tcp import Connection
from inspect_cli.render.base import Finding, Look, Sink, comes_slowly
from inspect_cli.render.host_names import HostNames
from inspect_cli.render.layout import Layout, Line
from inspect_cli.render.rows import RowMaker, capture_row, connection_row, summary_row
from inspect_cli.render.summary import Summary


class PlainRenderer:
    """A timeline in text, a line as soon as it is known."""

    def __init__(self, out: TextIO, maker: RowMaker, look: Look) -> None:
        self._sink = Sink(out)
        self._maker = maker
        self._select = look.select
        self._names = HostNames() if look.names else None
        self.layout = Layout(maker.words, look, self._names)
        self._summary = Summary(self.layout)
        self._untold: Capture | None = None

    def begin(self, capture: Capture) -> None:
        self._untold = capture
        if self._select is not None:
            self._select.begin(capture, self._maker)

    def entry(self, entry: Entry) -> None:
        self._tell()
        if self._names is not None:
            self._names.learn(entry)
        if self._select is None or self._select.shows(entry):
            row, detail = self._maker.row_with_detail(entry)
            self.show(self.layout.entry(row, detail))

    def connection(self, connection: Connection) -> None:
        row = connection_row(connection)
        self.layout.connection(row)
        self._summary.connection(row)
        if self._select is not None:
            self._select.let_go(row["channel"])

    def names(self, named: HostsNamed) -> None:
        if self._names is not None:
            self._names.take(named)

    def end(self, capture: Capture, tally: Tally) -> None:
        self._tell()
        self.show(self._summary.lines(capture_row(capture), summary_row(tally)))
        self._sink.flush()

    def findings(self, findings: Sequence[Finding]) -> None:
        from inspect_cli.render.findings import finding_lines  # late: few runs ask for it

        self.show(list(finding_lines(findings, self.layout)))
        self._sink.flush()

    def flush(self) -> None:
        """Nothing stays behind."""
        self._sink.flush()

    def paint(self, line: Line) -> str:
        """A line as it is written."""
        return written(line)

    def _tell(self) -> None:
        """Say what is looked at; the first row comes later than begin(), so more of it is known."""
        if self._untold is not None:
            capture, self._untold = self._untold, None
            self._sink.flushes = comes_slowly(capture)
            title = self.layout.begin(capture)
            # A run that failed before it listened anywhere (no such host) has no packets to name a place for.
            if capture.source != "live" or capture.interfaces:
                self.show(title)

    def show(self, lines: list[Line]) -> None:
        """Write lines."""
        if lines:
            self._sink.say("".join([self.paint(line) + "\n" for line in lines]))


def written(line: Line) -> str:
    """A line without colours."""
    return "".join([text for text, _ in line]).rstrip(" ")
