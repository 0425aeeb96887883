"""Link layers: one row for each link type that is read, from its header to what it carries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from inspect_cli.wire import ppp, wlan
from inspect_cli.wire.frames import Int64
from inspect_cli.wire.headers import (
    ADDRESS_FAMILY,
    BYTE,
    ETHERNET,
    IP_VERSION,
    LINUX_COOKED,
    LINUX_COOKED_2,
    LLC_SNAP,
    NFLOG,
    NFLOG_ATTRIBUTE,
    SHORT,
    VLAN_TAG,
)
from inspect_cli.wire.names import other
from inspect_cli.wire.peeling import (
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    FAMILY,
    LAYERS,
    LLC,
    TRUNCATED,
    Buffer,
    Cursor,
    Unread,
    gather,
    joined,
)
from inspect_cli.wire.peeling import IP_VERSION as WRONG_VERSION

Peel = Callable[[Buffer, Cursor, Unread], Cursor]
"""Moves rows from a header to what it carries, their `kind` saying what that is."""

FIRST_ETHERTYPE: Final = 0x600
"""IEEE 802.3 §3.2.6: below, it is the length of an LLC frame."""
MAX_NFLOG_ATTRIBUTES: Final = 32
NFLOG_PAYLOAD: Final = 9


def ethernet(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """Ethernet II or IEEE 802.3; tags stay (`vlan`)."""
    cursor = unread.with_room(cursor, ETHERNET.itemsize, "Ethernet")
    kind = gather(buffer, cursor.at, ETHERNET)["ethertype"].astype(np.int64)
    return cursor.moved(cursor.at + ETHERNET.itemsize, kind)


def lengths(cursor: Cursor) -> Cursor:
    """Rows with a length in place of an ethertype: an LLC frame of that length."""
    long = cursor.kind < FIRST_ETHERTYPE
    if not long.any():
        return cursor
    frames = cursor.where(long)
    frames = frames.within(frames.at + frames.kind).moved(frames.at, np.full_like(frames.at, LLC))
    return joined([cursor.where(~long), frames])


def vlan(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """One tag of IEEE 802.1Q or 802.1ad."""
    cursor = unread.with_room(cursor, VLAN_TAG.itemsize, "VLAN")
    kind = gather(buffer, cursor.at, VLAN_TAG)["ethertype"].astype(np.int64)
    return cursor.moved(cursor.at + VLAN_TAG.itemsize, kind)


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


def _linux_cooked(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    cursor = unread.with_room(cursor, LINUX_COOKED.itemsize, "Linux cooked")
    kind = gather(buffer, cursor.at, LINUX_COOKED)["protocol_type"].astype(np.int64)
    return cursor.moved(cursor.at + LINUX_COOKED.itemsize, _cooked(kind))


def _linux_cooked_2(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    cursor = unread.with_room(cursor, LINUX_COOKED_2.itemsize, "Linux cooked")
    kind = gather(buffer, cursor.at, LINUX_COOKED_2)["protocol_type"].astype(np.int64)
    return cursor.moved(cursor.at + LINUX_COOKED_2.itemsize, _cooked(kind))


def _cooked(kind: Int64) -> Int64:
    """What a cooked protocol type means: below the ethertypes 4 is an LLC frame (linux/if_ether.h)."""
    if (kind >= FIRST_ETHERTYPE).all():
        return kind
    return np.where(kind == 4, LLC, np.where(kind < FIRST_ETHERTYPE, other("Linux cooked, no ethertype"), kind))


def _loopback(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """NULL and LOOP: an address family in the byte order of whoever captured (LOOP: big-endian)."""
    cursor = unread.with_room(cursor, ADDRESS_FAMILY.itemsize, "loopback")
    family = gather(buffer, cursor.at, ADDRESS_FAMILY)["family"].astype(np.uint32)
    # No family is above 0xffff, so what seems to be was written little-endian.
    known: Int64 = np.where(family > 0xFFFF, family.byteswap(), family).astype(np.int64)
    return cursor.moved(cursor.at + ADDRESS_FAMILY.itemsize, _of_family(known))


def _of_family(family: Int64) -> Int64:
    """The ethertype of an address family, as the systems number it."""
    kind = np.where(family == 2, ETHERTYPE_IPV4, FAMILY + family)
    # AF_INET6 of NetBSD and OpenBSD, FreeBSD, Darwin (and 10, Linux, in files of some tools).
    for number in (24, 28, 30, 10):
        kind = np.where(family == number, ETHERTYPE_IPV6, kind)
    return kind


def _encapsulated(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """OpenBSD's enc(4): a family, an SPI and flags."""
    inside = _loopback(buffer, cursor, unread)
    return inside.moved(inside.at + 8, inside.kind)


def _pflog(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """OpenBSD's pflog(4): its own length, padded to 4 bytes, and a family."""
    cursor = unread.with_room(cursor, 2, "loopback")
    size = gather(buffer, cursor.at, BYTE)["value"].astype(np.int64) + 3 & ~3
    family = gather(buffer, cursor.at + 1, BYTE)["value"].astype(np.int64)
    return cursor.moved(cursor.at + size, _of_family(family))


def raw_ip(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """No link header: the version field of the IP header tells which it is."""
    cursor = unread.with_room(cursor, IP_VERSION.itemsize, "IPv4")
    version = (gather(buffer, cursor.at, IP_VERSION)["version_ihl"] >> 4).astype(np.int64)
    kind = np.where(version == 6, ETHERTYPE_IPV6, ETHERTYPE_IPV4)
    wrong = (version != 4) & (version != 6)
    return unread.part(cursor.moved(cursor.at, kind), wrong, WRONG_VERSION, version)


def ipv4(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """An IPv4 header at once."""
    return cursor.moved(cursor.at, np.full_like(cursor.at, ETHERTYPE_IPV4))


def ipv6(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """An IPv6 header at once."""
    return cursor.moved(cursor.at, np.full_like(cursor.at, ETHERTYPE_IPV6))


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


def _llc(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    return llc(buffer, cursor, unread)


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


LINKS: Final[dict[int, Peel]] = {
    0: _loopback,
    1: ethernet,
    8: _slip,
    9: ppp.ppp,
    10: _fddi,
    12: raw_ip,  # DLT_RAW of most systems, in files that did not translate it
    14: raw_ip,  # and of OpenBSD
    50: ppp.hdlc,
    51: ppp.pppoe,
    100: _llc,
    101: raw_ip,
    104: ppp.hdlc,
    105: wlan.wlan,
    108: _loopback,
    109: _encapsulated,
    113: _linux_cooked,
    117: _pflog,
    119: wlan.prism,
    127: wlan.radiotap,
    138: _ieee_1394,
    163: wlan.avs,
    166: ppp.pppd,
    192: wlan.ppi,
    204: ppp.with_direction,
    228: ipv4,
    229: ipv6,
    239: _nflog,
    276: _linux_cooked_2,
}
