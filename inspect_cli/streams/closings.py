"""How connections close, by columns, where nobody asks: a FIN of either side, and the ACK of each."""

from __future__ import annotations

from typing import Final

import numpy as np

from inspect_cli.streams.rows import Mask, Rows
from inspect_cli.streams.tcp_telling import FIN
from inspect_cli.wire.frames import Int64

_NOWHERE: Final = 1 << 40
NONE: Final = -1


class Closings:
    """The FINs of a batch: one of each side at most, and no byte behind it."""

    __slots__ = ("_fin", "_has_any", "_offset", "_rows")

    def __init__(self, rows: Rows, odd: Mask) -> None:
        """`odd`: rows that are not plain; those that come behind a FIN and are not either are added."""
        self._rows = rows
        fins = ((rows.batch.flags & FIN) != 0) & ~odd
        here = np.flatnonzero(fins)
        self._fin = np.full(2 * len(rows.starts), len(odd))
        self._offset = np.full(2 * len(rows.starts), _NOWHERE)
        np.minimum.at(self._fin, rows.side[here], here)
        self._has_any = len(here) > 0
        if self._has_any:
            odd |= (rows.every > self._fin[rows.side]) & (fins | (rows.batch.size > 0))
            sides = np.flatnonzero(self._fin < len(odd))
            row = self._fin[sides]
            self._offset[sides] = rows.ahead[row] + rows.batch.size[row]

    def check(self, cut: Int64, reach: Int64) -> Mask:
        """The sides whose FIN does not stand right behind their bytes, or was acknowledged before; cut there."""
        rows = self._rows
        fails: Mask = (self._fin < len(rows.every)) & (self._offset != reach)
        if self._has_any:
            early = (rows.acked > self._offset[rows.side ^ 1]) & (rows.every <= self._fin[rows.side ^ 1])
            fails[rows.side[early] ^ 1] = True
        fails &= self._fin < np.repeat(cut, 2)
        sides = np.flatnonzero(fails)
        np.minimum.at(cut, sides // 2, self._fin[sides])
        return fails

    def cap(self, cut: Int64, acked: Int64) -> Int64:
        """How far each side was acknowledged: its FIN, which takes a number of its own, is no byte."""
        return np.where(self._fin < np.repeat(cut, 2), np.minimum(acked, self._offset), acked)

    def found(self, cut: Int64, within: Mask) -> tuple[Int64, Int64]:
        """Connections with a FIN before their cut; of each the rows of its FINs and of their ACKs, -1 for none."""
        rows = self._rows
        closing = np.flatnonzero((self._fin.reshape(-1, 2) < cut[:, None]).any(axis=1))
        if not len(closing):
            return closing, np.zeros((0, 4), np.int64)
        other = rows.side ^ 1
        is_ack = within & (rows.every > self._fin[other]) & (rows.acked > self._offset[other])
        here = np.flatnonzero(is_ack)
        ack = np.full(len(self._fin), len(within))
        np.minimum.at(ack, other[here], here)
        found = np.concatenate([self._fin.reshape(-1, 2), ack.reshape(-1, 2)], axis=1)[closing]
        return closing, np.where(found < cut[closing, None], found, NONE)
