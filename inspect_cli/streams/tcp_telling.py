"""How the segments of one connection become events, with their places."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from inspect_cli.events.base import Event, Side, Where
from inspect_cli.events.tcp import TcpSegment
from inspect_cli.streams.channel import Placed
from inspect_cli.streams.reader import OPENING, Place

FIN, SYN, RST, PSH, ACK, URG = 1, 2, 4, 8, 16, 32
_FLAG_NAMES = ((1, "FIN"), (2, "SYN"), (4, "RST"), (8, "PSH"), (16, "ACK"), (32, "URG"), (64, "ECE"), (128, "CWR"))


class Packet(NamedTuple):
    """One row of the columns, as plain numbers."""

    number: int
    time_ns: int
    seq: int
    ack: int
    flags: int
    window: int
    offset: int
    captured: int
    size: int
    options_offset: int
    options_size: int

    def payload(self, buffer: bytes | bytearray) -> bytes:
        """What the capture holds of the payload."""
        return bytes(memoryview(buffer)[self.offset : self.offset + min(self.captured, self.size)])


@cache
def flag_names(flags: int) -> str:
    """Names of the flags in header order (RFC 9293 §3.1), `SYN,ACK`."""
    return ",".join(name for bit, name in _FLAG_NAMES if flags & bit)


class Telling:
    """The events of one connection that nobody took yet; those that nobody wants are not made."""

    __slots__ = ("_muted", "_name", "_side_of", "_wants", "events")

    def __init__(
        self, name: str, wants: Callable[[type[Event]], bool], side_of: Callable[[int], Side], *, muted: bool
    ) -> None:
        self._name = name
        self._wants = wants
        self._side_of = side_of
        self._muted = muted
        self.events: list[Placed] = []

    def wants(self, kind: type[Event]) -> bool:
        return not self._muted and self._wants(kind)

    def segment(
        self,
        kind: type[TcpSegment],
        depth: int,
        direction: int,
        p: Packet,
        *rest: Any,
        span: tuple[int, int] = (-1, -1),
    ) -> None:
        """An event of this segment, sent in this direction; `rest` are the fields that its type adds."""
        if not self._muted and self._wants(kind):
            where = Where(p.number, p.time_ns, self._name, self._side_of(direction), (p.number,), *span)
            self.place(kind(where, flag_names(p.flags), p.seq, p.ack, p.window, p.size, *rest), depth, direction)

    def place(self, event: Event, depth: int, direction: int) -> None:
        """An event at its own `at`."""
        self.events.append(Placed(Place(event.where.at, depth), self._side_of(direction), event))

    def first(self, event: Event) -> None:
        """An event that stands before all others of its frame."""
        self.events.insert(0, Placed(Place(event.where.at, OPENING), Side.CLIENT, event))

    def take(self) -> list[Placed]:
        """Everything so far; forgotten here."""
        taken, self.events = self.events, []
        return taken
