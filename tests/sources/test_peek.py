from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.sources.peek import ACK, FIN, RST, SYN, Closing, Peek, peek

CLIENT, SERVER = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 7])


def tcp(payload: bytes = b"", *, seq: int = 1, ack: int = 2, flags: int = ACK, options: bytes = b"") -> bytes:
    offset = (20 + len(options)) // 4 << 4
    return struct.pack(">HHIIBBHHH", 5000, 80, seq, ack, offset, flags, 9, 0, 0) + options + payload


def ipv4(segment: bytes, *, total: int | None = None) -> bytes:
    size = 20 + len(segment) if total is None else total
    return struct.pack(">BBHHHBBH", 0x45, 0, size, 0, 0, 64, 6, 0) + CLIENT + SERVER + segment


def ipv6(segment: bytes) -> bytes:
    return struct.pack(">IHBB", 6 << 28, len(segment), 6, 64) + CLIENT * 4 + SERVER * 4 + segment


def segment(flags: int, seq: int, ack: int = 0, size: int = 0) -> Peek:
    return Peek(CLIENT, 5000, SERVER, 80, seq, ack, flags, size)


def test_a_segment_in_ipv4_behind_an_ethernet_header() -> None:
    found = peek(bytes(14) + ipv4(tcp(b"hello", options=bytes(4))), 14)
    assert found == Peek(CLIENT, 5000, SERVER, 80, 1, 2, ACK, 5)


def test_a_segment_in_ipv6_without_any_link_header() -> None:
    found = peek(ipv6(tcp(b"hello")), 0)
    assert found == Peek(CLIENT * 4, 5000, SERVER * 4, 80, 1, 2, ACK, 5)


def test_padding_of_a_short_ethernet_frame_is_no_payload() -> None:
    found = peek(bytes(14) + ipv4(tcp()) + bytes(6), 14)
    assert found is not None
    assert found.size == 0


def test_a_length_of_zero_means_all_that_was_captured() -> None:
    """Segments beyond 65,535 bytes (BIG TCP) cannot say their length."""
    found = peek(ipv4(tcp(b"x" * 70_000), total=0), 0)
    assert found is not None
    assert found.size == 70_000


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120), st.sampled_from([0, 14]))
def test_no_bytes_raise(data: bytes, ip_offset: int) -> None:
    found = peek(data, ip_offset)
    assert found is None or found.size >= 0


def test_a_close_is_over_when_both_fins_are_acknowledged() -> None:
    closing = Closing()
    seen = []
    for said, side in (
        (segment(FIN | ACK, seq=100, ack=50), 0),
        (segment(ACK, seq=50, ack=101), 1),
        (segment(FIN | ACK, seq=50, ack=101), 1),
        (segment(ACK, seq=101, ack=51), 0),
    ):
        closing.see(said, side)
        seen.append(closing.is_over)
    assert seen == [False, False, False, True]


def test_a_close_in_three_segments_over_the_wrap_of_sequence_numbers() -> None:
    closing = Closing()
    closing.see(segment(FIN | ACK, seq=0xFFFFFFFE, ack=7, size=1), 1)
    closing.see(segment(FIN | ACK, seq=7, ack=0), 0)
    assert not closing.is_over
    closing.see(segment(ACK, seq=0, ack=8), 1)
    assert closing.is_over


def test_an_old_ack_does_not_acknowledge_a_fin() -> None:
    closing = Closing()
    closing.see(segment(FIN | ACK, seq=100, ack=50, size=10), 0)
    closing.see(segment(FIN | ACK, seq=50, ack=100), 1)
    closing.see(segment(ACK, seq=111, ack=51), 0)
    assert not closing.is_over


def test_a_reset_ends_it_at_once() -> None:
    closing = Closing()
    closing.see(segment(SYN, seq=1), 0)
    closing.see(segment(RST | ACK, seq=0, ack=2), 1)
    assert closing.is_over
    assert closing.was_answered
