"""The opening handshake, rule by rule (RFC 6455 §4)."""

from __future__ import annotations

import pytest

from inspect_cli.concepts.websocket_handshake import WebSocketHandshake, accept_for
from inspect_cli.events.http import RequestHead, ResponseHead
from tests.concepts.making import codes, data_of, end, notes, request, response, said, triples

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
START = "GET /chat HTTP/1.1"
FIELDS = ("Host: x.test", "Upgrade: websocket", "Connection: keep-alive, Upgrade", f"Sec-WebSocket-Key: {KEY}")
VERSION = "Sec-WebSocket-Version: 13"
SWITCHING = ("HTTP/1.1 101 Switching Protocols", "Upgrade: WebSocket", "Connection: upgrade")


def asked(*more: str, at: int = 4) -> RequestHead:
    return request(at, START, *FIELDS, VERSION, *more)


def answered(of: RequestHead, *more: str) -> ResponseHead:
    return response(6, of, *SWITCHING, f"Sec-WebSocket-Accept: {ACCEPT}", *more)


def test_the_example_of_the_standard() -> None:
    assert ACCEPT.encode() == accept_for(KEY.encode())


def test_a_correct_handshake() -> None:
    ask = asked()
    found = notes(WebSocketHandshake(), ask, response(5, ask, "HTTP/1.1 103 Early Hints"), answered(ask))

    assert [("asked", (4,), "observed"), ("accepted", (4, 6), "observed")] == triples(found)
    assert {"key": KEY.encode(), "accept": ACCEPT.encode()} == data_of(found[1])
    assert f"Accept {ACCEPT} = Base64(SHA-1({KEY} + GUID)), recomputed here" in said(found[1])


def test_an_ordinary_request_is_no_handshake() -> None:
    other = request(4, "GET /websocket HTTP/1.1", "Host: x")

    assert [] == notes(WebSocketHandshake(), other, response(6, other), end(7))
    assert [] == notes(WebSocketHandshake(), request(4, "GET / HTTP/1.1", "Upgrade: h2c"))


def without(*gone: str) -> RequestHead:
    lines = [line for line in (*FIELDS, VERSION) if not line.startswith(gone)]
    return request(4, START, *lines)


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (request(4, "POST /chat HTTP/1.1", *FIELDS, VERSION), ["method-not-get"]),
        (request(4, "GET /chat HTTP/1.0", *FIELDS, VERSION), ["http-version-too-old"]),
        (without("Host"), ["host-missing"]),
        (without("Upgrade"), ["upgrade-missing"]),
        (without("Connection"), ["connection-upgrade-missing"]),
        (without("Sec-WebSocket-Key"), ["key-missing"]),
        (request(4, START, *FIELDS[:3], "Sec-WebSocket-Key: c2hvcnQ=", VERSION), ["key-not-16-bytes"]),
        (request(4, START, *FIELDS[:3], "Sec-WebSocket-Key: !", VERSION), ["key-not-16-bytes"]),
        (without("Sec-WebSocket-Version"), ["version-missing"]),
        (request(4, START, *FIELDS, "Sec-WebSocket-Version: 8"), ["version-not-13"]),
        (asked("Sec-WebSocket-Protocol: a b"), ["subprotocol-offer-malformed"]),
        (asked("Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b, a"), ["subprotocol-offer-duplicate"]),
        (asked("Origin: http://x.test"), ["asked", "origin"]),
        (asked("Origin: http://x.test", "Cookie: a=b"), ["asked", "origin", "cookies"]),
        (asked("Cookie: a=b"), ["asked", "origin-missing", "cookies"]),
    ],
)
def test_each_rule_of_the_request(ask: RequestHead, expected: list[str]) -> None:
    assert expected == codes(WebSocketHandshake(), ask)


def test_a_key_used_twice_is_said() -> None:
    assert ["asked", "asked", "key-reused"] == codes(WebSocketHandshake(), asked(), asked(at=14))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((*SWITCHING,), ["accept-missing"]),
        ((*SWITCHING, "Sec-WebSocket-Accept: AAAA"), ["accept-mismatch"]),
        ((SWITCHING[0], SWITCHING[2], f"Sec-WebSocket-Accept: {ACCEPT}"), ["accepted", "upgrade-wrong"]),
        ((SWITCHING[0], "Upgrade: websocket", f"Sec-WebSocket-Accept: {ACCEPT}"), ["accepted", "connection-wrong"]),
    ],
)
def test_each_rule_of_the_answer(lines: tuple[str, ...], expected: list[str]) -> None:
    ask = asked()

    assert ["asked", *expected] == codes(WebSocketHandshake(), ask, response(6, ask, *lines))


@pytest.mark.parametrize(
    ("offer", "answer", "expected"),
    [
        ("Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Protocol: b", "subprotocol"),
        ("Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Protocol: c", "subprotocol-not-offered"),
        ("Sec-WebSocket-Protocol: a, b", "Sec-WebSocket-Protocol: a, b", "subprotocol-many"),
        ("Sec-WebSocket-Protocol: a, b", "X: y", "subprotocol-none"),
        ("Sec-WebSocket-Extensions: deflate; x", "Sec-WebSocket-Extensions: Deflate", "extension"),
        ("X: y", "Sec-WebSocket-Extensions: permessage-deflate", "extension-not-offered"),
    ],
)  # fmt: skip
def test_what_was_offered_may_be_picked(offer: str, answer: str, expected: str) -> None:
    ask = asked(offer)

    assert ["asked", "accepted", expected] == codes(WebSocketHandshake(), ask, answered(ask, answer))


def test_a_wrong_request_should_not_be_accepted() -> None:
    ask = without("Sec-WebSocket-Key")

    assert ["key-missing", "accept-mismatch", "bad-request-accepted"] == codes(WebSocketHandshake(), ask, answered(ask))


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("HTTP/1.1 200 OK", ["refused-200"]),
        ("HTTP/1.1 302 Found", ["refused-redirect"]),
        ("HTTP/1.1 400 Bad Request", ["refused-400"]),
        ("HTTP/1.1 401 Unauthorized", ["refused-401"]),
        ("HTTP/1.1 403 Forbidden", ["refused-403"]),
        ("HTTP/1.1 404 Not Found", ["refused-404"]),
        ("HTTP/1.1 426 Upgrade Required", ["refused-426", "426-without-upgrade"]),
        ("HTTP/1.1 503 Service Unavailable", ["refused"]),
    ],
)
def test_every_other_status_refuses(start: str, expected: list[str]) -> None:
    ask = asked()
    found = notes(WebSocketHandshake(), ask, response(6, ask, start))

    assert ["asked", *expected] == [note.code.partition(".")[2] for note in found]
    assert ((4, 6), "notice") == (found[1].frames, found[1].level)


def test_a_server_that_knows_other_versions_must_list_them() -> None:
    ask = request(4, START, *FIELDS, "Sec-WebSocket-Version: 8")
    start = ("HTTP/1.1 426 Upgrade Required", "Upgrade: websocket")

    assert ["version-not-13", "refused-426", "version-list-missing"] == codes(
        WebSocketHandshake(), ask, response(6, ask, *start)
    )
    assert ["version-not-13", "refused-426"] == codes(
        WebSocketHandshake(), ask, response(6, ask, *start, "Sec-WebSocket-Version: 13")
    )


def test_an_answer_belongs_to_its_request() -> None:
    concept = WebSocketHandshake()
    ask = asked()
    notes(concept, ask)

    assert [] == notes(concept, response(6, None), response(6, request(2)))
    assert [("unanswered", (4,), "observed")] == triples(notes(concept, end(9)))
    assert [] == notes(concept, end(9), answered(ask))
    notes(concept, ask)
    assert [] == notes(concept, response(6, ask, channel="tcp/1"))
