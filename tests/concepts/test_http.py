"""What HTTP keeps of a connection and of a client."""

from __future__ import annotations

import pytest

from inspect_cli.concepts.http import Connectionless, Stateless
from inspect_cli.events.base import Event
from inspect_cli.events.http import NotableMessageEnd
from tests.concepts.making import (
    C,
    S,
    codes,
    data_of,
    end,
    fin,
    notes,
    request,
    response,
    rst,
    said,
    triples,
    where,
    whole,
)

ASKED = request(4)
ANSWERED = response(6, ASKED)
CLOSING = response(6, ASKED, "HTTP/1.1 200 OK", "Connection: Keep-Alive, Close")
OLD = response(6, ASKED, "HTTP/1.0 200 OK")


def test_a_connection_used_again_is_said_once() -> None:
    events = (ASKED, ANSWERED, whole(6, ANSWERED), request(8), response(9, None), whole(9, ANSWERED), request(12))

    assert [("kept", (4, 8), "observed")] == triples(notes(Connectionless(), *events))


def test_a_request_before_the_answer_is_pipelined() -> None:
    found = notes(Connectionless(), ASKED, request(5), request(6))

    assert [("pipelined", (5,), "observed")] == triples(found)
    assert {"waiting": 1} == data_of(found[0])


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([request(4, "GET / HTTP/1.1", "Connection: close"), CLOSING], ["close-requested"]),
        ([ASKED, CLOSING, CLOSING], ["close-announced"]),
        ([ASKED, OLD, OLD], ["http-1.0"]),
        ([ASKED, response(6, ASKED, "HTTP/1.0 200 OK", "Connection: keep-alive")], []),
        ([ASKED, response(6, ASKED, "HTTP/1.1 200 OK", "X: close")], []),
        ([ASKED, response(6, ASKED, "HTTP/1.1 100 Continue", "Connection: close")], []),
    ],
)
def test_who_wants_the_connection_closed_says_so(events: list[Event], expected: list[str]) -> None:
    assert expected == codes(Connectionless(), *events)


def test_the_close_is_measured_from_the_last_response() -> None:
    found = notes(Connectionless(), ASKED, ANSWERED, whole(4, ASKED), whole(7, ANSWERED), fin(10, S), fin(11, C))

    assert [("closed", (7, 10), "observed")] == triples(found)
    assert {"by": "server", "requests": 1, "waited_ns": 3_000_000} == data_of(found[0])
    assert "the server closes 3.0 ms after the last response; 1 request on this connection" == said(found[0])


def test_a_reset_closes_too() -> None:
    assert ["closed"] == codes(Connectionless(), ASKED, ANSWERED, whole(7, ANSWERED), rst(10, C))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([ASKED, ANSWERED, fin(10, S)], ["close-ends-response"]),
        ([ASKED, ANSWERED, rst(10, S)], []),
        ([ASKED, ANSWERED, fin(10, C)], []),
        ([ASKED, fin(10, S)], ["closed-unanswered"]),
        ([ASKED, fin(10, S, repeated=True), fin(11, S, first=False), rst(12, after_close=True)], []),
        ([response(6, None), fin(10, S)], []),
        ([fin(10, S), end(10)], []),
        ([ASKED, response(6, ASKED, "HTTP/1.1 101 Switching Protocols"), fin(10, S)], []),
        ([ASKED, ANSWERED, whole(6, ANSWERED), end(20, closed="open")], ["still-open"]),
        ([ASKED, ANSWERED, whole(6, ANSWERED), end(20, closed="rst")], []),
    ],
)
def test_a_close_is_told_by_what_it_leaves(events: list[Event], expected: list[str]) -> None:
    assert expected == codes(Connectionless(), *events)


def test_an_end_in_a_later_frame_counts_like_any() -> None:
    late = NotableMessageEnd(where(9, S), ANSWERED, "chunked", 3, complete=True, trailers=b"X: y\r\n")

    assert [("closed", (9, 10), "observed")] == triples(notes(Connectionless(), ASKED, ANSWERED, late, fin(10, S)))


def test_a_request_without_cookie_is_tied_to_nothing() -> None:
    found = notes(Stateless(), ASKED, request(8, "GET /2 HTTP/1.1"), end(9), request(12, "GET /3 HTTP/1.1"))

    assert [("nothing-ties", (4,), "observed"), ("nothing-ties", (12,), "observed")] == triples(found)


@pytest.mark.parametrize("line", ["Cookie: a=b", "authorization: Basic eDp5"])
def test_a_request_that_says_who_asks_is_tied(line: str) -> None:
    assert [] == notes(Stateless(), request(4, "GET / HTTP/1.1", line))


def test_equal_requests_are_said_once() -> None:
    found = notes(Stateless(), ASKED, request(8), request(12))

    assert [("nothing-ties", (4,), "observed"), ("alike", (4, 8), "observed")] == triples(found)
    assert {"before": (4,)} == data_of(found[1])
