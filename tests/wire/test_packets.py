from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption
from scapy.layers.inet6 import (
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrFragment,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
)
from scapy.layers.l2 import ARP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Ether, Loopback
from scapy.packet import NoPayload, Packet, Raw

from inspect_cli.wire.frames import Frames, Packets
from inspect_cli.wire.link import LINKS
from inspect_cli.wire.more_links import MORE_LINKS
from inspect_cli.wire.packets import decode
from tests.wire.making import batch

COLUMNS = [
    "version", "protocol", "source_hi", "source_lo", "target_hi", "target_lo", "source_port", "target_port", "seq",
    "ack", "flags", "window", "payload_offset", "payload_captured", "payload_size", "options_offset", "options_size",
]  # fmt: skip

TCP_LAYER = TCP(sport=1, dport=2, seq=3, ack=4, flags="PA", window=5)


def rows(packets: Packets) -> list[dict[str, int]]:
    return [{name: int(getattr(packets, name)[i]) for name in COLUMNS} for i in range(len(packets))]


def reasons(frames: Frames) -> list[tuple[int, str, str]]:
    found = decode(frames)
    lost = [
        (n - frames.first_number, "fragment", str(note.identification)) for note in found.fragments for n in note.frames
    ]
    return lost + [(frame.row, frame.reason, frame.detail) for frame in found.undecoded]


def halves(address: str) -> tuple[int, int]:
    number = int(ip_address(address))
    if ip_address(address).version == 4:
        return 0, 0xFFFF << 32 | number
    return number >> 64, number & (2**64 - 1)


# -- scapy as the oracle -----------------------------------------------------------------

U16, U32 = st.integers(0, 2**16 - 1), st.integers(0, 2**32 - 1)
PAYLOADS = st.binary(max_size=40)
IPV4 = st.ip_addresses(v=4).map(str)
IPV6 = st.ip_addresses(v=6).map(str)
OPTIONS = st.lists(st.sampled_from([("MSS", 1460), ("NOP", None), ("SAckOK", b""), ("WScale", 7)]), max_size=6)
EXTENSIONS = st.lists(
    st.sampled_from(
        [IPv6ExtHdrHopByHop(), IPv6ExtHdrDestOpt(), IPv6ExtHdrRouting(addresses=["::1"]), IPv6ExtHdrFragment(id=9)]
    ),
    max_size=4,
)


@st.composite
def transports(draw: st.DrawFn) -> tuple[Packet, bytes]:
    payload = draw(PAYLOADS)
    if draw(st.booleans()):
        layer = TCP(
            sport=draw(U16), dport=draw(U16), seq=draw(U32), ack=draw(U32), flags=draw(st.integers(0, 255)),
            window=draw(U16), options=draw(OPTIONS),
        )  # fmt: skip
        return layer, payload
    return UDP(sport=draw(U16), dport=draw(U16)), payload


@st.composite
def networks(draw: st.DrawFn, version: int) -> Packet:
    if version == 4:
        options = [IPOption(b"\x07\x07\x04" + bytes(4))] if draw(st.booleans()) else []
        return IP(src=draw(IPV4), dst=draw(IPV4), options=options)
    packet = IPv6(src=draw(IPV6), dst=draw(IPV6))
    for extension in draw(EXTENSIONS):
        packet = packet / extension.copy()
    return packet


def linked(link_type: int, version: int, tags: int) -> Packet:
    """The link header of a type, with VLAN tags where it may have them."""
    ethertype = {4: 0x0800, 6: 0x86DD}[version]
    if link_type == 1:
        packet: Packet = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02")
        for i in range(tags):
            packet = packet / (Dot1Q(vlan=i) if i % 2 else Dot1AD(vlan=i))
        return packet
    if link_type in (0, 108):
        return Loopback(type=2 if version == 4 else 24)
    if link_type == 113:
        return CookedLinux(proto=ethertype)
    if link_type == 276:
        return CookedLinuxV2(proto=ethertype)
    return NoPayload()


@st.composite
def frames(draw: st.DrawFn) -> tuple[int, bytes, dict[str, int]]:
    """A link type, a frame, and what is to be read from it."""
    version = draw(st.sampled_from([4, 6]))
    fitting = {4: [0, 1, 12, 14, 101, 108, 113, 228, 276], 6: [0, 1, 12, 14, 101, 108, 113, 229, 276]}[version]
    link_type = draw(st.sampled_from(fitting))
    (transport, payload), network = draw(transports()), draw(networks(version))
    link = linked(link_type, version, draw(st.integers(0, 16)))
    above = network / transport / Raw(payload)
    packet = above if isinstance(link, NoPayload) else link / above
    data = bytes(packet)
    if link_type == 108:
        data = data[3::-1] + data[4:] if data[0] else data
    if link_type == 1 and len(data) < 60:
        data = data.ljust(60, b"\xee")
    source, target = halves(network.src), halves(network.dst)
    size = len(bytes(transport))
    offset = len(bytes(link)) + len(bytes(network)) + size
    is_tcp = isinstance(transport, TCP)
    expected = {
        "version": version,
        "protocol": 6 if is_tcp else 17,
        "source_hi": source[0],
        "source_lo": source[1],
        "target_hi": target[0],
        "target_lo": target[1],
        "source_port": transport.sport,
        "target_port": transport.dport,
        "seq": transport.seq if is_tcp else 0,
        "ack": transport.ack if is_tcp else 0,
        "flags": int(transport.flags) if is_tcp else 0,
        "window": transport.window if is_tcp else 0,
        "payload_offset": offset,
        "payload_captured": len(payload),
        "payload_size": len(payload),
        "options_offset": offset - size + 20 if is_tcp else 0,
        "options_size": size - 20 if is_tcp else 0,
    }
    return link_type, data, expected


@settings(max_examples=100, deadline=None)
@given(st.lists(frames(), min_size=1, max_size=5))
def test_headers_are_read_as_scapy_wrote_them(made: list[tuple[int, bytes, dict[str, int]]]) -> None:
    found = decode(batch([data for _, data, _ in made], [link for link, _, _ in made]))
    start = 0
    expected: list[dict[str, int]] = []
    for _, data, row in made:
        moved = {name: row[name] + start for name in ("payload_offset", "options_offset") if row[name]}
        expected.append({**row, **moved})
        start += len(data)
    assert rows(found) == expected
    assert found.undecoded == []
    assert found.number.tolist() == list(range(1, len(made) + 1))


@settings(max_examples=100, deadline=None)
@given(frames(), st.integers(0, 150))
def test_a_snap_length_takes_bytes_but_not_sizes(made: tuple[int, bytes, dict[str, int]], cut: int) -> None:
    link_type, data, row = made
    (cut_frames,) = [batch([data], link_type, cut)]
    found = decode(cut_frames)
    header_end = row["payload_offset"] - (row["options_size"] if row["protocol"] == 6 else 0)
    if cut < header_end:
        assert [undecoded.reason for undecoded in found.undecoded] == ["truncated"]
        return
    there = min(cut, row["payload_offset"])
    expected = {
        **row,
        "payload_offset": there,
        "payload_captured": max(0, min(cut - row["payload_offset"], row["payload_size"])),
        "options_size": there - row["options_offset"] if row["protocol"] == 6 else 0,
    }
    assert rows(found) == [expected]


# -- every frame is read or listed -------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*LINKS, *MORE_LINKS, 65535]),
            st.one_of(st.binary(max_size=80), frames().map(lambda made: made[1])),
            st.lists(st.tuples(st.integers(0, 100), st.integers(0, 255)), max_size=3),
        ),
        max_size=6,
    ),
    st.integers(0, 90),
)
def test_any_frame_is_read_or_listed_with_its_reason(
    made: list[tuple[int, bytes, list[tuple[int, int]]]], cut: int
) -> None:
    packets = []
    for _, data, damages in made:
        damaged = bytearray(data)
        for place, value in damages:
            if place < len(damaged):
                damaged[place] = value
        packets.append(bytes(damaged))
    given_frames = batch(packets, [link for link, _, _ in made], cut)
    found = decode(given_frames)
    fragments = [number - 1 for note in found.fragments for number in note.frames[: note.counted]]
    undecoded_rows = [undecoded.row for undecoded in found.undecoded]
    assert sorted([*found.row.tolist(), *undecoded_rows, *fragments]) == list(range(len(made)))
    ends = given_frames.offset + given_frames.size
    for i, row in enumerate(found.row.tolist()):
        assert given_frames.offset[row] <= found.payload_offset[i] <= ends[row]
        assert 0 <= found.payload_captured[i] <= found.payload_size[i]
        assert found.payload_offset[i] + found.payload_captured[i] <= ends[row]
        assert 0 <= found.options_size[i] <= 40
    assert all(undecoded.reason and undecoded.detail for undecoded in found.undecoded)


def test_a_batch_without_frames_has_no_packets() -> None:
    found = decode(batch([]))
    assert (len(found), found.undecoded) == (0, [])


# -- what the RFCs say about lengths -----------------------------------------------------


def ether(packet: Packet) -> bytes:
    return bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet)


def sizes(data: bytes, link_type: int = 1) -> list[tuple[int, int]]:
    found = decode(batch([data], link_type))
    return list(zip(found.payload_captured.tolist(), found.payload_size.tolist(), strict=True))


def test_padding_of_a_short_ethernet_frame_is_no_payload() -> None:
    assert sizes(ether(IP() / TCP_LAYER).ljust(60, b"\0")) == [(0, 0)]


def test_total_length_zero_means_all_that_was_captured() -> None:
    """Segmentation offload leaves it to the network card."""
    assert sizes(ether(IP(len=0) / TCP_LAYER / Raw(b"x" * 70))) == [(70, 70)]
    assert sizes(ether(IPv6(plen=0) / TCP_LAYER / Raw(b"x" * 70))) == [(70, 70)]


def test_an_ip_length_beyond_the_frame_is_not_believed() -> None:
    assert sizes(ether(IP(len=1500) / TCP_LAYER / Raw(b"x" * 70))) == [(70, 70)]


def test_the_udp_length_governs_the_payload() -> None:
    assert sizes(ether(IP() / UDP(sport=1, dport=2, len=10) / Raw(b"x" * 70))) == [(2, 2)]
    assert sizes(ether(IP() / UDP(sport=1, dport=2, len=0) / Raw(b"x" * 70))) == [(70, 70)]


def test_a_loopback_family_is_read_in_either_byte_order() -> None:
    packet = bytes(IP() / TCP_LAYER)
    for family in (struct.pack("<I", 2), struct.pack(">I", 2)):
        assert sizes(family + packet, 0) == [(0, 0)]
    for number in (24, 28, 30, 10):
        assert sizes(struct.pack("<I", number) + bytes(IPv6() / TCP_LAYER), 0) == [(0, 0)]


def fragment_of_ipv6(offset: int, more: int, size: int = 24) -> bytes:
    return ether(IPv6() / IPv6ExtHdrFragment(nh=6, offset=offset, m=more, id=7) / Raw(bytes(TCP_LAYER).ljust(size)))


MANY_EXTENSIONS = b"".join(bytes([60, 0]) + bytes(6) for _ in range(9))


@pytest.mark.parametrize(
    ("data", "link_type", "reason", "detail"),
    [
        (b"", 1, "truncated", "Ethernet"),
        (bytes(13), 1, "truncated", "Ethernet"),
        (bytes(12) + b"\x81\0\0", 1, "truncated", "VLAN"),
        (bytes(15), 113, "truncated", "Linux cooked"),
        (bytes(19), 276, "truncated", "Linux cooked"),
        (bytes(3), 0, "truncated", "loopback"),
        (b"", 101, "truncated", "IPv4"),
        (bytes([0x45]) + bytes(18), 101, "truncated", "IPv4"),
        (bytes([0x60]) + bytes(38), 101, "truncated", "IPv6"),
        (bytes(20), 101, "ip-version", "0"),
        (bytes([0x65]) + bytes(19), 228, "ip-version", "6"),
        (bytes([0x45]) + bytes(39), 229, "ip-version", "4"),
        (bytes([0x44]) + bytes(40), 101, "header-length", "IPv4"),
        (ether(IP(len=19) / TCP_LAYER), 1, "header-length", "IPv4"),
        (ether(IP(len=39) / TCP_LAYER), 1, "header-length", "TCP"),
        (ether(IP() / TCP(dataofs=4)), 1, "header-length", "TCP"),
        (ether(IP() / TCP(dataofs=15)), 1, "header-length", "TCP"),
        (ether(IP() / UDP(len=7)), 1, "header-length", "UDP"),
        (ether(IPv6(plen=4, nh=60) / Raw(bytes(4))), 1, "header-length", "IPv6 extension"),
        (ether(IPv6(nh=60) / Raw(b"\x06\xff" + bytes(30))), 1, "header-length", "IPv6 extension"),
        (ether(IPv6(nh=60) / Raw(MANY_EXTENSIONS)), 1, "header-length", "IPv6 extension"),
        (ether(IP(flags="MF", id=5, proto=6) / Raw(bytes(24))), 1, "fragment", "5"),
        (ether(IP(flags="MF", id=5, proto=6) / Raw(bytes(25))), 1, "header-length", "IPv4"),
        (ether(IP(frag=8191, id=5, proto=6) / Raw(bytes(8))), 1, "header-length", "IPv4"),
        (fragment_of_ipv6(0, 1, 25), 1, "header-length", "IPv6 extension"),
        (fragment_of_ipv6(8191, 0), 1, "header-length", "IPv6 extension"),
        (ether(IP(frag=3, id=5) / Raw(b"x")), 1, "fragment", "5"),
        (fragment_of_ipv6(0, 1), 1, "fragment", "7"),
        (fragment_of_ipv6(2, 0), 1, "fragment", "7"),
        (ether(ARP()), 1, "protocol", "ARP"),
        (ether(IP() / ICMP()), 1, "protocol", "ICMP"),
        (ether(IP(proto=253)), 1, "protocol", "IP protocol 253"),
        (ether(IPv6(nh=59)), 1, "protocol", "no next header"),
        (bytes(12) + b"\x88\xcc" + bytes(50), 1, "protocol", "LLDP"),
        (bytes(12) + b"\x12\x34" + bytes(50), 1, "protocol", "ethertype 0x1234"),
        (bytes(12) + b"\0\x26" + bytes(50), 1, "protocol", "IEEE 802.2 LLC"),
        (bytes(12) + b"\x81\0\0\1" * 17 + b"\x08\0" + bytes(50), 1, "nesting", "ethertype 0x8100"),
        (struct.pack("<I", 7) + bytes(40), 0, "protocol", "address family 7"),
        (bytes(40), 189, "link-type", "189 (USB Linux)"),
        (bytes(40), 4711, "link-type", "4711"),
    ],
)
def test_a_frame_that_gives_no_packet_says_why(data: bytes, link_type: int, reason: str, detail: str) -> None:
    assert reasons(batch([data], link_type)) == [(0, reason, detail)]


def test_a_whole_packet_in_one_fragment_is_read() -> None:
    """RFC 6946: an atomic fragment; don't fragment is no fragment."""
    assert sizes(fragment_of_ipv6(0, 0)) == [(4, 4)]
    assert sizes(ether(IP(flags="DF") / TCP_LAYER)) == [(0, 0)]


def test_frames_that_give_no_packet_leave_the_rows_of_the_others() -> None:
    data = [ether(ARP()), ether(IP() / TCP_LAYER), bytes(5), ether(IPv6() / UDP(sport=1, dport=2))]
    given_frames = batch(data)
    given_frames.first_number = 100
    found = decode(given_frames)
    assert found.row.tolist() == [1, 3]
    assert found.number.tolist() == [101, 103]
    assert found.time_ns.tolist() == [1, 3]
    assert [undecoded.row for undecoded in found.undecoded] == [0, 2]


def test_what_stands_behind_a_frame_in_the_buffer_is_not_read() -> None:
    whole = ether(IP() / TCP_LAYER / Raw(b"x" * 50))
    given_frames = batch([whole])
    given_frames.size = np.array([30], np.int64)
    assert reasons(given_frames) == [(0, "truncated", "IPv4")]


def test_every_column_is_as_long_as_the_packets_are_many() -> None:
    found: Any = decode(batch([ether(IP() / TCP_LAYER), ether(ARP())]))
    assert {len(getattr(found, name)) for name in [*COLUMNS, "row", "number", "time_ns"]} == {1}
