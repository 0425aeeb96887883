"""The nouns of this room: a batch of captured frames, and the columns of its packets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from inspect_cli.events.base import Item

if TYPE_CHECKING:
    from inspect_cli.wire.fragments import FragmentNote

Int64 = NDArray[np.int64]
UInt64 = NDArray[np.uint64]


@dataclass(slots=True)
class Frames(Item):
    """A batch of captured records. `buffer` may be reused: valid until the next item is asked for.

    All arrays have one row per frame, in file order; frame `i` has the number
    `first_number + i`. Times are Unix ns and may go backwards (captures do).
    """

    buffer: bytes | bytearray
    first_number: int
    time_ns: Int64
    offset: Int64
    """Of the first captured byte in `buffer`."""
    size: Int64
    """Captured bytes."""
    original_size: Int64
    """Bytes on the wire."""
    link_type: Int64
    """LINKTYPE_ number of each frame's interface."""
    comments: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Comments of packets, by frame number; those that are our own items are not here."""
    interface: Int64 | None = None
    """Index of each frame's interface in the source's `interfaces`, -1: it has no name; None: no interface is named."""

    def __len__(self) -> int:
        return len(self.time_ns)

    def part(self, start: int, end: int) -> Frames:
        """Rows [start, end) as a batch of their own, on the same buffer."""
        numbers = range(self.first_number + start, self.first_number + end)
        return Frames(
            self.buffer,
            self.first_number + start,
            self.time_ns[start:end],
            self.offset[start:end],
            self.size[start:end],
            self.original_size[start:end],
            self.link_type[start:end],
            {n: c for n, c in self.comments.items() if n in numbers},
            None if self.interface is None else self.interface[start:end],
        )

    def only(self, numbers: Sequence[int]) -> Frames:
        """The frames of these numbers, on the same buffer, numbered anew from `first_number`."""
        rows = np.asarray(numbers, np.int64) - self.first_number
        comments = {self.first_number + i: self.comments[n] for i, n in enumerate(numbers) if n in self.comments}
        return Frames(
            self.buffer,
            self.first_number,
            self.time_ns[rows],
            self.offset[rows],
            self.size[rows],
            self.original_size[rows],
            self.link_type[rows],
            comments,
            None if self.interface is None else self.interface[rows],
        )


@dataclass(slots=True)
class UndecodedFrame:
    """A frame that gave no TCP or UDP packet. For reasons see events.capture.Undecoded."""

    row: int
    reason: str
    detail: str


@dataclass(slots=True)
class Packets:
    """TCP and UDP packets of one batch as columns, in frame order.

    Addresses are 128 bits in two columns; IPv4 is mapped (hi = 0, lo = 0xffff << 32 | address).
    TCP columns are 0 for UDP rows.
    """

    buffer: bytes | bytearray
    """That of the frames; where datagrams were put together, a copy with these behind it."""
    row: Int64
    """Row of the packet's frame in its Frames."""
    number: Int64
    time_ns: Int64
    version: Int64
    """4 or 6."""
    protocol: Int64
    """6 TCP, 17 UDP."""
    source_hi: UInt64
    source_lo: UInt64
    target_hi: UInt64
    target_lo: UInt64
    source_port: Int64
    target_port: Int64
    seq: Int64
    """0 .. 2**32-1."""
    ack: Int64
    flags: Int64
    """FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32, ECE 64, CWR 128."""
    window: Int64
    """As sent, not scaled."""
    payload_offset: Int64
    """In `buffer`."""
    payload_captured: Int64
    """Payload bytes that the capture holds."""
    payload_size: Int64
    """Payload bytes on the wire, by the IP length."""
    options_offset: Int64
    options_size: Int64
    """TCP options; 0 bytes where there are none."""
    undecoded: list[UndecodedFrame]
    fragments: list[FragmentNote]

    def __len__(self) -> int:
        return len(self.number)
