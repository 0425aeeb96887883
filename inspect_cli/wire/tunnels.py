"""Layers between the link header and the innermost IP: tags, labels and tunnels, one row each."""

from __future__ import annotations

from typing import Final

import numpy as np

from inspect_cli.wire import ppp
from inspect_cli.wire.frames import Int64
from inspect_cli.wire.headers import (
    BYTE,
    ERSPAN_2,
    ERSPAN_3,
    ETHERNET,
    GENEVE,
    GRE,
    GTP_U,
    MPLS,
    SHORT,
    VLAN_TAG,
    VXLAN,
)
from inspect_cli.wire.link import FIRST_ETHERTYPE, LINKS, Peel, ethernet, ipv4, ipv6, raw_ip
from inspect_cli.wire.more_links import MORE_LINKS, llc
from inspect_cli.wire.names import other
from inspect_cli.wire.peeling import (
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    IP_PROTOCOL,
    LINK,
    LLC,
    PADDED_WLAN,
    Buffer,
    Cursor,
    Mask,
    Unread,
    gather,
    joined,
)
from inspect_cli.wire.wlan import padded_wlan

ETHERTYPE_BRIDGED: Final = 0x6558
ETHERTYPE_MPLS: Final = 0x8847
MAX_GTP_EXTENSIONS: Final = 8


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


def _mpls(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """One label (RFC 3032); behind the last, the first four bits tell what follows (RFC 4928 §3)."""
    cursor = unread.with_room(cursor, MPLS.itemsize + 1, "MPLS")
    entry = gather(buffer, cursor.at, MPLS)["entry"].astype(np.int64)
    at = cursor.at + MPLS.itemsize
    nibble = gather(buffer, at, BYTE)["value"] >> 4
    kind = np.where(nibble == 4, ETHERTYPE_IPV4, np.where(nibble == 6, ETHERTYPE_IPV6, other("MPLS payload")))
    last = (entry & 0x100) != 0
    wire = last & (nibble == 0)
    if wire.any():
        # A pseudowire: its control word (RFC 4385 §3) or an address of Ethernet begins with zeros.
        word = wire & ~_is_ethernet(buffer, cursor, at) & _is_ethernet(buffer, cursor, at + 4)
        at = at + 4 * word
        kind = np.where(wire, ETHERTYPE_BRIDGED, kind)
    return cursor.moved(at, np.where(last, kind, ETHERTYPE_MPLS))


def _is_ethernet(buffer: Buffer, cursor: Cursor, at: Int64) -> Mask:
    """Whether a header of Ethernet seems to stand there: with a common ethertype, or a length that is right."""
    ethertype = gather(buffer, np.minimum(at + 12, cursor.end), SHORT)["value"].astype(np.int64)
    behind = at + ETHERNET.itemsize
    found: Mask = np.isin(ethertype, KNOWN_ETHERTYPES) | (behind + ethertype == cursor.wire_end)
    return found & (behind <= cursor.end)


def _gre(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """GRE (RFC 2784, RFC 2890) and PPTP's version 1 of it (RFC 2637 §4.1)."""
    cursor = unread.with_room(cursor, GRE.itemsize, "GRE")
    head = gather(buffer, cursor.at, GRE)
    flags, kind = head["flags_version"].astype(np.int64), head["protocol_type"].astype(np.int64)
    version = flags & 7
    checksum, routing = (flags & 0x8000) != 0, (flags & 0x4000) != 0
    key, sequence = (flags & 0x2000) != 0, (flags & 0x1000) != 0
    acknowledgment = (version == 1) & ((flags & 0x0080) != 0)
    size = 4 + 4 * checksum + 4 * key + 4 * sequence + 4 * acknowledgment
    # Without a sequence number it is the first kind of ERSPAN, which had no header of its own.
    kind = np.where((kind == 0x88BE) & ~sequence, ETHERTYPE_BRIDGED, kind)
    foreign = (kind < FIRST_ETHERTYPE) | routing | (version > 1)
    return cursor.moved(cursor.at + size, np.where(foreign, other("GRE"), kind))


def _erspan(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """ERSPAN type II or III: a mirrored Ethernet frame."""
    cursor = unread.with_room(cursor, ERSPAN_2.itemsize, "ERSPAN")
    head = gather(buffer, cursor.at, ERSPAN_3)
    version = head["version_vlan"] >> 12
    optional = (head["flags"] & 1) != 0
    size = np.where(version == 2, ERSPAN_3.itemsize + 8 * optional, ERSPAN_2.itemsize)
    known = (version == 1) | (version == 2)
    return cursor.moved(cursor.at + size, np.where(known, ETHERTYPE_BRIDGED, other("ERSPAN")))


def _vxlan(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """VXLAN (RFC 7348 §5): the flag I must be set."""
    cursor = unread.with_room(cursor, VXLAN.itemsize, "VXLAN")
    flags = gather(buffer, cursor.at, VXLAN)["flags"]
    kind = np.where((flags & 0x08) != 0, ETHERTYPE_BRIDGED, other("VXLAN"))
    return cursor.moved(cursor.at + VXLAN.itemsize, kind)


def _vxlan_gpe(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """VXLAN with a protocol of its own in the last reserved byte (draft-ietf-nvo3-vxlan-gpe §3)."""
    cursor = unread.with_room(cursor, VXLAN.itemsize, "VXLAN")
    protocol = _byte(buffer, cursor.at + 3, cursor.end)
    kind = np.full_like(cursor.at, other("VXLAN"))
    for number, ethertype in ((1, ETHERTYPE_IPV4), (2, ETHERTYPE_IPV6), (3, ETHERTYPE_BRIDGED)):
        kind = np.where(protocol == number, ethertype, kind)
    return cursor.moved(cursor.at + VXLAN.itemsize, kind)


def _geneve(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """Geneve (RFC 8926 §3.4): options in units of 4 bytes, then an ethertype's content."""
    cursor = unread.with_room(cursor, GENEVE.itemsize, "Geneve")
    head = gather(buffer, cursor.at, GENEVE)
    kind = head["protocol_type"].astype(np.int64)
    size = GENEVE.itemsize + 4 * (head["version_length"] & 0x3F).astype(np.int64)
    known = (head["version_length"] >> 6 == 0) & (kind >= FIRST_ETHERTYPE)
    return cursor.moved(cursor.at + size, np.where(known, kind, other("Geneve")))


def _gtp_u(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """GTP-U (3GPP TS 29.281 §5): a G-PDU carries an IP packet, behind extension headers if any."""
    cursor = unread.with_room(cursor, GTP_U.itemsize, "GTP-U")
    head = gather(buffer, cursor.at, GTP_U)
    # Version 1, protocol type GTP.
    pdu = (head["flags"] >> 4 == 3) & (head["message_type"] == 255)
    others = cursor.where(~pdu)
    others = others.moved(others.at, np.full_like(others.at, other("GTP")))
    cursor, flags = cursor.where(pdu), head["flags"][pdu]
    # §5.1: if any of E, S and PN is set, all three fields are there.
    at = cursor.at + GTP_U.itemsize + 4 * ((flags & 7) != 0)
    more = (flags & 4) != 0
    for _ in range(MAX_GTP_EXTENSIONS):
        more = more & (_byte(buffer, at - 1, cursor.end) != 0)
        if not more.any():
            break
        # §5.2.1: the length in units of 4 bytes stands first, the type of the next one last.
        at = at + 4 * np.where(more, np.maximum(_byte(buffer, at, cursor.end), 1), 0)
    return joined([others, raw_ip(buffer, cursor.moved(at, cursor.kind), unread)])


def _byte(buffer: Buffer, at: Int64, end: Int64) -> Int64:
    return gather(buffer, np.minimum(at, end), BYTE)["value"].astype(np.int64)


LAYERS_INSIDE: Final[dict[int, Peel]] = {
    0x8100: vlan,
    0x88A8: vlan,
    0x9100: vlan,  # two that QinQ used before 802.1ad
    0x9200: vlan,
    LLC: llc,
    0x8847: _mpls,
    0x8848: _mpls,
    0x8864: ppp.pppoe,
    0x880B: ppp.ppp,
    ETHERTYPE_BRIDGED: ethernet,
    0x88BE: _erspan,
    0x22EB: _erspan,
    PADDED_WLAN: padded_wlan,
    IP_PROTOCOL + 4: ipv4,  # RFC 2003
    IP_PROTOCOL + 41: ipv6,  # RFC 4213 §3
    IP_PROTOCOL + 47: _gre,
    IP_PROTOCOL + 137: _mpls,  # RFC 4023
    **{LINK + number: peel for number, peel in (LINKS | MORE_LINKS).items()},
}
"""What stands at a layer, if it is neither IP nor TCP or UDP: how it is peeled."""

KNOWN_ETHERTYPES: Final = (
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    0x0806,  # ARP
    0x8863,  # PPPoE discovery
    *(kind for kind in LAYERS_INSIDE if kind < IP_PROTOCOL),
)
"""What an Ethernet frame in a pseudowire is taken to carry."""

UDP_TUNNELS: Final[dict[int, Peel]] = {
    1701: ppp.l2tp,
    2152: _gtp_u,
    4789: _vxlan,
    4790: _vxlan_gpe,
    6081: _geneve,
    8472: _vxlan,  # Linux, before the port was assigned
}
"""By destination port."""
