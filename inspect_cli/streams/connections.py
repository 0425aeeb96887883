"""Packet columns to connections: grouping by 5-tuple, and what a whole batch can do at once.

What of each connection is plain and in order (at_once.py) is applied at once; the rows behind
it, in runs or one by one (runs.py), go through `TcpConnection`. All ways give the same state
and events: a property test holds batches of every size equal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from inspect_cli.events.base import Event
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import Connection, LargeSegment, Retransmission, TcpOptions
from inspect_cli.streams.applying import Applying, is_loud
from inspect_cli.streams.batches import Batch, Key, batch_of
from inspect_cli.streams.births import Births, Owned
from inspect_cli.streams.channel import Channel, Placed
from inspect_cli.streams.lookback import Lookback
from inspect_cli.streams.reader import Reader
from inspect_cli.streams.tcp_repeats import tell_large
from inspect_cli.streams.tcp_rows import row_of
from inspect_cli.streams.tcp_states import TcpConnection
from inspect_cli.wire.frames import Packets
from inspect_cli.wire.options import tcp_options

LOOK_EVERY_FRAMES = 65_536
"""Connections to let go are looked for at frames whose number this divides."""
SMALL_MSS = 1460
"""What Ethernet allows; larger segments are compared with what the other side said."""
FEW_ROWS = 16
"""Fewer in a batch, as they come live, are sooner applied one by one."""
LINGER_NS = 120 * 10**9
"""A connection is let go this long after its end,"""
IDLE_NS = 3600 * 10**9
"""or this long after its last frame;"""
PATIENCE_FRAMES = 2 * LOOK_EVERY_FRAMES
"""or, if it has hardly begun (SYNs without an answer, one frame), so many frames later: scans leave millions."""


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
        self._wants = wants
        self._only = only
        self._picked = picked
        self._at_once = at_once and not verbose
        self._is_loud = is_loud(wants)
        self._current: dict[Key, TcpConnection] = {}
        self._replaced: list[TcpConnection] = []
        self._buffer: bytes | bytearray = b""
        self._lookback = Lookback() if wants(Retransmission) else None
        self._births = Births(make_channel, wants, tally, self._options_of, self._lookback, verbose=verbose, only=only)

    def feed(self, packets: Packets) -> list[tuple[TcpConnection, list[Placed]]]:
        """Apply a batch; the events of each connection that it touched, by connection id."""
        self._buffer = packets.buffer
        if self._lookback is not None:
            self._lookback.begin(packets)
        batch = batch_of(packets)
        found = []
        for connection in [] if batch is None else self._apply(batch):
            found.append((connection, connection.take_events()))
            for half in connection.halves:
                half.reader.keep()  # nothing may point into the batch's buffer once it is reused
        if self._lookback is not None:
            self._lookback.end()
        self._buffer = b""
        return found

    def look(self, number: int, now_ns: int) -> tuple[list[tuple[TcpConnection, list[Placed]]], list[Connection]]:
        """Let go what is over or idle at frame `number`, as the capture's clock says."""
        forsaken = [c for c in self._current.values() if c.is_forsaken(number - PATIENCE_FRAMES)]
        for connection in forsaken:
            connection.end_now("forsaken", number, now_ns)
        gone = [c for c in self._current.values() if self._is_gone(c, now_ns)] + self._replaced + forsaken
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
            if not connection.muted:
                events.append((connection, connection.take_events()))
                rows.append(row_of(connection))
            connection.fall_silent()
        self._current = {key: c for key, c in self._current.items() if c.id not in ids}
        self._replaced = [c for c in self._replaced if c.id not in ids]
        return events, rows

    # -- a batch -------------------------------------------------------------------------

    def _apply(self, batch: Batch) -> list[TcpConnection]:
        """Apply all rows; the connections that may have something to tell or to read, by id."""
        owned = self._births.owned(batch, self._current)
        apply = self._applied_by(batch, owned)
        has_large = self._wants(LargeSegment) and bool((batch.size > SMALL_MSS).any())
        touched: dict[int, TcpConnection] = {}
        for place, connection in enumerate(owned.connections):
            row = owned.bounds[place]
            if not connection.frames:
                self._current[batch.keys[owned.keys[place]]] = connection
                old = owned.replaced.get(place)
                if old is not None:
                    old.end_now("reused", int(batch.number[row]), int(batch.time_ns[row]))
                    touched[old.id] = old
                    self._replaced.append(old)
            if apply(place):
                touched[connection.id] = connection
            if connection.muted:
                continue
            end = owned.bounds[place + 1]
            if has_large and not connection.is_large:
                _find_large(batch, connection, row, end)
            if self._picked is not None and connection.id == self._only:
                self._picked(batch.number[row:end].tolist())
        return [touched[number] for number in sorted(touched)]

    def _applied_by(self, batch: Batch, owned: Owned) -> Callable[[int], bool]:
        """How the rows of the connection at a place are applied; it says whether there is news."""
        if self._at_once and len(batch.number) >= FEW_ROWS:
            return Applying(batch, owned, is_loud=self._is_loud).apply

        def one_by_one(place: int) -> bool:
            connection = owned.connections[place]
            for direction, p in batch.packets_of(np.arange(owned.bounds[place], owned.bounds[place + 1])):
                connection.packet(direction, p, self._buffer)
            return not connection.muted

        return one_by_one

    def _options_of(self, offset: int, size: int) -> TcpOptions:
        return tcp_options(bytes(memoryview(self._buffer)[offset : offset + size]))


def _find_large(batch: Batch, connection: TcpConnection, start: int, end: int) -> None:
    """Tell the first of these rows that is larger than the other side's MSS (RFC 9293 §3.7.1)."""
    number, size, large = batch.number[start:end], batch.size[start:end], np.zeros(end - start, bool)
    for direction in (0, 1):
        other = connection.halves[1 - direction]
        if other.mss:  # one that was captured behind the segment does not count
            sent = (batch.direction[start:end] == direction) & (number > other.syn_frames[0])
            large |= sent & (size > max(other.mss, SMALL_MSS))
    if large.any():
        row = start + int(large.argmax())
        ((direction, p),) = batch.packets_of(np.array([row]))
        tell_large(connection, direction, p)
