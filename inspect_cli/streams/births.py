"""Which connections the rows of a batch belong to: those that are known, and those that begin here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from inspect_cli.events.base import Event, Side
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import TcpOptions
from inspect_cli.streams.batches import Batch, Key, endpoints_of
from inspect_cli.streams.channel import Channel
from inspect_cli.streams.lookback import Lookback
from inspect_cli.streams.reader import Reader
from inspect_cli.streams.reassembly import SEQUENCE_MASK, Half
from inspect_cli.streams.tcp_states import TcpConnection
from inspect_cli.streams.tcp_telling import ACK, FIN, RST, SYN
from inspect_cli.streams.unread import Unread


class Owned(NamedTuple):
    """The rows of a batch by connection."""

    connections: list[TcpConnection]
    bounds: list[int]
    """Rows [bounds[i], bounds[i + 1]) are of connections[i]; each has some."""
    keys: list[int]
    """Place of each one's 5-tuple in the keys of the batch."""
    replaced: dict[int, TcpConnection]
    """By place of a connection: the one of its 5-tuple that is over with its first row."""


class Births:
    """Makes connections; their ids are given in frame order."""

    def __init__(
        self,
        make_channel: Callable[[tuple[Reader, Reader]], Channel],
        wants: Callable[[type[Event]], bool],
        tally: Tally,
        options_of: Callable[[int, int], TcpOptions],
        lookback: Lookback | None,
        *,
        verbose: bool,
        only: int | None,
    ) -> None:
        self._make_channel = make_channel
        self._wants = wants
        self._tally = tally
        self._options_of = options_of
        self._lookback = lookback
        self._verbose = verbose
        self._only = only

    def owned(self, batch: Batch, current: Mapping[Key, TcpConnection]) -> Owned:
        """The connections of a batch; `current` are those known before."""
        known = [current.get(key) for key in batch.keys]
        born = self._born(batch, known)
        owned = Owned([], [], [], {})
        for index, connection in enumerate(known):
            row = batch.bounds[index]
            births = born.get(index)
            if births is None:
                assert connection is not None
                self._own(owned, connection, row, index)
                continue
            before = connection
            if before is not None and births[0][0] > row:
                self._own(owned, before, row, index)
            for first, born_here in births:
                if before is not None:
                    owned.replaced[len(owned.connections)] = before
                self._own(owned, born_here, first, index)
                before = born_here
        owned.bounds.append(batch.bounds[-1])
        return owned

    @staticmethod
    def _own(owned: Owned, connection: TcpConnection, row: int, index: int) -> None:
        owned.connections.append(connection)
        owned.bounds.append(row)
        owned.keys.append(index)

    def _born(self, batch: Batch, known: list[TcpConnection | None]) -> dict[int, list[tuple[int, TcpConnection]]]:
        """New connections by place of their 5-tuple, each with its first row."""
        bounds = np.asarray(batch.bounds)
        candidates = (batch.flags & (SYN | ACK)) == SYN
        candidates[bounds[:-1][[connection is None for connection in known]]] = True
        rows = np.flatnonzero(candidates)
        rows = rows[np.argsort(batch.number[rows])]
        groups = np.searchsorted(bounds, rows, side="right") - 1
        born: dict[int, list[tuple[int, TcpConnection]]] = {}
        for row, group in zip(rows.tolist(), groups.tolist(), strict=True):
            first, before = batch.bounds[group], known[group]
            births = born.get(group)
            if births is not None:
                first, before = births[-1]
            if before is None or _is_reuse(batch, before, first, row):
                born.setdefault(group, []).append((row, self._new(int(batch.number[row]), batch.keys[group])))
        return born

    def _new(self, first_frame: int, key: Key) -> TcpConnection:
        number = self._tally.connections
        self._tally.connections += 1
        low, high = endpoints_of(key)
        # Without SYN or SYN/ACK the side with the higher port is taken for the client.
        client_direction = 0 if low[3] > high[3] else 1
        name = f"tcp/{number}"
        muted = self._only is not None and number != self._only
        make = Unread if muted else Reader
        readers = make(name, Side.CLIENT), make(name, Side.SERVER)
        connection = TcpConnection(
            number,
            first_frame,
            key,
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


def _is_reuse(batch: Batch, connection: TcpConnection, first: int, row: int) -> bool:
    """Whether the SYN at `row` begins a new connection of the same 5-tuple.

    It does where this side has begun with another number before; a repeat of its SYN, or
    one that was captured late, does not.
    """
    direction = int(batch.direction[row])
    base = connection.halves[direction].base
    if base is None:
        begun = (batch.direction[first:row] == direction) & ((batch.flags[first:row] & RST) == 0)
        before = np.flatnonzero(begun)
        if not len(before):
            return False
        earlier = first + int(before[0])
        base = int(batch.seq[earlier]) + bool(batch.flags[earlier] & SYN)
    if (int(batch.seq[row]) + 1 - base) & SEQUENCE_MASK == 0:
        return False
    return not _is_split(batch, connection, direction, first, row)


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
        if batch.direction[there] != sender or batch.flags[there] & mask != flags or batch.size[there]:
            return False
    return True
