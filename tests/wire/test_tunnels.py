"""Headers behind every link layer and tunnel, with scapy as the oracle."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Packet, Raw

from inspect_cli.wire.frames import Packets
from inspect_cli.wire.layers import TUNNEL_PORTS
from inspect_cli.wire.link import LINKS as PLAIN
from inspect_cli.wire.more_links import MORE_LINKS
from inspect_cli.wire.packets import decode
from inspect_cli.wire.tunnels import LAYERS_INSIDE, UDP_TUNNELS
from tests.wire.layering import IPV4, IPV6, LINKS, MACS, ROAD4, WRAPS, Content
from tests.wire.making import batch
from tests.wire.test_packets import networks, reasons, rows, transports

READ = PLAIN | MORE_LINKS


def content_of(packet: Packet) -> Content:
    return Content(bytes(packet), IPV4 if packet.version == 4 else IPV6)


@st.composite
def packed(draw: st.DrawFn) -> tuple[int, bytes, dict[str, int], int]:
    """A link type, a frame, what is to be read from it, and where its transport header ends."""
    (transport, payload), network = draw(transports()), draw(networks(draw(st.sampled_from([4, 6]))))
    inner = network / transport / Raw(payload)
    content = content_of(inner)
    for name in draw(st.lists(st.sampled_from(list(WRAPS)), max_size=5)):
        content = WRAPS[name](content) or content
    _, link = LINKS[name := draw(st.sampled_from(list(LINKS)))]
    data = link(content) or LINKS[name := "Ethernet"][1](content)
    assert data
    expected = rows(decode(batch([bytes(inner)], 228 if content_of(inner).ethertype == IPV4 else 229)))[0]
    start = len(data) - len(bytes(inner))
    for column in ("payload_offset", "options_offset"):
        expected[column] += start if expected[column] else 0
    header_end = expected["payload_offset"] - expected["options_size"]
    if draw(st.booleans()) and name == "Ethernet":
        data += b"\xee" * draw(st.integers(0, 60))  # what Ethernet pads
    return LINKS[name][0], data, expected, header_end


@settings(max_examples=60, deadline=None)
@given(st.lists(packed(), min_size=1, max_size=5))
def test_the_innermost_headers_are_the_packet(made: list[tuple[int, bytes, dict[str, int], int]]) -> None:
    found = decode(batch([data for _, data, _, _ in made], [link for link, _, _, _ in made]))
    start, expected = 0, []
    for _, data, row, _ in made:
        expected.append({**row, **{n: row[n] + start for n in ("payload_offset", "options_offset") if row[n]}})
        start += len(data)
    assert found.undecoded == []
    assert rows(found) == expected


@settings(max_examples=60, deadline=None)
@given(packed(), st.integers(0, 400))
def test_a_cut_tunnel_is_its_packet_or_the_datagram_around_it(
    made: tuple[int, bytes, dict[str, int], int], cut: int
) -> None:
    link_type, data, row, header_end = made
    found = decode(batch([data], link_type, cut))
    if cut >= header_end:
        there = min(cut, row["payload_offset"])
        expected = {
            **row,
            "payload_offset": there,
            "payload_captured": max(0, min(cut - row["payload_offset"], row["payload_size"])),
            "options_size": there - row["options_offset"] if row["protocol"] == 6 else 0,
        }
        assert rows(found) == [expected]
    elif found.undecoded:
        assert [undecoded.reason for undecoded in found.undecoded] == ["truncated"]
    else:
        assert [(row["protocol"], row["target_port"] in UDP_TUNNELS) for row in rows(found)] == [(17, True)]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(packed(), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4)), max_size=6
    ),
    st.integers(0, 300),
)
def test_damaged_tunnels_are_read_or_listed(made: Any, cut: int) -> None:
    frames = []
    for (_, data, _, _), damages in made:
        damaged = bytearray(data)
        for place, value in damages:
            damaged[place % len(damaged)] = value
        frames.append(bytes(damaged))
    given_frames = batch(frames, [link for (link, _, _, _), _ in made], cut)
    found = decode(given_frames)
    fragments = [number - 1 for note in found.fragments for number in note.frames[: note.counted]]
    listed = [undecoded.row for undecoded in found.undecoded]
    assert sorted([*found.row.tolist(), *listed, *fragments]) == list(range(len(made)))
    ends = given_frames.offset + given_frames.size
    for i, row in enumerate(found.row.tolist()):
        assert given_frames.offset[row] <= found.payload_offset[i] <= ends[row]
        assert 0 <= found.payload_captured[i] <= found.payload_size[i]
        assert found.payload_offset[i] + found.payload_captured[i] <= ends[row]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([*READ, 4711]), st.lists(st.binary(max_size=120), max_size=5), st.integers(0, 120))
def test_any_bytes_of_any_link_type_are_read_or_listed(link_type: int, data: list[bytes], cut: int) -> None:
    found = decode(batch(data, link_type, cut))
    fragments = [number - 1 for note in found.fragments for number in note.frames[: note.counted]]
    assert sorted([*found.row.tolist(), *(u.row for u in found.undecoded), *fragments]) == list(range(len(data)))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([*LAYERS_INSIDE, *(0x10000 + n for n in (4, 41, 47, 137))]), st.binary(max_size=120))
def test_any_bytes_in_any_layer_are_read_or_listed(kind: int, data: bytes) -> None:
    frame = Ether(**MACS, type=kind) if kind < 0x10000 else Ether(**MACS) / IP(**ROAD4, proto=kind & 0xFF)
    found = decode(batch([bytes(frame / Raw(data))]))
    assert len(found) + len(found.undecoded) + len(found.fragments) == 1


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(UDP_TUNNELS)), st.binary(max_size=120))
def test_whatever_a_tunnels_datagram_holds_it_is_a_packet(port: int, data: bytes) -> None:
    found = decode(batch([bytes(Ether(**MACS) / IP(**ROAD4) / UDP(sport=1, dport=port) / Raw(data))]))
    assert (len(found), found.undecoded) == (1, [])


# -- one by one --------------------------------------------------------------------------

SEGMENT = Content(bytes(IP(src="192.0.2.1", dst="192.0.2.2") / TCP(sport=1, dport=2) / Raw(b"hello")), IPV4)


def columns(packets: Packets) -> list[tuple[int, int, bytes]]:
    captured = zip(packets.payload_offset.tolist(), packets.payload_captured.tolist(), strict=True)
    payloads = [bytes(packets.buffer[at : at + size]) for at, size in captured]
    return list(zip(packets.protocol.tolist(), packets.target_port.tolist(), payloads, strict=True))


@pytest.mark.parametrize("name", LINKS)
def test_a_segment_in_every_link_layer(name: str) -> None:
    number, link = LINKS[name]
    content = SEGMENT if name != "IPv6" else WRAPS["IP in IPv6"](SEGMENT)
    assert content
    data = link(content)
    assert data
    assert columns(decode(batch([data], number))) == [(6, 2, b"hello")]


@pytest.mark.parametrize("name", WRAPS)
def test_a_segment_in_every_tunnel(name: str) -> None:
    content = WRAPS[name](SEGMENT) or WRAPS[name](WRAPS["ether"](SEGMENT) or SEGMENT)
    assert content
    assert columns(decode(batch([LINKS["Ethernet"][1](content) or b""]))) == [(6, 2, b"hello")]


def test_every_row_of_the_tables_is_tested() -> None:
    assert {number for number, _ in LINKS.values()} | {12, 14} == set(READ)
    assert set(TUNNEL_PORTS) == UDP_TUNNELS.keys()


def test_padding_inside_and_outside_of_a_tunnel_is_no_payload() -> None:
    for name in ("PPPoE", "GRE", "802.3"):
        inside = WRAPS[name](SEGMENT)
        assert inside
        frame = (LINKS["Ethernet"][1](inside) or b"") + b"\xee" * 9
        assert columns(decode(batch([frame]))) == [(6, 2, b"hello")]


def test_offload_leaves_the_length_to_the_layer_around_it() -> None:
    """Total length 0, inside PPPoE with padding behind: the PPPoE length governs."""
    segment = Content(bytes(IP(len=0) / TCP(sport=1, dport=2) / Raw(b"hello")), IPV4)
    inside = WRAPS["PPPoE"](segment)
    assert inside
    assert columns(decode(batch([(LINKS["Ethernet"][1](inside) or b"") + b"\xee" * 9]))) == [(6, 2, b"hello")]


@pytest.mark.parametrize(
    "inside", [bytes(Ether(**MACS) / ARP()), bytes(Ether(**MACS) / IP() / ICMP()), b"", b"\x45", bytes(60)]
)
def test_a_tunnels_datagram_without_a_packet_is_the_datagram(inside: bytes) -> None:
    head = bytes.fromhex("0800000000002a00")
    packet = IP(src="192.0.2.8", dst="192.0.2.9") / UDP(sport=7, dport=4789) / Raw(head + inside)
    plain = IP(src="192.0.2.8", dst="192.0.2.9") / UDP(sport=7, dport=4788) / Raw(head + inside)
    found, expected = (rows(decode(batch([bytes(Ether(**MACS) / p)]))) for p in (packet, plain))
    assert found == [{**expected[0], "target_port": 4789}]


def test_a_mixed_batch_keeps_its_rows() -> None:
    frames = [LINKS["Ethernet"][1](wrap(SEGMENT) or SEGMENT) or b"" for wrap in WRAPS.values()]
    frames.insert(3, bytes(Ether(**MACS) / ARP()))
    found = decode(batch(frames))
    assert [undecoded.row for undecoded in found.undecoded] == [3]
    assert columns(found) == [(6, 2, b"hello")] * len(WRAPS)


def test_an_ipv4_packet_in_ipv6_has_no_half_of_the_outer_address() -> None:
    inside = WRAPS["IP in IPv6"](SEGMENT)
    assert inside
    found = decode(batch([LINKS["Ethernet"][1](inside) or b""]))
    assert (found.version.tolist(), found.source_hi.tolist(), found.target_hi.tolist()) == ([4], [0], [0])


@pytest.mark.parametrize("depth", [15, 16, 17, 40])
def test_layers_nest_up_to_a_bound(depth: int) -> None:
    content = SEGMENT
    for _ in range(depth):
        content = WRAPS["IP in IP"](content) or content
    found = reasons(batch([LINKS["Ethernet"][1](content) or b""]))
    assert found == ([] if depth <= 16 else [(0, "nesting", "IP protocol 4")])


def test_udp_tunnels_in_udp_tunnels_end_at_the_last_datagram_that_counts() -> None:
    content = SEGMENT
    for _ in range(20):
        content = WRAPS["GTP-U"](content) or content
    assert [row["target_port"] for row in rows(decode(batch([LINKS["Ethernet"][1](content) or b""])))] == [2152]


WLAN_HEAD = bytes(22)


@pytest.mark.parametrize(
    ("data", "link_type", "detail"),
    [
        (b"\x08\x40" + bytes(60), 105, "IEEE 802.11 encrypted"),
        (b"\x08\x04" + bytes(60), 105, "IEEE 802.11 fragment"),
        (b"\x08\x00" + bytes(20) + b"\x01\x00" + bytes(40), 105, "IEEE 802.11 fragment"),
        (b"\x88\x00" + bytes(22) + b"\x80\x00" + bytes(40), 105, "IEEE 802.11 A-MSDU"),
        (b"\x48\x00" + bytes(60), 105, "IEEE 802.11 without data"),
        (b"\x80\x00" + bytes(60), 105, "IEEE 802.11 management"),
        (b"\xd4\x00" + bytes(8), 105, "IEEE 802.11 control"),
        (b"\xaa\xaa\x03\x00\x00\x0c\x20\x00" + bytes(9), 100, "IEEE 802.2 LLC"),
        (b"\x42\x42\x03" + bytes(35), 100, "IEEE 802.2 LLC"),
        (b"\x0f\x00\x00\x05" + bytes(20), 104, "HDLC"),
        (b"\xff\x03\xc0\x21" + bytes(20), 50, "PPP LCP"),
        (b"\x11\x09\x00\x00\x00\x04" + bytes(4), 51, "PPPoE discovery"),
        (b"\x07\x00\x00\x00\x08\x00\x09\x00" + bytes(4), 239, "NFLOG without IP"),
        (b"\x02\x00\x00\x00\x08\x00\x01\x00" + bytes(4), 239, "NFLOG"),
        (bytes(14) + b"\0\1" + bytes(40), 113, "Linux cooked, no ethertype"),
        (b"\0\0\x08\0\xbd\0\0\0" + bytes(20), 192, "link type 189 (USB Linux)"),
        (b"\x00" + bytes(40), 10, "FDDI"),
        (bytes(12) + b"\x88\x47\0\0\1\0\x50" + bytes(40), 1, "MPLS payload"),
        (bytes(Ether(**MACS) / IP(proto=47) / Raw(bytes(20))), 1, "GRE"),
        (bytes(Ether(**MACS) / IP(proto=47) / Raw(b"\x40\0\x08\0" + bytes(20))), 1, "GRE"),
        (bytes(Ether(**MACS) / IP(proto=47) / Raw(b"\x10\0\x88\xbe" + bytes(20))), 1, "ERSPAN"),
        (bytes(Ether(**MACS) / IPv6(nh=51) / Raw(bytes(20))), 1, "AH"),
    ],
)
def test_what_a_layer_carries_and_is_not_read_has_a_name(data: bytes, link_type: int, detail: str) -> None:
    reason = "truncated" if detail == "NFLOG" else "protocol"
    assert reasons(batch([data], link_type)) == [(0, reason, detail)]
