"""The reader of a connection that nobody reads."""

from __future__ import annotations

from inspect_cli.events.base import Side
from inspect_cli.streams.reader import Place, Reader


class Unread(Reader):
    """Takes no bytes; knows only that its side has ended."""

    __slots__ = ()

    def __init__(self, channel: str, side: Side) -> None:
        """Nothing of a Reader is needed but whether it has ended, and the basis of nothing."""
        self.channel = channel
        self.side = side
        self.position = 0
        self._end: int | None = None

    def finish(self, place: Place, time_ns: int) -> None:
        self._end = 0

    def add(
        self, start: int, end: int, buffer: bytes | bytearray | None, offset: int, frame: int, at: int, time_ns: int
    ) -> None:
        """Let them go by."""

    def extend(
        self,
        starts: list[int],
        ends: list[int],
        buffer: bytes | bytearray,
        offsets: list[int],
        frames: list[int],
        ats: list[int],
        times: list[int],
    ) -> None:
        """Let them go by."""

    def keep(self) -> None:
        """Nothing is here."""
