"""The order of packets, while every hole is filled within the bounds of docs/architecture.md."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.events.base import Event
from inspect_cli.events.capture import Gap
from inspect_cli.events.summary import Tally
from inspect_cli.events.websocket import WebSocketClose
from inspect_cli.protocols import PROTOCOLS
from inspect_cli.streams.channel import Report
from inspect_cli.streams.reassembly import WAITING_LIMIT_FRAMES
from inspect_cli.streams.tracker import Tracker
from tests.protocols.conversation import without_places
from tests.protocols.frames import close, frame, masked
from tests.streams.segments import Seg, Talk, frames_of

BOUND = WAITING_LIMIT_FRAMES // 2 - 2
"""Places by which a segment may be late: an ACK that passes its hole, and 60 frames, may come before it."""
OPENING = 3
DICE = st.integers(0, 2**32).map(random.Random)
SIZES = st.one_of(st.integers(0, 130), st.integers(0, 9000))
Words = list[tuple[int, bytes]]


@st.composite
def exchanges(draw: st.DrawFn) -> Words:
    """A request and its response, each with a body or without."""
    sent, got = bytes(draw(SIZES)), b"\n0\r\n\r\n" * (draw(SIZES) // 6)
    cookie = b"Cookie: sid=1\r\n" if draw(st.booleans()) else b""
    method = draw(st.sampled_from([b"GET", b"POST", b"HEAD"]))
    body = sent if method == b"POST" else b""
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    request = method + b" /" + b"p" * draw(SIZES) + b" HTTP/1.1\r\nHost: a\r\n" + cookie + length + b"\r\n"
    status = draw(st.sampled_from([b"200 OK", b"404 Not Found", b"304 Not Modified"]))
    head = b"HTTP/1.1 " + status + b"\r\nSet-Cookie: sid=1; Path=/\r\n"
    if method == b"HEAD" or status[:3] == b"304":
        return [(0, request + body), (1, head + b"Content-Length: 5\r\n\r\n")]
    if draw(st.booleans()):
        return [(0, request + body), (1, head + b"Content-Length: %d\r\n\r\n" % len(got) + got)]
    pieces = b"".join(b"%x\r\n%b\r\n" % (len(got[i : i + 999]), got[i : i + 999]) for i in range(0, len(got), 999))
    return [(0, request + body), (1, head + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n")]


@st.composite
def websockets(draw: st.DrawFn) -> Words:
    """An upgrade, frames of both sides, and a Close of one, answered by the other."""
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    ask = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + key + b"\r\n"
    accept = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
    answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" + accept + b"\r\n"
    words: Words = [(0, ask), (1, answer)]
    for side, length, opcode, most in draw(
        st.lists(st.tuples(st.integers(0, 1), SIZES, st.sampled_from([2, 9, 10]), st.integers(1, 3)), max_size=12)
    ):
        payload = bytes(length if opcode == 2 else min(length, 125))
        parts = most if opcode == 2 else 1
        size = -(-len(payload) // parts) or 1
        pieces = [payload[i * size : (i + 1) * size] for i in range(parts)]
        make = frame if side else masked
        for i, piece in enumerate(pieces):
            words.append((side, make(0 if i else opcode, piece, fin=i == parts - 1)))
    first = draw(st.integers(0, 1))
    ends = [(0, masked(8, close(1000, b"bye"))), (1, frame(8, close(1000)))]
    return [*words, *(ends[::-1] if first else ends)]


@st.composite
def segments(draw: st.DrawFn) -> list[Seg]:
    """A whole conversation in segments of any size, with an ACK now and then."""
    words = [word for one in draw(st.lists(exchanges(), max_size=4)) for word in one]
    if not words or draw(st.booleans()):
        words += draw(websockets())
    dice, sizes = draw(DICE), draw(st.sampled_from([[40, 100], [1, 7, 536, 1448, 1448], [1448, 20_000]]))
    talk = Talk(isn=(draw(st.sampled_from([1000, 2**32 - 700])), 9000)).open()
    for side, data in words:
        at = 0
        while at < len(data):
            size = dice.choice(sizes)
            talk.say(side, data[at : at + size])
            at += size
            if dice.random() < 0.4:
                talk.acks(1 - side)
    return talk.close(dice.randrange(2)).segments


def permuted(sent: list[Seg], dice: random.Random, bound: int) -> list[Seg]:
    """All between the opening and the last ACK in another order, none later than `bound` places."""
    middle = sent[OPENING:-1]
    places = [place + dice.randint(0, bound) for place in range(len(middle))]
    order = sorted(range(len(middle)), key=lambda i: places[i])
    return [*sent[:OPENING], *(middle[i] for i in order), sent[-1]]


def messages(captured: list[Seg]) -> tuple[dict[Any, list[Any]], list[Event]]:
    """HTTP and WebSocket events by channel and side, without frames and times; and the gaps."""
    tracker = Tracker(PROTOCOLS, Report(Tally()), strict=True)
    events: list[Event] = []
    for found, _ in tracker.feed(frames_of(captured)):
        events += found
    for found, _ in tracker.close():
        events += found
    told: dict[Any, list[Any]] = {}
    for event in events:
        if event.layer in ("http", "websocket"):
            # Which Close came first is what the order says.
            of_any_order = replace(event, answers=None) if isinstance(event, WebSocketClose) else event
            told.setdefault((event.where.channel, event.where.side), []).append(without_places(of_any_order))
    return told, [event for event in events if isinstance(event, Gap)]


@settings(max_examples=100, deadline=None)
@given(segments(), DICE, st.integers(1, BOUND))
def test_the_order_of_packets_changes_no_message(sent: list[Seg], dice: random.Random, bound: int) -> None:
    expected, _ = messages(sent)
    actual, gaps = messages(permuted(sent, dice, bound))

    assert [] == gaps
    assert expected.keys() == actual.keys()
    for channel, told in expected.items():
        assert told == actual[channel]


def test_a_conversation_in_order_is_told_whole() -> None:
    """What the property compares is not nothing."""
    talk = Talk().open().say(0, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").say(1, b"HTTP/1.1 204 No Content\r\n\r\n")
    told, gaps = messages(talk.close().segments)

    assert [] == gaps
    assert {("tcp/0", 0): ["RequestHead", "MessageEnd"], ("tcp/0", 1): ["ResponseHead", "MessageEnd"]} == {
        key: [kind for kind, _ in events] for key, events in told.items()
    }
