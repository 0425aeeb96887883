"""Any bytes on both sides: no exception, an end, and the same events however they arrive."""

from __future__ import annotations

import zlib

import h11
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspect_cli.events.http import MessageEnd, RequestHead, ResponseHead
from inspect_cli.events.websocket import WebSocketFrame
from inspect_cli.protocols.http1 import HTTP1
from inspect_cli.protocols.websocket import WEBSOCKET
from tests.protocols.conversation import CLIENT, SERVER, C, S, Said, lost, read, talk
from tests.protocols.frames import close, frame, masked

ASK = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
CLIENT_WORDS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS\nHost: x\n\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
    ASK,
    ASK,
    masked(1, b"hi"),
    masked(8, close()),
    b"garbage\r\n",
    b"\r\n",
    b"X: y\r\n\r\n",
]
SERVER_WORDS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 304 Not Modified\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nabcde",
    frame(1, b"hi"),
    frame(1, b"\xf2\x48\xcd\xc9\xc9\x07\x00", rsv=4),
    frame(1, b"\xe2", fin=False),
    frame(0, b"\x82\xac"),
    frame(8, close()),
    frame(8),
    b"junk\n",
    b"HTTP/1.1 2",
]


def said(side_words: list[bytes], make: type[C] | object) -> st.SearchStrategy[Said]:
    words = st.one_of(st.sampled_from(side_words), st.binary(min_size=1, max_size=12))
    return words.flatmap(lambda word: st.integers(1, len(word)).map(lambda size: word[:size]) | st.just(word)).map(make)


SPOKEN = st.one_of(said(CLIENT_WORDS, C), said(SERVER_WORDS, S))
HOLES = st.builds(lost, st.sampled_from([CLIENT, SERVER]), st.integers(1, 30))
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(st.lists(SPOKEN, max_size=8), st.sampled_from([HTTP1, WEBSOCKET]))
def test_any_words_however_they_arrive(conversation: list[Said], protocol: object) -> None:
    talk(protocol, *conversation, ordered=True, cuts=2)  # type: ignore[arg-type]


@QUICK
@given(st.lists(st.one_of(SPOKEN, SPOKEN, HOLES), max_size=8), st.booleans())
def test_any_words_and_holes_however_they_arrive(conversation: list[Said], mid_stream: bool) -> None:
    talk(HTTP1, *conversation, ordered=True, cuts=2, mid_stream=mid_stream)


@QUICK
@given(st.lists(said([word for word in CLIENT_WORDS if word[:2] != ASK[4:6]], C), max_size=4), st.binary(max_size=300))
def test_any_bytes_end(conversation: list[Said], noise: bytes) -> None:
    frames = [*conversation, *([S(noise)] if noise else [])]
    run = read(HTTP1, frames)

    assert all(reader.at_end for reader in run.readers)
    for side in (0, 1):
        heads = [event for _, by, event in run.placed if by == side and isinstance(event, RequestHead | ResponseHead)]
        edges = [offset for head in heads for offset in (head.where.start, head.where.end)]
        assert edges == sorted(edges)


@QUICK
@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"GET", b"POST", b"DELETE"]),
            st.lists(st.tuples(st.sampled_from([b"Accept", b"X-A", b"Cookie"]), st.sampled_from([b"a", b"b c", b""]))),
            st.binary(max_size=20),
            st.booleans(),
        ),
        max_size=4,
    )
)
def test_requests_are_those_that_h11_reads(
    messages: list[tuple[bytes, list[tuple[bytes, bytes]], bytes, bool]],
) -> None:
    data = b""
    for method, fields, body, chunked in messages:
        head = b"%s /p HTTP/1.1\r\nHost: a\r\n" % method + b"".join(b"%s: %s\r\n" % field for field in fields)
        if chunked:
            pieces = b"".join(b"%x\r\n%s\r\n" % (len(body[i : i + 7]), body[i : i + 7]) for i in range(0, len(body), 7))
            data += head + b"Transfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
        else:
            data += head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    events = read(HTTP1, [C(data)] if data else []).events

    expected = _by_h11(data)
    actual = [
        (event.of.method, event.of.target, [(n.lower(), v) for n, v in event.of.fields], event.body_bytes)
        for event in events
        if isinstance(event, MessageEnd) and isinstance(event.of, RequestHead)
    ]
    assert expected == actual


def _by_h11(data: bytes) -> list[tuple[bytes, bytes, list[tuple[bytes, bytes]], int]]:
    found: list[tuple[bytes, bytes, list[tuple[bytes, bytes]], int]] = []
    while data:
        server = h11.Connection(h11.SERVER)
        server.receive_data(data)
        request = server.next_event()
        assert isinstance(request, h11.Request)
        size = 0
        while isinstance(event := server.next_event(), h11.Data):
            size += len(event.data)
        assert isinstance(event, h11.EndOfMessage)
        found.append((request.method, request.target, [(bytes(n), bytes(v)) for n, v in request.headers], size))
        data = server.trailing_data[0]
    return found


@QUICK
@given(st.lists(st.tuples(st.text(max_size=40), st.booleans(), st.integers(1, 9)), max_size=5))
def test_compressed_messages_come_back(messages: list[tuple[str, bool, int]]) -> None:
    """Fragments of any size, compressed or not, with one context for all."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b""
    for text, compressed, size in messages:
        payload = text.encode()
        if compressed:
            payload = (stream.compress(payload) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]
        parts = [payload[i : i + size] for i in range(0, len(payload), size)] or [b""]
        for i, part in enumerate(parts):
            last = i == len(parts) - 1
            data += frame(0 if i else 1, part, fin=last, rsv=4 if compressed and not i else 0)
    answer = SERVER_WORDS[3]
    run = read(HTTP1, [C(ASK), S(answer + data)])

    found = [event for event in run.events if isinstance(event, WebSocketFrame) and event.fin]
    assert [text.encode() if compressed else None for text, compressed, _ in messages] == [
        event.inflated for event in found
    ]
    assert {} == run.report.tally.problems
