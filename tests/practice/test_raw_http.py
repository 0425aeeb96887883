from __future__ import annotations

from collections.abc import Iterator

import pytest

from inspect_cli.practice import Practice, running
from inspect_cli.practice.raw_http import HTTP_BEHAVIOURS
from tests.practice.raw_client import connected, get, read_exactly, read_head, read_to_end, until


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    with running() as practice:
        yield practice


def whole(practice: Practice, request: bytes) -> tuple[bytes, str]:
    with connected(practice.raw_url) as client:
        client.sendall(request)
        return read_to_end(client)


CLOSE = "Connection: close"
X100 = b"x" * 100

ENDINGS = {
    "/": (b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\n\r\nGET /\n", "fin"),
    "/http10": (
        b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nthe end of this body is the end of the connection\n",
        "fin",
    ),
    "/closed": (b"", "fin"),
    "/closed-in-head": (b"HTTP/1.1 200 OK\r\nContent-Type: text/pl", "fin"),
    "/closed-in-body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + X100, "fin"),
    "/closed-in-chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + X100[:10], "fin"),
    "/reset": (b"", "rst"),
    "/reset-in-body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + X100, "rst"),
    "/odd-fields": (
        (
            b"HTTP/1.1 200 \r\ncontent-type:text/plain\r\nX-Twice: 1\r\nX-TWICE: 2\r\n"
            b"X-Empty:\r\nX-Padded: \t value \t \r\n"
            b"X-Folded: one\r\n two\r\nX-Latin: caf\xe9\r\nSet-Cookie: first=1\r\nset-cookie: second=2; Path=/\r\n"
            b"Content-Length: 4\r\n\r\nodd\n"
        ),
        "fin",
    ),
    "/interim": (
        (
            b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n0 bytes came\n"
        ),
        "fin",
    ),
    "/trailers": (
        (
            b"HTTP/1.1 200 OK\r\nTrailer: X-Count, X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n"
            b'5;name="value"\r\nhello\r\n6\r\n world\r\n0\r\nX-Count: 2\r\nX-Sum: 11\r\n\r\n'
        ),
        "fin",
    ),
    "/two-lengths": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "fin",
    ),
    "/garbage": (b"\x00\x01\xff\xfe this is no HTTP \x1b[31m\r\n\r\n", "fin"),
    "/drip": (
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\nSet-Cookie: slow=1; Path=/\r\n\r\n"
            b"drop by drop\n"
        ),
        "fin",
    ),
    "/nowhere": (
        b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nno such path\n",
        "fin",
    ),
}
"""Path: (all that comes, how the connection ends)."""


@pytest.mark.parametrize("path", ENDINGS)
def test_bytes_and_ending_are_the_promised_ones(practice: Practice, path: str) -> None:
    assert ENDINGS[path] == whole(practice, get(path, CLOSE))


def test_every_behaviour_is_tested_here() -> None:
    assert {"/no-answer", "/half-close"} == set(HTTP_BEHAVIOURS) - set(ENDINGS)


def test_no_answer_ever_comes_and_the_server_ends_after_the_client(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(get("/no-answer"))
        client.settimeout(0.02)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(5)
        client.shutdown(1)

        assert (b"", "fin") == read_to_end(client)


def test_half_closed_server_still_takes_what_the_client_sends(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(get("/half-close"))
        answer, ending = read_to_end(client)
        client.sendall(b"still here")
        port = client.getsockname()[1]
        client.shutdown(1)

        assert answer.endswith(b"\r\n\r\nno more from here; you may go on\n")
        assert "fin" == ending
        until(lambda: practice.log.connection(port).client_finished)
        assert get("/half-close") + b"still here" == practice.log.connection(port).received


def test_pipelined_requests_are_answered_in_order(practice: Practice) -> None:
    answers, _ = whole(practice, get("/?1") + get("/?2") + get("/drip") + get("/?3", CLOSE))

    assert [b"GET /?1\n", b"GET /?2\n", b"drop by drop\n", b"GET /?3\n"] == [
        answer.split(b"HTTP/1.1 200", 1)[0] for answer in answers.split(b"\r\n\r\n")[1:]
    ]


def test_body_of_a_post_is_read_before_the_next_request(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello" + get("/", CLOSE))
        answers, _ = read_to_end(client)

    assert [b"POST /\n", b"GET /\n"] == [line + b"\n" for line in answers.split(b"\n") if line.endswith(b" /")]


def test_100_continue_comes_before_the_body_is_sent(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(b"POST /interim HTTP/1.1\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        hints, go_on = read_head(client), read_head(client)
        client.sendall(b"hello")
        final = read_head(client) + read_exactly(client, 13)

    assert hints.startswith(b"HTTP/1.1 103 ")
    assert b"HTTP/1.1 100 Continue\r\n\r\n" == go_on
    assert final.endswith(b"\r\n\r\n5 bytes came\n")


def test_http10_request_ends_the_connection(practice: Practice) -> None:
    assert (ENDINGS["/"][0], "fin") == whole(practice, b"GET / HTTP/1.0\r\n\r\n")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET  / HTTP/1.1\r\n\r\n",
        b"x" * 200_000,
        b"\xff\x00\r\n\r\n",
    ],
)
def test_what_is_no_request_ends_the_connection(practice: Practice, request_bytes: bytes) -> None:
    with connected(practice.raw_url) as client:
        try:
            client.sendall(request_bytes)
            client.shutdown(1)
        except OSError:  # the server was faster
            return
        assert b"" == read_to_end(client)[0]


def test_post_that_is_cut_off_is_answered_all_the_same(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(b"POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\nhello")
        client.shutdown(1)

        assert read_to_end(client)[0].endswith(b"POST /\n")
