"""Fragments become the datagram that was cut, whatever their order and however frames come in batches."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment
from scapy.layers.l2 import GRE, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

from inspect_cli.wire.fragments import FragmentNote, Fragments, Piece
from inspect_cli.wire.frames import Packets
from inspect_cli.wire.packets import Decoder
from tests.wire.making import batch

V4 = {"src": "192.0.2.1", "dst": "192.0.2.2"}
V6 = {"src": "2001:db8::1", "dst": "2001:db8::2"}
MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
SECOND = 10**9


class Found(NamedTuple):
    """A packet: its frame, addresses, ports and payload."""

    number: int
    version: int
    source: tuple[int, int]
    ports: tuple[int, int]
    payload: bytes
    size: int


def found_in(packets: Packets) -> list[Found]:
    return [
        Found(
            int(packets.number[i]),
            int(packets.version[i]),
            (int(packets.source_hi[i]), int(packets.source_lo[i])),
            (int(packets.source_port[i]), int(packets.target_port[i])),
            bytes(packets.buffer[packets.payload_offset[i] : packets.payload_offset[i] + packets.payload_captured[i]]),
            int(packets.payload_size[i]),
        )
        for i in range(len(packets))
    ]


class Read(NamedTuple):
    packets: list[Found]
    notes: list[FragmentNote]
    undecoded: list[tuple[int, str, str]]


def read(
    frames: Sequence[bytes], sizes: Sequence[int] = (), times: Sequence[int] | None = None, cut: int | None = None
) -> Read:
    """Decode frames in batches of these sizes, then the rest; their numbers are from 1."""
    decoder, start, result = Decoder(), 0, Read([], [], [])
    for size in [*sizes, len(frames)]:
        part = frames[start : start + size]
        if not part:
            break
        given_frames = batch(part, 1, cut)
        given_frames.first_number = start + 1
        moments = times[start : start + size] if times else range(start, start + len(part))
        given_frames.time_ns = np.array(moments, np.int64)
        packets = decoder.decode(given_frames)
        result.packets.extend(found_in(packets))
        result.notes.extend(packets.fragments)
        result.undecoded.extend((start + 1 + u.row, u.reason, u.detail) for u in packets.undecoded)
        start += size
    result.notes.extend(decoder.close(len(frames)))
    return result


def ether(packet: Packet) -> bytes:
    return bytes(Ether(**MACS) / packet)


def v4(data: bytes, start: int, end: int, *, last: bool, number: int = 7, protocol: int = 17, **more: object) -> bytes:
    """The bytes [start, end) of a datagram as a fragment of it."""
    flags = 0 if last else "MF"
    return ether(IP(**V4, id=number, proto=protocol, flags=flags, frag=start // 8, **more) / Raw(data[start:end]))


def v6(data: bytes, start: int, end: int, *, last: bool, number: int = 7, next_header: int = 17) -> bytes:
    head = IPv6ExtHdrFragment(nh=next_header, offset=start // 8, m=int(not last), id=number)
    return ether(IPv6(**V6) / head / Raw(data[start:end]))


PAYLOAD = bytes(range(64))
WHOLE = bytes(UDP(sport=5, dport=6, len=72) / Raw(PAYLOAD))
V4_SOURCE, V6_SOURCE = (0, 0xFFFF_C000_0201), (0x20010DB8 << 32, 1)


def udp(number: int, version: int = 4, payload: bytes = PAYLOAD, size: int = 64) -> Found:
    return Found(number, version, V4_SOURCE if version == 4 else V6_SOURCE, (5, 6), payload, size)


def lost(at: int, frames: tuple[int, ...], number: int = 7, time_ns: int | None = None) -> FragmentNote:
    time_ns = frames[-1] - 1 if time_ns is None else time_ns
    return FragmentNote(at, time_ns, frames, len(frames), number, overlaps=False)


def overlap(at: int, number: int = 7) -> FragmentNote:
    return FragmentNote(at, at - 1, (at,), 0, number, overlaps=True)


# -- whole datagrams ---------------------------------------------------------------------


@pytest.mark.parametrize(("make", "version"), [(v4, 4), (v6, 6)])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_datagram_belongs_to_the_frame_that_completed_it(make: object, version: int, order: tuple[int, ...]) -> None:
    assert callable(make)
    parts = [make(WHOLE, 0, 16, last=False), make(WHOLE, 16, 48, last=False), make(WHOLE, 48, 72, last=True)]
    assert Read([udp(3, version)], [], []) == read([parts[i] for i in order])


@st.composite
def datagrams(draw: st.DrawFn) -> tuple[list[bytes], dict[int, bytes]]:
    """Frames of datagrams in fragments, in any order and some twice in a row, and the payload of each by its port."""
    frames: list[tuple[int, bytes]] = []
    expected: dict[int, bytes] = {}
    for number in range(draw(st.integers(1, 4))):
        payload = draw(st.binary(min_size=1, max_size=200))
        expected[number] = payload
        version = draw(st.sampled_from([4, 6]))
        network = (IP(**V4) if version == 4 else IPv6(**V6)) / UDP(sport=number, dport=9) / Raw(payload)
        whole = bytes(network)[20 if version == 4 else 40 :]
        places = sorted(draw(st.sets(st.integers(1, len(whole) // 8), max_size=5)))
        edges = [0, *(place * 8 for place in places if place * 8 < len(whole)), len(whole)]
        for start, end in pairwise(edges):
            make = v4 if version == 4 else v6
            frame = make(whole, start, end, last=end == len(whole), number=number)
            order = draw(st.integers(0, 1000))
            frames += [(order, frame)] * draw(st.sampled_from([1, 1, 1, 2]))
    frames.sort(key=lambda pair: pair[0])
    return [frame for _, frame in frames], expected


@settings(max_examples=80, deadline=None)
@given(datagrams(), st.lists(st.integers(1, 5), max_size=8))
def test_any_order_and_any_batches_give_each_datagram(
    made: tuple[list[bytes], dict[int, bytes]], sizes: list[int]
) -> None:
    frames, expected = made
    whole = read(frames)
    # A fragment that came twice may complete the next copy; each datagram is there at least once.
    assert expected == {packet.ports[0]: packet.payload for packet in whole.packets}
    assert not any(note.overlaps for note in whole.notes)
    assert whole == read(frames, sizes)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1_000_000), st.lists(st.integers(1, 7), max_size=12))
def test_damaged_fragments_give_the_same_for_every_batch_size(seed: int, sizes: list[int]) -> None:
    rng, frames = random.Random(seed), []
    for _ in range(30):
        start = rng.randrange(0, 72, 8)
        make = rng.choice([v4, v6])
        data = bytes(rng.randrange(256) for _ in range(72)) if rng.random() < 0.3 else WHOLE
        end = min(72, start + rng.choice([8, 16, 24, 72]))
        frames.append(make(data, start, end, last=rng.random() < 0.3, number=rng.randrange(3)))
    times = [rng.randrange(0, 200 * SECOND) if rng.random() < 0.2 else i * SECOND for i in range(30)]
    assert read(frames, (), times) == read(frames, sizes, times)


def test_a_tcp_segment_with_options_is_put_together() -> None:
    segment = bytes(TCP(sport=5, dport=6, seq=1, options=[("MSS", 1460)]) / Raw(b"hello"))
    (packet,) = read(
        [v4(segment, 0, 16, last=False, protocol=6), v4(segment, 16, len(segment), last=True, protocol=6)]
    ).packets
    assert packet == Found(2, 4, V4_SOURCE, (5, 6), b"hello", 5)


def test_extension_headers_may_stand_in_the_fragments() -> None:
    inside = bytes(IPv6ExtHdrDestOpt(nh=17)) + WHOLE
    frames = [v6(inside, 0, 8, last=False, next_header=60), v6(inside, 8, len(inside), last=True, next_header=60)]
    assert Read([udp(2, 6)], [], []) == read(frames)


def test_fragments_in_a_tunnel_and_tunnels_in_fragments() -> None:
    for protocol, tunnel in (
        (47, bytes(GRE(proto=0x0800)) + bytes(IP(**V4, proto=17) / Raw(WHOLE))),
        (17, bytes(UDP(sport=1, dport=4789) / VXLAN() / Ether(**MACS) / IP(**V4, proto=17) / Raw(WHOLE))),
    ):
        frames = [
            v4(tunnel, 0, 40, last=False, protocol=protocol),
            v4(tunnel, 40, len(tunnel), last=True, protocol=protocol),
        ]
        assert Read([udp(2)], [], []) == read(frames)
    frames = [
        ether(IP(**V4, proto=47) / GRE(proto=0x0800) / Raw(v4(WHOLE, start, end, last=last)[14:]))
        for start, end, last in ((0, 32, False), (32, 72, True))
    ]
    assert Read([udp(2)], [], []) == read(frames)


def in_vxlan(frame: bytes) -> bytes:
    return ether(IP(src="203.0.113.1", dst="203.0.113.2") / UDP(sport=1, dport=4789) / VXLAN() / Raw(frame))


def test_fragments_in_a_udp_tunnel_leave_the_datagrams_around_them() -> None:
    parts = [in_vxlan(v4(WHOLE, 0, 32, last=False)), in_vxlan(v4(WHOLE, 32, 72, last=True))]
    both, first = read(parts), read(parts[:1])
    assert [(p.number, p.ports) for p in both.packets] == [(1, (1, 4789)), (2, (5, 6))]
    assert both.packets[1] == udp(2)
    assert [(p.number, p.ports) for p in first.packets] == [(1, (1, 4789))]
    assert [(note.frames, note.counted) for note in first.notes] == [((1,), 0)]


def test_a_datagram_in_a_udp_tunnel_that_is_no_packet_leaves_the_datagram_around_it() -> None:
    parts = [in_vxlan(v4(WHOLE, start, end, last=end == 72, protocol=1)) for start, end in ((0, 32), (32, 72))]
    found = read(parts)
    assert [(p.number, p.version, p.source, p.ports) for p in found.packets] == [
        (1, 4, (0, 0xFFFF_CB00_7101), (1, 4789)),
        (2, 4, (0, 0xFFFF_CB00_7101), (1, 4789)),
    ]
    assert (found.notes, found.undecoded) == ([], [])


def test_fragments_of_a_datagram_that_was_itself_put_together() -> None:
    """Twice is read, the third time is not."""
    inner = [v4(WHOLE, 0, 32, last=False)[14:], v4(WHOLE, 32, 72, last=True)[14:]]
    frames = []
    for i, part in enumerate(inner):
        frames += [v4(part, 0, 24, last=False, number=i, protocol=4), v4(part, 24, 99, last=True, number=i, protocol=4)]
    assert Read([udp(4)], [], []) == read(frames) == read(frames, [1, 1, 1])
    outer = []
    for i, frame in enumerate(frames):
        data = frame[14:]
        outer += [v4(data, 0, 24, last=False, number=i, protocol=4), v4(data, 24, 99, last=True, number=i, protocol=4)]
    found = read(outer)
    assert [(n, reason) for n, reason, _ in found.undecoded] == [(4, "fragment"), (8, "fragment")]


def test_a_datagram_of_another_protocol_is_listed_at_its_last_frame() -> None:
    frames = [v4(WHOLE, 0, 32, last=False, protocol=1), v4(WHOLE, 32, 72, last=True, protocol=1)]
    assert Read([], [], [(2, "protocol", "ICMP")]) == read(frames)


def test_the_same_identification_of_others_is_another_datagram() -> None:
    frames = [v4(WHOLE, 0, 32, last=False), v4(WHOLE, 32, 72, last=True, protocol=6)]
    frames += [v4(WHOLE, 32, 72, last=True, number=8), v6(WHOLE, 32, 72, last=True)]
    found = read(frames)
    assert (found.packets, [note.frames for note in found.notes]) == ([], [(1,), (2,), (3,), (4,)])


# -- what does not fit -------------------------------------------------------------------


def test_a_copy_of_a_fragment_is_no_overlap() -> None:
    first = v4(WHOLE, 0, 32, last=False)
    assert Read([udp(3)], [], []) == read([first, first, v4(WHOLE, 32, 72, last=True)])


def test_of_overlapping_ipv4_fragments_the_later_bytes_count() -> None:
    """RFC 791 §3.2: this procedure will use the more recently arrived copy."""
    other = WHOLE[:16] + b"\xff" * 56
    frames = [v4(WHOLE, 0, 32, last=False), v4(other, 16, 48, last=False), v4(WHOLE, 48, 72, last=True)]
    assert Read([udp(3, payload=PAYLOAD[:8] + b"\xff" * 32 + PAYLOAD[40:])], [overlap(2)], []) == read(frames)


def test_an_ipv6_datagram_with_overlapping_fragments_is_given_up() -> None:
    """RFC 8200 §4.5: reassembly of that datagram must be abandoned."""
    frames = [v6(WHOLE, 0, 32, last=False), v6(WHOLE, 16, 48, last=False), v6(WHOLE, 48, 72, last=True)]
    assert Read([], [overlap(2), lost(3, (1, 2, 3))], []) == read(frames)


def test_other_bytes_in_the_same_place_are_an_overlap() -> None:
    frames = [v4(bytes(72), 32, 72, last=True), v4(WHOLE, 32, 72, last=True), v4(WHOLE, 0, 32, last=False)]
    assert Read([udp(3)], [overlap(2)], []) == read(frames)


def test_two_ends_of_one_datagram_are_an_overlap() -> None:
    frames = [v4(WHOLE, 48, 72, last=True), v4(WHOLE, 24, 32, last=True), v4(WHOLE, 0, 24, last=False)]
    found = read(frames)
    assert found.notes == [overlap(2)]
    assert [(packet.number, packet.size) for packet in found.packets] == [(3, 24)]


def test_an_empty_last_fragment_ends_the_datagram() -> None:
    assert Read([udp(2)], [], []) == read([v4(WHOLE, 0, 72, last=False), v4(WHOLE, 72, 72, last=True)])


def test_bytes_that_a_snap_length_took_are_missing_from_there() -> None:
    frames = [v4(WHOLE, 0, 48, last=False), v4(WHOLE, 48, 72, last=True)]
    # 14 bytes of Ethernet and 20 of IPv4: the first fragment has 8 bytes of UDP and 32 of payload.
    assert Read([udp(2, payload=PAYLOAD[:32], size=64)], [], []) == read(frames, cut=74)


def test_what_is_missing_at_the_end_is_said_with_all_frames() -> None:
    frames = [v4(WHOLE, 0, 32, last=False), ether(IP(**V4) / Raw(b"")), v4(WHOLE, 40, 72, last=True)]
    found = read(frames)
    assert (found.packets, found.notes) == ([], [lost(3, (1, 3))])


# -- bounds ------------------------------------------------------------------------------


def test_a_minute_of_capture_time_is_enough() -> None:
    """RFC 8200 §4.5; looked at when the next fragment comes, of whichever datagram."""
    frames = [v4(WHOLE, 0, 32, last=False), v4(WHOLE, 0, 32, last=False, number=8), v4(WHOLE, 32, 72, last=True)]
    in_time, late = [0, SECOND, 60 * SECOND], [0, SECOND, 60 * SECOND + 1]
    assert Read([udp(3)], [lost(3, (2,), 8, SECOND)], []) == read(frames, (), in_time)
    notes = [lost(3, (1,), 7, 0), lost(3, (2,), 8, SECOND), lost(3, (3,), 7, late[2])]
    assert Read([], notes, []) == read(frames, (), late)


def test_beyond_the_bound_the_datagrams_that_began_first_are_given_up() -> None:
    fragments = Fragments(max_held_bytes=1000)

    def take(number: int, offset: int, size: int) -> list[FragmentNote]:
        piece = Piece(number - 1, 0, size, size, offset, 1, number, 17, 4, 0, 1, 0, 2)
        return fragments.take([piece], bytes(size), range(1, 100), np.zeros(99, np.int64), {number - 1})[1]

    assert [take(number, 0, 64) for number in (1, 2, 3)] == [[], [], []]
    assert take(4, 0, 64) == [lost(4, (1,), 1, 0)]
    assert take(5, 0, 1600) == [lost(5, (n,), n, 0) for n in (2, 3, 4, 5)]
    assert fragments.close(99) == []


def test_copies_without_end_are_bounded_too() -> None:
    fragments = Fragments(max_held_bytes=10_000)
    piece = Piece(0, 0, 8, 8, 8, 1, 1, 17, 4, 0, 1, 0, 2)
    _, notes = fragments.take([piece] * 1000, bytes(8), range(1, 2), np.zeros(1, np.int64), {0})
    assert [len(note.frames) for note in notes] == [38] * 26
