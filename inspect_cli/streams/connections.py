"""Packet columns to connections: grouping by 5-tuple, and what a whole batch can do at once.

Of each connection only the rows that do
not simply continue their side (SYN, FIN, RST, a jump in sequence numbers, a closed window)
go through `TcpConnection.packet`; runs of plain rows between them are applied at once. Both
ways give the same state and events: a property test holds batches of every size equal.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

import numpy as np

from inspect_cli.events.base import Event, Side
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import Connection, LargeSegment, Retransmission, TcpOptions
from inspect_cli.streams.batches import SHORTEST_RUN, Batch, Key, batch_of
from inspect_cli.streams.channel import Channel, Placed
from inspect_cli.streams.lookback import Lookback
from inspect_cli.streams.reader import Reader
from inspect_cli.streams.reassembly import SEQUENCE_MASK, Half
from inspect_cli.streams.tcp_repeats import tell_large
from inspect_cli.streams.tcp_rows import row_of
from inspect_cli.streams.tcp_states import TcpConnection
from inspect_cli.streams.tcp_telling import ACK, FIN, RST, SYN, Packet
from inspect_cli.streams.unread import Unread
from inspect_cli.wire.addresses import endpoint_text
from inspect_cli.wire.frames import Packets
from inspect_cli.wire.options import tcp_options

LOOK_EVERY_FRAMES = 65_536
"""Connections to let go are looked for at frames whose number this divides."""
SMALL_MSS = 1460
"""What Ethernet allows; larger segments are compared with what the other side said."""
LINGER_NS = 120 * 10**9
"""A connection is let go this long after its end,"""
IDLE_NS = 3600 * 10**9
"""or this long after its last frame."""


class ConnectionTable:
    """Every connection that is not let go yet, by 5-tuple."""

    def __init__(
        self,
        make_channel: Callable[[tuple[Reader, Reader]], Channel],
        wants: Callable[[type[Event]], bool],
        tally: Tally,
        *,
        verbose: bool = False,
        only: int | None = None,
        picked: Callable[[list[int]], None] | None = None,
        at_once: bool = True,
    ) -> None:
        """`only`: parse this connection alone; `picked` is told the numbers of its frames, batch by batch.

        `at_once` False: every row one by one.
        """
        self._make_channel = make_channel
        self._wants = wants
        self._tally = tally
        self._verbose = verbose
        self._only = only
        self._picked = picked
        self._at_once = at_once and not verbose
        self._current: dict[Key, TcpConnection] = {}
        self._replaced: list[TcpConnection] = []
        self._touched: dict[int, TcpConnection] = {}
        self._buffer: bytes | bytearray = b""
        self._has_large = False
        """The batch has segments larger than SMALL_MSS, and somebody wants to know."""
        self._lookback = Lookback() if wants(Retransmission) else None

    def feed(self, packets: Packets) -> list[tuple[TcpConnection, list[Placed]]]:
        """Apply a batch; the events of each connection that it touched, by connection id."""
        self._buffer = packets.buffer
        if self._lookback is not None:
            self._lookback.begin(packets)
        batch = batch_of(packets)
        if batch is not None:
            self._has_large = self._wants(LargeSegment) and bool((batch.table[:, 8] > SMALL_MSS).any())
            births = self._births(batch)
            for index, key in enumerate(batch.keys):
                self._group(batch, index, key, births.get(index, []))
        found = []
        for number in sorted(self._touched):
            connection = self._touched[number]
            found.append((connection, connection.take_events()))
            self._keep(connection)
        if self._lookback is not None:
            self._lookback.end()
        self._touched.clear()
        self._buffer = b""
        return found

    def look(self, number: int, now_ns: int) -> tuple[list[tuple[TcpConnection, list[Placed]]], list[Connection]]:
        """Let go what is over or idle at frame `number`, as the capture's clock says."""
        gone = [c for c in self._current.values() if self._is_gone(c, now_ns)] + self._replaced
        return self._let_go(sorted(gone, key=lambda c: c.id), number, now_ns, "idle")

    def close(self, number: int, now_ns: int) -> tuple[list[tuple[TcpConnection, list[Placed]]], list[Connection]]:
        """The capture is over: everything is let go, in order of id."""
        gone = sorted([*self._current.values(), *self._replaced], key=lambda c: c.id)
        return self._let_go(gone, number, now_ns, "capture-end")

    # -- letting go ----------------------------------------------------------------------

    @staticmethod
    def _is_gone(connection: TcpConnection, now_ns: int) -> bool:
        if connection.ended_at is not None and now_ns - connection.ended_ns > LINGER_NS:
            return True
        return now_ns - connection.last_time_ns > IDLE_NS

    def _let_go(
        self, gone: list[TcpConnection], number: int, now_ns: int, reason: Any
    ) -> tuple[list[tuple[TcpConnection, list[Placed]]], list[Connection]]:
        events, rows = [], []
        ids = {c.id for c in gone}
        for connection in gone:
            connection.end_now(reason, number, now_ns)
            events.append((connection, connection.take_events()))
            if not connection.muted:
                rows.append(row_of(connection))
        self._current = {key: c for key, c in self._current.items() if c.id not in ids}
        self._replaced = [c for c in self._replaced if c.id not in ids]
        return events, rows

    # -- births --------------------------------------------------------------------------

    def _births(self, batch: Batch) -> dict[int, list[tuple[int, TcpConnection]]]:
        """New connections by group, each with its first row; ids are given in frame order."""
        flags = batch.table[:, 4]
        syns = np.flatnonzero((flags & (SYN | ACK)) == SYN)
        groups = np.searchsorted(np.asarray(batch.bounds), syns, side="right") - 1
        candidates = set(zip(batch.table[syns, 0].tolist(), syns.tolist(), groups.tolist(), strict=True))
        for group, key in enumerate(batch.keys):
            if key not in self._current:
                row = batch.bounds[group]
                candidates.add((int(batch.table[row, 0]), row, group))
        births: dict[int, list[tuple[int, TcpConnection]]] = {}
        for _, row, group in sorted(candidates):
            born = births.get(group)
            if born:
                first, connection = born[-1]
            else:
                first, known = batch.bounds[group], self._current.get(batch.keys[group])
                if known is None:
                    births[group] = [(row, self._new(batch, group, row))]
                    continue
                connection = known
            if self._is_reuse(batch, connection, first, row):
                births.setdefault(group, []).append((row, self._new(batch, group, row)))
        return births

    @staticmethod
    def _is_reuse(batch: Batch, connection: TcpConnection, first: int, row: int) -> bool:
        """Whether the SYN at `row` begins a new connection of the same 5-tuple.

        It does where this side has begun with another number before; a repeat of its SYN, or
        one that was captured late, does not.
        """
        direction = int(batch.direction[row])
        base = connection.halves[direction].base
        if base is None:
            begun = (batch.direction[first:row] == direction) & ((batch.table[first:row, 4] & RST) == 0)
            before = np.flatnonzero(begun)
            if not len(before):
                return False
            earlier = batch.table[first + int(before[0])]
            base = int(earlier[2]) + bool(earlier[4] & SYN)
        if (int(batch.table[row, 2]) + 1 - base) & SEQUENCE_MASK == 0:
            return False
        return not ConnectionTable._is_split(batch, connection, direction, first, row)

    @staticmethod
    def _is_split(batch: Batch, connection: TcpConnection, direction: int, first: int, row: int) -> bool:
        """Whether the SYN at `row` is the second part of a SYN/ACK: this side's ACK of the other's SYN came before.

        Only these two may have come so far, in this batch (rows [first, row)) or in those before.
        """
        if connection.frames + row - first != 2:
            return False
        half, other = connection.halves[direction], connection.halves[1 - direction]
        if connection.frames and (connection.opened != "syn-only" or half.isn is not None or half.is_pending):
            return False
        if connection.ended_at is not None or half.top or other.top:
            return False
        expected = [(1 - direction, SYN, SYN | ACK), (direction, ACK, SYN | FIN | RST | ACK)][connection.frames :]
        for (sender, flags, mask), there in zip(expected, range(first, row), strict=True):
            if batch.direction[there] != sender or batch.table[there, 4] & mask != flags or batch.table[there, 8]:
                return False
        return True

    def _new(self, batch: Batch, group: int, row: int) -> TcpConnection:
        low_hi, low_lo, low_port, high_hi, high_lo, high_port, version = batch.keys[group]
        endpoints = (
            endpoint_text(low_hi, low_lo, version, low_port),
            endpoint_text(high_hi, high_lo, version, high_port),
        )
        number = self._tally.connections
        self._tally.connections += 1
        # Without SYN or SYN/ACK the side with the higher port is taken for the client.
        client_direction = 0 if low_port > high_port else 1
        name = f"tcp/{number}"
        muted = self._only is not None and number != self._only
        make = Unread if muted else Reader
        readers = make(name, Side.CLIENT), make(name, Side.SERVER)
        connection = TcpConnection(
            number,
            endpoints,
            client_direction,
            None if muted else self._make_channel(readers),
            self._options_of,
            self._wants,
            self._tally,
            self._verbose,
            None if muted else self._lookback,
        )
        remembers = self._lookback is not None and not muted
        halves = Half(readers[0], remembers=remembers), Half(readers[1], remembers=remembers)
        connection.halves = halves if client_direction == 0 else (halves[1], halves[0])
        return connection

    def _options_of(self, offset: int, size: int) -> TcpOptions:
        return tcp_options(bytes(memoryview(self._buffer)[offset : offset + size]))

    # -- one connection's rows -----------------------------------------------------------

    def _group(self, batch: Batch, index: int, key: Key, births: list[tuple[int, TcpConnection]]) -> None:
        start = batch.bounds[index]
        end = batch.bounds[index + 1]
        for row, born in births:
            old = self._current.get(key)
            if old is not None:
                self._rows(batch, index, old, start, row)
                old.end_now("reused", int(batch.table[row, 0]), int(batch.table[row, 1]))
                self._touched[old.id] = old
                self._replaced.append(old)
            self._current[key] = born
            start = row
        self._rows(batch, index, self._current[key], start, end)

    def _rows(self, batch: Batch, index: int, connection: TcpConnection, start: int, end: int) -> None:
        if start >= end:
            return
        self._apply_rows(batch, index, connection, start, end)
        if self._has_large and not connection.is_large and not connection.muted:
            self._find_large(batch, connection, start, end)

    @staticmethod
    def _find_large(batch: Batch, connection: TcpConnection, start: int, end: int) -> None:
        """Tell the first of these rows that is larger than the other side's MSS (RFC 9293 §3.7.1)."""
        table, large = batch.table[start:end], np.zeros(end - start, bool)
        for direction in (0, 1):
            other = connection.halves[1 - direction]
            if other.mss:  # one that was captured behind the segment does not count
                sent = (batch.direction[start:end] == direction) & (table[:, 0] > other.syn_frames[0])
                large |= sent & (table[:, 8] > max(other.mss, SMALL_MSS))
        if large.any():
            row = start + int(large.argmax())
            tell_large(connection, int(batch.direction[row]), Packet(*batch.table[row].tolist()))

    def _apply_rows(self, batch: Batch, index: int, connection: TcpConnection, start: int, end: int) -> None:
        self._touched[connection.id] = connection
        if self._picked is not None and connection.id == self._only:
            self._picked(batch.table[start:end, 0].tolist())
        if not self._at_once:
            self._in_run(batch, connection, start, end)
            return
        runs = range(bisect_left(batch.run_starts, start), bisect_left(batch.run_starts, end))
        for i in runs:
            self._one_by_one(batch, connection, start, batch.run_starts[i])
            start = self._run(batch, index, connection, batch.run_starts[i], batch.run_ends[i])
        self._one_by_one(batch, connection, start, end)

    def _run(self, batch: Batch, index: int, connection: TcpConnection, start: int, end: int) -> int:
        """Apply a run at once as soon as it fits the connection; the first row that was not applied."""
        while end - start >= SHORTEST_RUN:
            sides = self._side_rows(batch, index, start, end)
            if connection.is_plain and _continues(batch, connection, sides):
                connection.frames += end - start
                connection.last_time_ns = int(batch.table[end - 1, 1])
                for direction in (0, 1):
                    self._apply(batch, connection, direction, *sides[direction])
                return end
            self._in_run(batch, connection, start, start + 1)
            start += 1
        return start

    def _one_by_one(self, batch: Batch, connection: TcpConnection, start: int, end: int) -> None:
        """Rows [start, end): those behind `start` that are in no run, and what a run left over."""
        first, last = batch.loose_before[start], batch.loose_before[end]
        if last - first < end - start:
            self._in_run(batch, connection, start, end - last + first)
        if last > first:
            packet, buffer = connection.packet, self._buffer
            for direction, p in batch.loose[first:last]:
                packet(direction, p, buffer)

    def _in_run(self, batch: Batch, connection: TcpConnection, start: int, end: int) -> None:
        """Rows [start, end) one by one, in whatever they stand."""
        buffer = self._buffer
        for row, direction in zip(batch.table[start:end].tolist(), batch.direction[start:end].tolist(), strict=True):
            connection.packet(direction, Packet(*row), buffer)

    def _side_rows(self, batch: Batch, index: int, start: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """The rows [start, end) in side order: a range for either direction."""
        first = batch.bounds[index]
        ones, before = batch.ones[start] - batch.ones[first], batch.ones[end] - batch.ones[first]
        zero_first, one_first = batch.side_first[2 * index], batch.side_first[2 * index + 1]
        return (zero_first + start - first - ones, zero_first + end - first - before), (
            one_first + ones,
            one_first + before,
        )

    def _apply(self, batch: Batch, connection: TcpConnection, direction: int, low: int, high: int) -> None:
        """Apply the rows [low, high) of side order."""
        if high == low:
            return
        half, other = connection.halves[direction], connection.halves[1 - direction]
        if other.base is not None:
            other.acked = max(other.acked, other.offset_of(batch.side_ack[high - 1]))
        first, last = batch.data_before[low], batch.data_before[high]
        if last == first:
            return
        if connection.muted:
            size = batch.data_start[last] - batch.data_start[first]
            half.bytes_seen += size
            half.next = half.top = half.next + size
            return
        shift = half.next - batch.data_start[first]
        edges = [start + shift for start in batch.data_start[first : last + 1]]
        starts, ends = edges[:-1], edges[1:]
        frames = batch.data_number[first:last]
        half.remember_many(starts, ends, frames, batch.data_time[first:last])
        half.reader.extend(
            starts, ends, self._buffer, batch.data_offset[first:last], frames, frames, batch.data_time[first:last]
        )
        half.bytes_seen += edges[-1] - half.next
        half.next = half.top = edges[-1]

    def _keep(self, connection: TcpConnection) -> None:
        """Nothing may point into the batch's buffer once it is reused."""
        if not connection.muted:
            for half in connection.halves:
                half.reader.keep()


def _continues(batch: Batch, connection: TcpConnection, sides: tuple[tuple[int, int], tuple[int, int]]) -> bool:
    """Whether the first rows of both sides stand exactly where their sides are."""
    for half, (low, high) in zip(connection.halves, sides, strict=True):
        if high > low and batch.side_seq[low] != half.next_seq:
            return False
    return True
