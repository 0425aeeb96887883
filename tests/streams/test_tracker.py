"""Batches of frames to events in order: the same for every batch size."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given, settings

from inspect_cli.events.base import Event
from inspect_cli.events.capture import Gap
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import (
    CloseAck,
    Connection,
    ConnectionEnd,
    Fin,
    HandshakeAck,
    OutOfOrder,
    Overlap,
    Retransmission,
    Rst,
    Syn,
    SynAck,
)
from inspect_cli.streams.channel import Report
from inspect_cli.streams.tracker import Tracker
from tests.streams.segments import ACK, FIN, PSH, RST, SYN, Seg, Talk, frames_of
from tests.streams.traffic import WORDS, Hole, Word, read, traffic


def kinds(found: list[Event | Connection]) -> list[str]:
    return [e.kind for e in found if isinstance(e, Event)]


def test_a_whole_connection_opens_talks_and_closes() -> None:
    talk = Talk().open().say(0, b"ping").acks(1).say(1, b"pong").close()

    found, tally = read(talk.segments)

    assert [
        "syn", "syn-ack", "handshake-ack", "word", "word",
        "fin", "word", "close-ack", "fin", "word", "close-ack", "connection-end",
    ] == kinds(found)  # fmt: skip
    row = found[-1]
    expected = Connection(
        0, "tcp/0", "10.0.0.1:40000", "10.0.0.2:80", "handshake", "fin", "client", 10, 4, 4, 2000, ("words",)
    )
    assert expected == row
    assert (1, 1) == (tally.connections, tally.handshakes_complete)


def test_a_lost_segment_is_a_gap_only_once_it_cannot_come_any_more() -> None:
    talk = Talk().open().say(0, b"aaaa").say(0, b"bbbb").say(0, b"cccc")
    del talk.segments[4]

    found, _ = read(talk.segments)

    assert [
        "syn",
        "syn-ack",
        "handshake-ack",
        "word",
        "gap",
        "hole",
        "word",
        "word",
        "word",
        "connection-end",
    ] == kinds(found)
    gap = next(e for e in found if isinstance(e, Gap))
    assert (4, 5, 4, 8) == (gap.missing_bytes, gap.where.at, gap.where.start, gap.where.end)


def test_a_gap_counts_as_lost_64_frames_after_the_ack_that_passed_it() -> None:
    talk = Talk().open().say(0, b"aaaa").say(0, b"bbbb").say(0, b"cccc")
    del talk.segments[4]
    talk.acks(1)
    for _ in range(70):
        talk.say(1, b"zzzz")

    found, _ = read(talk.segments)

    gap = next(e for e in found if isinstance(e, Gap))
    assert 6 + 64 == gap.where.at


def test_late_bytes_are_out_of_order_and_repeated_ones_retransmissions() -> None:
    talk = Talk().open().say(0, b"aaaa").say(0, b"bbbb").say(0, b"cccc")
    late = talk.segments.pop(4)
    talk.segments += [late, late]

    found, _ = read(talk.segments)

    told = [e for e in found if isinstance(e, OutOfOrder | Retransmission)]
    assert [("out-of-order", 6, 4, 8), ("retransmission", 7, 4, 8)] == [
        (e.kind, e.where.at, e.start, e.end) for e in told
    ]
    assert 6 == next(e for e in told if isinstance(e, Retransmission)).original_frame
    assert [(b"aaaa", 4), (b"bbbb", 6), (b"cccc", 6)] == [
        (e.data, e.where.at) for e in found if isinstance(e, Word) and e.data
    ]


def test_the_bytes_captured_first_win_over_an_overlap() -> None:
    talk = Talk().open()
    base = talk.seq(0)
    talk.segments += [
        Seg(0, PSH | ACK, base + 4, 9001, b"BBBB"),
        Seg(0, PSH | ACK, base, 9001, b"aaaaXXXXcccc"),
    ]

    found, _ = read(talk.segments)

    overlap = next(e for e in found if isinstance(e, Overlap))
    assert (0, 12, True) == (overlap.start, overlap.end, overlap.differs)
    assert [b"aaaa", b"BBBB", b"cccc"] == [e.data for e in found if isinstance(e, Word) and e.data]


def test_sequence_numbers_wrap_at_32_bits() -> None:
    talk = Talk(isn=(0xFFFFFFFA, 0xFFFFFFFF)).open()
    for _ in range(20):
        talk.say(0, b"abcd").say(1, b"efgh")
    talk.close(1)

    found, tally = read(talk.segments)

    assert {} == tally.problems
    row = found[-1]
    assert isinstance(row, Connection)
    assert (80, 80, "fin", "server") == (row.bytes_client, row.bytes_server, row.closed, row.closed_first)


def test_a_refused_connection_is_told_by_its_reset() -> None:
    found, _ = read([Seg(0, SYN, 100), Seg(1, RST | ACK, 0, 101)])

    rst = next(e for e in found if isinstance(e, Rst))
    end = next(e for e in found if isinstance(e, ConnectionEnd))
    assert (True, "refused", "rst", "rst") == (rst.refuses, end.opened, end.closed, end.reason)


def test_an_unanswered_syn_is_said_at_the_end_with_its_repeats() -> None:
    found, _ = read([Seg(0, SYN, 100), Seg(0, SYN, 100), Seg(0, SYN, 100)])

    assert [1, 2, 3] == [e.attempt for e in found if isinstance(e, Syn)]
    end = next(e for e in found if isinstance(e, ConnectionEnd))
    assert ("syn-only", "open", (1, 2, 3), "capture-end") == (end.opened, end.closed, end.syn_frames, end.reason)


def test_a_new_syn_on_the_same_ports_is_a_new_connection() -> None:
    first = Talk().open().say(0, b"aaaa")
    second = Talk(isn=(777777, 888888)).open().say(0, b"bbbb")
    other = Talk(port=40001).open()

    found, tally = read(first.segments + second.segments[:1] + other.segments[:1] + second.segments[1:])

    assert 3 == tally.connections
    ends = [e for e in found if isinstance(e, ConnectionEnd)]
    assert [("tcp/0", "reused", 5), ("tcp/1", "capture-end", 9), ("tcp/2", "capture-end", 9)] == [
        (e.where.channel, e.reason, e.where.at) for e in ends
    ]


def test_fin_and_ack_in_one_segment_make_a_close_of_three() -> None:
    talk = Talk().open().say(0, b"", FIN | ACK).say(1, b"", FIN | ACK).acks(0)

    found, _ = read(talk.segments)

    fins = [e for e in found if isinstance(e, Fin)]
    acks = [e for e in found if isinstance(e, CloseAck)]
    assert [(True, False), (False, True)] == [(f.first, f.acks_fin) for f in fins]
    assert [(5, True)] == [(a.fin_frame, a.last) for a in acks]


def test_fins_that_cross_are_closed_by_both() -> None:
    talk = Talk().open()
    c, s = talk.seq(0), talk.seq(1)
    talk.segments += [
        Seg(0, FIN | ACK, c, s),
        Seg(1, FIN | ACK, s, c),
        Seg(0, ACK, c + 1, s + 1),
        Seg(1, ACK, s + 1, c + 1),
    ]

    found, _ = read(talk.segments)

    row = found[-1]
    assert isinstance(row, Connection)
    assert ("fin", "both") == (row.closed, row.closed_first)


def test_a_frame_cut_by_the_snap_length_leaves_a_gap() -> None:
    talk = Talk().open().say(0, b"aaaabbbb").say(0, b"cccc")
    talk.segments[3].cut = 4

    found, _ = read(talk.segments)

    assert [b"aaaa", b"cccc"] == [e.data for e in found if isinstance(e, Word) and e.data]
    assert [4] == [e.missing_bytes for e in found if isinstance(e, Gap)]


def test_handshake_carries_the_times_and_frames_of_all_three() -> None:
    found, _ = read(Talk().open().segments)

    ack = next(e for e in found if isinstance(e, HandshakeAck))
    assert (1, 2, 2000, False, (3,)) == (
        ack.syn_frame,
        ack.syn_ack_frame,
        ack.rtt_ns,
        ack.simultaneous,
        ack.where.frames,
    )
    assert next(e for e in found if isinstance(e, SynAck)).acks_syn


@settings(max_examples=150, deadline=None)
@given(traffic(), st.lists(st.integers(1, 40), min_size=1, max_size=4), st.booleans())
def test_events_are_the_same_for_every_batch_size(segments: list[Seg], sizes: list[int], verbose: bool) -> None:
    whole = read(segments, verbose=verbose)

    assert whole == read(segments, sizes, verbose=verbose)
    assert whole == read(segments, [1], verbose=verbose)
    assert whole == read(segments, at_once=False, verbose=verbose)


@settings(max_examples=60, deadline=None)
@given(traffic())
def test_a_summary_counts_what_a_full_run_counts(segments: list[Seg]) -> None:
    _, full = read(segments)
    tally = Tally()
    tracker = Tracker([WORDS], Report(tally, frozenset()), strict=True)
    if segments:
        for _ in tracker.feed(frames_of(segments)):
            pass
    for _ in tracker.close():
        pass

    assert full == tally


@settings(max_examples=60, deadline=None)
@given(traffic())
def test_places_never_go_back_and_causes_stand_first(segments: list[Seg]) -> None:
    found, _ = read(segments)

    ats = [e.where.at for e in found if isinstance(e, Event)]
    assert sorted(ats) == ats
    for connection in {e.where.channel for e in found if isinstance(e, Event)}:
        for side in (0, 1):
            ends = [
                e.where.start
                for e in found
                if isinstance(e, Word | Hole) and e.where.channel == connection and e.where.side == side
            ]
            assert sorted(ends) == ends
