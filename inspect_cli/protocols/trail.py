"""Which frames showed something that was read in several steps."""

from __future__ import annotations

from inspect_cli.events.base import Where
from inspect_cli.streams.reader import Reader


class Trail:
    """Collects the frames of byte ranges while they are remembered by the reader.

    A reader forgets pieces that were consumed, so what is read over several batches notes
    its frames step by step; the result is the same as asking for all of it at once.
    """

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps: list[tuple[int, int, tuple[int, ...], int]] = []

    def add(self, reader: Reader, start: int, end: int) -> None:
        """Note the frames of [start, end), just consumed."""
        step = reader.where(start, end)
        self._steps.append((start, end, step.frames, step.time_ns))

    def where(self, reader: Reader, start: int, end: int) -> Where:
        """Where the noted ranges that touch [start, end) are, as one."""
        frames: set[int] = set()
        latest, time_ns = -1, 0
        for begin, stop, found, seen_ns in self._steps:
            if stop <= start or begin >= end:
                continue
            frames.update(found)
            last = found[-1] if found else 0
            if last >= latest:
                latest, time_ns = last, seen_ns
        return Where(
            reader.place.at, time_ns, reader.channel, reader.side, tuple(sorted(frames)), start, end, reader.basis
        )
