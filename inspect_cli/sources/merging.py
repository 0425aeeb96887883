"""Frames and what the client tells, merged into one order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from inspect_cli.events.base import Item
from inspect_cli.wire.gathering import Captured, batch_of

_BATCH_BYTES: Final = 8 << 20


class Merger:
    """Two queues, each in its own order; an item goes before the first frame that is later.

    Frames keep the order in which they were captured, whatever their times say.
    """

    def __init__(self) -> None:
        self._frames: deque[Captured] = deque()
        self._told: deque[tuple[int, Item]] = deque()
        self._next_number = 1

    def add(self, frames: Iterable[Captured], told: Iterable[tuple[int, Item]]) -> None:
        """More of both; told ones with their time in Unix ns."""
        self._frames.extend(frames)
        self._told.extend(told)

    def until(self, horizon_ns: int | None) -> Iterator[Item]:
        """What can come no earlier any more: all up to `horizon_ns`; everything for None."""
        batch: list[Captured] = []
        batch_bytes = 0
        while self._frames or self._told:
            told_is_next = self._told and (not self._frames or self._told[0][0] < self._frames[0].time_ns)
            time_ns = self._told[0][0] if told_is_next else self._frames[0].time_ns
            if horizon_ns is not None and time_ns > horizon_ns:
                break
            if batch and (told_is_next or batch_bytes >= _BATCH_BYTES):
                yield self._numbered(batch)
                batch, batch_bytes = [], 0
            if told_is_next:
                yield self._told.popleft()[1]
            else:
                frame = self._frames.popleft()
                batch.append(frame)
                batch_bytes += len(frame.data)
        if batch:
            yield self._numbered(batch)

    def _numbered(self, batch: list[Captured]) -> Item:
        frames = batch_of(batch, self._next_number)
        self._next_number += len(batch)
        return frames
