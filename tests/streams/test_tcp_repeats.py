"""What comes again: captured twice, sent again and why, or only asked."""

from __future__ import annotations

from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from inspect_cli.events.tcp import (
    Fin,
    KeepAliveAck,
    OutOfOrder,
    Overlap,
    Retransmission,
    Rst,
    SeenTwice,
    Segment,
    Syn,
    SynAck,
    WindowProbe,
    WindowUpdate,
    ZeroWindow,
)
from tests.streams.reading import MS, only, read_at
from tests.streams.segments import ACK, FIN, PSH, RST, Seg, Talk

Timed = list[tuple[int, Seg]]


def opened() -> Talk:
    return Talk().open()


def timed(*segments: Seg, since: int = 0) -> Timed:
    """A millisecond apart."""
    return list(enumerate(segments, since))


def conversation() -> Timed:
    """Opened, three segments each way, closed; each with the identification of its frame."""
    talk = opened()
    for _ in range(3):
        talk.say(0, b"ping").acks(1).say(1, b"pong").acks(0)
    return timed(*(replace(s, id=i) for i, s in enumerate(talk.close().segments, 100)))


@pytest.mark.parametrize("delay_ms", [0, 5])
def test_a_capture_of_both_sides_of_a_router_has_each_packet_twice_and_nothing_is_sent_again(delay_ms: int) -> None:
    once = conversation()
    behind = [(at + delay_ms, replace(segment, ttl=62)) for at, segment in once]
    both = sorted(once + behind, key=lambda pair: (pair[0], pair[1].id, -pair[1].ttl))

    told = [(e.kind, e.where.at) for e in read_at(both) if e.kind not in ("seen-twice", "connection-end")]
    twice = only(SeenTwice, both)

    numbers = {number: i for i, (_, s) in enumerate(both, 1) if s.ttl == 64 for number in [s.id]}
    assert [(e.kind, numbers[99 + e.where.at]) for e in read_at(once) if e.kind != "connection-end"] == told
    assert [(1, 2, delay_ms * MS)] == [(e.first_frame, e.hops, e.waited_ns) for e in twice]


def test_bytes_that_come_again_in_another_packet_are_sent_again() -> None:
    talk = opened().say(0, b"ping")
    segments = timed(*talk.segments)
    again = replace(talk.segments[-1], id=9)

    assert [] == only(SeenTwice, [*segments, (3, again)])
    assert [4] == [e.original_frame for e in only(Retransmission, [*segments, (3, again)])]


def test_senders_that_number_no_packets_send_again_after_a_millisecond_at_the_earliest() -> None:
    talk = opened().say(0, b"ping")
    talk.segments[-1].id = 0
    segments = timed(*talk.segments)

    assert [1, 0] == [len(only(SeenTwice, [*segments, (at, talk.segments[-1])])) for at in (4, 5)]


def test_a_number_that_a_sender_never_changes_tells_nothing() -> None:
    talk = opened().say(0, b"ping")
    same = [replace(segment, id=1) for segment in talk.segments]

    assert [] == only(SeenTwice, [*timed(*same), (9, same[-1])])


def test_a_retransmission_may_be_captured_twice_too() -> None:
    talk = opened().say(0, b"ping")
    first, again = talk.segments[-1], replace(talk.segments[-1], id=99)
    segments = [*timed(*talk.segments), (300, again), (300, again), (301, replace(first, id=98))]

    assert [5, 7] == [e.where.at for e in only(Retransmission, segments)]
    assert [5] == [e.first_frame for e in only(SeenTwice, segments)]


def test_a_copy_of_a_syn_is_no_second_attempt() -> None:
    talk = opened()
    doubled = [segment for segment in (replace(s, id=i) for i, s in enumerate(talk.segments, 50)) for _ in (1, 2)]
    segments = [(0, segment) for segment in doubled]

    assert ([1], [1]) == ([e.attempt for e in only(Syn, segments)], [e.attempt for e in only(SynAck, segments)])


def test_copies_behind_the_end_are_no_stragglers() -> None:
    talk = opened().say(0, b"ping")
    reset = Seg(1, RST | ACK, talk.seq(1), talk.seq(0), id=7)
    segments = [*timed(*talk.segments, reset), (4, reset)]

    assert [5] == [e.where.at for e in only(Rst, segments)]


def asked_again(times: int, copies: int = 1) -> Timed:
    """Two segments, the first asked for again so many times, then sent again."""
    talk = opened().say(0, b"ping").say(0, b"pong")
    ask = Seg(1, ACK, talk.seq(1), talk.seq(0) - 8)
    acks = [replace(ask, id=500 + i) for i in range(times + 1) for _ in range(copies)]
    return timed(*talk.segments, *acks, replace(talk.segments[3], id=99))


@pytest.mark.parametrize(("times", "copies"), [(0, 1), (2, 1), (3, 1), (3, 2)])
def test_duplicate_acks_before_a_retransmission_are_counted_each_once(times: int, copies: int) -> None:
    segments = asked_again(times, copies)

    expected = (0, 4, 4, MS * (len(segments) - 4), times, False, False, False)
    assert [expected] == [
        (e.start, e.end, e.original_frame, e.waited_ns, e.duplicate_acks, e.acknowledged, e.last, e.differs)
        for e in only(Retransmission, segments)
    ]


def test_bytes_acknowledged_before_are_sent_again_in_vain() -> None:
    talk = opened().say(0, b"ping").acks(1)
    again = replace(talk.segments[3], id=99)

    found = only(Retransmission, timed(*talk.segments, again))

    assert [(True, True, 0)] == [(e.acknowledged, e.last, e.duplicate_acks) for e in found]


def test_other_bytes_than_before_are_seen_as_long_as_the_first_are_at_hand() -> None:
    talk = opened().say(0, b"ping")
    again = replace(talk.segments[3], id=99, data=b"pang")
    idle = [Seg(1, ACK, talk.seq(1), talk.seq(0), port=40001)] * 1024

    near = only(Retransmission, timed(*talk.segments, again))
    far = only(Retransmission, timed(*talk.segments, *idle, again), size=300)

    assert [[True], [None]] == [[e.differs for e in near], [e.differs for e in far]]


def test_a_wrong_checksum_of_the_first_copy_explains_the_second() -> None:
    talk = opened().say(0, b"ping")
    first = replace(talk.segments[3], damaged=True)
    opening = talk.segments[:3]

    right = only(Retransmission, timed(*opening, first, replace(talk.segments[3], id=99)))
    # Both wrong alike: an offload that fills checksums behind the capture.
    offload = only(Retransmission, timed(*opening, first, replace(first, id=99)))

    assert [[True], [False]] == [[e.damaged for e in right], [e.damaged for e in offload]]


def test_an_overlap_is_compared_with_bytes_that_were_read_already() -> None:
    talk = opened().say(0, b"ping")
    longer = [replace(talk.segments[3], id=99, data=data) for data in (b"pingpong", b"pangpong")]

    assert [[False], [True]] == [[e.differs for e in only(Overlap, timed(*talk.segments, x))] for x in longer]


@pytest.mark.parametrize(
    ("asks", "wait_ms", "late"),
    [(0, 0, False), (2, 0, False), (4, 0, True), (0, 1, False), (0, 60, True)],
)
def test_bytes_that_fill_a_hole_are_late_or_sent_again(asks: int, wait_ms: int, late: bool) -> None:
    talk = opened().say(0, b"ping").say(0, b"pong")
    opening, (first, second) = talk.segments[:3], talk.segments[3:]
    acks = [Seg(1, ACK, talk.seq(1), talk.seq(0) - 8)] * asks
    segments = [(25 * i, s) for i, s in enumerate(opening)] + [(60, s) for s in (second, *acks)]

    found = only(OutOfOrder, [*segments, (60 + wait_ms, first)])

    assert [(0, 4, wait_ms * MS, max(0, asks - 1), late)] == [
        (e.start, e.end, e.waited_ns, e.duplicate_acks, e.late) for e in found
    ]


@pytest.mark.parametrize("byte", [b"", b"?"])
def test_a_keep_alive_is_answered(byte: bytes) -> None:
    talk = opened().say(0, b"ping").acks(1)
    probe = Seg(0, ACK, talk.seq(0) - 1, talk.seq(1), byte)
    segments = [*timed(*talk.segments), (9000, probe), (9002, Seg(1, ACK, talk.seq(1), talk.seq(0)))]

    assert [(True, True)] == [(e.keep_alive, e.acknowledged) for e in only(Retransmission, segments)]
    assert [(6, 2 * MS)] == [(e.probe_frame, e.waited_ns) for e in only(KeepAliveAck, segments)]


def test_data_behind_a_keep_alive_are_no_answer_to_it() -> None:
    talk = opened().say(0, b"ping").acks(1)
    talk.segments.append(Seg(0, ACK, talk.seq(0) - 1, talk.seq(1)))

    assert [] == only(KeepAliveAck, timed(*talk.say(1, b"pong").acks(0).segments))


@pytest.mark.parametrize("data", [b"x", b""])
def test_a_closed_window_is_probed_and_opens(data: bytes) -> None:
    talk = opened().say(0, b"ping")
    closed = Seg(1, ACK, talk.seq(1), talk.seq(0), window=0)
    probe = Seg(0, ACK, talk.seq(0) - (not data), talk.seq(1), data)
    update = Seg(1, ACK, talk.seq(1), talk.seq(0), window=500)
    segments = timed(*talk.segments, closed, probe, closed, probe, closed, update)

    assert [5] == [e.where.at for e in only(ZeroWindow, segments)]
    assert [(6, 5), (8, 5)] == [(e.where.at, e.zero_frame) for e in only(WindowProbe, segments)]
    assert [(7, 6), (9, 8)] == [(e.where.at, e.probe_frame) for e in only(KeepAliveAck, segments)]
    assert [(10, 5, 5 * MS)] == [(e.where.at, e.zero_frame, e.closed_ns) for e in only(WindowUpdate, segments)]
    assert [] == only(Retransmission, segments)


def test_a_fin_captured_twice_is_not_sent_again() -> None:
    talk = opened().say(0, b"", FIN | ACK)
    talk.segments[-1].id = 70

    assert [1, 2] == [len(only(Fin, timed(*talk.segments, replace(talk.segments[-1], id=i)))) for i in (70, 71)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 11), max_size=30), st.lists(st.integers(0, 3), max_size=30), st.integers(1, 9))
def test_any_mixture_of_repeats_is_told_alike_in_all_batches(picks: list[int], ids: list[int], size: int) -> None:
    talk = opened().say(0, b"ping").acks(1).say(1, b"pong").acks(0).say(0, b"more").say(0, b"data")
    pool = talk.segments + [Seg(1, PSH | ACK, talk.seq(1), talk.seq(0) - 8)] * 3
    chosen = [
        (i // 3, replace(pool[pick % len(pool)], id=identity))
        for i, (pick, identity) in enumerate(zip(picks, ids, strict=False))
    ]
    segments = timed(*talk.segments) + [(at + len(talk.segments), segment) for at, segment in chosen]

    assert read_at(segments) == read_at(segments, size)
    assert not [e for e in read_at(segments) if isinstance(e, Segment)]
