"""Which captured segments belong to connections of our own client."""

from __future__ import annotations

import enum
import ipaddress

from inspect_cli.sources.peek import Closing, Peek

_End = tuple[bytes, int]


class Verdict(enum.Enum):
    """Whose a segment is."""

    OURS = "of a connection that our client opened"
    OTHERS = "of somebody else"
    UNKNOWN = "a connect() to there is under way and has not told its local port yet"


class Ours:
    """Servers announced, connections opened, and how far they are closed."""

    def __init__(self) -> None:
        self._under_way: dict[_End, int] = {}
        self._connections: dict[tuple[_End, _End], Closing] = {}

    def announce(self, address: str, port: int) -> None:
        """A connect() to there follows: a segment of it may be seen before its port is known."""
        server = _end(address, port)
        self._under_way[server] = self._under_way.get(server, 0) + 1

    def open(self, address: str, port: int, local_address: str, local_port: int) -> None:
        """The announced connect() has its local end; local_port 0: it did not begin."""
        server = _end(address, port)
        self._under_way[server] = max(0, self._under_way.get(server, 0) - 1)
        if local_port:
            self._connections[_end(local_address, local_port), server] = Closing()

    def judge(self, segment: Peek) -> Verdict:
        """Whose it is; one of ours is also looked at for how its connection closes."""
        source = (segment.source, segment.source_port)
        target = (segment.target, segment.target_port)
        for side, ends in ((0, (source, target)), (1, (target, source))):
            closing = self._connections.get(ends)
            if closing is not None:
                closing.see(segment, side)
                return Verdict.OURS
        if self._under_way.get(source) or self._under_way.get(target):
            return Verdict.UNKNOWN
        return Verdict.OTHERS

    @property
    def are_over(self) -> bool:
        """Nothing more is to come: every connection was closed, reset, or never answered."""
        return all(closing.is_over or not closing.was_answered for closing in self._connections.values())


def _end(address: str, port: int) -> _End:
    return ipaddress.ip_address(address.partition("%")[0]).packed, port
