"""Fragments of IP datagrams, held until the datagram is whole.

What is held is bounded in bytes and capture time and never depends on how frames came in
batches. A datagram belongs to the frame that completed it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np

from inspect_cli.wire.frames import Int64, UInt64
from inspect_cli.wire.peeling import Buffer

MAX_AGE_NS: Final = 60 * 10**9
"""RFC 8200 §4.5: of the first-arriving fragment. Looked at when another fragment comes."""
MAX_HELD_BYTES: Final = 4 << 20
"""What all fragments may take; beyond, the datagrams that began first are given up."""
COST_BYTES: Final = 256
"""What a fragment takes besides its bytes."""
MAX_DATAGRAM_BYTES: Final = 65535

Address = tuple[int, int, int, int]
"""Source and destination, two halves each, as in Packets."""
Key = tuple[int, int, Address, int]


class Pieces(NamedTuple):
    """Fragments as columns: each stands at its part of the datagram."""

    row: Int64
    at: Int64
    end: Int64
    wire_end: Int64
    offset: Int64
    """Of this part in the datagram, in bytes."""
    more: Int64
    identification: Int64
    kind: Int64
    """IP protocol number of what the datagram carries, if this is its first fragment."""
    version: Int64
    source_hi: UInt64
    source_lo: UInt64
    target_hi: UInt64
    target_lo: UInt64


class Piece(NamedTuple):
    """One fragment: a row of Pieces."""

    row: int
    at: int
    end: int
    wire_end: int
    offset: int
    more: int
    identification: int
    kind: int
    version: int
    source_hi: int
    source_lo: int
    target_hi: int
    target_lo: int

    @property
    def key(self) -> Key:
        """RFC 791 §3.2 has the protocol in it, RFC 8200 §4.5 has not."""
        address = self.source_hi, self.source_lo, self.target_hi, self.target_lo
        return self.version, self.identification, address, self.kind if self.version == 4 else 0


class Datagram(NamedTuple):
    """What a whole datagram carries behind its IP header; `row` completed it."""

    row: int
    version: int
    kind: int
    address: Address
    data: bytes
    """As far as the capture has it without a hole."""
    size: int
    """On the wire."""


class FragmentNote(NamedTuple):
    """What is to be said about fragments that did not simply become a packet."""

    at: int
    """Number of the frame that decided it."""
    time_ns: int
    """Of the last of `frames`."""
    frames: tuple[int, ...]
    """Numbers of the fragments' frames."""
    counted: int
    """How many of them gave no packet otherwise."""
    identification: int
    overlaps: bool
    """True: this fragment has bytes that came before; False: the rest of these did not come."""


class Fragments:
    """The fragments that wait for the rest of their datagrams."""

    def __init__(self, max_held_bytes: int = MAX_HELD_BYTES) -> None:
        self._max_held_bytes = max_held_bytes
        self._open: dict[Key, _Open] = {}
        self._held_bytes = 0

    def take(
        self, pieces: Iterable[Piece], buffer: Buffer, numbers: range, times: Int64, counted: set[int]
    ) -> tuple[list[Datagram], list[FragmentNote]]:
        """Add fragments in frame order; whole datagrams, and what else is to be said.

        `numbers` and `times` of frames by row; `counted`: rows that give no packet otherwise.
        """
        whole: list[Datagram] = []
        notes: list[FragmentNote] = []
        with memoryview(buffer) as view:
            for piece in pieces:
                number, time_ns = numbers[piece.row], int(times[piece.row])
                notes += self._expired(number, time_ns)
                found = self._open.get(piece.key)
                if found is None:
                    found = self._open[piece.key] = _Open(time_ns, piece)
                data = bytes(view[piece.at : piece.end])
                self._held_bytes += len(data) + COST_BYTES
                if found.add(piece, data, number, time_ns, piece.row in counted):
                    notes.append(FragmentNote(number, time_ns, (number,), 0, piece.identification, overlaps=True))
                if found.is_whole:
                    self._forget(piece.key)
                    whole.append(found.datagram(piece))
                while self._held_bytes > self._max_held_bytes:
                    notes.append(self._given_up(number))
        return whole, notes

    def close(self, number: int) -> list[FragmentNote]:
        """The capture is over: the rest will not come."""
        return [self._given_up(number) for _ in range(len(self._open))]

    def _expired(self, number: int, time_ns: int) -> list[FragmentNote]:
        notes: list[FragmentNote] = []
        while self._open and time_ns - next(iter(self._open.values())).first_time_ns > MAX_AGE_NS:
            notes.append(self._given_up(number))
        return notes

    def _given_up(self, number: int) -> FragmentNote:
        """Forget the datagram that began first."""
        key = next(iter(self._open))
        lost = self._forget(key)
        return FragmentNote(number, lost.last_time_ns, tuple(lost.frames), lost.counted, key[1], overlaps=False)

    def _forget(self, key: Key) -> _Open:
        found = self._open.pop(key)
        self._held_bytes -= found.held_bytes
        return found


class _Open:
    """A datagram that is not whole yet."""

    __slots__ = (
        "_covered",
        "_kind",
        "_parts",
        "_total",
        "_void",
        "counted",
        "first_time_ns",
        "frames",
        "held_bytes",
        "last_time_ns",
    )

    def __init__(self, time_ns: int, piece: Piece) -> None:
        self.first_time_ns = self.last_time_ns = time_ns
        self.frames: list[int] = []
        self.counted = 0
        self.held_bytes = 0
        self._kind = piece.kind
        self._parts: dict[tuple[int, int], bytes] = {}  # in order of arrival
        self._covered: list[tuple[int, int]] = []  # ranges in order, apart from each other
        self._total: int | None = None
        self._void = False

    def add(self, piece: Piece, data: bytes, number: int, time_ns: int, counted: bool) -> bool:
        """Add a fragment; True if it contradicts what came before (the same once more does not)."""
        self.frames.append(number)
        self.counted += counted
        self.last_time_ns = time_ns
        self.held_bytes += len(data) + COST_BYTES
        start, end = piece.offset, piece.offset + piece.wire_end - piece.at
        if start == 0:
            self._kind = piece.kind
        contradicts = self._covers(start, end) and self._parts.get((start, end)) != data
        if not piece.more:
            contradicts |= self._total not in (None, end)
            self._total = end
        # RFC 8200 §4.5: an IPv6 datagram with overlapping fragments must be abandoned.
        self._void |= contradicts and piece.version == 6
        # RFC 791 §3.2: of two copies the more recently arrived one is used.
        self._parts.pop((start, end), None)
        self._parts[start, end] = data
        self._cover(start, end)
        return contradicts

    @property
    def is_whole(self) -> bool:
        return (
            self._total is not None
            and not self._void
            and bool(self._covered)
            and self._covered[0][0] == 0
            and self._covered[0][1] >= self._total
        )

    def datagram(self, last: Piece) -> Datagram:
        """The whole, made of its parts; bytes that a snap length took end it early."""
        assert self._total is not None
        data = bytearray(self._total)
        there = self._total
        for (start, end), part in self._parts.items():
            kept = part[: max(0, self._total - start)]
            data[start : start + len(kept)] = kept
            if len(part) < end - start:
                there = min(there, start + len(part))
        address = last.source_hi, last.source_lo, last.target_hi, last.target_lo
        return Datagram(last.row, last.version, self._kind, address, bytes(data[:there]), self._total)

    def _covers(self, start: int, end: int) -> bool:
        """Whether any byte of the range came before."""
        i = bisect_right(self._covered, (start, MAX_DATAGRAM_BYTES + 1))
        before = i > 0 and self._covered[i - 1][1] > start
        behind = i < len(self._covered) and self._covered[i][0] < end
        return start < end and (before or behind)

    def _cover(self, start: int, end: int) -> None:
        """Add a range, joined with those that it touches."""
        if start == end:
            return
        first = bisect_left(self._covered, start, key=lambda known: known[1])
        last = bisect_right(self._covered, end, key=lambda known: known[0])
        touched = self._covered[first:last]
        if touched:
            start, end = min(start, touched[0][0]), max(end, touched[-1][1])
        self._covered[first:last] = [(start, end)]


def in_frame_order(found: list[Pieces]) -> Iterable[Piece]:
    """Fragments of a batch, one by one."""
    columns = [np.concatenate(column) for column in zip(*found, strict=True)]
    order = np.argsort(columns[0], kind="stable")
    return map(Piece._make, zip(*(column[order].tolist() for column in columns), strict=True))
