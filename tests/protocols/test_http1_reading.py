"""Heads that are split, cut, too long, lost, and found again."""

from __future__ import annotations

import time

import pytest

from inspect_cli.protocols.http1 import HTTP1
from inspect_cli.protocols.http1_reading import HEAD_BYTES, PARAGRAPH_BYTES
from tests.protocols.conversation import CLIENT, SERVER, C, S, brief, check_batches, kinds, lost, read, talk

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
REQUEST = ("request", b"GET / HTTP/1.1")


def test_garbage_between_requests_is_said_and_left() -> None:
    found = kinds(talk(HTTP1, C(GET + b"left over\r\n" + GET + b"\x01\x02\r\n\r\n" + GET)), "request", "malformed")

    assert [
        REQUEST,
        ("malformed", "invalid-start-line"),
        REQUEST,
        ("malformed", "invalid-start-line"),
        REQUEST,
    ] == found


def test_garbage_between_responses_is_said_and_left() -> None:
    found = kinds(talk(HTTP1, C(GET + GET), S(OK + b"too much\r\n\r\n<p>\r\n" + OK)), "response", "malformed")

    answer = ("response", 200, b"GET / HTTP/1.1")
    assert [answer, ("malformed", "invalid-start-line"), answer] == found


@pytest.mark.parametrize("end", [b"\n", b"\r\n\r\n", b" ", b""])
def test_garbage_alone_is_said_once(end: bytes) -> None:
    assert [("malformed", "invalid-start-line")] == brief(talk(HTTP1, C(b"\x00nothing" + end)))


def test_lines_of_any_length_are_no_start_line() -> None:
    frames = [C(GET), C(b"x" * 40_000), C(b"\r\n" + GET)]
    check_batches(HTTP1, frames)

    assert [REQUEST, ("malformed", "invalid-start-line"), REQUEST] == kinds(
        read(HTTP1, frames).events, "request", "malformed"
    )


def test_hole_between_requests_is_left_for_the_next_head() -> None:
    found = brief(talk(HTTP1, C(GET), lost(CLIENT, 50), C(b"st: b\r\n\r\n" + GET), ordered=True))

    assert [REQUEST, REQUEST] == [row for row in found if row[0] != "message-end"]


def test_head_right_behind_a_hole_is_found() -> None:
    assert [REQUEST] == kinds(talk(HTTP1, lost(CLIENT, 50), C(GET), ordered=True), "request", "truncated")


def test_hole_inside_a_head_cuts_it() -> None:
    found = brief(talk(HTTP1, C(GET[:20]), lost(CLIENT, 5), C(b"\r\n\r\n" + GET), ordered=True))

    assert [("truncated", "head-cut", 20, None), REQUEST] == found[:2]


def test_holes_one_after_another() -> None:
    said = lost(CLIENT, 3), C(b"GET / HT"), lost(CLIENT, 2), C(b"x"), lost(CLIENT, 9), C(GET), lost(SERVER, 9), S(OK)

    assert [REQUEST, ("response", 200, b"GET / HTTP/1.1")] == kinds(
        talk(HTTP1, *said, ordered=True), "request", "response", "truncated", "malformed"
    )


def test_long_head_is_read_up_to_its_limit() -> None:
    long = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: %s\r\n" % (b"y" * 1000) * 200 + b"\r\n"
    frames = list(C(long + GET).cut(range(0, len(long), 9_000)))
    check_batches(HTTP1, frames)

    assert [REQUEST, REQUEST] == kinds(read(HTTP1, frames).events, "request", "malformed")


def test_head_beyond_its_limit_is_given_up() -> None:
    long = b"GET /long HTTP/1.1\r\nHost: a\r\n" + b"X: %s\r\n" % (b"y" * 1000) * 300 + b"\r\n"
    frames = list(C(long + GET).cut(range(0, len(long), 9_000)))
    check_batches(HTTP1, frames)

    assert len(long) > HEAD_BYTES
    assert [("malformed", "head-too-long"), REQUEST] == kinds(read(HTTP1, frames).events, "request", "malformed")


def test_head_behind_garbage_over_a_paragraph_is_whole() -> None:
    text = b"junk\r\n" * 2_700 + b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 400 + b"\r\n\r\n"
    frames = list(C(text).cut(range(0, len(text), 1_111)))
    check_batches(HTTP1, frames)

    assert len(text) > PARAGRAPH_BYTES > 16_200
    assert [("malformed", "invalid-start-line"), REQUEST] == kinds(read(HTTP1, frames).events, "request", "malformed")


@pytest.mark.parametrize(
    "text",
    [
        GET[:-2] + b"X: " + b"y" * 30_000,
        b"z" * 30_000,
        b"GET /" + b"y" * 30_000,
        GET[:-2] + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"y" * 30_000,
        GET[:-2] + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 5_000,
    ],
)
def test_bytes_that_come_one_by_one_take_linear_time(text: bytes) -> None:
    """A hostile sender must not cost more than its bytes."""
    frames = [C(text[i : i + 1]) for i in range(len(text))]
    begun = time.process_time()
    read(HTTP1, frames, range(0, len(frames), 10), wanted=frozenset())

    assert time.process_time() - begun < 10
