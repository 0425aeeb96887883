"""Batches of frames to events in order: the same for every batch size."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from inspect_cli.events.base import Event, noun
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
from inspect_cli.streams.channel import WAIT, Protocol, Recognition, Report, Wait
from inspect_cli.streams.channel import Talk as ChannelTalk
from inspect_cli.streams.reader import Missing, Reader
from inspect_cli.streams.tracker import Tracker
from tests.streams.segments import ACK, FIN, PSH, RST, SYN, Seg, Talk, frames_of


@noun
class Word(Event):
    """Four bytes of a side, or what is left at its end."""

    kind = "word"

    data: bytes


@noun
class Hole(Event):
    kind = "hole"

    size: int


def words(reader: Reader, talk: Any, report: Report) -> Generator[Event | Wait, None, str | None]:
    while True:
        start = reader.position
        got = reader.read_exactly(4)
        if got is Missing.BYTES:
            yield WAIT
        elif got is Missing.GAP:
            rest = reader.peek(4)
            reader.skip(len(rest))
            if rest:
                yield Word(reader.where(start, reader.position), rest)
            gap = reader.gap_bytes
            start = reader.position
            reader.skip(gap)
            yield Hole(reader.where(start, reader.position), gap)
        elif got is Missing.END:
            rest = reader.peek(4)
            reader.skip(len(rest))
            reader.heed_end()
            yield Word(reader.where(start, reader.position), rest)
            return None
        else:
            yield Word(reader.where(start, reader.position), got)


WORDS = Protocol("words", lambda c, s: Recognition.YES, words, words, lambda carry: ChannelTalk())


def read(segments: list[Seg], sizes: list[int] | None = None, **options: Any) -> tuple[list[Event | Connection], Tally]:
    tally = Tally()
    tracker = Tracker([WORDS], Report(tally), strict=True, **options)
    found: list[Event | Connection] = []
    at, turn = 0, 0
    while at < len(segments):
        size = len(segments) if sizes is None else sizes[turn % len(sizes)]
        for events, rows in tracker.feed(frames_of(segments[at : at + size], at + 1)):
            found += [*events, *rows]
        at += size
        turn += 1
    for events, rows in tracker.close():
        found += [*events, *rows]
    return found, tally


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


STORIES = (
    "syn", "lose", "repeat", "seen-twice", "other-bytes", "probe", "asked-again", "urgent",
    "late", "reset", "cut", "close-window",
)  # fmt: skip


def _happen(draw: st.DrawFn, mixed: list[Seg]) -> None:
    """Something goes wrong, or only seems to."""
    i = draw(st.integers(0, len(mixed) - 1))
    match draw(st.sampled_from(STORIES)):
        case "syn":
            seq = mixed[i].seq - draw(st.integers(-1, 1))
            mixed.insert(
                i, Seg(draw(st.integers(0, 1)), SYN | draw(st.sampled_from([0, ACK])), seq, port=mixed[i].port)
            )
        case "lose":
            del mixed[i]
        case "repeat":
            mixed.insert(draw(st.integers(i, len(mixed))), mixed[i])
        case "seen-twice":
            mixed[i] = Seg(**{**mixed[i].__dict__, "id": draw(st.integers(0, 2))})
            mixed.insert(draw(st.integers(i, len(mixed))), mixed[i])
        case "other-bytes":
            other = {"data": bytes(255 - b for b in mixed[i].data), "damaged": draw(st.booleans())}
            mixed.insert(draw(st.integers(i, len(mixed))), Seg(**{**mixed[i].__dict__, **other}))
        case "probe":
            mixed.insert(i, Seg(**{**mixed[i].__dict__, "seq": mixed[i].seq - 1, "data": b"?"[: i % 2]}))
        case "asked-again":
            mixed[i:i] = [Seg(**{**mixed[i].__dict__, "data": b"", "flags": ACK})] * 4
        case "urgent":
            mixed[i] = Seg(**{**mixed[i].__dict__, "flags": mixed[i].flags | 32, "urgent": i})
        case "late":
            segment = mixed.pop(i)
            mixed.insert(min(len(mixed), i + draw(st.integers(1, 5))), segment)
        case "reset":
            seq = mixed[i].seq + draw(st.sampled_from([0, 0, -3, 5, 1 << 31]))
            mixed.insert(i, Seg(mixed[i].d, RST | draw(st.sampled_from([0, ACK])), seq, port=mixed[i].port))
        case "cut":
            mixed[i] = Seg(**{**mixed[i].__dict__, "cut": min(2, len(mixed[i].data))})
        case _:
            mixed[i] = Seg(**{**mixed[i].__dict__, "window": 0})


@st.composite
def traffic(draw: st.DrawFn) -> list[Seg]:
    """Several connections on few ports, interleaved, with loss, repeats, disorder and resets."""
    chunks: list[list[Seg]] = []
    for _ in range(draw(st.integers(1, 3))):
        isn = draw(st.integers(0, 0xFFFFFFFF)), draw(st.integers(0, 0xFFFFFFFF))
        talk = Talk(port=draw(st.integers(40000, 40001)), isn=isn)
        if draw(st.booleans()):
            talk.open()
        for _ in range(draw(st.integers(0, 8))):
            d = draw(st.integers(0, 1))
            for _ in range(draw(st.sampled_from([1, 1, 1, 20]))):
                talk.say(d, draw(st.binary(max_size=9)))
            if draw(st.booleans()):
                talk.acks(1 - d)
        if draw(st.booleans()):
            talk.close(draw(st.integers(0, 1)))
        chunks.append(talk.segments)
    mixed: list[Seg] = []
    while any(chunks):
        chosen = draw(st.sampled_from([c for c in chunks if c]))
        count = draw(st.sampled_from([1, 2, 30]))
        mixed += chosen[:count]
        del chosen[:count]
    for _ in range(draw(st.integers(0, 6))):
        if mixed:
            _happen(draw, mixed)
    return mixed


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
