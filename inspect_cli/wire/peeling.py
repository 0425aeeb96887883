"""Peeling packets layer by layer: where each row stands, and what could not be read."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inspect_cli.wire.frames import Int64
from inspect_cli.wire.headers import Header

Mask = NDArray[np.bool_]
Rows = NDArray[Any]
"""A structured array: one header a row."""

LAYERS: Final = (
    "Ethernet",
    "VLAN",
    "Linux cooked",
    "loopback",
    "IPv4",
    "IPv6",
    "IPv6 extension",
    "TCP",
    "UDP",
)
"""Names for `detail` where a header is cut or its length is wrong."""
FIRST_INSIDE_IP: Final = LAYERS.index("IPv6 extension")

FINE, LINK_TYPE, TRUNCATED, IP_VERSION, HEADER_LENGTH, FRAGMENT, PROTOCOL = range(7)
REASONS: Final = (
    "",
    "link-type",
    "truncated",
    "ip-version",
    "header-length",
    "fragment",
    "protocol",
)
"""The stable words of events.capture.Undecoded."""

IP_PROTOCOL: Final = 0x10000
"""Added to an IP protocol number so that it is no ethertype."""
FAMILY: Final = 0x20000
"""Added (or above) where a loopback header names an address family that is not IP."""


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
    """What stands at `at`: an ethertype, then an IP protocol number."""

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


def gather(buffer: bytes | bytearray, offsets: Int64, header: Header) -> Rows:
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


def _windows(buffer: bytes | bytearray, width: int) -> Rows:
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
