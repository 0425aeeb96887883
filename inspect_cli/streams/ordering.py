"""The rows of each side in the order of its bytes."""

from __future__ import annotations

from typing import Final

import numpy as np

from inspect_cli.streams.reassembly import WAITING_LIMIT_BYTES, WAITING_LIMIT_FRAMES
from inspect_cli.streams.rows import Mask, Rows
from inspect_cli.wire.frames import Int64

_SIDE: Final = 1 << 40
"""More than any offset: keeps apart what belongs to different sides."""


class Order:
    """Some rows in side order, and which of them do not continue their sides."""

    __slots__ = ("_at", "_end", "_row", "_rows", "_side", "_start", "_stays")

    def __init__(self, rows: Rows, taken: Mask) -> None:
        self._rows = rows
        row = np.flatnonzero(taken)
        sides = rows.side[row]
        if len(taken) < 1 << 14:
            sides = sides.astype(np.int16)  # sorted in half the time
        self._row = row[np.argsort(sides, kind="stable")]
        self._side = rows.side[self._row]
        self._start = rows.ahead[self._row]
        self._end = self._start + rows.batch.size[self._row]
        self._at = self._row
        self._stays: Mask | None = None
        """None: all of them."""

    def reach(self) -> Int64:
        """Of each side: the end of its last byte, from where it stood."""
        reach = np.zeros(2 * len(self._rows.starts), np.int64)
        np.maximum.at(reach, self._side, self._end)
        return reach

    def put_right(self, cut: Int64, fails: Mask) -> None:
        """Order the sides that are not; `cut` goes back to where that cannot be done, or a side `fails`."""
        row, side = self._row, self._side
        before = np.zeros(len(side), np.int64)
        before[1:] = np.where(side[1:] == side[:-1], self._end[:-1], 0)
        wrong = np.flatnonzero(self._start != before)
        if not len(wrong):
            return
        is_wrong: Mask = np.zeros(len(fails), bool)
        is_wrong[side[wrong]] = True
        is_loud = np.repeat(self._rows.parts.is_loud, 2)
        fails |= is_wrong & is_loud
        there = np.flatnonzero((is_wrong & ~is_loud)[side])
        if len(there):
            fails[self._sorted(there)] = True
        failed: Mask = np.any(fails.reshape(-1, 2), axis=1)
        wrong = wrong[failed[side[wrong] // 2]]
        np.minimum.at(cut, side[wrong] // 2, row[wrong])

    def _sorted(self, there: Int64) -> Int64:
        """Sort these places, which hold whole sides, by offset; the sides of which not all is clear then."""
        row, side, start, end = self._row[there], self._side[there], self._start[there], self._end[there]
        order = np.lexsort((row, start, side))
        row, side, start, end = row[order], side[order], start[order], end[order]
        first = np.ones(len(side), bool)
        first[1:] = side[1:] != side[:-1]
        apart = np.cumsum(first) * _SIDE
        reached = np.maximum.accumulate(np.maximum(end, 0) + apart) - apart
        before = np.zeros(len(side), np.int64)
        before[1:] = np.where(first[1:], 0, reached[:-1])
        is_old = end <= before
        at = np.maximum.accumulate(np.where(is_old, 0, row + 1) + apart) - apart - 1
        # What comes again while its first copy waits has to be compared with it.
        unclear = np.where(is_old, at >= row, (start != before) | (at - row >= WAITING_LIMIT_FRAMES))
        waiting = np.where(~is_old & (at > row), end - start, 0)
        waits = np.zeros(int(side[-1]) + 1, np.int64)
        np.add.at(waits, side, waiting)
        unclear |= waits[side] > WAITING_LIMIT_BYTES
        failed = np.zeros(int(side[-1]) + 1, bool)
        failed[side[unclear]] = True
        fine = ~failed[side]  # the others stay as they came: what is before their cut is in order
        self._row = self._row.copy()
        self._at = self._row.copy()
        self._stays = np.ones(len(self._row), bool)
        self._row[there[fine]] = row[fine]
        self._at[there[fine]] = at[fine]
        self._stays[there[fine]] = ~is_old[fine]
        return np.flatnonzero(failed)

    def kept(self, cut: Int64) -> tuple[Int64, Int64]:
        """The pieces: rows with payload before the cut, and the rows that made them known."""
        stays: Mask = (self._rows.batch.size[self._row] > 0) & (self._row < cut[self._side // 2])
        if self._stays is not None:
            stays &= self._stays
            return self._row[stays], self._at[stays]
        row = self._row[stays]
        return row, row
