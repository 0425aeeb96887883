from __future__ import annotations

import pytest

from inspect_cli.derive.websockets import WebSockets, accept_of
from inspect_cli.events.websocket import WebSocketOpened
from tests.derive.making import House, Talk

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
ASK = b"GET /chat HTTP/1.1\nHost: a.test\nUpgrade: websocket\nConnection: Upgrade\nSec-WebSocket-Key: " + KEY


def test_the_accept_of_the_rfcs_example() -> None:
    """RFC 6455 §1.3."""
    assert (ACCEPT, b"") == (accept_of(KEY), accept_of(b""))


def test_a_101_with_upgrade_websocket_opens_a_channel() -> None:
    talk = Talk()
    request = talk.request(ASK)
    lines = b"HTTP/1.1 101 Switching Protocols\nUpgrade: h2c, WebSocket\nSec-WebSocket-Accept: wrong"
    lines += b"\nSec-WebSocket-Protocol: chat\nSec-WebSocket-Extensions: a\nSec-WebSocket-Extensions: b; c=1"
    response = talk.response(request, lines)
    expected = WebSocketOpened(response.where, response, request, KEY, b"wrong", ACCEPT, b"chat", b"a, b; c=1")
    assert [expected] == House(WebSockets).see(request, response)


def test_without_a_captured_request_there_is_no_key() -> None:
    talk = Talk()
    response = talk.response(None, "HTTP/1.1 101 \nUpgrade: websocket")
    assert [WebSocketOpened(response.where, response, None, b"", b"", b"", b"", b"")] == House(WebSockets).see(response)


@pytest.mark.parametrize(
    "lines",
    [
        "HTTP/1.1 101 Switching\nUpgrade: tcp",
        "HTTP/1.1 200 OK\nUpgrade: websocket",
        "HTTP/1.1 101 Switching\nX-Upgrade: websocket",
        "HTTP/1.1 1012 websocket\nUpgrade: websocket",
    ],
)
def test_nothing_else_opens_one(lines: str) -> None:
    talk = Talk()
    assert [] == House(WebSockets).see(talk.response(talk.request(ASK), lines))
