"""Where bodies end (RFC 9112 §6.3, §7.1)."""

from __future__ import annotations

import pytest

from inspect_cli.events.http import MessageEnd
from inspect_cli.protocols.http1 import HTTP1
from inspect_cli.protocols.http1_body import NO_BODY, Framing, framing_of
from inspect_cli.protocols.http1_head import read_facts
from tests.protocols.conversation import CLIENT, SERVER, C, S, Said, brief, kinds, lost, read, talk

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
NEXT = ("request", b"GET / HTTP/1.1")


def rows(*said: Said, ordered: bool = False) -> list[tuple[object, ...]]:
    return brief(talk(HTTP1, *said, ordered=ordered))[1:]


@pytest.mark.parametrize(
    ("fields", "request_framing", "response_framing", "words"),
    [
        (b"", NO_BODY, Framing("close"), []),
        (b"Content-Length: 5\r\n", Framing("length", 5), Framing("length", 5), []),
        (b"Transfer-Encoding: gzip, chunked\r\n", Framing("chunked"), Framing("chunked"), []),
        (b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", Framing("chunked"), Framing("chunked"), []),
        (
            b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            Framing("chunked"),
            Framing("chunked"),
            ["content-length-and-transfer-encoding"],
        ),
        (
            b"Transfer-Encoding: chunked, gzip\r\n",
            NO_BODY,
            Framing("close"),
            ["transfer-encoding-not-chunked-last"],
        ),
        (
            b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n",
            Framing("length", 5),
            Framing("length", 5),
            ["transfer-encoding-not-chunked-last"],
        ),
        (b"Content-Length: x\r\n", NO_BODY, Framing("close"), ["invalid-content-length"]),
    ],
)
def test_framing_follows_the_order_of_the_rules(
    fields: bytes, request_framing: Framing, response_framing: Framing, words: list[str]
) -> None:
    for is_request, expected in ((True, request_framing), (False, response_framing)):
        facts = read_facts(b"X\r\n" + fields + b"\r\n")
        assert expected == framing_of(facts, is_request=is_request)
        assert words == [word for word, _ in facts.problems]


def test_chunks_end_with_an_empty_one() -> None:
    assert [("message-end", "chunked", 8, True), NEXT] == rows(
        C(CHUNKED + b'3;a="b"\r\nabc\r\n005 ; x\r\nhello\r\n0\r\n\r\n' + GET)
    )[:2]


def test_trailers_are_kept_and_make_the_end_tell_something() -> None:
    body = C(b"1\r\na\r\n0\r\nDigest: x\r\nExpires: 0\r\n\r\n")
    end = read(HTTP1, [C(CHUNKED), body]).events[-1]
    talk(HTTP1, C(CHUNKED), body)

    assert ("message-end", b"Digest: x\r\nExpires: 0\r\n") == (end.kind, getattr(end, "trailers", None))
    assert end.is_entry
    whole = read(HTTP1, [C(CHUNKED + b"1\r\na\r\n0\r\nDigest: x\r\n\r\n")]).events[-1]
    assert isinstance(whole, MessageEnd)
    assert not whole.is_entry


def test_chunk_lines_with_bare_lf_are_read_and_noted_once() -> None:
    """A server that takes them and a proxy that does not disagree on where the body ends (§11.2)."""
    assert [("malformed", "bare-lf"), ("message-end", "chunked", 4, True), NEXT] == rows(
        C(CHUNKED + b"2\nab\n2\r\ncd\n0\r\n\r\n" + GET)
    )[:3]


@pytest.mark.parametrize("line", [b"", b"x", b"-1", b"+1", b"0x1", b"1 2", b"1" * 16, b"1;" + b"a" * 5000])
def test_what_is_no_chunk_size_ends_the_framing(line: bytes) -> None:
    found = rows(C(CHUNKED + b"2\r\nab\r\n" + line + b"\r\nzz\r\n\r\n" + GET))

    assert [("malformed", "invalid-chunk-size"), ("message-end", "chunked", 2, False), NEXT] == found[:3]


def test_chunk_that_is_longer_than_its_size_ends_the_framing() -> None:
    found = rows(C(CHUNKED + b"2\r\nabcdef\r\n0\r\n\r\n" + GET))

    assert [("malformed", "chunk-not-terminated"), ("message-end", "chunked", 2, False), NEXT] == found[:3]


@pytest.mark.parametrize("body", [b"", b"2", b"2\r\n", b"2\r\na", b"2\r\nab\r", b"2\r\nab\r\n0\r\n", b"0\r\nA: b\r\n"])
def test_chunked_body_that_the_end_cuts_is_truncated(body: bytes) -> None:
    size = 2 if b"ab" in body else 1 if b"a" in body else 0

    assert [("truncated", "body-cut", size, None), ("message-end", "close", size, False)] == rows(C(CHUNKED + body))


def test_hole_inside_a_chunk_is_skipped() -> None:
    assert [("message-end", "chunked", 8, False), NEXT] == rows(
        C(CHUNKED + b"8\r\nab"), lost(CLIENT, 4), C(b"cd\r\n0\r\n\r\n" + GET), ordered=True
    )[:2]


def test_hole_between_chunks_loses_the_framing() -> None:
    assert [("truncated", "body-cut", 2, None), ("message-end", "gap", 2, False), NEXT] == rows(
        C(CHUNKED + b"2\r\nab\r\n"), lost(CLIENT, 4), C(b"cd\r\n0\r\n\r\n" + GET), ordered=True
    )[:3]


def test_trailers_without_end_are_given_up() -> None:
    found = brief(read(HTTP1, [C(CHUNKED + b"0\r\n" + b"A: b\r\n" * 11_000 + b"\r\n" + GET)]).events)

    assert [("malformed", "trailers-too-long"), ("message-end", "chunked", 0, True), NEXT] == found[1:4]


def test_length_of_a_broken_response_is_the_rest() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"

    assert [
        ("response", 200, b"GET / HTTP/1.1"),
        ("malformed", "invalid-content-length"),
        ("message-end", "close", 19, True),
    ] == kinds(talk(HTTP1, C(GET), S(answer))[2:], "response", "malformed", "message-end")


def test_close_delimited_body_with_a_hole_is_not_complete() -> None:
    found = brief(talk(HTTP1, C(GET), S(b"HTTP/1.0 200 OK\r\n\r\nab"), lost(SERVER, 2), S(b"cd"), ordered=True))

    assert ("message-end", "close", 6, False) == found[-1]
