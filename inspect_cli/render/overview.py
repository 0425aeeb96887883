"""The text view of a large capture: what is in it, and how to go on, instead of a million rows.

A small capture is shown row by row as ever: rows wait until it is known which it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from inspect_cli.events.base import Entry
from inspect_cli.events.capture import HostsNamed
from inspect_cli.events.summary import Capture, Tally
from inspect_cli.events.tcp import Closed, Connection, Opened
from inspect_cli.render.base import Finding
from inspect_cli.render.layout import Line
from inspect_cli.render.overview_counts import COOKIES, LARGEST, PROBLEMS, Counts, Ranking
from inspect_cli.render.plain import PlainRenderer
from inspect_cli.render.tables import Row, Tables

MOST_CONNECTIONS: Final = 300
MOST_ROWS: Final = 10_000
"""A capture with more of either is large; so many rows wait at most."""
_LISTED: Final = 8
_OPENED: Final[tuple[Opened, ...]] = ("handshake", "mid-stream", "incomplete", "syn-only", "refused")
_CLOSED: Final[tuple[Closed, ...]] = ("fin", "rst", "half-closed", "open")
_PLAIN: Final = re.compile(r"[A-Za-z0-9._:\[\]-]+")
"""What may stand in a command line that is offered for pasting."""


class OverviewRenderer:
    """Rows of a small capture as `inner` shows them; of a large one the overview."""

    def __init__(
        self, inner: PlainRenderer, most_connections: int = MOST_CONNECTIONS, most_rows: int = MOST_ROWS
    ) -> None:
        self._inner = inner
        self._most_connections, self._most_rows = most_connections, most_rows
        self._waiting: list[Entry | Connection | HostsNamed] = []
        self._channels: set[str] = set()
        self._rows = 0
        self._counts: Counts | None = None
        """Set as soon as the capture is known to be large."""

    def begin(self, capture: Capture) -> None:
        self._inner.begin(capture)

    def findings(self, findings: Sequence[Finding]) -> None:
        self._inner.findings(findings)

    def entry(self, entry: Entry) -> None:
        if self._counts is not None:
            self._counts.entry(entry)
            return
        self._waiting.append(entry)
        self._rows += 1
        channel = entry.event.where.channel
        if channel.startswith("tcp/"):
            self._channels.add(channel.split("/", 2)[1])
        if len(self._channels) > self._most_connections or self._rows > self._most_rows:
            self._turn()

    def connection(self, connection: Connection) -> None:
        if self._counts is not None:
            self._counts.connection(connection)
            return
        self._waiting.append(connection)
        self._channels.add(str(connection.id))
        if len(self._channels) > self._most_connections:
            self._turn()

    def names(self, named: HostsNamed) -> None:
        if self._counts is None:
            self._waiting.append(named)
            self._rows += 1
            if self._rows > self._most_rows:
                self._turn()

    def end(self, capture: Capture, tally: Tally) -> None:
        counts = self._counts
        if counts is None:
            for row in self._waiting:
                if isinstance(row, Entry):
                    self._inner.entry(row)
                elif isinstance(row, HostsNamed):
                    self._inner.names(row)
                else:
                    self._inner.connection(row)
            self._inner.end(capture, tally)
            return
        counts.close()
        self._inner.end(capture, tally)
        self._inner.show(_Overview(counts, Tables(self._inner.layout)).lines())
        self._inner.flush()

    def _turn(self) -> None:
        """The capture is large."""
        counts = self._counts = Counts()
        for row in self._waiting:
            if isinstance(row, Entry):
                counts.entry(row)
            elif isinstance(row, Connection):
                counts.connection(row)
        self._waiting.clear()
        self._channels.clear()


class _Overview:
    """Counts as lines."""

    def __init__(self, counts: Counts, tables: Tables) -> None:
        self._counts = counts
        self._tables = tables
        self._say = tables.say

    def lines(self) -> list[Line]:
        counts = self._counts
        parts = [
            self._outcomes(),
            self._ranking("protocols", counts.protocols, ("connections",)),
            self._hosts(),
            self._cookies(),
            self._sockets(),
            self._ranking("tcp", counts.tcp, ("times", "first", "channel")),
            self._ranking("problems", counts.problems, ("times", "first", "channel")),
            self._ranking("warnings", counts.warnings, ("times", "first", "channel")),
            self._busiest(),
            self._ways(),
        ]
        return [line for part in parts if part for line in ([], *part)]

    def _outcomes(self) -> list[Line]:
        """How connections opened (rows) and closed (columns)."""
        found = self._counts.connections
        closed = [how for how in _CLOSED if any(found[opened, how] for opened in _OPENED)]
        rows = [
            Row(self._tables.label("opened", opened), [_number(found[opened, how]) for how in closed])
            for opened in _OPENED
            if any(found[opened, how] for how in closed)
        ]
        return self._tables.table(self._head("connections"), [self._say(f"closed.{how}") for how in closed], rows)

    def _hosts(self) -> list[Line]:
        ranked = self._counts.hosts.ranked()
        families = [n for n in range(1, 7) if any(seen.counts[n] for _, seen in ranked)]
        heads = [self._say("requests"), *(f"{n}xx" if n < 6 else self._say("other") for n in families)]
        rows = [
            Row(name or self._say("no-host"), [_number(seen.counts[n]) for n in (0, *families)])
            for name, seen in ranked[:_LISTED]
        ]
        return self._tables.table(self._head("hosts"), heads, rows, self._more(self._counts.hosts, _LISTED))

    def _cookies(self) -> list[Line]:
        ranked = self._counts.cookies.ranked()
        shown = [n for n, _ in enumerate(COOKIES) if any(seen.counts[n] for _, seen in ranked)]
        heads = [self._say(f"cookie.{COOKIES[n]}") for n in shown]
        rows = [
            Row(name or self._say("no-name"), [_number(seen.counts[n]) for n in shown])
            for name, seen in ranked[:_LISTED]
        ]
        return self._tables.table(self._head("cookies"), heads, rows, self._more(self._counts.cookies, _LISTED))

    def _sockets(self) -> list[Line]:
        counts = self._counts
        rows = [
            Row(
                f"{socket.channel}  {socket.ends}".rstrip(),
                [_number(socket.frames), f"{socket.duration_ns / 1e9:,.1f}", self._code(socket.code)],
            )
            for socket in sorted(counts.sockets, key=lambda one: (-one.frames, -one.duration_ns, one.channel))
        ]
        heads = [self._say(name) for name in ("frames", "seconds", "close")]
        lines = self._tables.table(
            self._head("websockets"), heads, rows, self._more_of(counts.socket_count - len(rows), capped=False)
        )
        if len(rows) < counts.socket_count:
            # The close codes of all of them, where not each is listed.
            codes = sorted(counts.closes.items(), key=lambda item: (-item[1], item[0] or 0))[:_LISTED]
            said = tuple(f"{self._code(code)} {n:,}" for code, n in codes)
            lines += self._tables.text(self._say("closes", codes=said))
        return lines

    def _ranking(self, name: str, ranking: Ranking, heads: tuple[str, ...]) -> list[Line]:
        rows = []
        for each, seen in ranking.ranked()[:_LISTED]:
            frames = " ".join(f"#{frame}" for frame in seen.frames)
            cells = [_number(seen.total), frames, seen.channel]
            rows.append(Row(each or self._say("nothing"), cells[: len(heads)]))
        return self._tables.table(
            self._head(name), [self._say(head) for head in heads], rows, self._more(ranking, _LISTED)
        )

    def _busiest(self) -> list[Line]:
        counts = self._counts
        rows = [
            Row(f"{one.channel}  {one.client} > {one.server}", [_number(one.frames), _number(size)])
            for size, _, one in sorted(counts.busiest, key=lambda item: (-item[0], -item[1]))
        ]
        heads = [self._say("frames"), self._say("bytes")]
        left = sum(counts.connections.values()) - len(rows)
        return self._tables.table(self._head("busiest"), heads, rows, self._more_of(left, capped=False))

    def _ways(self) -> list[Line]:
        """How to go on, with names of this capture."""
        counts = self._counts
        ways: list[tuple[str, str]] = []
        if counts.busiest:
            ways.append((f"--connection {max(counts.busiest)[2].id}", "connection"))
        for name, ranking in (("host", counts.hosts), ("name", counts.cookies)):
            best = next((each for each, _ in ranking.ranked()[:LARGEST] if _PLAIN.fullmatch(each)), "")
            if best:
                ways.append((f"-Y '{name} == {best}'", f"by-{name}"))
        for problem, _ in counts.problems.ranked()[:1]:
            ways.append((f"-Y {problem}" if problem in PROBLEMS else f"-Y 'problem == {problem}'", "problem"))
        if counts.warnings.names:
            ways.append(("-Y 'level >= warning'", "warning"))
        ways.append(("--all", "all"))
        rows = [Row(way, [self._say(f"way.{said}")]) for way, said in ways]
        return self._tables.pairs(self._head("ways"), rows)

    # -- words ---------------------------------------------------------------------------

    def _head(self, name: str) -> str:
        return self._say(f"head.{name}", rows=self._counts.rows)

    def _code(self, code: int | None) -> str:
        return self._say("no-close") if code is None else self._say("no-code") if code < 0 else str(code)

    def _more(self, ranking: Ranking, shown: int) -> str:
        return self._more_of(len(ranking.names) - shown, capped=ranking.capped)

    def _more_of(self, left: int, *, capped: bool) -> str:
        return self._say("more", count=f"{left:,}", capped=capped) if left > 0 else ""


def _number(count: int) -> str:
    return f"{count:,}"
