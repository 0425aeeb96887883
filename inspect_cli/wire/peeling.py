"""Peeling packets layer by layer: where each row stands, and what could not be read."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inspect_cli.wire.frames import Int64
from inspect_cli.wire.headers import Header

Buffer = bytes | bytearray
Mask = NDArray[np.bool_]
Rows = NDArray[Any]
"""A structured array: one header a row."""

LAYERS: Final = (
    "Ethernet",
    "VLAN",
    "LLC",
    "Linux cooked",
    "loopback",
    "PPP",
    "HDLC",
    "PPPoE",
    "NFLOG",
    "radiotap",
    "Prism",
    "AVS",
    "PPI",
    "IEEE 802.11",
    "MPLS",
    "IPv4",
    "IPv6",
    "IPv6 extension",
    "TCP",
    "UDP",
    "GRE",
    "ERSPAN",
    "L2TP",
    "VXLAN",
    "Geneve",
    "GTP-U",
)
"""Names for `detail` where a header is cut or its length is wrong."""
FIRST_INSIDE_IP: Final = LAYERS.index("IPv6 extension")

FINE, LINK_TYPE, TRUNCATED, IP_VERSION, HEADER_LENGTH, FRAGMENT, PROTOCOL, NESTING = range(8)
REASONS: Final = (
    "",
    "link-type",
    "truncated",
    "ip-version",
    "header-length",
    "fragment",
    "protocol",
    "nesting",
)
"""The stable words of events.capture.Undecoded."""

ETHERTYPE_IPV4: Final = 0x0800
ETHERTYPE_IPV6: Final = 0x86DD

# What stands next is an ethertype, or one of these with a number added to it.
IP_PROTOCOL: Final = 0x10000
PPP_PROTOCOL: Final = 0x20000
LINK: Final = 0x30000
"""A whole frame of a link type, inside another layer."""
LLC: Final = 0x40000
PADDED_WLAN: Final = 0x40001
"""An IEEE 802.11 header, padded to 4 bytes (radiotap says so)."""
NAMED: Final = 0x50000
"""Something that is not read: a place in `names.OTHERS`."""
FAMILY: Final = 0x60000
"""An address family (any 32 bits) of a loopback header."""


class Cursor(NamedTuple):
    """Rows being peeled, as columns: each stands at the header of its next layer."""

    row: Int64
    at: Int64
    """Position in the buffer."""
    end: Int64
    """Where the captured bytes of this layer end."""
    wire_end: Int64
    """Where its bytes on the wire would end: beyond `end` if a snap length cut it."""
    kind: Int64
    """What stands at `at`: an ethertype or a number above; behind an IP header, an IP protocol number."""

    def where(self, mask: Mask) -> Cursor:
        """The rows of which `mask` is true."""
        if mask.all():
            return self
        return Cursor(
            self.row[mask],
            self.at[mask],
            self.end[mask],
            self.wire_end[mask],
            self.kind[mask],
        )

    def moved(self, at: Int64, kind: Int64) -> Cursor:
        """The same rows at their next layer."""
        return Cursor(self.row, at, self.end, self.wire_end, kind)

    def within(self, wire_end: Int64) -> Cursor:
        """The same rows, where a header says where its content ends; what is behind it is padding."""
        return Cursor(
            self.row,
            self.at,
            np.minimum(self.end, wire_end),
            np.minimum(self.wire_end, wire_end),
            self.kind,
        )


def joined(cursors: list[Cursor]) -> Cursor:
    """All rows of these (there is at least one)."""
    return cursors[0] if len(cursors) == 1 else Cursor(*(np.concatenate(c) for c in zip(*cursors, strict=True)))


class Unread:
    """Why rows gave no packet: a reason and a number of detail for each row of a batch."""

    __slots__ = ("detail", "reason")

    def __init__(self, count: int) -> None:
        self.reason = np.zeros(count, np.int8)
        self.detail = np.zeros(count, np.int64)

    def mark(self, cursor: Cursor, mask: Mask, reason: int, detail: Int64 | int) -> None:
        """Note `reason` for the rows of which `mask` is true; detail: for each row, or one for all."""
        rows = cursor.row[mask]
        self.reason[rows] = reason
        self.detail[rows] = detail if isinstance(detail, int) else detail[mask]

    def part(self, cursor: Cursor, bad: Mask, reason: int, detail: Int64 | int) -> Cursor:
        """Mark the bad rows and go on with the others."""
        if not bad.any():
            return cursor
        self.mark(cursor, bad, reason, detail)
        return cursor.where(~bad)

    def with_room(self, cursor: Cursor, size: int, layer: str) -> Cursor:
        """The rows that hold `size` bytes of this layer; the others are noted.

        Inside IP, where even the wire had no more, a length outside cannot be right;
        elsewhere the frame was cut short.
        """
        short = cursor.end - cursor.at < size
        if not short.any():
            return cursor
        number = LAYERS.index(layer)
        self.mark(cursor, short, TRUNCATED, number)
        if number >= FIRST_INSIDE_IP:
            self.mark(cursor, short & (cursor.end == cursor.wire_end), HEADER_LENGTH, number)
        return cursor.where(~short)


def gather(buffer: Buffer, offsets: Int64, header: Header) -> Rows:
    """Copy one header from each offset (0 .. len(buffer)); zeros behind the buffer's end."""
    width = header.itemsize
    count = len(buffer) - width + 1
    if count <= 0:
        return _windows(bytes(buffer) + bytes(width), width)[offsets].view(header)
    beyond = offsets >= count
    windows = _windows(buffer, width)
    if not beyond.any():
        return windows[offsets].view(header)
    found = windows[np.minimum(offsets, count - 1)]
    tail = bytes(memoryview(buffer)[count:]) + bytes(width)
    found[beyond] = _windows(tail, width)[offsets[beyond] - count]
    return found.view(header)


def _windows(buffer: Buffer, width: int) -> Rows:
    """Every run of `width` bytes of the buffer, overlapping, not copied."""
    return np.ndarray((len(buffer) - width + 1,), f"V{width}", buffer, strides=(1,))


def distinct(values: Int64) -> Int64:
    """Each of these values once, ascending (there is at least one).

    np.unique does the same, but loads numpy.ma for it: that would be a tenth of a small replay.
    """
    ordered = np.sort(values)
    first = np.ones(len(ordered), bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]
