"""The WebSocket endpoints of the site."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket

from inspect_cli.practice.accounts import Accounts

SUBPROTOCOLS: Final = ("chat", "superchat")
PUSHED: Final = ("first", "second", "third")
# RFC 6455 §7.4.1: 1005, 1006 and 1015 never stand in a Close frame; 1004 is reserved.
_NEVER_SENT: Final = (1004, 1005, 1006, 1015)


def chosen_subprotocol(socket: WebSocket) -> str | None:
    """The first that the client offers and the server speaks (RFC 6455 §4.2.2)."""
    return next((name for name in socket.scope["subprotocols"] if name in SUBPROTOCOLS), None)


async def refuse(socket: WebSocket, status: int, why: str) -> None:
    """Answer the upgrade with an ordinary response."""
    await socket.send_denial_response(PlainTextResponse(why + "\n", status, headers={"connection": "close"}))


async def echo_until_closed(socket: WebSocket) -> None:
    """Send each message back as it came, text as text and binary as binary."""
    while (message := await socket.receive())["type"] == "websocket.receive":
        if message.get("text") is not None:
            await socket.send_text(message["text"])
        else:
            await socket.send_bytes(message["bytes"])


async def echo(socket: WebSocket) -> None:
    await socket.accept(chosen_subprotocol(socket))
    await echo_until_closed(socket)


async def push(socket: WebSocket) -> None:
    """Three messages that nobody asked for, then an echo."""
    await socket.accept(chosen_subprotocol(socket))
    for text in PUSHED:
        await socket.send_text(text)
    await echo_until_closed(socket)


async def close(socket: WebSocket) -> None:
    """Open, then close with the code in the path."""
    code = socket.path_params["code"]
    if not 1000 <= code <= 4999 or code in _NEVER_SENT:
        await refuse(socket, 400, "a Close frame never carries this code")
        return
    await socket.accept()
    await socket.close(code, "as you asked")


async def refusal(socket: WebSocket) -> None:
    status = socket.path_params["status"]
    await refuse(socket, status if 400 <= status <= 599 else 400, "refused, as you asked")


async def same_origin(socket: WebSocket) -> None:
    """RFC 6455 §10.2: a server for its own pages alone checks who asks."""
    origin = socket.headers.get("origin")
    if origin is None or urlsplit(origin).netloc != socket.headers.get("host"):
        await refuse(socket, 403, "this Origin may not connect")
        return
    await echo(socket)


class Members:
    """The WebSocket endpoint for those who logged in: the handshake carries their cookie."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    async def greet(self, socket: WebSocket) -> None:
        session = self._accounts.visitor(socket.cookies)
        if session is None or not session.name:
            await refuse(socket, 401, "log in first")
            return
        await socket.accept()
        await socket.send_text(f"Hello, {session.name}")
        await echo_until_closed(socket)


class Chat:
    """Everybody hears what anybody says."""

    def __init__(self) -> None:
        self._members: set[WebSocket] = set()

    async def talk(self, socket: WebSocket) -> None:
        await socket.accept(chosen_subprotocol(socket))
        self._members.add(socket)
        try:
            while (message := await socket.receive())["type"] == "websocket.receive":
                for member in tuple(self._members):
                    await member.send_text(message.get("text") or "(bytes)")
        finally:
            self._members.discard(socket)
