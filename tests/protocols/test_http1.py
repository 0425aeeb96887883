"""HTTP/1 between two sides: what is read, paired, ended and handed on."""

from __future__ import annotations

from inspect_cli.events.base import OBSERVED, Secret, Side, Where
from inspect_cli.events.capture import Malformed
from inspect_cli.events.http import MessageEnd, NotableMessageEnd, RequestHead, ResponseHead
from inspect_cli.events.summary import Tally
from inspect_cli.protocols.http1 import HTTP1
from inspect_cli.protocols.talk import PATIENCE_BYTES
from tests.protocols.conversation import CLIENT, SERVER, C, S, Said, brief, check_batches, kinds, lost, read, talk

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"


def get(path: bytes) -> bytes:
    return b"GET /%s HTTP/1.1\r\nHost: a\r\n\r\n" % path


def tally(*said: Said) -> Tally:
    talk(HTTP1, *said)
    return read(HTTP1, said).report.tally


def problems(*said: Said) -> dict[str, int]:
    return tally(*said).problems


def test_request_and_response_are_whole_events_with_their_places() -> None:
    events = talk(HTTP1, C(GET), S(OK))

    asked = RequestHead(Where(1, 1000, "tcp/0", Side.CLIENT, (1,), 0, 27, OBSERVED), GET, 0)
    answered = ResponseHead(Where(2, 2000, "tcp/0", Side.SERVER, (2,), 0, 38, OBSERVED), OK[:38], 0, asked)
    assert [
        asked,
        MessageEnd(asked.where, asked, "none", 0, True, b""),
        answered,
        MessageEnd(Where(2, 2000, "tcp/0", Side.SERVER, (2,), 38, 40), answered, "length", 2, True, b""),
    ] == events


def test_head_over_several_frames_names_all_of_them() -> None:
    frames = C(GET).cut((5, 9))
    check_batches(HTTP1, frames)
    head = read(HTTP1, frames, (1, 2)).events[0]

    assert Where(3, 3000, "tcp/0", Side.CLIENT, (1, 2, 3), 0, 27, OBSERVED) == head.where


def test_response_waits_for_its_request_and_is_known_only_then() -> None:
    frames = [S(OK), C(GET)]
    check_batches(HTTP1, frames)

    assert [("request", 2), ("message-end", 2), ("response", 2), ("message-end", 2)] == [
        (event.kind, event.where.at) for event in read(HTTP1, frames, (1,)).events
    ]


def test_pipelined_requests_are_answered_in_order() -> None:
    events = talk(HTTP1, C(get(b"1") + get(b"2") + get(b"3")), S(OK + NO_CONTENT + OK))

    assert [
        ("response", 200, b"GET /1 HTTP/1.1"),
        ("response", 204, b"GET /2 HTTP/1.1"),
        ("response", 200, b"GET /3 HTTP/1.1"),
    ] == kinds(events, "response")


def test_interim_responses_do_not_take_the_request() -> None:
    """RFC 9110 §15.2: any number of 1xx comes before the final response."""
    post = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc"
    said = C(post), S(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK)

    assert [("response", status, b"POST / HTTP/1.1") for status in (100, 103, 200)] == kinds(
        talk(HTTP1, *said), "response"
    )
    counted = tally(*said)
    assert (1, 3, 2) == (counted.http_requests, counted.http_responses, counted.http_interim_responses)


def test_head_response_has_a_length_but_no_body() -> None:
    """RFC 9112 §6.3, rule 1."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"

    assert [
        ("response", 200, b"HEAD / HTTP/1.1"),
        ("message-end", "none", 0, True),
        ("response", 204, b"GET / HTTP/1.1"),
        ("message-end", "none", 0, True),
    ] == brief(talk(HTTP1, C(HEAD + GET), S(answer + NO_CONTENT)))[4:]


def test_not_modified_has_no_body_whatever_it_says() -> None:
    answer = b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"

    assert [("response", 304, b"GET / HTTP/1.1"), ("response", 200, b"GET / HTTP/1.1")] == kinds(
        talk(HTTP1, C(GET + GET), S(answer + OK)), "response"
    )


def test_response_without_length_ends_at_close() -> None:
    """RFC 9112 §6.3, rule 8; it tells something, as it ends in a later frame."""
    run = read(HTTP1, [C(GET), S(b"HTTP/1.0 200 OK\r\n\r\nall "), S(b"of it")])
    talk(HTTP1, C(GET), S(b"HTTP/1.0 200 OK\r\n\r\nall of it"))
    end = run.events[-1]

    assert isinstance(end, NotableMessageEnd)
    assert ("close", 9, True, 4) == (end.ended_by, end.body_bytes, end.complete, end.where.at)


def test_connect_that_succeeds_becomes_a_tunnel() -> None:
    """RFC 9112 §6.3, rule 2: nothing behind it is HTTP."""
    connect = b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"
    said = (
        C(connect + b"\x16\x03\x01GET / HTTP/1.1\r\n\r\n"),
        S(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 500 No\r\n\r\n"),
    )

    assert [
        ("request", b"CONNECT a:443 HTTP/1.1"),
        ("message-end", "none", 0, True),
        ("response", 200, b"CONNECT a:443 HTTP/1.1"),
        ("message-end", "tunnel", 0, True),
    ] == brief(talk(HTTP1, *said))
    assert ["http/1", "opaque"] == read(HTTP1, said).names


def test_connect_that_is_refused_stays_http() -> None:
    connect = b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n"
    refused = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno"

    assert [("response", 400, b"CONNECT / HTTP/1.1"), ("response", 200, b"GET / HTTP/1.1")] == kinds(
        talk(HTTP1, C(connect + GET), S(refused + OK)), "response"
    )


def test_upgrade_to_something_unknown_is_opaque() -> None:
    """101 with `Upgrade: tcp` (docker): neither frames nor HTTP."""
    post = b"POST /attach HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"
    said = C(post + GET), S(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n\x81\x05hello")
    events = talk(HTTP1, *said)

    assert [("request", b"POST /attach HTTP/1.1")] == kinds(events, "request")
    assert ["http/1", "opaque"] == read(HTTP1, said).names
    assert 0 == tally(*said).websocket_handshakes


def test_upgrade_that_is_not_taken_goes_on_as_http() -> None:
    ask = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"

    assert [
        ("request", b"GET / HTTP/1.1"),
        ("response", 200, b"GET / HTTP/1.1"),
        ("request", b"GET /2 HTTP/1.1"),
        ("response", 204, b"GET /2 HTTP/1.1"),
    ] == kinds(talk(HTTP1, C(ask), S(OK), C(get(b"2")), S(NO_CONTENT)), "request", "response")


def test_bytes_behind_an_upgrade_request_are_known_with_its_answer() -> None:
    ask = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    frames = [C(ask + get(b"2")), S(OK)]
    check_batches(HTTP1, frames)

    assert [("request", 1), ("response", 2), ("request", 2)] == [
        (event.kind, event.where.at)
        for event in read(HTTP1, frames, (1,)).events
        if isinstance(event, RequestHead | ResponseHead)
    ]


def test_cookies_and_set_cookies_are_counted_by_field() -> None:
    ask = b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=2\r\ncookie: a=1\r\n\r\n"
    answer = b"HTTP/1.1 204 No Content\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\n\r\n"
    counted = tally(C(ask), S(answer))

    assert (2, 2, {"duplicate-cookie-field": 1}) == (counted.cookie, counted.set_cookie, counted.problems)


def test_broken_request_line_is_said_not_counted_and_still_answered() -> None:
    ask = b"OPTIONS\nHost: a\n\n"
    said = C(ask), S(b"HTTP/1.0 400 Bad Request\r\nContent-Length: 2\r\n\r\nno")
    events = talk(HTTP1, *said)

    assert [
        ("request", b"OPTIONS"),
        ("malformed", "invalid-start-line"),
        ("malformed", "bare-lf"),
        ("message-end", "none", 0, True),
        ("response", 400, b"OPTIONS"),
        ("message-end", "length", 2, True),
    ] == brief(events)
    assert (0, 1) == (tally(*said).http_requests, tally(*said).http_responses)


def test_malformed_tells_what_was_expected_and_where() -> None:
    ask = b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"
    found = [event for event in talk(HTTP1, C(ask)) if isinstance(event, Malformed)]

    expected = "method SP request-target SP HTTP-version"
    where = Where(1, 1000, "tcp/0", Side.CLIENT, (1,), 0, 28, OBSERVED)
    assert [Malformed(where, "invalid-start-line", expected, b"GET  / HTTP/1.1", "RFC 9112 §3")] == found


def test_message_after_connection_close_is_read_and_noted_once() -> None:
    """RFC 9112 §9.6."""
    closing = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    said = C(GET + GET + GET), S(closing + NO_CONTENT + NO_CONTENT)

    assert 3 == len(kinds(talk(HTTP1, *said), "response"))
    assert {"message-after-close": 1} == problems(*said)


def test_host_is_asked_for_in_http_1_1_only() -> None:
    assert {"missing-host": 1} == problems(C(b"GET / HTTP/1.1\r\n\r\n"))
    assert {} == problems(C(b"GET / HTTP/1.0\r\n\r\n"))
    assert {"duplicate-host": 1} == problems(C(b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n"))


def test_empty_lines_before_a_request_are_no_problem() -> None:
    """RFC 9112 §2.2."""
    said = C(b"\r\n\r\n\n" + GET + b"\r\n" + GET + b"\r\n")

    assert {} == problems(said)
    assert 2 == tally(said).http_requests


def test_no_content_with_a_length_is_noted() -> None:
    assert {"body-not-allowed": 1} == problems(
        C(GET), S(b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n")
    )
    assert {} == problems(C(GET), S(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"))


def test_form_in_a_request_body_keeps_its_secrets() -> None:
    head = b"POST /login HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    body = b"user=kim+a%26b&password=pw%21&csrf_token=t"
    form = (b"user", b"kim a&b"), (b"password", Secret(b"pw!", "password")), (b"csrf_token", Secret(b"t", "token"))
    chunked = b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\n\r\n"

    plain = talk(HTTP1, C(head + b"Content-Length: %d\r\n\r\n" % len(body) + body))
    pieces = talk(HTTP1, C(head + chunked % (5, body[:5], len(body) - 5, body[5:])))
    assert [("request-form", form)] == kinds(plain, "request-form")
    assert [("request-form", form)] == kinds(pieces, "request-form")


def test_form_with_a_hole_or_too_long_is_not_told() -> None:
    head = (
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
    )

    cut = talk(HTTP1, C(head % 9 + b"a=b"), lost(CLIENT, 3), C(b"d=e"))
    assert [("message-end", "length", 9, False)] == brief(cut)[1:]
    long = read(HTTP1, [C(head % 65_537 + b"a" * 65_537)])
    assert [("message-end", "length", 65_537, True)] == brief(long.events)[1:]


def test_body_that_the_end_cuts_is_truncated() -> None:
    said = C(GET), S(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc")

    assert [("truncated", "body-cut", 3, 5), ("message-end", "close", 3, False)] == brief(talk(HTTP1, *said))[3:]
    assert {"body-cut": 1} == problems(*said)


def test_head_that_the_end_cuts_is_truncated() -> None:
    assert [("truncated", "head-cut", 20, None)] == brief(talk(HTTP1, C(GET[:20])))
    assert [("truncated", "head-cut", 2, None)] == brief(talk(HTTP1, C(b"GE")))


def test_server_alone_is_read_without_requests() -> None:
    """One direction captured: when the client's side ends, nobody will have asked."""
    events = talk(HTTP1, S(OK + NO_CONTENT))

    assert [("response", 200, None), ("response", 204, None)] == kinds(events, "response")


def test_server_alone_does_not_wait_for_ever() -> None:
    """With much unread, it goes on without the client; the place is that of the last byte waited for."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (PATIENCE_BYTES + 100)
    body = S(b"x" * (PATIENCE_BYTES + 100)).cut(range(0, PATIENCE_BYTES + 100, 10_000))
    frames = [S(answer), *body, C(GET), S(OK)]
    check_batches(HTTP1, frames)
    heads = [event for event in read(HTTP1, frames).events if isinstance(event, ResponseHead)]

    assert [(None, 28), (b"GET / HTTP/1.1", 30)] == [
        (head.request and head.request.start_line, head.where.at) for head in heads
    ]


def test_client_alone_does_not_wait_for_ever_for_an_upgrade() -> None:
    ask = b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    frame = b"\x82\xfe\x40\x00abcd" + bytes(16_384)
    frames = [C(ask), *(C(frame) for _ in range(20))]
    check_batches(HTTP1, frames)
    run = read(HTTP1, frames)

    assert 20 == run.report.tally.websocket_frames["binary"]
    assert 17 == run.events[2].where.at


def test_head_of_an_unknown_request_may_have_no_body() -> None:
    """An answer to a HEAD that was not captured is followed by the next head."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"

    assert [
        ("response", 200, None),
        ("message-end", "none", 0, True),
        ("response", 204, None),
        ("message-end", "none", 0, True),
    ] == brief(talk(HTTP1, S(answer + NO_CONTENT)))
    assert [("response", 200, None), ("message-end", "none", 0, True)] == brief(talk(HTTP1, S(answer)))


def test_summary_counts_the_same_when_nobody_wants_events() -> None:
    said = [C(GET + HEAD), S(OK + NO_CONTENT), C(b"junk\r\n\r\n"), S(b"HTTP/1.1 200 OK\r\n\r\nto the end")]
    full, silent = read(HTTP1, said), read(HTTP1, said, wanted=frozenset())

    assert full.report.tally == silent.report.tally
    assert [] == silent.events


def test_response_to_a_request_in_a_hole_says_so() -> None:
    events = talk(HTTP1, C(get(b"1")), S(OK), lost(CLIENT, 40), S(NO_CONTENT), C(get(b"3")), S(OK), ordered=True)

    assert [
        ("response", 200, b"GET /1 HTTP/1.1"),
        ("response", 204, None),
        ("response", 200, b"GET /3 HTTP/1.1"),
    ] == kinds(events, "response")


def test_gap_inside_a_known_length_is_skipped() -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"
    events = talk(HTTP1, C(GET + GET), S(answer), lost(SERVER, 5), S(b"de" + NO_CONTENT), ordered=True)

    assert [
        ("response", 200, b"GET / HTTP/1.1"),
        ("message-end", "length", 10, False),
        ("response", 204, b"GET / HTTP/1.1"),
        ("message-end", "none", 0, True),
    ] == brief(events)[4:]
