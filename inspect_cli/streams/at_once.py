"""Which rows of each connection in a batch can be applied at once, decided by columns for all of them.

Of each connection that is open, or opens here with a whole handshake, these are its rows up
to the first one that is not plain: it has flags besides ACK and PSH, was cut by the snap
length, or stands where bytes are missing that do not come in time. Where nobody asks what
happened to segments, those that are late or come again are put in order here as well.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inspect_cli.streams.batches import Batch
from inspect_cli.streams.reassembly import SEQUENCE_MASK, WAITING_LIMIT_BYTES, WAITING_LIMIT_FRAMES
from inspect_cli.streams.tcp_telling import ACK, FIN, PSH, RST, SYN
from inspect_cli.wire.frames import Int64

Mask = NDArray[np.bool_]

HANDSHAKE_ROWS: Final = 3
NEAR: Final = 1 << 30
"""Numbers farther than this from where their side stands are left to the slow way."""
NO_ACK: Final = -(1 << 40)
_SIDE: Final = 1 << 40
"""More than any offset: put apart what belongs to different sides."""
_CONGESTION = 64 | 128
"""ECE and CWR (RFC 3168 §6.1)."""


class Parts(NamedTuple):
    """The connections of a batch and where they stand: rows [bounds[i], bounds[i + 1]) belong to the i-th.

    Of each there are two sides, 2 * i and 2 * i + 1, those of direction 0 and 1.
    """

    bounds: Int64
    is_able: Mask
    """It is open, and nothing waits."""
    is_fresh: Mask
    """No packet of it was seen before."""
    is_loud: Mask
    """Somebody asks what happened to its segments."""
    is_heard: Mask
    """Somebody reads its bytes."""
    base: Int64
    """Of each side: the sequence number of offset 0; -1 while none is known."""
    next: Int64
    """Of each side: the offset of the next byte."""


class Plan(NamedTuple):
    """What can be applied at once."""

    starts: Int64
    """Of each connection: its first row,"""
    cut: Int64
    """and the first one that is not applied at once."""
    opens: Mask
    """Its first HANDSHAKE_ROWS rows are a whole handshake; they are not in what follows."""
    spoken: Int64
    """Its first row with payload; behind all rows if there is none before its cut."""
    next: Int64
    """Of each side: the offset of the next byte then."""
    acked: Int64
    """Of each side: how far the other side acknowledged it; NO_ACK or near it if it did not."""
    pieces: Int64
    """Of each side that is heard: [pieces[s], pieces[s + 1]) of the following are its pieces, in stream order."""
    row: Int64
    at: Int64
    """Row that made the piece known; `row` itself where all came in order."""
    start: Int64
    """Its offset."""
    rest: Int64
    """The rows that are left."""


def plan_of(batch: Batch, parts: Parts) -> Plan:
    """Look at all rows of a batch."""
    starts, lengths = parts.bounds[:-1], np.diff(parts.bounds)
    part = np.repeat(np.arange(len(starts)), lengths)
    side = 2 * part + batch.direction
    expected = np.where(parts.base < 0, -1, (parts.base + parts.next) & SEQUENCE_MASK)
    opens = _handshakes(batch, parts, expected)
    opening = (starts[opens][:, None] + np.arange(HANDSHAKE_ROWS)).ravel()
    ahead = _signed(batch.seq - expected[side])
    theirs = expected[side ^ 1]
    acked = np.where(theirs < 0, NO_ACK, _signed(batch.ack - theirs))
    loud = parts.is_loud[part]
    bad = _not_plain(batch, loud, expected[side], ahead, acked)
    bad[opening] = False
    every, count = np.arange(len(side)), len(side)
    cut = np.minimum(np.minimum.reduceat(np.where(bad, every, count), starts), parts.bounds[1:])
    cut = np.where(parts.is_able | opens, cut, starts)
    taken = (batch.size > 0) | loud
    taken &= every < np.repeat(cut, lengths)
    taken[opening] = False
    order = _Order(batch, side, ahead, np.flatnonzero(taken))
    order.put_right(parts.is_loud, cut)
    within = every < np.repeat(cut, lengths)
    rest = np.flatnonzero(~within)
    within[opening] = False
    far = [
        np.maximum.reduceat(np.where(within & (batch.direction == sender), acked, NO_ACK), starts) for sender in (1, 0)
    ]
    row, at = order.kept(batch, part, cut)
    sides = side[row]
    reached = parts.next.copy()
    np.add.at(reached, sides, batch.size[row])
    spoken = np.full(len(starts), count)
    np.minimum.at(spoken, part[row], row)
    if not parts.is_heard.all():
        heard = parts.is_heard[part[row]]
        row, at, sides = row[heard], at[heard], sides[heard]
    pieces = np.searchsorted(sides, np.arange(2 * len(starts) + 1))
    acked_by = parts.next + np.stack(far, axis=1).ravel()
    start = parts.next[sides] + ahead[row]
    return Plan(starts, cut, opens, spoken, reached, acked_by, pieces, row, at, start, rest)


def _signed(distance: Int64) -> Int64:
    """Distances of sequence numbers, in the 32 bits around 0 (RFC 9293 §3.4)."""
    return ((distance + 0x8000_0000) & SEQUENCE_MASK) - 0x8000_0000


def _handshakes(batch: Batch, parts: Parts, expected: Int64) -> Mask:
    """The parts that begin with SYN, SYN/ACK and ACK; notes in `expected` where their sides stand then."""
    opens = parts.is_fresh & (np.diff(parts.bounds) >= HANDSHAKE_ROWS)
    found = np.flatnonzero(opens)
    rows = parts.bounds[found][:, None] + np.arange(HANDSHAKE_ROWS)
    seq, ack, direction = batch.seq[rows], batch.ack[rows], batch.direction[rows]
    flags = batch.flags[rows] & ~_CONGESTION
    client, server = (seq[:, 0] + 1) & SEQUENCE_MASK, (seq[:, 1] + 1) & SEQUENCE_MASK
    good = (flags == (SYN, SYN | ACK, ACK)).all(axis=1) & ~batch.size[rows].any(axis=1)
    good &= (direction[:, 0] == direction[:, 2]) & (direction[:, 0] != direction[:, 1])
    good &= (ack[:, 1] == client) & (seq[:, 2] == client) & (ack[:, 2] == server)
    opens[found] = good
    found, sender = found[good], direction[good, 0]
    expected[2 * found + sender] = client[good]
    expected[2 * found + 1 - sender] = server[good]
    return opens


def _not_plain(batch: Batch, loud: Mask, expected: Int64, ahead: Int64, acked: Int64) -> Mask:
    flags = batch.flags
    bad: Mask = (flags & (SYN | FIN | RST | ACK)) != ACK
    bad |= batch.captured != batch.size
    bad |= expected < 0
    bad |= (ahead >= NEAR) | (ahead <= -NEAR)
    bad |= (acked >= NEAR) | ((acked <= -NEAR) & (acked != NO_ACK))
    if loud.any():
        window = batch.packets.window[batch.rows]
        bad |= loud & ((window == 0) | ((flags & ~PSH) != ACK))
    return bad


class _Order:
    """Rows in side order, and which of them do not continue their sides."""

    def __init__(self, batch: Batch, side: Int64, ahead: Int64, taken: Int64) -> None:
        sides = side[taken]
        if len(side) < 1 << 14:
            sides = sides.astype(np.int16)  # sorted in half the time
        by_side = np.argsort(sides, kind="stable")
        self._row = taken[by_side]
        self._side = side[self._row]
        self._start = ahead[self._row]
        self._end = self._start + batch.size[self._row]
        self._at = self._row
        self._stays: Mask | None = None
        """None: all of them."""

    def put_right(self, is_loud: Mask, cut: Int64) -> None:
        """Order the sides that are not; `cut` goes back to where that cannot be done."""
        side = self._side
        before = np.zeros(len(side), np.int64)
        before[1:] = np.where(side[1:] == side[:-1], self._end[:-1], 0)
        wrong = np.flatnonzero(self._start != before)
        if not len(wrong):
            return
        is_wrong: Mask = np.zeros(2 * len(cut), bool)
        is_wrong[side[wrong]] = True
        fails: Mask = is_wrong & np.repeat(is_loud, 2)
        is_wrong &= ~fails
        there = np.flatnonzero(is_wrong[side])
        if len(there):
            fails[self._sorted(there)] = True
        failed: Mask = np.any(fails.reshape(-1, 2), axis=1)
        wrong = wrong[failed[side[wrong] // 2]]
        np.minimum.at(cut, side[wrong] // 2, self._row[wrong])

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
        # A failed part stays as it came: what is before its cut is in order.
        pair = failed | np.append(failed, False)[np.minimum(np.arange(len(failed)) ^ 1, len(failed))]
        fine = ~pair[side]
        self._row = self._row.copy()
        self._at = self._row.copy()
        self._stays = np.ones(len(self._row), bool)
        self._row[there[fine]] = row[fine]
        self._at[there[fine]] = at[fine]
        self._stays[there[fine]] = ~is_old[fine]
        return np.flatnonzero(failed)

    def kept(self, batch: Batch, part: Int64, cut: Int64) -> tuple[Int64, Int64]:
        """The pieces: rows with payload before the cut, and the rows that made them known."""
        stays = (batch.size[self._row] > 0) & (self._row < cut[part[self._row]])
        if self._stays is not None:
            stays &= self._stays
        return self._row[stays], self._at[stays]
