"""The JSON contract as a stream: `ndjson` (one object a line) and `json` (one document).

Written by orjson with its defaults (UTF-8, no spaces, keys in the order of the contract);
characters that a terminal might obey (C1 and bidi controls) are written `\\uNNNN`, which
reads back as the same text. Neither form keeps entries; `json` spools its connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Final, TextIO

from inspect_cli.events.base import Entry
from inspect_cli.events.capture import HostsNamed
from inspect_cli.events.summary import SCHEMA, Capture, Tally
from inspect_cli.events.tcp import Connection
from inspect_cli.render.base import Finding, Sink, comes_slowly
from inspect_cli.render.encoding import Encoder, encoded
from inspect_cli.render.rows import RowMaker, capture_row, connection_row, summary_row

if TYPE_CHECKING:
    from inspect_cli.render.select import Select

SPOOLED_BYTES: Final = 4 << 20
"""Connections of a `json` document wait in memory up to this size, then in a file without a name."""


class _Written:
    """What both forms share: rows made, filtered and counted, and the bytes' way out."""

    def __init__(self, out: TextIO, maker: RowMaker, select: Select | None = None) -> None:
        self._sink = Sink(out)
        self._maker = maker
        self._encoder = Encoder(maker)
        self._select = select
        self._capture: Capture | None = None
        self._entries = 0

    def names(self, named: HostsNamed) -> None:
        """Programs read them in the answers themselves."""

    def findings(self, findings: Sequence[Finding]) -> None:
        """The annotations of the entries say them already."""

    def _row(self, entry: Entry) -> bytes | None:
        """The entry as JSON, None for one that the filter hides."""
        if self._capture is not None:
            # The names of its files are known by now: standard input comes slowly too.
            self._sink.flushes = comes_slowly(self._capture)
            self._capture = None
        if self._select is None or self._select.shows(entry):
            return self._encoder.entry(entry)
        return None

    def _begin(self, capture: Capture) -> None:
        self._capture = capture
        self._sink.flushes = comes_slowly(capture)
        if self._select is not None:
            self._select.begin(capture, self._maker)

    def _let_go(self, connection: Connection) -> bytes:
        """The connection as JSON; the filter forgets it."""
        if self._select is not None:
            self._select.let_go(connection.channel)
        return encoded(connection_row(connection))


class NdjsonRenderer(_Written):
    """`{"type":"capture",...}` first, entries and connections as they come, `{"type":"summary",...}` last."""

    def begin(self, capture: Capture) -> None:
        self._begin(capture)
        self._line(b'{"type":"capture","schema":%s,' % encoded(SCHEMA), encoded(capture_row(capture)))

    def entry(self, entry: Entry) -> None:
        row = self._row(entry)
        if row is not None:
            self._line(b'{"type":"entry",', row)

    def connection(self, connection: Connection) -> None:
        self._line(b'{"type":"connection",', self._let_go(connection))

    def end(self, capture: Capture, tally: Tally) -> None:
        whole = {"capture": capture_row(capture), "summary": summary_row(tally)}
        self._line(b'{"type":"summary",', encoded(whole))
        self._sink.flush()

    def _line(self, head: bytes, row: bytes) -> None:
        self._sink.write(head + row[1:] + b"\n")


class JsonRenderer(_Written):
    """One document, an entry a line: `schema`, `entries`, `connections`, `capture`, `summary`."""

    _connections: SpooledTemporaryFile[bytes] | None = None

    def begin(self, capture: Capture) -> None:
        self._begin(capture)
        self._sink.write(b'{"schema":%s,\n"entries":[' % encoded(SCHEMA))

    def entry(self, entry: Entry) -> None:
        row = self._row(entry)
        if row is not None:
            self._sink.write((b",\n" if self._entries else b"\n") + row)
            self._entries += 1

    def connection(self, connection: Connection) -> None:
        data = self._let_go(connection)
        if self._connections is None:
            self._connections = SpooledTemporaryFile(max_size=SPOOLED_BYTES)  # noqa: SIM115 - closed by end()
            self._connections.write(b"\n" + data)
        else:
            self._connections.write(b",\n" + data)

    def end(self, capture: Capture, tally: Tally) -> None:
        self._sink.write(b'],\n"connections":[')
        if self._connections is not None:
            with self._connections as spooled:
                spooled.seek(0)
                while piece := spooled.read(1 << 16):
                    self._sink.write(piece)
        self._sink.write(b'],\n"capture":' + encoded(capture_row(capture)))
        self._sink.write(b',\n"summary":' + encoded(summary_row(tally)) + b"}\n")
        self._sink.flush()
