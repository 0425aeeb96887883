"""The TCP rows of one batch as columns: sorted by connection, measured, chained.

Rows are grouped with one sort of a 64-bit hash. A row is plain where it has no flags but ACK
and PSH and an open window; it is chained where it is plain and continues its side's row before.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inspect_cli.streams.reassembly import SEQUENCE_MASK
from inspect_cli.streams.tcp_telling import ACK, FIN, PSH, RST, SYN, Packet
from inspect_cli.wire.frames import Packets

Int64 = NDArray[np.int64]
Key = tuple[int, int, int, int, int, int, int]
"""Both endpoints, the lower one first: (hi, lo, port, hi, lo, port, IP version)."""


SHORTEST_RUN = 4
"""Shorter runs of plain rows are cheaper one by one."""


class Batch(NamedTuple):
    """The TCP rows of one batch, sorted by connection, then by frame."""

    table: Int64
    """One row per packet: the columns of `Packet`, in its order."""
    direction: Int64
    keys: list[Key]
    bounds: list[int]
    """Rows [bounds[i], bounds[i + 1]) belong to keys[i]."""
    run_starts: list[int]
    """Where runs begin: a plain row and chained ones behind it, all of one connection."""
    run_ends: list[int]
    loose: list[tuple[int, Packet]]
    """Direction and packet of each row that is in no run."""
    loose_before: list[int]
    """How many of them stand before each row."""
    ones: list[int]
    """How many rows of direction 1 stand before each row."""
    side_first: list[int]
    """First row of each (connection, direction) in side order, two per connection."""
    side_seq: list[int]
    """In side order: sequence numbers,"""
    side_ack: list[int]
    """and acknowledgment numbers."""
    data_before: list[int]
    """In side order: how many rows with payload stand before each row."""
    data_start: list[int]
    """In side order, rows with payload: payload bytes before each one, and in all at the end."""
    data_offset: list[int]
    data_number: list[int]
    data_time: list[int]


def batch_of(packets: Packets) -> Batch | None:
    """The TCP rows, sorted and measured; None where there are none."""
    rows = np.flatnonzero(packets.protocol == 6)
    if not len(rows):
        return None
    order, direction, keys, bounds = _sorted_rows(packets, rows)
    columns = (
        packets.number,
        packets.time_ns,
        packets.seq,
        packets.ack,
        packets.flags,
        packets.window,
        packets.payload_offset,
        packets.payload_captured,
        packets.payload_size,
        packets.options_offset,
        packets.options_size,
    )
    table = np.stack([column[order] for column in columns], axis=1).astype(np.int64, copy=False)
    group = np.repeat(np.arange(len(keys)), np.diff(bounds))
    side = group * 2 + direction
    by_side = np.argsort(side, kind="stable")
    run_starts, run_ends = _runs(table, side, by_side, bounds)
    loose, loose_before = _loose(table, direction, run_starts, run_ends)
    size = table[by_side, 8]
    data = size > 0
    with_data = by_side[data]
    return Batch(
        table,
        direction,
        keys,
        bounds,
        run_starts,
        run_ends,
        loose,
        loose_before,
        [0, *np.cumsum(direction).tolist()],
        np.searchsorted(side[by_side], np.arange(2 * len(keys))).tolist(),
        table[by_side, 2].tolist(),
        table[by_side, 3].tolist(),
        [0, *np.cumsum(data).tolist()],
        [0, *np.cumsum(size[data]).tolist()],
        table[with_data, 6].tolist(),
        table[with_data, 0].tolist(),
        table[with_data, 1].tolist(),
    )


def _loose(
    table: Int64, direction: Int64, run_starts: list[int], run_ends: list[int]
) -> tuple[list[tuple[int, Packet]], list[int]]:
    """The rows outside of runs, and how many of them stand before each row."""
    edges = np.zeros(len(table) + 1, np.int64)
    edges[run_starts] += 1
    edges[run_ends] -= 1
    outside = np.cumsum(edges)[:-1] == 0
    packets = map(Packet._make, table[outside].tolist())
    return list(zip(direction[outside].tolist(), packets, strict=True)), [0, *np.cumsum(outside).tolist()]


def _sorted_rows(packets: Packets, rows: Int64) -> tuple[Int64, Int64, list[Key], list[int]]:
    """Rows by 5-tuple then frame, their direction, the 5-tuples, and where each begins."""
    s_hi, s_lo, s_port = packets.source_hi[rows], packets.source_lo[rows], packets.source_port[rows]
    t_hi, t_lo, t_port = packets.target_hi[rows], packets.target_lo[rows], packets.target_port[rows]
    from_high = (s_hi > t_hi) | ((s_hi == t_hi) & ((s_lo > t_lo) | ((s_lo == t_lo) & (s_port > t_port))))
    low = np.where(from_high, t_hi, s_hi), np.where(from_high, t_lo, s_lo), np.where(from_high, t_port, s_port)
    high = np.where(from_high, s_hi, t_hi), np.where(from_high, s_lo, t_lo), np.where(from_high, s_port, t_port)
    columns = [*low, *high, packets.version[rows]]
    mixed = np.zeros(len(rows), np.uint64)
    for column in columns:
        mixed = (mixed ^ column.astype(np.uint64)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    order = np.argsort(mixed, kind="stable")
    if _neighbours_differ(columns, order, mixed):
        # Two 5-tuples share a hash: sort by the columns themselves.
        order = np.lexsort(columns[::-1])
    new = np.zeros(len(order), bool)
    new[0] = True
    for column in columns:
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    firsts = np.flatnonzero(new)
    picked = order[firsts]
    keys = list(zip(*(column[picked].tolist() for column in columns), strict=True))
    bounds = [*firsts.tolist(), len(order)]
    return rows[order], from_high[order].astype(np.int64), keys, bounds


def _neighbours_differ(columns: list[NDArray[Any]], order: Int64, mixed: NDArray[np.uint64]) -> bool:
    """Whether rows of equal hash that stand side by side belong to different 5-tuples."""
    ordered = mixed[order]
    same = ordered[1:] == ordered[:-1]
    return any(bool(np.any(same & (c[order][1:] != c[order][:-1]))) for c in columns)


def _runs(table: Int64, side: Int64, by_side: Int64, bounds: list[int]) -> tuple[list[int], list[int]]:
    """Where runs of at least SHORTEST_RUN rows begin and end.

    Whether a run's first row of either side stands where its side is, nobody knows here.
    """
    plain = (
        ((table[:, 4] & ~(ACK | PSH)) == 0)
        & ((table[:, 4] & ACK) != 0)
        & (table[:, 5] > 0)
        & (table[:, 7] == table[:, 8])
    )
    s = table[by_side]
    end = (s[:, 2] + s[:, 8] + ((s[:, 4] & SYN) != 0) + ((s[:, 4] & FIN) != 0)) & SEQUENCE_MASK
    follows = np.ones(len(table), bool)
    follows[1:] = (side[by_side][1:] != side[by_side][:-1]) | (
        (s[1:, 2] == end[:-1]) & (((s[1:, 3] - s[:-1, 3]) & SEQUENCE_MASK) < 0x8000_0000) & ((s[:-1, 4] & RST) == 0)
    )
    chained = np.empty(len(table), bool)
    chained[by_side] = follows
    chained &= plain
    chained[bounds[:-1]] = False
    breaks = np.flatnonzero(~chained)
    starts = breaks + ~plain[breaks]
    ends = np.append(breaks[1:], len(table))
    long = ends - starts >= SHORTEST_RUN
    return starts[long].tolist(), ends[long].tolist()
