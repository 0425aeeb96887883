"""Headers as columns, one layer after the other, without a loop over packets.

Bytes are gathered at the offsets of all rows, seen through a header's dtype, and the rows
that have another layer go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from inspect_cli.wire.columns import Columns
from inspect_cli.wire.frames import Int64
from inspect_cli.wire.headers import IPV4, IPV6, IPV6_EXTENSION, TCP, UDP
from inspect_cli.wire.peeling import (
    ETHERTYPE_IPV4,
    ETHERTYPE_IPV6,
    FINE,
    FRAGMENT,
    HEADER_LENGTH,
    IP_PROTOCOL,
    IP_VERSION,
    LAYERS,
    NESTING,
    PROTOCOL,
    TRUNCATED,
    Buffer,
    Cursor,
    Mask,
    Unread,
    distinct,
    gather,
    joined,
)

if TYPE_CHECKING:
    from inspect_cli.wire.fragments import Datagram, Pieces

# What few captures have (tunnels, other link types, fragments, names) is imported where it is met.

PROTOCOL_TCP: Final = 6
PROTOCOL_UDP: Final = 17
IPV4_MAPPED: Final = np.uint64(0xFFFF << 32)
"""RFC 4291 §2.5.5.2, the low 64 bits."""

HOP_BY_HOP, ROUTING, FRAGMENT_HEADER, DESTINATION = 0, 43, 44, 60
MAX_EXTENSION_HEADERS: Final = 8
MAX_LAYERS: Final = 16
"""Tags, labels and tunnels between the link header and the innermost IP."""
TUNNEL_PORTS: Final = (1701, 2152, 4789, 4790, 6081, 8472)
"""The keys of tunnels.UDP_TUNNELS."""


class Layers:
    """A batch being decoded: rows go from layer to layer and end in `columns`, `unread` or `pieces`.

    `depth` counts layers that were neither IP nor TCP or UDP.
    """

    def __init__(self, buffer: Buffer, count: int) -> None:
        self.buffer = buffer
        self.columns = Columns(count)
        self.unread = Unread(count)
        self.pieces: list[Pieces] = []

    def network(self, cursor: Cursor, depth: int) -> None:
        """Rows at their next layer, `kind` as peeling numbers it: IP goes on, all else is peeled first."""
        is_v4 = cursor.kind == ETHERTYPE_IPV4
        is_v6 = cursor.kind == ETHERTYPE_IPV6
        other = ~(is_v4 | is_v6)
        if other.any():
            self._further(cursor.where(other), depth)
        if is_v4.any():
            self._transport(self._ipv4(cursor.where(is_v4), depth), depth)
        if is_v6.any():
            self._transport(self._ipv6(cursor.where(is_v6)), depth)

    def datagrams(self, whole: list[Datagram]) -> None:
        """Put datagrams behind the buffer, and decode what they carry for the rows that completed them."""
        start = len(self.buffer)
        self.buffer = b"".join([self.buffer, *(datagram.data for datagram in whole)])
        sizes = np.array([len(datagram.data) for datagram in whole], np.int64)
        end = start + np.cumsum(sizes)
        at = end - sizes
        wire_end = at + np.array([datagram.size for datagram in whole], np.int64)
        kind = np.array([datagram.kind for datagram in whole], np.int64)
        row = np.array([datagram.row for datagram in whole], np.int64)

        def inside() -> None:
            version = self.columns.version[row] = np.array([datagram.version for datagram in whole], np.int64)
            address = np.array([datagram.address for datagram in whole], np.uint64)
            for i, name in enumerate(("source_hi", "source_lo", "target_hi", "target_lo")):
                getattr(self.columns, name)[row] = address[:, i]
            cursor = Cursor(row, at, end, wire_end, kind)
            is_v6 = version == 6
            if is_v6.any():
                self._transport(self._past_extensions(cursor.where(is_v6)), 0)
            if not is_v6.all():
                self._transport(cursor.where(~is_v6), 0)

        self._instead(row, inside)

    def _instead(self, rows: Int64, inside: Callable[[], None]) -> None:
        """Decode what rows carry; those that had a packet before and have none inside keep it."""
        before = self.columns.of(rows)
        self.columns.protocol[rows] = 0
        inside()
        lost = np.nonzero((self.columns.protocol[rows] == 0) & (before["protocol"] != 0))[0]
        if len(lost):
            self.columns.put_back(rows, before, lost)
            self.unread.reason[rows[lost]] = FINE

    def _further(self, cursor: Cursor, depth: int) -> None:
        """Rows at a layer that is neither IP nor TCP or UDP: peeled by their row of LAYERS_INSIDE, or listed."""
        from inspect_cli.wire.tunnels import LAYERS_INSIDE, lengths

        cursor = lengths(cursor)
        known = [kind for kind in distinct(cursor.kind).tolist() if kind in LAYERS_INSIDE]
        if not known or depth == MAX_LAYERS:
            every = np.ones(len(cursor.row), np.bool_)
            self.unread.mark(cursor, every, PROTOCOL, cursor.kind)
            if known:
                self.unread.mark(cursor, np.isin(cursor.kind, known), NESTING, cursor.kind)
            return
        rest = np.ones(len(cursor.row), np.bool_)
        inside: list[Cursor] = []
        for kind in known:
            here = cursor.kind == kind
            rest &= ~here
            inside.append(LAYERS_INSIDE[kind](self.buffer, cursor.where(here), self.unread))
        self.unread.mark(cursor, rest, PROTOCOL, cursor.kind)
        self.network(joined(inside), depth + 1)

    def _ipv4(self, cursor: Cursor, depth: int) -> Cursor:
        unread, columns = self.unread, self.columns
        cursor = unread.with_room(cursor, IPV4.itemsize, "IPv4")
        header = gather(self.buffer, cursor.at, IPV4)
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
        bad = wrong_version | wrong_size | cut
        columns.version[cursor.row] = 4
        columns.source_lo[cursor.row] = header["source_address"].astype(np.uint64) | IPV4_MAPPED
        columns.target_lo[cursor.row] = header["destination_address"].astype(np.uint64) | IPV4_MAPPED
        if depth:
            columns.source_hi[cursor.row] = columns.target_hi[cursor.row] = 0
        end = np.minimum(cursor.end, wire_end)
        inside = Cursor(cursor.row, cursor.at + size, end, wire_end, header["protocol"].astype(np.int64))
        good = ~(bad | fragment)
        if good.all():
            return inside
        layer = LAYERS.index("IPv4")
        unread.mark(cursor, cut, TRUNCATED, layer)
        unread.mark(cursor, wrong_size, HEADER_LENGTH, layer)
        unread.mark(cursor, wrong_version, IP_VERSION, version)
        fragment &= ~bad
        if fragment.any():
            field = header["flags_fragment_offset"][fragment].astype(np.int64)
            more, offset = field >> 13 & 1, (field & 0x1FFF) * 8
            self._hold(inside.where(fragment), offset, more, header["identification"][fragment], "IPv4")
        return inside.where(good)

    def _hold(self, cursor: Cursor, offset: Int64, more: Int64, identification: Int64, layer: str) -> None:
        """Fragments that are to wait, each at its part of the datagram, unless they cannot be right."""
        from inspect_cli.wire.fragments import MAX_DATAGRAM_BYTES, Pieces

        identification = identification.astype(np.int64)
        self.unread.mark(cursor, np.ones(len(cursor.row), np.bool_), FRAGMENT, identification)
        size = cursor.wire_end - cursor.at
        # RFC 791 §3.2 and RFC 8200 §4.5: all but the last are multiples of 8 bytes; no datagram is larger.
        wrong = (size < 0) | ((more == 1) & (size % 8 != 0)) | (offset + size > MAX_DATAGRAM_BYTES)
        if wrong.any():
            self.unread.mark(cursor, wrong, HEADER_LENGTH, LAYERS.index(layer))
        held = cursor.where(~wrong)
        row = held.row
        addresses = (getattr(self.columns, name)[row] for name in ("source_hi", "source_lo", "target_hi", "target_lo"))
        place = row, held.at, held.end, held.wire_end
        fields = (column[~wrong] for column in (offset, more, identification))
        self.pieces.append(Pieces._make((*place, *fields, held.kind, self.columns.version[row], *addresses)))

    def _ipv6(self, cursor: Cursor) -> Cursor:
        columns = self.columns
        cursor = self.unread.with_room(cursor, IPV6.itemsize, "IPv6")
        header = gather(self.buffer, cursor.at, IPV6)
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
        inside = self.unread.part(inside, version != 6, IP_VERSION, version)
        return self._past_extensions(inside)

    def _past_extensions(self, cursor: Cursor) -> Cursor:
        """Past IPv6 extension headers (RFC 8200 §4); a fragment that is not the whole waits."""
        arrived: list[Cursor] = []
        for _ in range(MAX_EXTENSION_HEADERS):
            extended = _is_extension(cursor.kind)
            if not extended.any():
                break
            arrived.append(cursor.where(~extended))
            cursor = self.unread.with_room(cursor.where(extended), IPV6_EXTENSION.itemsize, "IPv6 extension")
            header = gather(self.buffer, cursor.at, IPV6_EXTENSION)
            is_fragment = cursor.kind == FRAGMENT_HEADER
            # RFC 8200 §4.5: 13 bits of offset, 2 reserved, M; RFC 6946: neither is an atomic fragment.
            field = header["fragment_offset"].astype(np.int64)
            partial = is_fragment & ((field & 0xFFF9) != 0)
            # In units of 8 bytes, not counting the first 8.
            size = np.where(is_fragment, 8, 8 + header["extension_length"].astype(np.int64) * 8)
            moved = cursor.moved(cursor.at + size, header["next_header"].astype(np.int64))
            if partial.any():
                field, identification = field[partial], header["identification"][partial]
                self._hold(moved.where(partial), field & 0xFFF8, field & 1, identification, "IPv6 extension")
            cursor = self.unread.with_room(moved.where(~partial), 0, "IPv6 extension")
        else:
            endless = _is_extension(cursor.kind)
            cursor = self.unread.part(cursor, endless, HEADER_LENGTH, LAYERS.index("IPv6 extension"))
        return joined([*arrived, cursor])

    def _transport(self, cursor: Cursor, depth: int) -> None:
        """Rows at the transport layer, `kind` an IP protocol number: to their columns."""
        is_tcp = cursor.kind == PROTOCOL_TCP
        is_udp = cursor.kind == PROTOCOL_UDP
        other = ~(is_tcp | is_udp)
        if other.any():
            further = cursor.where(other)
            self._further(further.moved(further.at, further.kind + IP_PROTOCOL), depth)
        if is_tcp.any():
            self._tcp(cursor.where(is_tcp))
        if is_udp.any():
            self._udp(cursor.where(is_udp), depth)

    def _tcp(self, cursor: Cursor) -> None:
        columns = self.columns
        cursor = self.unread.with_room(cursor, TCP.itemsize, "TCP")
        header = gather(self.buffer, cursor.at, TCP)
        size = ((header["data_offset"] >> 4) * 4).astype(np.int64)
        # RFC 9293 §3.1: at least 5 words, and no more than the packet has.
        wrong = (size < 20) | (cursor.at + size > cursor.wire_end)
        if wrong.any():
            self.unread.mark(cursor, wrong, HEADER_LENGTH, LAYERS.index("TCP"))
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
        self._payload(cursor, cursor.at + size, cursor.wire_end)

    def _udp(self, cursor: Cursor, depth: int) -> None:
        columns = self.columns
        cursor = self.unread.with_room(cursor, UDP.itemsize, "UDP")
        header = gather(self.buffer, cursor.at, UDP)
        length = header["length"].astype(np.int64)
        # RFC 768: at least 8; RFC 2675 §4: 0 in a jumbogram, and offload leaves it unfilled too.
        wrong = (length < 8) & (length != 0)
        if wrong.any():
            self.unread.mark(cursor, wrong, HEADER_LENGTH, LAYERS.index("UDP"))
            cursor, header, length = cursor.where(~wrong), header[~wrong], length[~wrong]
        row = cursor.row
        port = header["destination_port"].astype(np.int64)
        columns.protocol[row] = PROTOCOL_UDP
        columns.source_port[row] = header["source_port"]
        columns.target_port[row] = port
        wire_end = np.where(length == 0, cursor.wire_end, np.minimum(cursor.at + length, cursor.wire_end))
        self._payload(cursor, cursor.at + UDP.itemsize, wire_end)
        if depth < MAX_LAYERS and (tunnel := _is_tunnel(port)).any():
            inside = cursor.within(wire_end).moved(cursor.at + UDP.itemsize, port).where(tunnel)
            self._instead(inside.row, lambda: self._udp_tunnels(inside, depth))

    def _udp_tunnels(self, cursor: Cursor, depth: int) -> None:
        """Rows behind the UDP header of a tunnel, `kind` its port."""
        from inspect_cli.wire.tunnels import UDP_TUNNELS

        inside = []
        for port, peel in UDP_TUNNELS.items():
            here = cursor.kind == port
            if here.any():
                inside.append(peel(self.buffer, cursor.where(here), self.unread))
        self.network(joined(inside), depth + 1)

    def _payload(self, cursor: Cursor, start: Int64, wire_end: Int64) -> None:
        """The payload from `start`: what the wire had, and what the capture holds of it."""
        columns = self.columns
        end = np.minimum(cursor.end, wire_end)
        start_captured = np.minimum(start, end)
        columns.payload_offset[cursor.row] = start_captured
        columns.payload_captured[cursor.row] = end - start_captured
        columns.payload_size[cursor.row] = wire_end - start


def _is_extension(kind: Int64) -> Mask:
    found: Mask = (kind == HOP_BY_HOP) | (kind == ROUTING) | (kind == DESTINATION) | (kind == FRAGMENT_HEADER)
    return found


def _is_tunnel(port: Int64) -> Mask:
    found: Mask = port == TUNNEL_PORTS[0]
    for number in TUNNEL_PORTS[1:]:
        found |= port == number
    return found
