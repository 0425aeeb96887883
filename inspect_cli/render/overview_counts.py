"""What an overview counts: names by how often, the largest of many, each with a bound.

Knows events by their kind, layer and fields only; makes no rows and no words.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from inspect_cli.events.base import Entry, Event
from inspect_cli.events.tcp import Connection
from inspect_cli.render.values import exact_text

MOST_NAMES: Final = 4096
"""Different names that are counted at a time; beyond, the rarer half is let go and that is said."""
LONGEST_NAME: Final = 256
MOST_SOCKETS: Final = 10_000
"""Open WebSockets at a time."""
LARGEST: Final = 5
FIRST_FRAMES: Final = 3

COOKIES: Final = ("stored", "refused", "deleted", "sent", "withheld")
_QUIET: Final = frozenset(
    {"syn", "syn-ack", "handshake-ack", "fin", "close-ack", "segment", "connection-end", "mid-stream"}
)
"""Kinds of TCP that every connection has, or that the table of outcomes tells."""
PROBLEMS: Final = frozenset({"gap", "parser-failed", "undecoded-frame"})
"""Kinds that are problems, besides those that name theirs."""


class Seen:
    """How often, and where first."""

    __slots__ = ("channel", "counts", "frames")

    def __init__(self, columns: int) -> None:
        self.counts = [0] * columns
        self.frames: list[int] = []
        self.channel = ""

    @property
    def total(self) -> int:
        return sum(self.counts)


class Ranking:
    """Names by how often they were met, with as many counters each as there are columns."""

    def __init__(self, columns: int = 1) -> None:
        self.names: dict[str, Seen] = {}
        self.capped = False
        """There were more names than are counted at a time: of rare ones the counts are too low."""
        self._columns = columns

    def count(
        self, name: str, event: Event | None = None, column: int = 0, *, frames: tuple[int, ...] | None = None
    ) -> None:
        """`frames`: those that show it; None: those of the event."""
        name = name[:LONGEST_NAME]
        seen = self.names.get(name)
        if seen is None:
            if len(self.names) >= MOST_NAMES:
                self._let_go()
            seen = self.names[name] = Seen(self._columns)
            seen.channel = event.where.channel if event else ""
        seen.counts[column] += 1
        if event is not None and len(seen.frames) < FIRST_FRAMES:
            shown = event.where.frames if frames is None else frames
            seen.frames += [frame for frame in shown[:1] if frame not in seen.frames]

    def ranked(self) -> list[tuple[str, Seen]]:
        """The most frequent first."""
        return sorted(self.names.items(), key=lambda item: (-item[1].total, item[0]))

    def _let_go(self) -> None:
        self.capped = True
        self.names = dict(self.ranked()[: MOST_NAMES // 2])


class Socket(NamedTuple):
    """A WebSocket that is over, the largest first."""

    frames: int
    channel: str
    ends: str
    duration_ns: int
    code: int | None
    """Of its first Close; -1 for one without a code, None where there was none."""


class _Open:
    __slots__ = ("code", "first_ns", "frames", "last_ns")

    def __init__(self, now_ns: int) -> None:
        self.frames = 0
        self.first_ns = self.last_ns = now_ns
        self.code: int | None = None


class Counts:
    """Everything that an overview tells."""

    def __init__(self) -> None:
        self.rows = 0
        self.connections: Counter[tuple[str, str]] = Counter()
        """By how they opened and closed."""
        self.protocols = Ranking()
        self.hosts = Ranking(7)
        """Requests, and responses by their class (1 to 5, 6: other)."""
        self.cookies = Ranking(len(COOKIES))
        self.tcp = Ranking()
        self.problems = Ranking()
        self.warnings = Ranking()
        self.sockets: list[Socket] = []
        self.closes: Counter[int | None] = Counter()
        """WebSockets by their close code."""
        self.busiest: list[tuple[int, int, Connection]] = []
        """Bytes, negative id, connection: a heap of the largest."""
        self._open: dict[str, dict[str, _Open]] = {}

    @property
    def socket_count(self) -> int:
        return sum(self.closes.values())

    # -- what it is told -----------------------------------------------------------------

    def entry(self, entry: Entry) -> None:
        self.rows += 1
        event = entry.event
        layer, kind = event.layer, event.kind
        if layer == "http":
            self._message(event, kind)
        elif layer == "cookie":
            word = kind.removeprefix("cookie-")
            if word in COOKIES:
                self.cookies.count(_text(getattr(event, "name", b"")), None, COOKIES.index(word))
        elif layer == "websocket" and kind in ("websocket-frame", "websocket-close"):
            self._frame(event)
        elif layer == "tcp" and kind not in _QUIET and kind not in PROBLEMS:
            self.tcp.count(kind, event)
        problem = getattr(event, "problem", None)
        if isinstance(problem, str) or kind in PROBLEMS:
            self.problems.count(problem if isinstance(problem, str) else kind, event)
        for annotation in entry.annotations:
            if annotation.level in ("warning", "error"):
                self.warnings.count(annotation.code, event, frames=annotation.frames or event.where.frames)

    def connection(self, connection: Connection) -> None:
        self.connections[connection.opened, connection.closed] += 1
        self.protocols.count(", ".join(connection.protocols))
        size = connection.bytes_client + connection.bytes_server
        _keep_largest(self.busiest, (size, -connection.id, connection))
        self._over(self._open.pop(connection.channel, {}).items(), f"{connection.client} > {connection.server}")

    def close(self) -> None:
        """Nothing more comes."""
        for open_ in self._open.values():
            self._over(open_.items(), "")
        self._open.clear()

    # -- inside --------------------------------------------------------------------------

    def _message(self, event: Event, kind: str) -> None:
        if kind == "request":
            self.hosts.count(_text(getattr(event, "host", b"")).lower(), event)
        elif kind == "response":
            host = _text(getattr(getattr(event, "request", None), "host", b"")).lower()
            family = getattr(event, "status", 0) // 100
            self.hosts.count(host, event, family if 1 <= family <= 5 else 6)

    def _frame(self, event: Event) -> None:
        where = event.where
        outermost = "/".join(where.channel.split("/", 2)[:2])
        inside = self._open.get(outermost)
        if inside is None:
            if len(self._open) >= MOST_SOCKETS:
                self._over(self._open.pop(next(iter(self._open))).items(), "")
            inside = self._open[outermost] = {}
        found = inside.get(where.channel)
        if found is None:
            if len(inside) >= MOST_SOCKETS:
                first = next(iter(inside))
                self._over([(first, inside.pop(first))], "")
            found = inside[where.channel] = _Open(where.time_ns)
        found.frames += 1
        found.last_ns = where.time_ns
        if event.kind == "websocket-close" and found.code is None:
            code = getattr(event, "code", None)
            found.code = code if isinstance(code, int) else -1

    def _over(self, sockets: Iterable[tuple[str, _Open]], ends: str) -> None:
        for channel, one in sockets:
            self.closes[one.code] += 1
            made = Socket(one.frames, channel, ends, one.last_ns - one.first_ns, one.code)
            _keep_largest(self.sockets, made, key=lambda socket: (socket[0], socket[3], socket[1]))


def _keep_largest(kept: list[Any], one: Any, key: Any = lambda item: item[:2]) -> None:
    kept.append(one)
    if len(kept) > LARGEST:
        kept[:] = heapq.nlargest(LARGEST, kept, key=key)


def _text(value: object) -> str:
    return exact_text(value[:LONGEST_NAME]) if isinstance(value, bytes) else str(value)
