"""The misbehaving server: asyncio streams and hand-made bytes, because frameworks refuse to err."""

from __future__ import annotations

import asyncio
import socket
from typing import Final

from inspect_cli.practice.raw_http import HTTP_BEHAVIOURS, ok
from inspect_cli.practice.raw_talk import MAX_HEAD_BYTES, RawRequest, RawTalk
from inspect_cli.practice.raw_websocket import WEBSOCKET_BEHAVIOURS

RAW_ROUTES: Final = (
    *(("GET", path, sentence) for path, (_, sentence) in HTTP_BEHAVIOURS.items()),
    *(("WS", path, sentence) for path, (_, sentence) in WEBSOCKET_BEHAVIOURS.items()),
)
"""(method, path, what it shows), as in site.ROUTES."""


async def serve_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer requests in order until one of them, or the client, ends the connection."""
    talk = RawTalk(reader, writer)
    try:
        while (request := await talk.request()) is not None:
            if not await behave(talk, request) or request.wants_close:
                break
    finally:
        await talk.end()


async def behave(talk: RawTalk, request: RawRequest) -> bool:
    """One request; True where the connection may go on."""
    if request.path in WEBSOCKET_BEHAVIOURS:
        await WEBSOCKET_BEHAVIOURS[request.path][0](talk, request)
        return False
    if request.path in HTTP_BEHAVIOURS:
        return await HTTP_BEHAVIOURS[request.path][0](talk, request)
    await talk.body(request)
    await talk.send(ok("no such path\n").replace(b"200 OK", b"404 Not Found", 1))
    return True


async def start(listener: socket.socket) -> asyncio.Server:
    """Serve on this listening socket."""
    return await asyncio.start_server(serve_connection, sock=listener, limit=MAX_HEAD_BYTES)
