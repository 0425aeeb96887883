"""The rows of a batch that were not applied at once to whole connections: runs of them, and single ones.

A row is plain where it has no flags but ACK and PSH and an open window; it is chained where
it is plain and continues its side's row before. Runs of such rows are applied at once,
everything else goes through `TcpConnection.packet`.
"""

from __future__ import annotations

from bisect import bisect_left

import numpy as np
from numpy.typing import NDArray

from inspect_cli.streams.batches import Batch
from inspect_cli.streams.reassembly import SEQUENCE_MASK
from inspect_cli.streams.tcp_states import TcpConnection
from inspect_cli.streams.tcp_telling import ACK, FIN, PSH, RST, SYN, Packet
from inspect_cli.wire.frames import Int64

SHORTEST_RUN = 4
"""Shorter runs of plain rows are cheaper one by one."""
_NUMBER, _TIME, _SEQ, _ACK, _FLAGS, _WINDOW, _OFFSET, _CAPTURED, _SIZE = range(9)
"""Columns of the table."""


class Runs:
    """Some rows of a batch, [bounds[i], bounds[i + 1]) of one connection each."""

    __slots__ = (
        "_bounds",
        "_buffer",
        "_data_before",
        "_data_number",
        "_data_offset",
        "_data_start",
        "_data_time",
        "_direction",
        "_loose",
        "_loose_before",
        "_ones",
        "_run_ends",
        "_run_starts",
        "_side_ack",
        "_side_first",
        "_side_seq",
        "_table",
    )

    def __init__(self, batch: Batch, rows: Int64, bounds: list[int]) -> None:
        """`rows`: of the batch, ascending."""
        self._buffer = batch.buffer
        self._bounds = bounds
        table = self._table = batch.table(rows)
        direction = self._direction = batch.direction[rows]
        side = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds)) * 2 + direction
        by_side = np.argsort(side, kind="stable")
        ordered = table[by_side]
        starts, ends = _runs(table, ordered, side[by_side], by_side, bounds)
        self._find_loose(starts, ends)
        self._run_starts: list[int] = starts.tolist()
        self._run_ends: list[int] = ends.tolist()
        if not len(starts):
            return
        size = ordered[:, _SIZE]
        data = size > 0
        with_data = ordered[data]
        self._ones: list[int] = [0, *np.cumsum(direction).tolist()]
        """How many rows of direction 1 stand before each row."""
        self._side_first: list[int] = np.searchsorted(side[by_side], np.arange(2 * len(bounds) - 2)).tolist()
        """First row of each (connection, direction) in side order, two per connection."""
        self._side_seq: list[int] = ordered[:, _SEQ].tolist()
        self._side_ack: list[int] = ordered[:, _ACK].tolist()
        self._data_before: list[int] = [0, *np.cumsum(data).tolist()]
        """In side order: how many rows with payload stand before each row."""
        self._data_start: list[int] = [0, *np.cumsum(size[data]).tolist()]
        """In side order, rows with payload: payload bytes before each one, and in all at the end."""
        self._data_offset: list[int] = with_data[:, _OFFSET].tolist()
        self._data_number: list[int] = with_data[:, _NUMBER].tolist()
        self._data_time: list[int] = with_data[:, _TIME].tolist()

    def apply(self, index: int, connection: TcpConnection) -> None:
        """Apply the rows of a connection."""
        start, end = self._bounds[index], self._bounds[index + 1]
        runs = range(bisect_left(self._run_starts, start), bisect_left(self._run_starts, end))
        for i in runs:
            self._one_by_one(connection, start, self._run_starts[i])
            start = self._run(index, connection, self._run_starts[i], self._run_ends[i])
        self._one_by_one(connection, start, end)

    # -- inside --------------------------------------------------------------------------

    def _find_loose(self, starts: Int64, ends: Int64) -> None:
        """The rows outside of runs, and how many of them stand before each row."""
        edges = np.zeros(len(self._table) + 1, np.int64)
        edges[starts] += 1
        edges[ends] -= 1
        outside = np.cumsum(edges)[:-1] == 0
        packets = map(Packet._make, self._table[outside].tolist())
        self._loose = list(zip(self._direction[outside].tolist(), packets, strict=True))
        self._loose_before: list[int] = [0, *np.cumsum(outside).tolist()]

    def _run(self, index: int, connection: TcpConnection, start: int, end: int) -> int:
        """Apply a run at once as soon as it fits the connection; the first row that was not applied."""
        while end - start >= SHORTEST_RUN:
            sides = self._side_rows(index, start, end)
            if connection.is_plain and self._continues(connection, sides):
                connection.frames += end - start
                connection.last_time_ns = int(self._table[end - 1, _TIME])
                for direction in (0, 1):
                    self._apply(connection, direction, *sides[direction])
                return end
            self._in_run(connection, start, start + SHORTEST_RUN)
            start += SHORTEST_RUN
        return start

    def _continues(self, connection: TcpConnection, sides: tuple[tuple[int, int], tuple[int, int]]) -> bool:
        """Whether the first rows of both sides stand exactly where their sides are."""
        for half, (low, high) in zip(connection.halves, sides, strict=True):
            if high > low and self._side_seq[low] != half.next_seq:
                return False
        return True

    def _one_by_one(self, connection: TcpConnection, start: int, end: int) -> None:
        """Rows [start, end): those behind `start` that are in no run, and what a run left over."""
        first, last = self._loose_before[start], self._loose_before[end]
        if last - first < end - start:
            self._in_run(connection, start, end - last + first)
        if last > first:
            packet, buffer = connection.packet, self._buffer
            for direction, p in self._loose[first:last]:
                packet(direction, p, buffer)

    def _in_run(self, connection: TcpConnection, start: int, end: int) -> None:
        """Rows [start, end) one by one, in whatever they stand."""
        buffer = self._buffer
        for row, direction in zip(self._table[start:end].tolist(), self._direction[start:end].tolist(), strict=True):
            connection.packet(direction, Packet(*row), buffer)

    def _side_rows(self, index: int, start: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """The rows [start, end) in side order: a range for either direction."""
        first = self._bounds[index]
        ones, before = self._ones[start] - self._ones[first], self._ones[end] - self._ones[first]
        zero_first, one_first = self._side_first[2 * index], self._side_first[2 * index + 1]
        return (zero_first + start - first - ones, zero_first + end - first - before), (
            one_first + ones,
            one_first + before,
        )

    def _apply(self, connection: TcpConnection, direction: int, low: int, high: int) -> None:
        """Apply the rows [low, high) of side order."""
        if high == low:
            return
        half, other = connection.halves[direction], connection.halves[1 - direction]
        if other.base is not None:
            other.acked = max(other.acked, other.offset_of(self._side_ack[high - 1]))
        first, last = self._data_before[low], self._data_before[high]
        if last == first:
            return
        if connection.muted:
            size = self._data_start[last] - self._data_start[first]
            half.bytes_seen += size
            half.next = half.top = half.next + size
            return
        shift = half.next - self._data_start[first]
        edges = [start + shift for start in self._data_start[first : last + 1]]
        frames = self._data_number[first:last]
        half.deliver_many(
            edges[:-1],
            edges[1:],
            self._buffer,
            self._data_offset[first:last],
            frames,
            frames,
            self._data_time[first:last],
        )


def _runs(table: Int64, ordered: Int64, side: Int64, by_side: Int64, bounds: list[int]) -> tuple[Int64, Int64]:
    """Where runs of at least SHORTEST_RUN rows begin and end.

    `ordered`, `side`: of the rows in side order. Whether a run's first row of either side
    stands where its side is, nobody knows here.
    """
    flags = table[:, _FLAGS]
    plain: NDArray[np.bool_] = (
        ((flags & ~PSH) == ACK) & (table[:, _WINDOW] > 0) & (table[:, _CAPTURED] == table[:, _SIZE])
    )
    seq, ack, flags = ordered[:, _SEQ], ordered[:, _ACK], ordered[:, _FLAGS]
    end = (seq + ordered[:, _SIZE] + ((flags & SYN) != 0) + ((flags & FIN) != 0)) & SEQUENCE_MASK
    follows = np.ones(len(table), bool)
    follows[1:] = (side[1:] != side[:-1]) | (
        (seq[1:] == end[:-1]) & (((ack[1:] - ack[:-1]) & SEQUENCE_MASK) < 0x8000_0000) & ((flags[:-1] & RST) == 0)
    )
    chained = np.empty(len(table), bool)
    chained[by_side] = follows
    chained &= plain
    chained[bounds[:-1]] = False
    breaks = np.flatnonzero(~chained)
    starts = breaks + ~plain[breaks]
    ends = np.append(breaks[1:], len(table))
    long = ends - starts >= SHORTEST_RUN
    return starts[long], ends[long]
