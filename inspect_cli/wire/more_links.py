"""Link layers that few captures have: one row each."""

from __future__ import annotations

from typing import Final

import numpy as np

from inspect_cli.wire import ppp, wlan
from inspect_cli.wire.headers import BYTE, LLC_SNAP, NFLOG, NFLOG_ATTRIBUTE, SHORT
from inspect_cli.wire.link import FIRST_ETHERTYPE, Peel, loopback, of_family, raw_ip
from inspect_cli.wire.names import other
from inspect_cli.wire.peeling import (
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    LAYERS,
    LLC,
    TRUNCATED,
    Buffer,
    Cursor,
    Unread,
    gather,
    joined,
)

MAX_NFLOG_ATTRIBUTES: Final = 32
NFLOG_PAYLOAD: Final = 9


def llc(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """IEEE 802.2, with SNAP where the ethertype is meant (RFC 1042, and the bridge tunnel of IEEE 802.1H)."""
    cursor = unread.with_room(cursor, 3, "LLC")
    head = gather(buffer, cursor.at, LLC_SNAP)
    sap = head["destination_sap"].astype(np.int64)
    unnumbered = (head["source_sap"] == sap) & (head["control"] == 3)
    snap = unnumbered & (sap == 0xAA)
    cut = snap & (cursor.end - cursor.at < LLC_SNAP.itemsize)
    kind = head["protocol_type"].astype(np.int64)
    ethertype = snap & (head["organization_high"] == 0) & (kind >= FIRST_ETHERTYPE)
    ethertype &= (head["organization_low"] == 0) | (head["organization_low"] == 0xF8)
    kind = np.where(ethertype, kind, other("IEEE 802.2 LLC"))
    kind = np.where(unnumbered & (sap == 0x06), ETHERTYPE_IPV4, kind)
    at = cursor.at + np.where(snap, LLC_SNAP.itemsize, 3)
    return unread.part(cursor.moved(at, kind), cut, TRUNCATED, LAYERS.index("LLC"))


def _encapsulated(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """OpenBSD's enc(4): a family, an SPI and flags."""
    inside = loopback(buffer, cursor, unread)
    return inside.moved(inside.at + 8, inside.kind)


def _pflog(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """OpenBSD's pflog(4): its own length, padded to 4 bytes, and a family."""
    cursor = unread.with_room(cursor, 2, "loopback")
    size = gather(buffer, cursor.at, BYTE)["value"].astype(np.int64) + 3 & ~3
    family = gather(buffer, cursor.at + 1, BYTE)["value"].astype(np.int64)
    return cursor.moved(cursor.at + size, of_family(family))


def _slip(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """BSD's SLIP: a direction, and the compressed header that it was expanded from."""
    return raw_ip(buffer, cursor.moved(cursor.at + 16, cursor.kind), unread)


def _fddi(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """FDDI (ANSI X3.139): frame control and addresses; LLC where frame control says so."""
    cursor = unread.with_room(cursor, 13, "LLC")
    control = gather(buffer, cursor.at, BYTE)["value"]
    kind = np.where(control & 0xF0 == 0x50, LLC, other("FDDI"))
    return cursor.moved(cursor.at + 13, kind)


def _ieee_1394(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """Apple's IP over IEEE 1394: two addresses of 8 bytes, an ethertype."""
    cursor = unread.with_room(cursor, 18, "Ethernet")
    return cursor.moved(cursor.at + 18, gather(buffer, cursor.at + 16, SHORT)["value"].astype(np.int64))


def _nflog(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """Linux NFLOG: attributes, one of which is the packet from its IP header on."""
    cursor = unread.with_room(cursor, NFLOG.itemsize, "NFLOG")
    family = gather(buffer, cursor.at, NFLOG)["family"].astype(np.int64)
    kind = np.where(family == 2, ETHERTYPE_IPV4, np.where(family == 10, ETHERTYPE_IPV6, other("NFLOG without IP")))
    cursor = cursor.moved(cursor.at + NFLOG.itemsize, kind)
    found = [cursor.where(np.zeros(len(cursor.row), bool))]
    for _ in range(MAX_NFLOG_ATTRIBUTES):
        cursor = unread.with_room(cursor, NFLOG_ATTRIBUTE.itemsize, "NFLOG")
        if not len(cursor.row):
            break
        head = gather(buffer, cursor.at, NFLOG_ATTRIBUTE)
        # Types are small: what seems large was written big-endian.
        swapped = head["type"] > 0xFF
        length = np.where(swapped, head["length"].byteswap(), head["length"]).astype(np.int64)
        of_kind = np.where(swapped, head["type"].byteswap(), head["type"]) & 0x7FFF
        payload = of_kind == NFLOG_PAYLOAD
        inside = cursor.where(payload)
        inside = inside.within(inside.at + np.maximum(length[payload], NFLOG_ATTRIBUTE.itemsize))
        found.append(inside.moved(inside.at + NFLOG_ATTRIBUTE.itemsize, inside.kind))
        next_at = cursor.at + (np.maximum(length, NFLOG_ATTRIBUTE.itemsize) + 3 & ~3)
        cursor = cursor.moved(next_at, cursor.kind).where(~payload)
    without = cursor.moved(cursor.at, np.full_like(cursor.at, other("NFLOG without IP")))
    return joined([*found, without])


MORE_LINKS: Final[dict[int, Peel]] = {
    8: _slip,
    9: ppp.ppp,
    10: _fddi,
    50: ppp.hdlc,
    51: ppp.pppoe,
    100: llc,
    104: ppp.hdlc,
    105: wlan.wlan,
    109: _encapsulated,
    117: _pflog,
    119: wlan.prism,
    127: wlan.radiotap,
    138: _ieee_1394,
    163: wlan.avs,
    166: ppp.pppd,
    192: wlan.ppi,
    204: ppp.with_direction,
    239: _nflog,
}
