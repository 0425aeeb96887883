"""Start lines and fields, and everything that breaks them."""

from __future__ import annotations

import pytest

from inspect_cli.protocols.http1_head import (
    FIND_REQUEST,
    FIND_STATUS,
    PROBLEMS,
    REQUEST_LIKE,
    REQUEST_LINE,
    STATUS_LINE,
    body_length,
    read_facts,
)


def problems(head: bytes) -> list[tuple[str, bytes]]:
    return read_facts(head).problems


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1\r\n",
        b"OPTIONS * HTTP/1.0\n",
        b"CONNECT a:443 HTTP/1.1\r\n",
        b"foo!#$ http://a/?q HTTP/1.1\r\n",
        b"GET /\xed\x95\x9c HTTP/1.1\r\n",
    ],
)
def test_request_line_is_method_target_version(line: bytes) -> None:
    """RFC 9112 §3."""
    assert REQUEST_LINE.match(line)


@pytest.mark.parametrize(
    "line",
    [
        b"GET  / HTTP/1.1\r\n",
        b"GET / HTTP/1.\n",
        b"GET /HTTP/1.1\n",
        b"GET/ HTTP/1.1\n",
        b"OPTIONSHTTP/1.1\n",
        b"OPTIONS\n",
        b"\xc3\x83 / HTTP/1.1\r\n",
        b"GET / HTTP/1.1 \r\n",
        b"GET /\r\n",
    ],
)
def test_broken_request_lines_were_meant_as_such(line: bytes) -> None:
    assert REQUEST_LINE.match(line) is None
    assert REQUEST_LIKE.match(line)


def test_status_line_may_lack_its_reason() -> None:
    """RFC 9112 §4 asks for the space; many do without."""
    assert STATUS_LINE.match(b"HTTP/1.1 200 OK\r\n")
    assert STATUS_LINE.match(b"HTTP/1.1 200 \r\n")
    assert STATUS_LINE.match(b"HTTP/1.0 200\n")
    assert STATUS_LINE.match(b"HTTP/1.1 2000 OK\r\n") is None
    assert STATUS_LINE.match(b"HTTP/1.1  200 OK\r\n") is None


def test_heads_are_found_again_only_where_a_line_begins() -> None:
    text = b'"GET /no HTTP/1.1\r\nGET /yes HTTP/1.1\r\n'
    found = FIND_REQUEST.search(text)

    assert found is not None
    assert 19 == found.start()
    assert FIND_STATUS.search(b"see HTTP/1.1 200 OK\r\n") is None


def test_wanted_fields_are_found_in_any_case() -> None:
    facts = read_facts(
        b"POST / HTTP/1.1\r\nHOST: a\r\ncontent-length:  5 \r\nTransfer-Encoding: gzip , Chunked\r\n"
        b"Connection: Foo, CLOSE\r\nUpgrade: WebSocket\r\nCookie: a=1\r\nSET-COOKIE: b=2\r\n\r\n"
    )

    assert ([b"5"], [b"gzip", b"chunked"], True, b"websocket", 1, 1, 1, []) == (
        facts.lengths,
        facts.codings,
        facts.closes,
        facts.upgrade,
        facts.hosts,
        facts.cookies,
        facts.set_cookies,
        facts.problems,
    )
    assert facts.is_chunked


def test_values_are_no_fields() -> None:
    facts = read_facts(b"GET /?\r\nX-Host: a\r\nY: content-length: 5\r\nconnection: not-closed\r\n\r\n")

    assert (0, None, False) == (facts.hosts, facts.lengths, facts.closes)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (b"Host: a\n", [("bare-lf", b"LF")]),
        (b"A: b\rc\r\n", [("bare-cr", b"CR")]),
        (b"A: b\r\n c\r\n\td\r\n", [("obs-fold", b"A")]),
        (b"Host : a\r\n", [("space-before-colon", b"Host")]),
        (b"no colon\r\n", [("invalid-field-line", b"8 bytes without a colon")]),
        (b"a b: c\r\n", [("invalid-field-line", b"a b")]),
        (b": empty\r\n", [("invalid-field-line", b"")]),
        (b"A: \0\r\n", [("invalid-field-value", b"A")]),
        (b"A: b\r\nC:\r\n", []),
        (b"", []),
    ],
)
def test_each_kind_of_odd_line_has_its_word(fields: bytes, expected: list[tuple[str, bytes]]) -> None:
    found = problems(b"GET / HTTP/1.1\r\n" + fields + b"\r\n")

    assert [word for word, _ in expected] == [word for word, _ in found]
    assert all(word in PROBLEMS for word, _ in found)
    assert [got.strip() for _, got in expected] == [got.strip() for _, got in found]


def test_values_of_odd_lines_are_not_told() -> None:
    found = problems(b"GET / HTTP/1.1\r\nCookie: secret\r\n  more secret\r\nAuthorization : secret\r\n\r\n")

    assert not any(b"secret" in got for _, got in found)


@pytest.mark.parametrize(
    ("fields", "length", "words"),
    [
        (b"Content-Length: 5\r\n", 5, []),
        (b"Content-Length: 5, 5\r\nContent-Length: 5\r\n", 5, []),
        (b"Content-Length: 5, 6\r\n", 5, ["content-length-differs"]),
        (b"Content-Length: 5\r\nContent-Length: 7\r\n", 5, ["content-length-differs"]),
        (b"Content-Length: +5\r\n", None, ["invalid-content-length"]),
        (b"Content-Length: 0x5\r\n", None, ["invalid-content-length"]),
        (b"Content-Length:\r\n", None, ["invalid-content-length"]),
        (b"Content-Length: 99999999999999999999999999\r\n", None, ["invalid-content-length"]),
        (b"", None, []),
    ],
)
def test_content_length_is_one_number(fields: bytes, length: int | None, words: list[str]) -> None:
    """RFC 9112 §6.3, rules 5 and 6; RFC 9110 §8.6."""
    facts = read_facts(b"GET / HTTP/1.1\r\n" + fields + b"\r\n")

    assert length == body_length(facts)
    assert words == [word for word, _ in facts.problems]
