"""IEEE 802.11 and the headers that drivers put in front of it."""

from __future__ import annotations

import numpy as np

from inspect_cli.wire.frames import Int64
from inspect_cli.wire.headers import AVS, BYTE, PPI, RADIOTAP, WLAN, WORD
from inspect_cli.wire.names import other
from inspect_cli.wire.peeling import LINK, LLC, PADDED_WLAN, Buffer, Cursor, Unread, gather

PLAIN = LINK + 105
PRISM_SIZE = 144
MAX_PRESENT_WORDS = 16


def wlan(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """Data frames that are not encrypted: to their LLC header (IEEE 802.11 §9.3.2.1)."""
    return _data(buffer, cursor, unread, 1)


def padded_wlan(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """The same, the header padded to a multiple of 4 bytes."""
    return _data(buffer, cursor, unread, 4)


def _data(buffer: Buffer, cursor: Cursor, unread: Unread, unit: int) -> Cursor:
    cursor = unread.with_room(cursor, WLAN.itemsize, "IEEE 802.11")
    head = gather(buffer, cursor.at, WLAN)
    of_type, subtype = head["kind"] >> 2 & 3, head["kind"] >> 4
    flags = head["flags"]
    qos = (subtype & 8) != 0
    to_and_from = (flags & 3) == 3
    addresses = 24 + 6 * to_and_from
    size = addresses + 2 * qos + 4 * (qos & ((flags & 0x80) != 0))
    # Sequence control: 4 bits of fragment number; QoS control: bit 7 is an aggregate.
    number = _byte(buffer, cursor, cursor.at + 22) & 15
    aggregate = qos & ((_byte(buffer, cursor, cursor.at + addresses) & 0x80) != 0)
    kind = np.full_like(cursor.at, LLC)
    for mask, name in (
        (aggregate, "IEEE 802.11 A-MSDU"),
        ((number != 0) | ((flags & 4) != 0), "IEEE 802.11 fragment"),
        ((flags & 0x40) != 0, "IEEE 802.11 encrypted"),
        ((subtype & 4) != 0, "IEEE 802.11 without data"),
        (of_type == 1, "IEEE 802.11 control"),
        ((of_type == 0) | (of_type == 3), "IEEE 802.11 management"),
    ):
        kind = np.where(mask, other(name), kind)
    return cursor.moved(cursor.at + (size + unit - 1) // unit * unit, kind)


def _byte(buffer: Buffer, cursor: Cursor, at: Int64) -> Int64:
    """The byte at a place; whatever is there if the frame is too short (its LLC header has no room then)."""
    return gather(buffer, np.minimum(at, cursor.end), BYTE)["value"].astype(np.int64)


def radiotap(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """radiotap.org: a length, and fields of which only `flags` matters here (0x20: the header is padded)."""
    cursor = unread.with_room(cursor, RADIOTAP.itemsize, "radiotap")
    head = gather(buffer, cursor.at, RADIOTAP)
    present = head["present"].astype(np.int64)
    size = np.full_like(cursor.at, RADIOTAP.itemsize)
    more = (present >> 31 & 1) == 1
    for _ in range(MAX_PRESENT_WORDS):
        if not more.any():
            break
        word = gather(buffer, np.minimum(cursor.at + size, cursor.end), WORD)["value"].astype(np.int64)
        size = size + 4 * more
        more &= (word >> 31 & 1) == 1
    # The fields are aligned; a timestamp of 8 bytes stands in front of the flags.
    size = np.where(present & 1, (size + 7 & ~7) + 8, size)
    flags = np.where(present & 2, _byte(buffer, cursor, cursor.at + size), 0)
    length = np.maximum(head["length"].astype(np.int64), RADIOTAP.itemsize)
    return cursor.moved(cursor.at + length, np.where(flags & 0x20, PADDED_WLAN, PLAIN))


def prism(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """Prism II: 144 bytes; some drivers write the AVS header under its link type."""
    cursor = unread.with_room(cursor, AVS.itemsize, "Prism")
    head = gather(buffer, cursor.at, AVS)
    is_avs = head["version"] >> 4 == 0x8021100
    size = np.where(is_avs, np.maximum(head["length"].astype(np.int64), AVS.itemsize), PRISM_SIZE)
    return cursor.moved(cursor.at + size, np.full_like(cursor.at, PLAIN))


def avs(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """AVS: a version and the header's length."""
    cursor = unread.with_room(cursor, AVS.itemsize, "AVS")
    length = gather(buffer, cursor.at, AVS)["length"].astype(np.int64)
    return cursor.moved(cursor.at + np.maximum(length, AVS.itemsize), np.full_like(cursor.at, PLAIN))


def ppi(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """PPI: the header's length and the link type of what follows."""
    cursor = unread.with_room(cursor, PPI.itemsize, "PPI")
    head = gather(buffer, cursor.at, PPI)
    length = np.maximum(head["length"].astype(np.int64), PPI.itemsize)
    link_type = np.minimum(head["link_type"].astype(np.int64), 0xFFFF)
    return cursor.moved(cursor.at + length, LINK + link_type)
