"""Datagrams to conversations: the same for every batch size, and nothing of it for a summary."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from inspect_cli.events.base import Event, Side, Where, noun
from inspect_cli.events.capture import ParserFailed
from inspect_cli.events.summary import Tally
from inspect_cli.events.udp import UdpConversation, UdpDatagram, UdpEnd
from inspect_cli.streams import udp
from inspect_cli.streams.channel import Report
from inspect_cli.streams.connections import LOOK_EVERY_FRAMES
from inspect_cli.streams.tracker import Tracker
from inspect_cli.streams.udp import DatagramProtocol, Told, UdpTable
from inspect_cli.wire.frames import Frames
from inspect_cli.wire.gathering import Captured, batch_of
from tests.streams.segments import SYN, Seg

START_NS = 1_700_000_000_000_000_000


class Gram(NamedTuple):
    """A datagram from one host (the last byte of 10.0.0.x) and port to another."""

    source: int
    source_port: int
    target: int
    target_port: int
    data: bytes = b"data"
    time_ns: int = START_NS

    def frame(self) -> Captured:
        size = 8 + len(self.data)
        ends = bytes([10, 0, 0, self.source]), bytes([10, 0, 0, self.target])
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + size, 1, 0x4000, 64, 17, 0, *ends)
        header = struct.pack(">HHHH", self.source_port, self.target_port, size, 0)
        whole = b"\x02" * 6 + b"\x04" * 6 + b"\x08\x00" + ip + header + self.data
        return Captured(self.time_ns, whole, len(whole), 1, 0)


@noun
class Echo(Event):
    """What a datagram to port 7 said."""

    kind = "echo"

    data: bytes


class Echoes:
    def take(self, where: Where, data: bytes, source_port: int, target_port: int) -> list[Told]:
        if data == b"fault":
            raise ValueError("no such echo")
        return [Told(Echo(where, data), where.frames)] if target_port == 7 else []

    def over(self, channel: str, where: Where) -> list[Told]:
        return []


ECHO = DatagramProtocol("echo", (7,), Echoes)


def read(batches: Sequence[Frames], *, verbose: bool = False, summary: bool = False) -> tuple[list[Event], Tally]:
    tally = Tally()
    report = Report(tally, frozenset() if summary else None)
    tracker = Tracker([], report, make_udp=None if summary else lambda: UdpTable([ECHO], report, verbose=verbose))
    events: list[Event] = []
    for batch in batches:
        for found, _ in tracker.feed(batch):
            events += found
    for found, _ in tracker.close():
        events += found
    return events, tally


def cut(grams: Sequence[Gram], *places: int) -> list[Frames]:
    frames = [gram.frame() for gram in grams]
    edges = [0, *places, len(frames)]
    return [batch_of(frames[low:high], low + 1) for low, high in pairwise(edges) if high > low]


def where(number: int, channel: str, side: Side | None, *, shown: bool = True) -> Where:
    return Where(number, START_NS, channel, side, (number,) if shown else ())


def test_a_conversation_begins_with_its_first_datagram_and_ends_with_what_it_carried() -> None:
    grams = [Gram(1, 40000, 2, 9000, b"hello"), Gram(2, 9000, 1, 40000, b"ok"), Gram(1, 40000, 2, 9000, b"bye")]
    events, tally = read(cut(grams))

    client, server = "10.0.0.1:40000", "10.0.0.2:9000"
    assert events == [
        UdpConversation(where(1, "udp/0", Side.CLIENT), client, server, 5, resumed=False),
        UdpEnd(where(3, "udp/0", None, shown=False), client, server, 2, 1, 8, 2, "capture-end"),
    ]
    assert tally.udp_conversations == 1


def test_who_sends_first_is_the_client_whatever_the_addresses_are() -> None:
    events, _ = read(cut([Gram(2, 9000, 1, 40000, b"ok"), Gram(1, 40000, 2, 9000, b"hello")]))
    end = events[-1]

    assert isinstance(end, UdpEnd)
    assert (end.client, end.bytes_client, end.bytes_server) == ("10.0.0.2:9000", 2, 5)


def test_a_single_datagram_needs_no_end() -> None:
    events, _ = read(cut([Gram(1, 1, 2, 2), Gram(1, 1, 2, 3)]))

    assert [(type(e), e.where.channel) for e in events] == [(UdpConversation, "udp/0"), (UdpConversation, "udp/1")]


def test_datagrams_that_other_rows_tell_of_need_no_end() -> None:
    events, _ = read(cut([Gram(1, 1, 2, 7, b"a"), Gram(1, 1, 2, 7, b"b"), Gram(1, 1, 2, 7, b"c")]))

    assert [type(e) for e in events] == [UdpConversation, Echo, Echo, Echo]
    assert [type(e) for e in read(cut([Gram(1, 1, 2, 7, b"a"), Gram(2, 7, 1, 1, b"b")]))[0]][-1] is UdpEnd


def test_a_fault_of_ours_is_said_and_everything_else_goes_on() -> None:
    events, tally = read(cut([Gram(1, 1, 2, 7, b"fault"), Gram(1, 1, 2, 7, b"b")]))

    assert events[1:] == [
        ParserFailed(where(1, "udp/0", Side.CLIENT), "echo", "ValueError: no such echo"),
        Echo(where(2, "udp/0", Side.CLIENT), b"b"),
    ]
    assert tally.problems == {"parser-failed": 1}


def test_with_v_each_datagram_is_told_once() -> None:
    grams = [Gram(1, 1, 2, 2, b"a"), Gram(2, 2, 1, 1, b"bb"), Gram(3, 1, 2, 2, b"ccc")]
    events, _ = read(cut(grams), verbose=True)

    assert [(type(e), e.where.at, e.where.side) for e in events[:3]] == [
        (UdpConversation, 1, Side.CLIENT),
        (UdpDatagram, 2, Side.SERVER),
        (UdpConversation, 3, Side.CLIENT),
    ]


def test_tcp_of_the_same_ports_is_another_thing() -> None:
    syn = Captured(START_NS, Seg(0, SYN, 1).frame(), len(Seg(0, SYN, 1).frame()), 1, 0)
    events, tally = read([batch_of([syn, Gram(1, 40000, 2, 80).frame()], 1)])

    assert [e.where.channel for e in events if isinstance(e, UdpConversation)] == ["udp/0"]
    assert (tally.connections, tally.udp_conversations) == (1, 1)


GRAMS = st.builds(
    Gram,
    st.integers(1, 3),
    st.integers(6, 8),
    st.integers(1, 3),
    st.integers(6, 8),
    st.binary(max_size=6),
    st.just(START_NS),
)


@given(st.lists(GRAMS, max_size=20), st.data(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_events_are_the_same_for_every_batch_size(grams: list[Gram], data: st.DataObject, verbose: bool) -> None:
    places = sorted(data.draw(st.sets(st.integers(0, len(grams)))))
    whole = read(cut(grams), verbose=verbose)

    assert whole == read(cut(grams, *places), verbose=verbose)
    assert whole[1] == read(cut(grams, *places), summary=True)[1]
    # Slow and plain: both ends of each, whoever sent.
    ends = [frozenset({g[:2], g[2:4]}) for g in grams]
    assert whole[1].udp_conversations == len(set(ends))
    begun = [e.where.channel for e in whole[0] if isinstance(e, UdpConversation)]
    assert begun == [f"udp/{n}" for n in range(len(set(ends)))]


def frames_at(count: int, first_number: int, time_ns: int, gram: Gram) -> Frames:
    """The same datagram over and over."""
    data = gram.frame().data
    size = np.full(count, len(data), np.int64)
    return Frames(
        data, first_number, np.full(count, time_ns, np.int64), np.zeros(count, np.int64), size, size, size * 0 + 1
    )


def test_what_is_idle_for_five_minutes_is_over_and_may_go_on_under_its_number() -> None:
    quiet, busy = Gram(1, 1, 2, 2, b"a"), Gram(3, 1, 4, 2, b"b")
    later = START_NS + udp.IDLE_NS + 1
    batches = [
        frames_at(2, 1, START_NS, quiet),
        frames_at(LOOK_EVERY_FRAMES - 2, 3, later, busy),
        frames_at(1, LOOK_EVERY_FRAMES + 1, later, quiet),
    ]
    events, tally = read(batches)

    assert [(type(e), e.where.channel, e.where.at) for e in events] == [
        (UdpConversation, "udp/0", 1),
        (UdpConversation, "udp/1", 3),
        (UdpEnd, "udp/0", LOOK_EVERY_FRAMES),
        (UdpConversation, "udp/0", LOOK_EVERY_FRAMES + 1),
        (UdpEnd, "udp/1", LOOK_EVERY_FRAMES + 1),
    ]
    assert [e.reason for e in events if isinstance(e, UdpEnd)] == ["idle", "capture-end"]
    assert [e.resumed for e in events if isinstance(e, UdpConversation)] == [False, False, True]
    assert tally.udp_conversations == 2


def test_of_too_many_conversations_the_idlest_are_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "MOST_CONVERSATIONS", 2)
    batches = [frames_at(2, 2 * n + 1, START_NS + n, Gram(1, n + 1, 2, 2)) for n in range(4)]
    batches.append(frames_at(LOOK_EVERY_FRAMES - 8, 9, START_NS + 9, Gram(1, 1, 2, 2)))
    events, _ = read(batches)

    ends = [(e.where.channel, e.reason) for e in events if isinstance(e, UdpEnd)]
    assert ends == [("udp/1", "idle"), ("udp/2", "idle"), ("udp/0", "capture-end"), ("udp/3", "capture-end")]


def test_conversations_whose_ports_differ_in_the_same_way_are_two() -> None:
    grams = [Gram(1, 6, 2, 6), Gram(1, 7, 2, 7)]

    assert [read(cut(grams), summary=summary)[1].udp_conversations for summary in (False, True)] == [2, 2]
