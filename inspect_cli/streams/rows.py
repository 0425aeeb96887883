"""The rows of a batch beside the connections that own them: where each stands, and which are plain."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inspect_cli.streams.batches import Batch
from inspect_cli.streams.reassembly import SEQUENCE_MASK
from inspect_cli.streams.tcp_telling import ACK, PSH, RST, SYN
from inspect_cli.wire.frames import Int64

Mask = NDArray[np.bool_]

HANDSHAKE_ROWS: Final = 3
NEAR: Final = 1 << 30
"""Numbers farther than this from where their side stands are left to the slow way."""
NO_ACK: Final = -(1 << 40)
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


class Rows:
    """Each row of a batch: its connection, its side, and where it stands."""

    __slots__ = (
        "acked",
        "ahead",
        "batch",
        "every",
        "lengths",
        "loud",
        "opening",
        "opens",
        "part",
        "parts",
        "side",
        "starts",
    )

    def __init__(self, batch: Batch, parts: Parts) -> None:
        self.batch = batch
        self.parts = parts
        self.starts = parts.bounds[:-1]
        self.lengths = np.diff(parts.bounds)
        self.every = np.arange(len(batch.seq))
        """The rows themselves."""
        self.part = np.repeat(np.arange(len(self.starts)), self.lengths)
        self.side = 2 * self.part + batch.direction
        expected = np.where(parts.base < 0, -1, (parts.base + parts.next) & SEQUENCE_MASK)
        self.opens = _handshakes(batch, parts, expected)
        """Connections whose first HANDSHAKE_ROWS rows are a whole handshake,"""
        self.opening = (self.starts[self.opens][:, None] + np.arange(HANDSHAKE_ROWS)).ravel()
        """and these rows."""
        there, theirs = expected[self.side], expected[self.side ^ 1]
        self.ahead = np.where(there < 0, NEAR, _signed(batch.seq - there))
        """How far behind what its side is to send next each row begins; NEAR where nobody knows."""
        self.acked = np.where(theirs < 0, NO_ACK, _signed(batch.ack - theirs))
        """How far behind what the other side is to send next it acknowledges; NO_ACK where nobody knows."""
        self.loud = parts.is_loud[self.part]

    def odd(self) -> Mask:
        """The rows that are not plain: cut, far away, with other flags than ACK, PSH and, where nobody asks, FIN."""
        batch, flags = self.batch, self.batch.flags
        odd: Mask = (flags & (SYN | RST | ACK)) != ACK
        odd |= batch.captured != batch.size
        odd |= (self.ahead >= NEAR) | (self.ahead <= -NEAR)
        odd |= (self.acked >= NEAR) | ((self.acked <= -NEAR) & (self.acked != NO_ACK))
        if self.loud.any():
            odd |= self.loud & ((batch.window() == 0) | ((flags & ~PSH) != ACK))
        odd[self.opening] = False
        return odd

    def first(self, mask: Mask) -> Int64:
        """Of each connection, the first row of which `mask` is true; its end if there is none."""
        rows = np.where(mask, self.every, len(self.every))
        return np.minimum(np.minimum.reduceat(rows, self.starts), self.parts.bounds[1:])

    def before(self, cut: Int64) -> Mask:
        """The rows before the cut of their connection."""
        return np.asarray(self.every < np.repeat(cut, self.lengths))


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
    if parts.is_loud.any():
        good &= ~parts.is_loud[found] | batch.window()[rows].all(axis=1)
    opens[found] = good
    found, sender = found[good], direction[good, 0]
    expected[2 * found + sender] = client[good]
    expected[2 * found + 1 - sender] = server[good]
    return opens
