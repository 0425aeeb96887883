"""How connections open and break in the wild."""

from __future__ import annotations

from dataclasses import replace

import pytest

from inspect_cli.events.capture import Gap
from inspect_cli.events.tcp import (
    AfterReset,
    ConnectionEnd,
    HandshakeAck,
    IgnoredRst,
    LargeSegment,
    Rst,
    Syn,
    SynAck,
    Urgent,
)
from tests.streams.reading import only, read_at
from tests.streams.segments import ACK, FIN, PSH, RST, SYN, Seg, Talk

URG = 32


def timed(*segments: Seg) -> list[tuple[int, Seg]]:
    return list(enumerate(segments))


def ends(*segments: Seg) -> list[ConnectionEnd]:
    return only(ConnectionEnd, timed(*segments))


@pytest.mark.parametrize(("flags", "ack"), [(RST, 101), (RST | ACK, 100), (RST | ACK, 102)])
def test_a_reset_that_does_not_acknowledge_the_syn_is_ignored(flags: int, ack: int) -> None:
    talk = Talk(isn=(100, 9000)).open().say(0, b"ping").acks(1)
    talk.segments.insert(1, Seg(1, flags, 0, ack))
    segments = timed(*talk.segments)

    assert [(2, True)] == [(e.where.at, e.opening) for e in only(IgnoredRst, segments)]
    assert [] == only(Rst, segments)
    assert [("handshake", "open", 4, 0)] == [
        (e.opened, e.closed, e.connection.bytes_client, e.connection.bytes_server) for e in ends(*talk.segments)
    ]


def test_a_reset_below_what_was_acknowledged_is_ignored() -> None:
    talk = Talk().open().say(1, b"pong").acks(0).say(1, b"more")
    talk.segments.insert(5, Seg(1, RST, talk.seq(1) - 8))

    assert [False] == [e.opening for e in only(IgnoredRst, timed(*talk.segments))]
    assert [("open", 8)] == [(e.closed, e.connection.bytes_server) for e in ends(*talk.segments)]


@pytest.mark.parametrize(("distance", "ahead"), [(0, 0), (1460, 1460), (-4, 0)])
def test_a_reset_may_be_ahead_of_what_is_due(distance: int, ahead: int) -> None:
    talk = Talk().open().say(1, b"pong")
    talk.segments.append(Seg(1, RST | ACK, talk.seq(1) + distance, talk.seq(0)))

    assert [ahead] == [e.ahead for e in only(Rst, timed(*talk.segments))]


def test_a_side_that_goes_on_behind_its_reset_did_not_send_it() -> None:
    talk = Talk().open().say(0, b"ping").say(1, b"pong").acks(0)
    forged = Seg(1, RST | ACK, talk.seq(1), talk.seq(0))
    late = talk.segments[4]
    talk.say(1, b"more").say(1, b"data")
    segments = timed(*talk.segments[:6], forged, late, *talk.segments[6:])

    assert [(9, 7)] == [(e.where.at, e.rst_frame) for e in only(AfterReset, segments)]


def test_the_other_side_may_go_on_until_the_reset_arrives() -> None:
    talk = Talk().open().say(1, b"pong")
    reset = Seg(1, RST | ACK, talk.seq(1), talk.seq(0))

    assert [] == only(AfterReset, timed(*talk.segments, reset, *talk.say(0, b"ping").segments[-1:]))


def test_a_syn_ack_behind_a_refusal_shows_that_somebody_else_refused() -> None:
    opening = Talk(isn=(100, 9000)).open().segments
    segments = timed(opening[0], Seg(1, RST | ACK, 0, 101), opening[1])

    assert [(3, 2)] == [(e.where.at, e.rst_frame) for e in only(AfterReset, segments)]
    assert [True] == [e.acks_syn for e in only(SynAck, segments)]


def test_a_split_handshake_is_told_from_a_simultaneous_open() -> None:
    c, s = 100, 900
    syns = Seg(0, SYN, c), Seg(1, SYN, s)
    answers = Seg(0, SYN | ACK, c, s + 1), Seg(1, ACK, s + 1, c + 1)

    split = [
        only(HandshakeAck, timed(syns[0], Seg(1, ACK, any_number, c + 1), syns[1], *answers), size)
        for any_number in (0, s, s + 1)
        for size in (1, 2, None)
    ]
    both = only(HandshakeAck, timed(*syns, Seg(0, SYN | ACK, c, s + 1), Seg(1, SYN | ACK, s, c + 1)))

    assert [[(True, True)]] * 9 == [[(e.simultaneous, e.split) for e in found] for found in split]
    assert [(True, False)] == [(e.simultaneous, e.split) for e in both]


def test_data_of_a_syn_are_the_first_of_the_stream() -> None:
    segments = [
        Seg(0, SYN, 100, data=b"GET"),
        Seg(1, SYN | ACK, 900, 104),
        Seg(0, ACK, 104, 901),
        Seg(0, PSH | ACK, 104, 901, b" /"),
    ]

    assert [3] == [e.size for e in only(Syn, timed(*segments))]
    assert [("handshake", 5)] == [(e.opened, e.connection.bytes_client) for e in ends(*segments)]


@pytest.mark.parametrize("side", [0, 1])
def test_a_capture_of_one_direction_is_no_connection_without_an_answer(side: int) -> None:
    talk = Talk().open().say(0, b"ping").acks(1).say(1, b"pong").acks(0).close()
    one = [segment for segment in talk.segments if segment.d == side]

    expected = "client" if side == 0 else "server"
    assert [("incomplete", expected)] == [(e.opened, e.only_side) for e in ends(*one)]
    assert [None] == [e.only_side for e in ends(*talk.segments)]
    assert [("syn-only", None)] == [(e.opened, e.only_side) for e in ends(*[Seg(0, SYN, 1)] * 4)]


@pytest.mark.parametrize("acked", [True, False])
def test_a_gap_says_whether_the_bytes_were_acknowledged(acked: bool) -> None:
    talk = Talk().open().say(0, b"aaaa").say(0, b"bbbb").say(0, b"cccc")
    del talk.segments[4]
    if acked:
        talk.acks(1)

    found = only(Gap, timed(*talk.segments))

    assert [(4, acked, False)] == [(e.missing_bytes, e.acknowledged, e.cut) for e in found]


def test_a_frame_cut_by_the_snap_length_names_itself() -> None:
    talk = Talk().open().say(0, b"aaaabbbb").say(0, b"cccc").acks(1)
    talk.segments[3].cut = 4

    found = only(Gap, timed(*talk.segments))

    assert [((4,), 4, True)] == [(e.where.frames, e.missing_bytes, e.cut) for e in found]


def test_bytes_acknowledged_behind_the_last_one_captured_are_counted() -> None:
    talk = Talk().open().say(0, b"aaaa").say(0, b"bbbb").acks(1)
    del talk.segments[4]

    assert [(4, 0)] == [e.unseen_bytes for e in ends(*talk.segments)]
    assert [(0, 0)] == [e.unseen_bytes for e in ends(*talk.close().segments)]


def test_urgent_data_are_pointed_at() -> None:
    talk = Talk().open().say(0, b"!ping", PSH | ACK | URG)
    talk.segments[-1].urgent = 1

    assert [(4, 1)] == [(e.where.at, e.pointer) for e in only(Urgent, timed(*talk.segments))]


def test_a_fin_before_the_last_bytes_waits_for_them() -> None:
    talk = Talk().open().say(0, b"ping").say(0, b"", FIN | ACK)
    swapped = [*talk.segments[:3], talk.segments[4], talk.segments[3]]
    again = replace(talk.segments[3], id=99)

    assert [4] == [e.connection.bytes_client for e in ends(*swapped)]
    assert "retransmission" in [e.kind for e in read_at(timed(*swapped, again))]


MSS_1400 = bytes.fromhex("02040578")


@pytest.mark.parametrize("size", [1, 5, None])
def test_the_first_segment_larger_than_the_other_sides_mss_is_told(size: int | None) -> None:
    talk = Talk().open()
    talk.segments[1].options = MSS_1400
    talk.say(1, b"x" * 3000).say(0, b"x" * 1400)
    for _ in range(6):
        talk.say(0, b"x" * 1461)

    assert [(6, 1461, 1400)] == [(e.where.at, e.size, e.mss) for e in only(LargeSegment, timed(*talk.segments), size)]


def test_an_mss_captured_behind_a_segment_does_not_count() -> None:
    talk = Talk().open().say(0, b"x" * 3000)
    talk.segments[1].options = MSS_1400
    late = [talk.segments[i] for i in (0, 3, 1, 2)]

    assert [[], []] == [only(LargeSegment, timed(*late), size) for size in (1, None)]
