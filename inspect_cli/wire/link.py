"""Link layers: one row for each link type that is read, from its header to what it carries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from inspect_cli.wire.frames import Int64
from inspect_cli.wire.headers import (
    ADDRESS_FAMILY,
    ETHERNET,
    IP_VERSION,
    LINUX_COOKED,
    LINUX_COOKED_2,
)
from inspect_cli.wire.peeling import (
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    FAMILY,
    LLC,
    Buffer,
    Cursor,
    Unread,
    gather,
)
from inspect_cli.wire.peeling import IP_VERSION as WRONG_VERSION

Peel = Callable[[Buffer, Cursor, Unread], Cursor]
"""Moves rows from a header to what it carries, their `kind` saying what that is."""

FIRST_ETHERTYPE: Final = 0x600
"""IEEE 802.3 §3.2.6: below, it is the length of an LLC frame."""


def ethernet(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """Ethernet II or IEEE 802.3; tags stay (`vlan`)."""
    cursor = unread.with_room(cursor, ETHERNET.itemsize, "Ethernet")
    kind = gather(buffer, cursor.at, ETHERNET)["ethertype"].astype(np.int64)
    return cursor.moved(cursor.at + ETHERNET.itemsize, kind)


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
    from inspect_cli.wire.names import other

    return np.where(kind == 4, LLC, np.where(kind < FIRST_ETHERTYPE, other("Linux cooked, no ethertype"), kind))


def loopback(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """NULL and LOOP: an address family in the byte order of whoever captured (LOOP: big-endian)."""
    cursor = unread.with_room(cursor, ADDRESS_FAMILY.itemsize, "loopback")
    family = gather(buffer, cursor.at, ADDRESS_FAMILY)["family"].astype(np.uint32)
    # No family is above 0xffff, so what seems to be was written little-endian.
    known: Int64 = np.where(family > 0xFFFF, family.byteswap(), family).astype(np.int64)
    return cursor.moved(cursor.at + ADDRESS_FAMILY.itemsize, of_family(known))


def of_family(family: Int64) -> Int64:
    """The ethertype of an address family, as the systems number it."""
    kind = np.where(family == 2, ETHERTYPE_IPV4, FAMILY + family)
    # AF_INET6 of NetBSD and OpenBSD, FreeBSD, Darwin (and 10, Linux, in files of some tools).
    for number in (24, 28, 30, 10):
        kind = np.where(family == number, ETHERTYPE_IPV6, kind)
    return kind


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


LINKS: Final[dict[int, Peel]] = {
    0: loopback,
    1: ethernet,
    12: raw_ip,  # DLT_RAW of most systems, in files that did not translate it
    14: raw_ip,  # and of OpenBSD
    101: raw_ip,
    108: loopback,
    113: _linux_cooked,
    228: ipv4,
    229: ipv6,
    276: _linux_cooked_2,
}
"""Those of most captures; the others are in MORE_LINKS (more_links.py), loaded where they are met."""
