"""Frames to packets: headers as columns, one layer after the other, without a loop over packets.

Bytes are gathered at the offsets of all rows, seen through a header's dtype, and the rows
that have another layer go on. A row that gives no packet is listed with its reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from inspect_cli.wire.frames import Frames, Packets, UndecodedFrame
from inspect_cli.wire.layers import Layers
from inspect_cli.wire.link import LINKS, Peel
from inspect_cli.wire.peeling import (
    FINE,
    FRAGMENT,
    LINK_TYPE,
    REASONS,
    Cursor,
    Unread,
    distinct,
)

if TYPE_CHECKING:
    from inspect_cli.wire.fragments import FragmentNote, Fragments


FRAGMENT_LEVELS: Final = 2
"""Datagrams made of fragments may hold fragments in a tunnel; those inside them are left."""


class Decoder:
    """Decodes the batches of one capture; fragments wait in it for the rest of their datagrams."""

    def __init__(self) -> None:
        self._fragments: list[Fragments] = []

    def decode(self, frames: Frames) -> Packets:
        """The TCP and UDP packets of a batch, and a list of the frames that gave none. Never raises.

        A frame whose fragment waits is in neither.
        """
        layers = Layers(frames.buffer, len(frames))
        for link_type in distinct(frames.link_type).tolist() if len(frames) else ():
            cursor = _frames_of(frames, link_type)
            peel = _peel_of(link_type)
            if peel is None:
                layers.unread.mark(cursor, np.ones(len(cursor.row), np.bool_), LINK_TYPE, cursor.kind)
            else:
                layers.network(peel(frames.buffer, cursor, layers.unread), 0)
        notes = self._reassembled(frames, layers) if layers.pieces else []
        return layers.columns.packets(frames, layers.buffer, _undecoded(layers.unread), notes)

    def close(self, number: int) -> list[FragmentNote]:
        """What still waits at the end of the capture, whose last frame has this number."""
        return [note for level in self._fragments for note in level.close(number)]

    def _reassembled(self, frames: Frames, layers: Layers) -> list[FragmentNote]:
        """Hold the fragments of a batch, and decode the datagrams that they make whole."""
        from inspect_cli.wire.fragments import Fragments, in_frame_order

        notes: list[FragmentNote] = []
        # A level each, so that every one sees its fragments in frame order.
        self._fragments = self._fragments or [Fragments() for _ in range(FRAGMENT_LEVELS)]
        numbers = range(frames.first_number, frames.first_number + len(frames))
        for level in self._fragments:
            if not layers.pieces:
                break
            pieces = list(in_frame_order(layers.pieces))
            layers.pieces = []
            rows = np.array([piece.row for piece in pieces], np.int64)
            waiting = layers.unread.reason[rows] == FRAGMENT
            counted = set(rows[waiting].tolist())
            layers.unread.reason[rows[waiting]] = FINE
            whole, said = level.take(pieces, layers.buffer, numbers, frames.time_ns, counted)
            notes += said
            if whole:
                layers.datagrams(whole)
        return notes


def decode(frames: Frames) -> Packets:
    """A batch as a whole capture: fragments whose rest is not in it are listed."""
    decoder = Decoder()
    packets = decoder.decode(frames)
    packets.fragments += decoder.close(frames.first_number + len(frames) - 1)
    return packets


def _peel_of(link_type: int) -> Peel | None:
    if link_type in LINKS:
        return LINKS[link_type]
    from inspect_cli.wire.more_links import MORE_LINKS

    return MORE_LINKS.get(link_type)


def _frames_of(frames: Frames, link_type: int) -> Cursor:
    """Whole frames of one link type."""
    end = frames.offset + frames.size
    wire_end = frames.offset + np.maximum(frames.original_size, frames.size)
    rows = np.arange(len(frames), dtype=np.int64)
    return Cursor(rows, frames.offset, end, wire_end, frames.link_type).where(frames.link_type == link_type)


def _undecoded(unread: Unread) -> list[UndecodedFrame]:
    rows = np.nonzero(unread.reason)[0]
    if not len(rows):
        return []
    from inspect_cli.wire.names import detail_text

    reasons = unread.reason[rows].tolist()
    details = unread.detail[rows].tolist()
    return [
        UndecodedFrame(row, REASONS[reason], detail_text(reason, detail))
        for row, reason, detail in zip(rows.tolist(), reasons, details, strict=True)
    ]
