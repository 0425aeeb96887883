"""Which rows of each connection in a batch can be applied at once, decided by columns for all of them.

Of each connection that is open, or opens here with a whole handshake, these are its rows up
to the first one that is not plain: it has flags besides ACK and PSH, was cut by the snap
length, or stands where bytes are missing that do not come in time. Where nobody asks what
happened to segments, those that are late or come again are put in order here as well, and
so is the close.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from inspect_cli.streams.batches import Batch
from inspect_cli.streams.closings import Closings
from inspect_cli.streams.ordering import Order
from inspect_cli.streams.rows import NO_ACK, Mask, Parts, Rows
from inspect_cli.wire.frames import Int64


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
    closing: Int64
    """The connections with a FIN among the rows that are applied at once,"""
    closed: Int64
    """and of each the rows of both FINs and of what acknowledges them; -1 where there is none."""


def plan_of(batch: Batch, parts: Parts) -> Plan:
    """Look at all rows of a batch."""
    rows = Rows(batch, parts)
    odd = rows.odd()
    closings = Closings(rows, odd)
    cut = np.where(parts.is_able | rows.opens, rows.first(odd), rows.starts)
    taken = ((batch.size > 0) | rows.loud) & rows.before(cut)
    taken[rows.opening] = False
    order = Order(rows, taken)
    order.put_right(cut, closings.check(cut, order.reach()))
    within = rows.before(cut)
    rest = np.flatnonzero(~within)
    within[rows.opening] = False
    acked = closings.cap(cut, _acked(rows, within))
    row, at = order.kept(cut)
    side = rows.side[row]
    reached = parts.next.copy()
    np.add.at(reached, side, batch.size[row])
    spoken = np.full(len(rows.starts), len(odd))
    np.minimum.at(spoken, rows.part[row], row)
    closing, closed = closings.found(cut, within)
    if not parts.is_heard.all():
        heard = parts.is_heard[rows.part[row]]
        row, at, side = row[heard], at[heard], side[heard]
    pieces = np.searchsorted(side, np.arange(2 * len(rows.starts) + 1))
    start = parts.next[side] + rows.ahead[row]
    return Plan(
        rows.starts, cut, rows.opens, spoken, reached, parts.next + acked, pieces, row, at, start, rest, closing, closed
    )


def _acked(rows: Rows, within: Mask) -> Int64:
    """Of each side: how far the other acknowledged it, from where it stood."""
    direction = rows.batch.direction
    far = [
        np.maximum.reduceat(np.where(within & (direction == sender), rows.acked, NO_ACK), rows.starts)
        for sender in (1, 0)
    ]
    return np.stack(far, axis=1).ravel()
