"""The straight way of usual heads, chunks and frames, and the long way, which reads them too: both tell the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inspect_cli.events.base import Side
from inspect_cli.protocols import http1_body, http1_requests, http1_responses, websocket
from inspect_cli.protocols.http1 import HTTP1
from inspect_cli.protocols.http1_body import CHUNKED, NO_BODY, Framing, framing_of
from inspect_cli.protocols.http1_head import read_facts
from inspect_cli.protocols.http1_usual import USUAL_REQUEST, USUAL_RESPONSE, framing_said
from inspect_cli.protocols.websocket import WEBSOCKET
from inspect_cli.protocols.websocket_rules import USUAL_HEADER, header_problems, read_header
from tests.protocols.conversation import CLIENT, SERVER, C, Conversation, S, Said, lost, read
from tests.protocols.frames import close, frame, masked

QUICK = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NEVER = re.compile(rb"(?!)")

NAMES = (
    b"Host", b"host", b"Cookie", b"Set-Cookie", b"Content-Length", b"content-length", b"Transfer-Encoding", b"TE",
    b"Connection", b"Upgrade", b"Upgrade-Insecure-Requests", b"Accept", b"X-Host", b"Content-Type", b"X-\xff",
    b"Host ", b" Host", b"",
)  # fmt: skip
VALUES = (
    b"a", b"", b" a", b"3", b" 3", b" 3 ", b"3, 3", b"+3", b"0", b" keep-alive", b"Keep-Alive", b"close", b"close, x",
    b" chunked", b"Chunked", b"chunked, gzip", b"websocket", b"application/x-www-form-urlencoded", b"close-ish",
    b"a\r\n b", b"\0", b"\r", b"a\xc3",
)  # fmt: skip
LIKELY_LINES = (
    b"Cookie: a=b\r\n", b"Set-Cookie: a=b\r\n", b"X: y\r\n", b"Connection: keep-alive\r\n", b"Connection: close\r\n",
)  # fmt: skip
FRAMED = (
    (b"", b""), (b"Content-Length: 0\r\n", b""), (b"Content-Length: 3\r\n", b"abc"), (b"content-length:3\r\n", b"a=b"),
    (b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
    (b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n02;x\r\nde\r\n1\r\nf\r\n00\r\nT: u\r\n\r\n"),
    (b"Transfer-Encoding: chunked\r\n", b"3\r\nabcd\r\n"),
)  # fmt: skip
ASKED = (
    b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.1\r\n", b"HEAD / HTTP/1.1\r\n", b"get / HTTP/1.1\r\n",
    b"GET / HTTP/1.0\r\n", b"CONNECT a:1 HTTP/1.1\r\n", b"GET /\xc3 HTTP/1.1\r\n", b"GET / x HTTP/1.1\r\n",
    b"GET / HTTP/1.1\n", b"GET /\r\n",
)  # fmt: skip
ANSWERED = (
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 404\r\n", b"HTTP/1.1 304 Not Modified\r\n", b"HTTP/1.1 204 No Content\r\n",
    b"HTTP/1.1 100 Continue\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 600 x\r\n", b"HTTP/1.1 200 a\0\r\n",
    b"ICY 200\r\n",
)  # fmt: skip
BODIES = (
    b"", b"", b"abc", b"abc", b"3\r\nabc\r\n0\r\n\r\n", b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"x=1", b"x\r\n",
    b"03;x\r\nabc\r\n00\r\nT: u\r\n\r\n", b"3\r\nabcd\r\n", b"2\nab\n0\n\n",
)  # fmt: skip

LINE = st.builds(
    lambda name, colon, value: name + colon + value + b"\r\n",
    st.sampled_from(NAMES),
    st.sampled_from([b":", b":", b""]),
    st.sampled_from(VALUES),
)
LIKELY = st.sampled_from(LIKELY_LINES)
FRAMING = st.sampled_from(FRAMED).map(lambda framed: framed[0])
FIELDS = st.lists(st.one_of(LIKELY, LIKELY, FRAMING, LINE), max_size=5).map(b"".join)
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b""])


def odd(starts: tuple[bytes, ...]) -> st.SearchStrategy[bytes]:
    """A message of parts that may not fit together."""
    return st.builds(lambda *parts: b"".join(parts), st.sampled_from(starts), FIELDS, ENDS, st.sampled_from(BODIES))


def right(starts: tuple[bytes, ...], host: bytes) -> st.SearchStrategy[bytes]:
    """A message as it should be, nearly always."""
    lines = st.lists(st.sampled_from(LIKELY_LINES[:-1]) | st.sampled_from(LIKELY_LINES), max_size=3).map(b"".join)
    start = st.sampled_from([*[starts[0]] * 4, *starts[1:4]])
    return st.builds(
        lambda first, before, framed, after: first + host + before + framed[0] + after + b"\r\n" + framed[1],
        start,
        lines,
        st.sampled_from(FRAMED),
        lines,
    )


def of_side(texts: st.SearchStrategy[bytes], make: Callable[[bytes], Said]) -> st.SearchStrategy[list[Said]]:
    """A text, cut in up to three pieces."""
    cuts = st.one_of(st.just([]), st.lists(st.integers(1, 120), max_size=2))
    return st.builds(lambda text, places: make(text).cut([p for p in places if p < len(text)]), texts, cuts)


REQUESTS = of_side(right(ASKED, b"Host: a\r\n"), C)
RESPONSES = of_side(right(ANSWERED, b""), S)
EXCHANGES = st.builds(lambda asked, answered: asked + answered, REQUESTS, RESPONSES)
ODD = st.one_of(of_side(odd(ASKED), C), of_side(odd(ANSWERED), S))
SAID = st.one_of(EXCHANGES, EXCHANGES, EXCHANGES, REQUESTS, RESPONSES, ODD)
HOLES = st.builds(lambda side, size: [lost(side, size)], st.sampled_from([CLIENT, SERVER]), st.integers(1, 30))


@contextmanager
def the_long_way() -> Iterator[None]:
    """Nothing is usual."""
    with ExitStack() as stack:
        for module, name in (
            (http1_requests, "USUAL_REQUEST"),
            (http1_responses, "USUAL_RESPONSE"),
            (http1_body, "_USUAL_CHUNK"),
        ):
            stack.enter_context(patch.object(module, name, NEVER))
        stack.enter_context(patch.object(websocket, "USUAL_HEADER", dict.fromkeys(Side, NEVER.pattern)))
        yield


def told(run: Conversation) -> object:
    """All of it: events with their places, frames and times, and the counts."""
    return run.placed, run.report.tally, run.names


def check(protocol: object, said: list[list[Said]], batches: list[int]) -> None:
    frames = [piece for pieces in said for piece in pieces]
    for wanted in (None, frozenset()):
        straight = read(protocol, frames, batches, wanted=wanted)  # type: ignore[arg-type]
        with the_long_way():
            long = read(protocol, frames, batches, wanted=wanted)  # type: ignore[arg-type]
        assert told(long) == told(straight)


@QUICK
@given(st.lists(st.one_of(SAID, SAID, SAID, SAID, SAID, HOLES), max_size=6), st.lists(st.integers(0, 20), max_size=4))
def test_heads_and_bodies_are_told_the_same_either_way(said: list[list[Said]], batches: list[int]) -> None:
    check(HTTP1, said, [batch for batch in batches if batch <= sum(map(len, said))])


GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.mark.parametrize(
    "said",
    [
        [C(b"HEAD" + GET[3:]), S(OK[:-3] + OK)],
        [C(b"HEAD / HTTP/1.1\r\n\r\n"), S(OK[:-3] + OK)],
        [C(b"\x01\r\n\r\n" + GET), S(OK + OK)],
        [C(b"GET / x" + GET[5:] + GET), S(OK[:-3] + OK)],
        [C(b"CONNECT a:1" + GET[5:] + GET), S(OK + OK)],
        [C(GET), S(OK[:-2]), lost(SERVER, 1), S(b"c")],
        [C(GET + GET), S(OK[:-1]), lost(SERVER, 9), S(OK[8:])],
        [C(GET), lost(CLIENT, 40), C(GET), S(OK), C(GET + GET), S(OK)],
        [C(GET[:-2] + b"Connection: close\r\n\r\n" + GET), S(OK[:17] + b"Connection: close\r\n" + OK[17:] + OK)],
        [C(GET[:-2] + b"Upgrade: x\r\n\r\n" + GET + GET), S(OK + OK + OK)],
        [S(OK + OK), C(GET + GET)],
        [C(b"POST" + GET[3:-2] + FORM + b"Content-Length: 0\r\n\r\n"), S(OK)],
    ],
)  # fmt: skip
def test_what_came_before_decides_about_usual_heads_too(said: list[Said]) -> None:
    check(HTTP1, [[piece] for piece in said], [])
    check(HTTP1, [[piece] for piece in said], list(range(len(said))))


@pytest.mark.parametrize(
    "said",
    [
        [C(masked(1, b"a", fin=False) + masked(9) + masked(1, b"b"))],
        [C(masked(8, close()) + masked(1, b"b", b"efgh") + masked(9, b"", b"ijkl"))],
        [C(masked(1, b"a", b"abcd") + masked(1, b"b", b"abcd") + masked(2, b"c", b"\0\0\0\0"))],
        [S(frame(1, b"\xff") + frame(1, b"\xed\x95") + frame(1, b"\x9c"))],
        [S(frame(2, b"x" * 5000)), lost(SERVER, 3), S(frame(1, b"a"))],
        [S(frame(2, b"abc", size=9)), lost(SERVER, 3), S(b"ghi" + frame(1, b"a"))],
    ],
)
def test_what_came_before_decides_about_usual_frames_too(said: list[Said]) -> None:
    check(WEBSOCKET, [[piece] for piece in said], [])
    check(WEBSOCKET, [[piece] for piece in said], list(range(len(said))))


KEYS = st.sampled_from([b"abcd", b"abcd", b"efgh", b"ijkl", b"\0\0\0\0"])
PAYLOADS = st.sampled_from(
    [b"", b"hi", "한".encode(), b"\xed\x95", b"\xff", b"x" * 125, b"x" * 126, b"x" * 4096, b"x" * 4097, close()]
)
FRAMES = st.builds(
    lambda opcode, payload, key, fin, rsv, form: frame(
        opcode, payload, key=key, fin=fin, rsv=rsv, form=form if form == 64 or len(payload) < 65_536 else None
    ),
    st.sampled_from([1, 1, 2, 9, 10, 0, 8, 3]),
    PAYLOADS,
    KEYS | st.just(b""),
    st.sampled_from([True, True, True, False]),
    st.sampled_from([0, 0, 0, 4]),
    st.sampled_from([None, None, 16, 64]),
)
LIKELY_FRAMES = st.one_of(
    of_side(st.builds(masked, st.sampled_from([1, 2, 9]), PAYLOADS, KEYS), C),
    of_side(st.builds(frame, st.sampled_from([1, 2, 10]), PAYLOADS), S),
)
ANY_FRAMES = st.one_of(of_side(FRAMES, C), of_side(FRAMES, S))


@QUICK
@given(
    st.lists(st.one_of(LIKELY_FRAMES, LIKELY_FRAMES, ANY_FRAMES, HOLES), max_size=8),
    st.lists(st.integers(0, 20), max_size=4),
)
def test_frames_are_told_the_same_either_way(said: list[list[Said]], batches: list[int]) -> None:
    check(WEBSOCKET, said, [batch for batch in batches if batch <= sum(map(len, said))])


@settings(max_examples=400, deadline=None)
@given(st.sampled_from([(True, start) for start in ASKED] + [(False, start) for start in ANSWERED]), FIELDS)
def test_usual_head_breaks_no_rule_and_says_the_framing_that_the_rules_give(
    start: tuple[bool, bytes], fields: bytes
) -> None:
    is_request, line = start
    match = (USUAL_REQUEST if is_request else USUAL_RESPONSE).match(line + fields + b"\r\n")
    if match is None:
        return
    facts = read_facts(match[0])
    framing = framing_of(facts, is_request=is_request)

    assert framing == framing_said(match[2], match[3])
    assert ([], False, b"", is_request) == (facts.problems, facts.closes, facts.upgrade, facts.hosts == 1)


@pytest.mark.parametrize(
    ("fields", "framing"),
    [
        (b"Host: a\r\n", NO_BODY),
        (b"X-Host: b\r\nHOST:a\r\ncookie: a=b\r\n", NO_BODY),
        (b"Host: a\r\nContent-Length: 12\r\nX: y\r\n", Framing("length", 12)),
        (b"Connection: keep-alive\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", CHUNKED),
        (b"", None),
        (b"Host: a\r\nHost: a\r\n", None),
        (b"Host: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n", None),
        (b"Host: a\r\nContent-Length: 1 \r\n", None),
        (b"Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", None),
        (b"Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n", None),
    ],
)
def test_fields_of_a_usual_request(fields: bytes, framing: Framing | None) -> None:
    head = b"GET / HTTP/1.1\r\n" + fields + b"\r\n"
    match = USUAL_REQUEST.match(head + b"more")

    assert framing == (framing_said(match[2], match[3]) if match is not None else None)
    assert match is None or (head, b"GET") == (match[0], match[1])


@pytest.mark.parametrize(
    "line",
    [
        b"Connection: close",
        b"Connection: keep-alive, x",
        b"Upgrade: x",
        b"Transfer-Encoding: gzip",
        b"A : b",
        b" a: b",
        b"no colon",
        b"A: \0",
        b"A: b\rc",
    ],
)
def test_head_that_a_rule_has_to_look_at_is_not_usual(line: bytes) -> None:
    rest = b"Host: a\r\n" + line + b"\r\n\r\n"

    assert (None, None) == (
        USUAL_REQUEST.match(b"GET / HTTP/1.1\r\n" + rest),
        USUAL_RESPONSE.match(b"HTTP/1.1 200 OK\r\n" + rest),
    )


@settings(max_examples=400, deadline=None)
@given(st.one_of(FRAMES, st.binary(min_size=14, max_size=14)), st.sampled_from(Side))
def test_usual_frame_header_breaks_no_rule(data: bytes, side: Side) -> None:
    match = re.match(USUAL_HEADER[side], data)
    if match is None:
        return
    header = read_header(data)
    short, long = match[2], match[3]
    size = short[0] & 0x7F if short else int.from_bytes(long, "big")

    assert (True, 0, [], match[0], header.size, header.key) == (
        header.fin,
        header.rsv,
        header_problems(header, from_client=side is Side.CLIENT),
        data[: header.header_bytes],
        size,
        match[4],
    )
    assert header.opcode in (1, 2, 9, 10)
