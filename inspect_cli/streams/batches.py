"""The TCP rows of one batch as columns, sorted by connection, then by frame.

Rows are grouped with one sort of a 64-bit hash.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inspect_cli.streams.tcp_telling import Packet
from inspect_cli.wire.frames import Int64, Packets, UInt64

Key = tuple[int, ...]
"""Both endpoints, the lower one first: (address << 16 | port) of each, of IPv6 (hi, lo, port, hi, lo, port)."""


class Batch(NamedTuple):
    """The TCP rows of one batch, sorted by connection, then by frame."""

    buffer: bytes | bytearray
    keys: list[Key]
    bounds: list[int]
    """Rows [bounds[i], bounds[i + 1]) belong to keys[i]."""
    direction: Int64
    """0: its lower endpoint sent it."""
    number: Int64
    time_ns: Int64
    seq: Int64
    ack: Int64
    flags: Int64
    size: Int64
    """Of the payload on the wire."""
    captured: Int64
    rows: Int64
    """Of `packets`, in which the columns are that few ask for."""
    packets: Packets

    def window(self) -> Int64:
        """As sent, not scaled."""
        return self.packets.window[self.rows]

    def table(self, rows: Int64) -> Int64:
        """Some rows: the columns of `Packet`, in its order."""
        packets, there = self.packets, self.rows[rows]
        columns = (
            self.number[rows],
            self.time_ns[rows],
            self.seq[rows],
            self.ack[rows],
            self.flags[rows],
            packets.window[there],
            packets.payload_offset[there],
            self.captured[rows],
            self.size[rows],
            packets.options_offset[there],
            packets.options_size[there],
        )
        return np.stack(columns, axis=1)

    def packets_of(self, rows: Int64) -> list[tuple[int, Packet]]:
        """Direction and packet of each of these rows."""
        packets = map(Packet._make, self.table(rows).tolist())
        return list(zip(self.direction[rows].tolist(), packets, strict=True))


def batch_of(packets: Packets) -> Batch | None:
    """The TCP rows, sorted; None where there are none."""
    tcp = packets.protocol == 6
    if not tcp.any():
        return None
    rows = np.arange(len(tcp)) if tcp.all() else np.flatnonzero(tcp)
    order, direction, keys, bounds = _sorted_rows(packets, rows)
    sorted_rows = rows[order]
    return Batch(
        packets.buffer,
        keys,
        bounds,
        direction[order].astype(np.int64),
        packets.number[sorted_rows],
        packets.time_ns[sorted_rows],
        packets.seq[sorted_rows],
        packets.ack[sorted_rows],
        packets.flags[sorted_rows],
        packets.payload_size[sorted_rows],
        packets.payload_captured[sorted_rows],
        sorted_rows,
        packets,
    )


def _sorted_rows(packets: Packets, rows: Int64) -> tuple[Int64, NDArray[np.bool_], list[Key], list[int]]:
    """How rows are sorted, whether the higher endpoint sent them, the 5-tuples, and where each begins."""
    version = packets.version[rows]
    if bool((version == 4).all()):
        source = packets.source_lo[rows] << np.uint64(16) | packets.source_port[rows].astype(np.uint64)
        target = packets.target_lo[rows] << np.uint64(16) | packets.target_port[rows].astype(np.uint64)
        from_high = source > target
        order, firsts, columns = _grouped([np.minimum(source, target), np.maximum(source, target)])
        keys: list[Key] = list(zip(*columns, strict=True))
        return order, from_high, keys, [*firsts, len(order)]
    s_hi, s_lo, s_port = packets.source_hi[rows], packets.source_lo[rows], packets.source_port[rows]
    t_hi, t_lo, t_port = packets.target_hi[rows], packets.target_lo[rows], packets.target_port[rows]
    from_high = (s_hi > t_hi) | ((s_hi == t_hi) & ((s_lo > t_lo) | ((s_lo == t_lo) & (s_port > t_port))))
    low = np.where(from_high, t_hi, s_hi), np.where(from_high, t_lo, s_lo), np.where(from_high, t_port, s_port)
    high = np.where(from_high, s_hi, t_hi), np.where(from_high, s_lo, t_lo), np.where(from_high, s_port, t_port)
    order, firsts, columns = _grouped([*low, *high, version])
    return order, from_high, [_key(*values) for values in zip(*columns, strict=True)], [*firsts, len(order)]


def _key(low_hi: int, low_lo: int, low_port: int, high_hi: int, high_lo: int, high_port: int, version: int) -> Key:
    if version != 4:
        return low_hi, low_lo, low_port, high_hi, high_lo, high_port
    return low_lo << 16 | low_port, high_lo << 16 | high_port  # as in the columns of 64 bits above


def endpoints_of(key: Key) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    """(hi, lo, version, port) of the lower and the higher endpoint."""
    if len(key) == 2:
        low, high = key
        return (0, low >> 16, 4, low & 0xFFFF), (0, high >> 16, 4, high & 0xFFFF)
    low_hi, low_lo, low_port, high_hi, high_lo, high_port = key
    return (low_hi, low_lo, 6, low_port), (high_hi, high_lo, 6, high_port)


def _grouped(columns: list[NDArray[Any]]) -> tuple[Int64, list[int], list[list[int]]]:
    """Rows of equal columns together: their order, where groups begin, and the columns of the groups."""
    mixed: UInt64 = np.zeros(len(columns[0]), np.uint64)
    for column in columns:
        mixed = (mixed ^ column.astype(np.uint64, copy=False)) * np.uint64(0x9E3779B97F4A7C15)
        mixed ^= mixed >> np.uint64(29)
    order = np.argsort(mixed, kind="stable")
    ordered = [column[order] for column in columns]
    new = np.ones(len(order), bool)
    new[1:] = False
    for column in ordered:
        new[1:] |= column[1:] != column[:-1]
    by_hash = mixed[order]
    if bool((new[1:] & (by_hash[1:] == by_hash[:-1])).any()):
        # Two 5-tuples share a hash: sort by the columns themselves.
        order = np.lexsort(columns[::-1])
        ordered = [column[order] for column in columns]
        new[1:] = False
        for column in ordered:
            new[1:] |= column[1:] != column[:-1]
    firsts = np.flatnonzero(new)
    return order, firsts.tolist(), [column[firsts].tolist() for column in ordered]
