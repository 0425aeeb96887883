"""Frames to packets: headers as columns, one layer after the other, without a loop over packets.

Bytes are gathered at the offsets of all rows, seen through a header's dtype, and the rows
that have another layer go on. A row that gives no packet is listed with its reason.
"""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np

from inspect_cli.wire.frames import Frames, Int64, Packets, UInt64, UndecodedFrame
from inspect_cli.wire.headers import IPV4, IPV6, IPV6_EXTENSION, TCP, UDP
from inspect_cli.wire.link import ETHERTYPE_IPV4, ETHERTYPE_IPV6, LINKS, link_type_name
from inspect_cli.wire.peeling import (
    FAMILY,
    FRAGMENT,
    HEADER_LENGTH,
    IP_PROTOCOL,
    IP_VERSION,
    LAYERS,
    LINK_TYPE,
    PROTOCOL,
    REASONS,
    TRUNCATED,
    Cursor,
    Unread,
    gather,
)

Buffer = bytes | bytearray
Number = TypeVar("Number", Int64, UInt64)

PROTOCOL_TCP: Final = 6
PROTOCOL_UDP: Final = 17
IPV4_MAPPED: Final = np.uint64(0xFFFF << 32)
"""RFC 4291 §2.5.5.2, the low 64 bits."""

HOP_BY_HOP, ROUTING, FRAGMENT_HEADER, DESTINATION = 0, 43, 44, 60
MAX_EXTENSION_HEADERS: Final = 8

ETHERTYPE_NAMES: Final[dict[int, str]] = {
    0x0806: "ARP",
    0x0842: "Wake-on-LAN",
    0x8035: "RARP",
    0x8808: "Ethernet flow control",
    0x8809: "slow protocols (LACP)",
    0x8847: "MPLS",
    0x8848: "MPLS multicast",
    0x8863: "PPPoE discovery",
    0x8864: "PPPoE session",
    0x888E: "EAPOL",
    0x88CC: "LLDP",
    0x88E5: "MACsec",
}
IP_PROTOCOL_NAMES: Final[dict[int, str]] = {
    1: "ICMP",
    2: "IGMP",
    4: "IPv4 in IP",
    41: "IPv6 in IP",
    47: "GRE",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
    59: "no next header",
    89: "OSPF",
    103: "PIM",
    112: "VRRP",
    115: "L2TP",
    132: "SCTP",
    136: "UDP-Lite",
}


class _Columns:
    """The columns of Packets for all rows of a batch; protocol 0 where there is no packet."""

    def __init__(self, count: int) -> None:
        self.version: Int64 = np.zeros(count, np.int64)
        self.protocol: Int64 = np.zeros(count, np.int64)
        self.source_hi: UInt64 = np.zeros(count, np.uint64)
        self.source_lo: UInt64 = np.zeros(count, np.uint64)
        self.target_hi: UInt64 = np.zeros(count, np.uint64)
        self.target_lo: UInt64 = np.zeros(count, np.uint64)
        self.source_port: Int64 = np.zeros(count, np.int64)
        self.target_port: Int64 = np.zeros(count, np.int64)
        self.seq: Int64 = np.zeros(count, np.int64)
        self.ack: Int64 = np.zeros(count, np.int64)
        self.flags: Int64 = np.zeros(count, np.int64)
        self.window: Int64 = np.zeros(count, np.int64)
        self.payload_offset: Int64 = np.zeros(count, np.int64)
        self.payload_captured: Int64 = np.zeros(count, np.int64)
        self.payload_size: Int64 = np.zeros(count, np.int64)
        self.options_offset: Int64 = np.zeros(count, np.int64)
        self.options_size: Int64 = np.zeros(count, np.int64)


def decode(frames: Frames) -> Packets:
    """The TCP and UDP packets of a batch, and a list of the frames that gave none. Never raises."""
    count = len(frames)
    columns = _Columns(count)
    unread = Unread(count)
    for link_type in sorted(set(frames.link_type.tolist())):
        cursor = _frames_of(frames, link_type)
        link = LINKS.get(link_type)
        if link is None:
            unread.mark(cursor, np.ones(len(cursor.row), np.bool_), LINK_TYPE, cursor.kind)
        else:
            _network(frames.buffer, link.peel(frames.buffer, cursor, unread), columns, unread)
    return _packets(frames, columns, unread)


def _frames_of(frames: Frames, link_type: int) -> Cursor:
    """Whole frames of one link type."""
    end = frames.offset + frames.size
    wire_end = frames.offset + np.maximum(frames.original_size, frames.size)
    rows = np.arange(len(frames), dtype=np.int64)
    return Cursor(rows, frames.offset, end, wire_end, frames.link_type).where(frames.link_type == link_type)


def _network(buffer: Buffer, cursor: Cursor, columns: _Columns, unread: Unread) -> None:
    """Rows at the network layer, `kind` an ethertype: to their columns."""
    is_v4 = cursor.kind == ETHERTYPE_IPV4
    is_v6 = cursor.kind == ETHERTYPE_IPV6
    other = ~(is_v4 | is_v6)
    if other.any():
        unread.mark(cursor, other, PROTOCOL, cursor.kind)
    if is_v4.any():
        _transport(buffer, _ipv4(buffer, cursor.where(is_v4), columns, unread), columns, unread)
    if is_v6.any():
        _transport(buffer, _ipv6(buffer, cursor.where(is_v6), columns, unread), columns, unread)


def _ipv4(buffer: Buffer, cursor: Cursor, columns: _Columns, unread: Unread) -> Cursor:
    cursor = unread.with_room(cursor, IPV4.itemsize, "IPv4")
    header = gather(buffer, cursor.at, IPV4)
    version = (header["version_ihl"] >> 4).astype(np.int64)
    size = ((header["version_ihl"] & 15) * 4).astype(np.int64)
    total = header["total_length"].astype(np.int64)
    # Total length 0: the kernel left it to the network card (segmentation offload).
    wire_end = np.where(total == 0, cursor.wire_end, np.minimum(cursor.at + total, cursor.wire_end))
    wrong_version = version != 4
    # RFC 791 §3.1: a header has at least 5 words, and the total length includes it.
    wrong_size = (size < 20) | (cursor.at + size > wire_end)
    cut = cursor.at + size > cursor.end
    fragment = (header["flags_fragment_offset"] & 0x3FFF) != 0  # MF, or an offset
    layer = LAYERS.index("IPv4")
    good = ~(wrong_version | wrong_size | cut | fragment)
    if not good.all():
        unread.mark(cursor, fragment, FRAGMENT, header["identification"].astype(np.int64))
        unread.mark(cursor, cut, TRUNCATED, layer)
        unread.mark(cursor, wrong_size, HEADER_LENGTH, layer)
        unread.mark(cursor, wrong_version, IP_VERSION, version)
    columns.version[cursor.row] = 4
    columns.source_lo[cursor.row] = header["source_address"].astype(np.uint64) | IPV4_MAPPED
    columns.target_lo[cursor.row] = header["destination_address"].astype(np.uint64) | IPV4_MAPPED
    end = np.minimum(cursor.end, wire_end)
    return Cursor(cursor.row, cursor.at + size, end, wire_end, header["protocol"].astype(np.int64)).where(good)


def _ipv6(buffer: Buffer, cursor: Cursor, columns: _Columns, unread: Unread) -> Cursor:
    cursor = unread.with_room(cursor, IPV6.itemsize, "IPv6")
    header = gather(buffer, cursor.at, IPV6)
    version = (header["version_class"] >> 4).astype(np.int64)
    payload = header["payload_length"].astype(np.int64)
    at = cursor.at + IPV6.itemsize
    # Payload length 0: a jumbogram (RFC 2675), or left to the network card as in IPv4.
    wire_end = np.where(payload == 0, cursor.wire_end, np.minimum(at + payload, cursor.wire_end))
    columns.version[cursor.row] = 6
    columns.source_hi[cursor.row] = header["source_hi"]
    columns.source_lo[cursor.row] = header["source_lo"]
    columns.target_hi[cursor.row] = header["destination_hi"]
    columns.target_lo[cursor.row] = header["destination_lo"]
    end = np.minimum(cursor.end, wire_end)
    inside = Cursor(cursor.row, at, end, wire_end, header["next_header"].astype(np.int64))
    inside = unread.part(inside, version != 6, IP_VERSION, version)
    return _past_extensions(buffer, inside, unread)


def _past_extensions(buffer: Buffer, cursor: Cursor, unread: Unread) -> Cursor:
    """Past IPv6 extension headers (RFC 8200 §4); a fragment that is not the whole is left."""
    arrived: list[Cursor] = []
    for _ in range(MAX_EXTENSION_HEADERS):
        kind = cursor.kind
        extended = (kind == HOP_BY_HOP) | (kind == ROUTING) | (kind == DESTINATION) | (kind == FRAGMENT_HEADER)
        if not extended.any():
            break
        arrived.append(cursor.where(~extended))
        cursor = unread.with_room(cursor.where(extended), IPV6_EXTENSION.itemsize, "IPv6 extension")
        header = gather(buffer, cursor.at, IPV6_EXTENSION)
        is_fragment = cursor.kind == FRAGMENT_HEADER
        # RFC 8200 §4.5: 13 bits of offset, 2 reserved, M; RFC 6946: neither is an atomic fragment.
        partial = is_fragment & ((header["fragment_offset"] & 0xFFF9) != 0)
        # In units of 8 bytes, not counting the first 8.
        size = np.where(is_fragment, 8, 8 + header["extension_length"].astype(np.int64) * 8)
        identification = header["identification"].astype(np.int64)
        moved = cursor.moved(cursor.at + size, header["next_header"].astype(np.int64))
        unread.mark(moved, partial, FRAGMENT, identification)
        cursor = unread.with_room(moved.where(~partial), 0, "IPv6 extension")
    else:
        endless = np.isin(cursor.kind, (HOP_BY_HOP, ROUTING, DESTINATION, FRAGMENT_HEADER))
        cursor = unread.part(cursor, endless, HEADER_LENGTH, LAYERS.index("IPv6 extension"))
    if not arrived:
        return cursor
    return Cursor(*(np.concatenate(column) for column in zip(*arrived, cursor, strict=True)))


def _transport(buffer: Buffer, cursor: Cursor, columns: _Columns, unread: Unread) -> None:
    """Rows at the transport layer, `kind` an IP protocol number: to their columns."""
    is_tcp = cursor.kind == PROTOCOL_TCP
    is_udp = cursor.kind == PROTOCOL_UDP
    other = ~(is_tcp | is_udp)
    if other.any():
        unread.mark(cursor, other, PROTOCOL, cursor.kind + IP_PROTOCOL)
    if is_tcp.any():
        _tcp(buffer, cursor.where(is_tcp), columns, unread)
    if is_udp.any():
        _udp(buffer, cursor.where(is_udp), columns, unread)


def _tcp(buffer: Buffer, cursor: Cursor, columns: _Columns, unread: Unread) -> None:
    cursor = unread.with_room(cursor, TCP.itemsize, "TCP")
    header = gather(buffer, cursor.at, TCP)
    size = ((header["data_offset"] >> 4) * 4).astype(np.int64)
    # RFC 9293 §3.1: at least 5 words, and no more than the packet has.
    wrong = (size < 20) | (cursor.at + size > cursor.wire_end)
    if wrong.any():
        unread.mark(cursor, wrong, HEADER_LENGTH, LAYERS.index("TCP"))
        cursor, header, size = cursor.where(~wrong), header[~wrong], size[~wrong]
    row = cursor.row
    columns.protocol[row] = PROTOCOL_TCP
    columns.source_port[row] = header["source_port"]
    columns.target_port[row] = header["destination_port"]
    columns.seq[row] = header["sequence_number"]
    columns.ack[row] = header["acknowledgment_number"]
    columns.flags[row] = header["flags"]
    columns.window[row] = header["window"]
    columns.options_offset[row] = cursor.at + TCP.itemsize
    columns.options_size[row] = np.minimum(size, cursor.end - cursor.at) - TCP.itemsize
    _payload(columns, cursor, cursor.at + size, cursor.wire_end)


def _udp(buffer: Buffer, cursor: Cursor, columns: _Columns, unread: Unread) -> None:
    cursor = unread.with_room(cursor, UDP.itemsize, "UDP")
    header = gather(buffer, cursor.at, UDP)
    length = header["length"].astype(np.int64)
    # RFC 768: at least 8; RFC 2675 §4: 0 in a jumbogram, and offload leaves it unfilled too.
    wrong = (length < 8) & (length != 0)
    if wrong.any():
        unread.mark(cursor, wrong, HEADER_LENGTH, LAYERS.index("UDP"))
        cursor, header, length = cursor.where(~wrong), header[~wrong], length[~wrong]
    row = cursor.row
    columns.protocol[row] = PROTOCOL_UDP
    columns.source_port[row] = header["source_port"]
    columns.target_port[row] = header["destination_port"]
    wire_end = np.where(length == 0, cursor.wire_end, np.minimum(cursor.at + length, cursor.wire_end))
    _payload(columns, cursor, cursor.at + UDP.itemsize, wire_end)


def _payload(columns: _Columns, cursor: Cursor, start: Int64, wire_end: Int64) -> None:
    """The payload from `start`: what the wire had, and what the capture holds of it."""
    end = np.minimum(cursor.end, wire_end)
    start_captured = np.minimum(start, end)
    columns.payload_offset[cursor.row] = start_captured
    columns.payload_captured[cursor.row] = end - start_captured
    columns.payload_size[cursor.row] = wire_end - start


def _packets(frames: Frames, columns: _Columns, unread: Unread) -> Packets:
    row = np.nonzero(columns.protocol)[0].astype(np.int64)
    whole = len(row) == len(frames)

    def chosen(column: Number) -> Number:
        return column if whole else column[row]

    return Packets(
        buffer=frames.buffer,
        row=row,
        number=row + frames.first_number,
        time_ns=chosen(frames.time_ns),
        version=chosen(columns.version),
        protocol=chosen(columns.protocol),
        source_hi=chosen(columns.source_hi),
        source_lo=chosen(columns.source_lo),
        target_hi=chosen(columns.target_hi),
        target_lo=chosen(columns.target_lo),
        source_port=chosen(columns.source_port),
        target_port=chosen(columns.target_port),
        seq=chosen(columns.seq),
        ack=chosen(columns.ack),
        flags=chosen(columns.flags),
        window=chosen(columns.window),
        payload_offset=chosen(columns.payload_offset),
        payload_captured=chosen(columns.payload_captured),
        payload_size=chosen(columns.payload_size),
        options_offset=chosen(columns.options_offset),
        options_size=chosen(columns.options_size),
        undecoded=_undecoded(unread),
    )


def _undecoded(unread: Unread) -> list[UndecodedFrame]:
    rows = np.nonzero(unread.reason)[0]
    reasons = unread.reason[rows].tolist()
    details = unread.detail[rows].tolist()
    return [
        UndecodedFrame(row, REASONS[reason], _detail(reason, detail))
        for row, reason, detail in zip(rows.tolist(), reasons, details, strict=True)
    ]


def _detail(reason: int, number: int) -> str:
    """The number of detail as its name, where it has one."""
    if reason == LINK_TYPE:
        return link_type_name(number)
    if reason in (TRUNCATED, HEADER_LENGTH):
        return LAYERS[number]
    if reason != PROTOCOL:
        return str(number)
    if number >= FAMILY:
        return f"address family {number - FAMILY}"
    if number >= IP_PROTOCOL:
        return IP_PROTOCOL_NAMES.get(number - IP_PROTOCOL, f"IP protocol {number - IP_PROTOCOL}")
    # IEEE 802.3: below 0x600 it is no ethertype but the length of an LLC frame.
    return "IEEE 802.2 LLC" if number < 0x600 else ETHERTYPE_NAMES.get(number, f"ethertype 0x{number:04x}")
