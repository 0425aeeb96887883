"""Pairs of requests and responses where bytes are missing."""

from __future__ import annotations

import pytest

from inspect_cli.protocols import http1_talk
from inspect_cli.protocols.http1 import HTTP1
from tests.protocols.conversation import CLIENT, SERVER, C, S, Said, kinds, lost, talk

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def get(path: bytes) -> bytes:
    return b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % path


def pairs(*said: Said, mid_stream: bool = False) -> list[bytes | None]:
    rows = kinds(talk(HTTP1, *said, ordered=True, mid_stream=mid_stream), "response")
    return [row[2] and row[2].split(b" ")[1] for row in rows]


def test_hole_that_took_request_and_response_takes_no_other() -> None:
    """zero-length-bodies-with-drops: exchange 2 is lost whole, exchange 4 without its request."""
    said = (
        C(get(b"1")), S(OK),
        lost(CLIENT, 27), lost(SERVER, 40),
        C(get(b"3")), S(OK),
        lost(CLIENT, 27), S(OK),
        C(get(b"5")), S(OK),
    )  # fmt: skip

    assert [b"/1", b"/3", None, b"/5"] == pairs(*said)


def test_hole_that_took_two_requests_leaves_both_answers_alone() -> None:
    assert [None, None, b"/3"] == pairs(lost(CLIENT, 60), S(OK), S(OK), C(get(b"3")), S(OK))


def test_hole_in_a_request_body_takes_no_request() -> None:
    post = b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab"

    assert [b"/1", b"/2"] == pairs(C(post), lost(CLIENT, 5), C(b"cd" + get(b"2")), S(OK), S(OK))


def test_hole_that_took_a_response_leaves_its_request_unanswered() -> None:
    assert [b"/1", b"/3"] == pairs(C(get(b"1")), S(OK), C(get(b"2")), lost(SERVER, 40), C(get(b"3")), S(OK))


def test_hole_that_took_two_responses_leaves_both_requests_unanswered() -> None:
    assert [b"/3", b"/4"] == pairs(
        C(get(b"1")), lost(SERVER, 40), C(get(b"2")), lost(SERVER, 40), C(get(b"3")), S(OK), C(get(b"4")), S(OK)
    )


def test_request_whose_head_is_half_lost_leaves_its_answer_alone() -> None:
    assert [None, b"/2"] == pairs(C(get(b"1")[:9]), lost(CLIENT, 9), C(get(b"1")[18:]), S(OK), C(get(b"2")), S(OK))


def test_response_before_the_first_request_of_a_cut_capture_is_nobodys() -> None:
    """The capture began between a request and its response; by position alone all pairs were shifted."""
    assert [None, b"/1", b"/2"] == pairs(S(OK), C(get(b"1")), S(OK), C(get(b"2")), S(OK), mid_stream=True)
    assert [b"/1", b"/2"] == pairs(C(get(b"1")), S(OK), C(get(b"2")), S(OK), mid_stream=True)


def test_upgrade_whose_answer_is_lost_is_judged_by_what_follows() -> None:
    ask = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    frames = talk(HTTP1, C(ask), lost(SERVER, 100), C(b"\x81\x81abcd\x00"), ordered=True)
    http = talk(HTTP1, C(ask), lost(SERVER, 100), C(get(b"2")), S(OK), ordered=True)

    assert [("websocket-frame", CLIENT, "text", b"a")] == kinds(frames, "websocket-frame")
    assert [("response", 200, b"GET /2 HTTP/1.1")] == kinds(http, "response")


def test_upgrade_without_any_answer_before_the_end() -> None:
    ask = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

    assert [("request", b"GET /ws HTTP/1.1")] == kinds(talk(HTTP1, C(ask)), "request", "truncated")


def test_switch_that_no_request_asked_for_moves_the_server_alone() -> None:
    switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x02hi"
    events = talk(HTTP1, C(get(b"1") + get(b"2")), S(switch))

    assert 2 == len(kinds(events, "request"))
    assert [("websocket-frame", SERVER, "text", b"hi")] == kinds(events, "websocket-frame")
    assert [("websocket-end", None, None, 0, 1)] == kinds(events, "websocket-end")


def test_requests_that_nobody_answers_are_forgotten_beyond_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """One direction was captured, for hours; the first answer that comes belongs to a request that is still known."""
    monkeypatch.setattr(http1_talk, "MOST_UNANSWERED", 3)
    asked = [C(get(b"%d" % i)) for i in range(6)]

    assert [b"/3", b"/4", b"/5"] == pairs(*asked, S(OK), S(OK), S(OK))
    # Who has spoken is heard: however many wait, they are answered in turn.
    answers = [S(OK) for _ in range(6)]
    assert [b"/first", *(b"/%d" % i for i in range(6))] == pairs(C(get(b"first")), S(OK), *asked, *answers)
