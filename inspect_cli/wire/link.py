"""Link layers: one row for each link type that is read, and names for those that are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from inspect_cli.wire.headers import (
    ADDRESS_FAMILY,
    ETHERNET,
    IP_VERSION,
    LINUX_COOKED,
    LINUX_COOKED_2,
    VLAN_TAG,
)
from inspect_cli.wire.peeling import FAMILY, Cursor, Mask, Unread, gather
from inspect_cli.wire.peeling import IP_VERSION as WRONG_VERSION

ETHERTYPE_IPV4: Final = 0x0800
ETHERTYPE_IPV6: Final = 0x86DD
VLAN_ETHERTYPES: Final = (0x8100, 0x88A8, 0x9100, 0x9200)
"""802.1Q, 802.1ad, and the two that QinQ used before it."""
MAX_VLAN_TAGS: Final = 8

Buffer = bytes | bytearray
Peel = Callable[[Buffer, Cursor, Unread], Cursor]
"""Moves rows from the link header to the network layer, their `kind` an ethertype."""


def _ethernet(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    cursor = unread.with_room(cursor, ETHERNET.itemsize, "Ethernet")
    kind = gather(buffer, cursor.at, ETHERNET)["ethertype"].astype(np.int64)
    return _untagged(buffer, cursor.moved(cursor.at + ETHERNET.itemsize, kind), unread)


def _untagged(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """Peel VLAN tags, up to MAX_VLAN_TAGS of them."""
    for _ in range(MAX_VLAN_TAGS):
        tagged = _is_tag(cursor)
        if not tagged.any():
            break
        plain = cursor.where(~tagged)
        inside = unread.with_room(cursor.where(tagged), VLAN_TAG.itemsize, "VLAN")
        kind = gather(buffer, inside.at, VLAN_TAG)["ethertype"].astype(np.int64)
        inside = inside.moved(inside.at + VLAN_TAG.itemsize, kind)
        cursor = Cursor(*(np.concatenate(columns) for columns in zip(plain, inside, strict=True)))
    return cursor


def _is_tag(cursor: Cursor) -> Mask:
    kind = cursor.kind
    tagged: Mask = kind == VLAN_ETHERTYPES[0]
    for ethertype in VLAN_ETHERTYPES[1:]:
        tagged |= kind == ethertype
    return tagged


def _linux_cooked(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    cursor = unread.with_room(cursor, LINUX_COOKED.itemsize, "Linux cooked")
    kind = gather(buffer, cursor.at, LINUX_COOKED)["protocol_type"].astype(np.int64)
    return _untagged(buffer, cursor.moved(cursor.at + LINUX_COOKED.itemsize, kind), unread)


def _linux_cooked_2(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    cursor = unread.with_room(cursor, LINUX_COOKED_2.itemsize, "Linux cooked")
    kind = gather(buffer, cursor.at, LINUX_COOKED_2)["protocol_type"].astype(np.int64)
    return _untagged(buffer, cursor.moved(cursor.at + LINUX_COOKED_2.itemsize, kind), unread)


def _loopback(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """NULL and LOOP: an address family in the byte order of whoever captured (LOOP: big-endian)."""
    cursor = unread.with_room(cursor, ADDRESS_FAMILY.itemsize, "loopback")
    family = gather(buffer, cursor.at, ADDRESS_FAMILY)["family"].astype(np.uint32)
    # No family is above 0xffff, so what seems to be was written little-endian.
    family = np.where(family > 0xFFFF, family.byteswap(), family).astype(np.int64)
    kind = np.where(family == 2, ETHERTYPE_IPV4, FAMILY + family)
    # AF_INET6 of NetBSD and OpenBSD, FreeBSD, Darwin (and 10, Linux, in files of some tools).
    for number in (24, 28, 30, 10):
        kind = np.where(family == number, ETHERTYPE_IPV6, kind)
    return cursor.moved(cursor.at + ADDRESS_FAMILY.itemsize, kind)


def _raw_ip(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """No link header: the version field of the IP header tells which it is."""
    cursor = unread.with_room(cursor, IP_VERSION.itemsize, "IPv4")
    version = (gather(buffer, cursor.at, IP_VERSION)["version_ihl"] >> 4).astype(np.int64)
    kind = np.where(version == 6, ETHERTYPE_IPV6, ETHERTYPE_IPV4)
    wrong = (version != 4) & (version != 6)
    return unread.part(cursor.moved(cursor.at, kind), wrong, WRONG_VERSION, version)


def _raw_ipv4(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    return cursor.moved(cursor.at, np.full_like(cursor.at, ETHERTYPE_IPV4))


def _raw_ipv6(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    return cursor.moved(cursor.at, np.full_like(cursor.at, ETHERTYPE_IPV6))


class Link(NamedTuple):
    """A link type that is read."""

    name: str
    peel: Peel


LINKS: Final[dict[int, Link]] = {
    0: Link("NULL", _loopback),
    1: Link("Ethernet", _ethernet),
    12: Link("raw IP", _raw_ip),  # DLT_RAW of most systems, in files that did not translate it
    14: Link("raw IP", _raw_ip),  # and of OpenBSD
    101: Link("raw IP", _raw_ip),
    108: Link("LOOP", _loopback),
    113: Link("Linux cooked", _linux_cooked),
    228: Link("IPv4", _raw_ipv4),
    229: Link("IPv6", _raw_ipv6),
    276: Link("Linux cooked v2", _linux_cooked_2),
}

OTHER_LINK_NAMES: Final[dict[int, str]] = {
    3: "AX.25",
    6: "Token Ring",
    7: "ARCNET",
    8: "SLIP",
    9: "PPP",
    10: "FDDI",
    50: "PPP in HDLC",
    51: "PPPoE",
    100: "LLC/SNAP ATM",
    104: "Cisco HDLC",
    105: "IEEE 802.11",
    107: "Frame Relay",
    109: "OpenBSD encapsulation",
    117: "OpenBSD pflog",
    119: "IEEE 802.11 Prism",
    127: "IEEE 802.11 radiotap",
    147: "user 0",
    163: "IEEE 802.11 AVS",
    166: "PPP with direction",
    187: "Bluetooth HCI H4",
    189: "USB Linux",
    192: "PPI",
    195: "IEEE 802.15.4",
    201: "Bluetooth HCI H4 with direction",
    204: "PPP with direction",
    220: "USB Linux mmapped",
    226: "IPNET",
    227: "CAN",
    231: "D-Bus",
    239: "NFLOG",
    247: "InfiniBand",
    249: "USBPcap",
    252: "Wireshark upper PDU",
    253: "netlink",
    254: "Bluetooth monitor",
    272: "nRF Sniffer",
    274: "Ethernet mPacket",
}


def link_type_name(number: int) -> str:
    """`239 (NFLOG)`; the number alone where no name is known."""
    link = LINKS.get(number)
    name = link.name if link else OTHER_LINK_NAMES.get(number)
    return f"{number} ({name})" if name else str(number)
