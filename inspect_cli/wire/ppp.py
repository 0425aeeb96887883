"""PPP and what carries it: HDLC, PPPoE, L2TP."""

from __future__ import annotations

from typing import Final

import numpy as np

from inspect_cli.wire.headers import HDLC, L2TP, PPP, PPPOE, SHORT
from inspect_cli.wire.names import other
from inspect_cli.wire.peeling import (
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    PPP_PROTOCOL,
    Buffer,
    Cursor,
    Unread,
    gather,
    joined,
)

ETHERTYPE_OF: Final = {0x0021: ETHERTYPE_IPV4, 0x0057: ETHERTYPE_IPV6, 0x0281: 0x8847, 0x0283: 0x8848}
"""PPP protocols that have an ethertype too."""


def ppp(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """PPP, with or without the address and control of HDLC-like framing (RFC 1662 §3.1)."""
    cursor = unread.with_room(cursor, PPP.itemsize, "PPP")
    head = gather(buffer, cursor.at, PPP)
    framed = (head["first"] == 0xFF) & (head["second"] == 0x03)
    return _protocol(buffer, cursor.moved(cursor.at + 2 * framed, cursor.kind), unread)


def _protocol(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    cursor = unread.with_room(cursor, PPP.itemsize, "PPP")
    head = gather(buffer, cursor.at, PPP)
    first = head["first"].astype(np.int64)
    short = (first & 1) == 1  # RFC 1661 §6.5: the first of two bytes is even
    number = np.where(short, first, first << 8 | head["second"])
    kind = PPP_PROTOCOL + number
    for protocol, ethertype in ETHERTYPE_OF.items():
        kind = np.where(number == protocol, ethertype, kind)
    return cursor.moved(cursor.at + 2 - short, kind)


def hdlc(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """PPP in HDLC-like framing, or Cisco's HDLC, whose protocol is an ethertype."""
    cursor = unread.with_room(cursor, HDLC.itemsize, "HDLC")
    head = gather(buffer, cursor.at, HDLC)
    cisco = (head["address"] == 0x0F) | (head["address"] == 0x8F)
    named = np.where(head["protocol"] < 0x600, other("HDLC"), head["protocol"].astype(np.int64))
    inside = cursor.moved(cursor.at + HDLC.itemsize, named)
    if cisco.all():
        return inside
    return joined([inside.where(cisco), ppp(buffer, cursor.where(~cisco), unread)])


def pppd(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """As pppd captures: a direction in place of the address, the control, PPP."""
    return _protocol(buffer, cursor.moved(cursor.at + 2, cursor.kind), unread)


def with_direction(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """A direction in front of PPP."""
    return ppp(buffer, cursor.moved(cursor.at + 1, cursor.kind), unread)


def pppoe(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """A PPPoE session (RFC 2516 §4); what is behind its length is padding."""
    cursor = unread.with_room(cursor, PPPOE.itemsize, "PPPoE")
    head = gather(buffer, cursor.at, PPPOE)
    at = cursor.at + PPPOE.itemsize
    session = head["code"] == 0
    inside = cursor.moved(at, np.full_like(at, other("PPPoE discovery")))
    inside = inside.within(at + head["length"].astype(np.int64))
    if session.all():
        return ppp(buffer, inside, unread)
    return joined([inside.where(~session), ppp(buffer, inside.where(session), unread)])


def l2tp(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """L2TP over UDP (RFC 2661 §3.1): data messages carry PPP."""
    cursor = unread.with_room(cursor, L2TP.itemsize, "L2TP")
    flags = gather(buffer, cursor.at, L2TP)["flags_version"].astype(np.int64)
    data = ((flags & 0x8000) == 0) & ((flags & 0x000F) == 2)
    size = 6 + 2 * ((flags & 0x4000) != 0) + 4 * ((flags & 0x0800) != 0)
    with_offset = (flags & 0x0200) != 0
    cursor = cursor.moved(cursor.at + size + 2 * with_offset, np.full_like(cursor.at, other("L2TP control")))
    control = cursor.where(~data)
    kept, with_offset = cursor.where(data), with_offset[data]
    # The offset size stands in the last two bytes of the header.
    offset = gather(buffer, np.minimum(kept.at, kept.end) - 2, SHORT)["value"].astype(np.int64) * with_offset
    return joined([control, ppp(buffer, kept.moved(kept.at + offset, kept.kind), unread)])
