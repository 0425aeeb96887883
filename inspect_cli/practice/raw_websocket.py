"""WebSocket upgrades and frames as they should not be, or seldom are."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Awaitable, Callable
from typing import Final

from inspect_cli.practice.raw_http import ok
from inspect_cli.practice.raw_talk import RawRequest, RawTalk

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MAX_FRAME_BYTES: Final = 16 << 20
_WRONG_KEY: Final = "AAAAAAAAAAAAAAAAAAAAAA=="  # 16 zero bytes: no client draws them


def accept_of(key: str) -> str:
    """Sec-WebSocket-Accept of this Sec-WebSocket-Key (RFC 6455 §4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode("latin-1") + _GUID).digest()).decode()


def switching(accept: str, *fields: str, version: str = "HTTP/1.1") -> bytes:
    """A 101; without Sec-WebSocket-Accept if `accept` is empty."""
    lines = [f"{version} 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", *fields]
    if accept:
        lines.append(f"Sec-WebSocket-Accept: {accept}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def frame(opcode: int, payload: bytes = b"", *, is_final: bool = True, reserved: int = 0, mask: bytes = b"") -> bytes:
    """One frame (RFC 6455 §5.2); `reserved` are RSV1-3 as a number from 0 to 7."""
    size = len(payload)
    short = size if size < 126 else 126 if size < 65_536 else 127
    head = bytes((is_final << 7 | reserved << 4 | opcode, bool(mask) << 7 | short))
    if short == 126:
        head += struct.pack("!H", size)
    elif short == 127:
        head += struct.pack("!Q", size)
    return head + mask + (unmask(payload, mask) if mask else payload)


def unmask(payload: bytes, mask: bytes) -> bytes:
    """XOR with the repeated mask (RFC 6455 §5.3); masks as well."""
    size = len(payload)
    key = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size, "big")


def close_frame(code: int, reason: str = "") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason.encode())


async def read_frame(talk: RawTalk) -> tuple[bool, int, bytes]:
    """(is_final, opcode, payload unmasked) of the client's next frame.

    Raises:
        EOFError: the connection ended, or the frame is larger than the server takes.
    """
    first, second = await talk.read_exactly(2)
    size = second & 0x7F
    if size >= 126:
        width = 2 if size == 126 else 8
        size = int.from_bytes(await talk.read_exactly(width), "big")
    if size > _MAX_FRAME_BYTES:
        raise EOFError
    mask = await talk.read_exactly(4) if second & 0x80 else b""
    payload = await talk.read_exactly(size)
    return bool(first & 0x80), first & 0x0F, unmask(payload, mask) if mask else payload


async def echo_frames(talk: RawTalk) -> None:
    """Send data frames back frame by frame, answer pings, and answer the Close, until it ends."""
    try:
        while True:
            is_final, opcode, payload = await read_frame(talk)
            if opcode == CLOSE:
                await talk.send(frame(CLOSE, payload[:2]))
                return
            if opcode == PING:
                await talk.send(frame(PONG, payload))
            elif opcode in (CONTINUATION, TEXT, BINARY):
                await talk.send(frame(opcode, payload, is_final=is_final))
    except EOFError:
        return


async def wrong_accept(talk: RawTalk, request: RawRequest) -> None:
    await talk.send(switching(accept_of(_WRONG_KEY)))
    await talk.until_client_ends()


async def no_accept(talk: RawTalk, request: RawRequest) -> None:
    await talk.send(switching(""))
    await talk.until_client_ends()


async def answered_200(talk: RawTalk, request: RawRequest) -> None:
    await talk.send(ok("this is no WebSocket\n", "Connection: close"))


async def http10_upgrade(talk: RawTalk, request: RawRequest) -> None:
    await talk.send(switching(accept_of(request.field("sec-websocket-key")), version="HTTP/1.0"))
    await talk.until_client_ends()


async def closed_in_101(talk: RawTalk, request: RawRequest) -> None:
    await talk.send(switching(accept_of(request.field("sec-websocket-key")))[:40])


def opened(*frames: bytes, fields: tuple[str, ...] = ()) -> Callable[[RawTalk, RawRequest], Awaitable[None]]:
    """A behaviour: a correct 101, these frames in the same segment, then an echo."""

    async def behave(talk: RawTalk, request: RawRequest) -> None:
        await talk.send(switching(accept_of(request.field("sec-websocket-key")), *fields) + b"".join(frames))
        await echo_frames(talk)

    return behave


async def reset(talk: RawTalk, request: RawRequest) -> None:
    """RST once the client has sent something."""
    await talk.send(switching(accept_of(request.field("sec-websocket-key"))))
    try:
        await read_frame(talk)
    except EOFError:
        return
    talk.reset()


async def fin_without_close(talk: RawTalk, request: RawRequest) -> None:
    """The TCP connection ends, the WebSocket was never closed: 1006 (RFC 6455 §7.1.5)."""
    await talk.send(switching(accept_of(request.field("sec-websocket-key"))) + frame(TEXT, b"and gone"))


async def close_unanswered(talk: RawTalk, request: RawRequest) -> None:
    await talk.send(switching(accept_of(request.field("sec-websocket-key"))))
    await talk.until_client_ends()


_FRAGMENTED: Final = (
    frame(TEXT, b"Hel", is_final=False),
    frame(PING, b"between"),  # control frames may stand between fragments (RFC 6455 §5.4)
    frame(CONTINUATION, b"lo ", is_final=False),
    frame(CONTINUATION, b"world"),
)

WEBSOCKET_BEHAVIOURS: Final = {
    "/ws/wrong-accept": (wrong_accept, "101 with the Accept of another key"),
    "/ws/no-accept": (no_accept, "101 without Sec-WebSocket-Accept"),
    "/ws/200": (answered_200, "200 instead of 101"),
    "/ws/http10": (http10_upgrade, "101 in HTTP/1.0"),
    "/ws/closed-in-101": (closed_in_101, "closes inside the 101"),
    "/ws/subprotocol": (opened(fields=("Sec-WebSocket-Protocol: unasked",)), "a subprotocol nobody offered"),
    "/ws/extension": (opened(fields=("Sec-WebSocket-Extensions: x-unasked",)), "an extension nobody offered"),
    "/ws/push": (opened(frame(TEXT, b"unasked")), "a message in the segment of the 101"),
    "/ws/ping": (opened(frame(PING, b"are you there?")), "the server pings"),
    "/ws/pong": (opened(frame(PONG, b"by the way")), "a pong that nobody asked for"),
    "/ws/fragmented": (opened(*_FRAGMENTED), "a message in three frames, a ping between"),
    "/ws/masked": (opened(frame(TEXT, b"masked", mask=b"\x01\x02\x03\x04")), "a server that masks"),
    "/ws/bad-utf8": (opened(frame(TEXT, b"\xff\xfe")), "a text frame that is no UTF-8"),
    "/ws/reserved-bit": (opened(frame(TEXT, b"rsv2", reserved=2)), "RSV2 without an extension"),
    "/ws/unknown-opcode": (opened(frame(0x3, b"?")), "opcode 3, which is reserved"),
    "/ws/long-ping": (opened(frame(PING, b"x" * 126)), "a ping of more than 125 bytes"),
    "/ws/close-no-code": (opened(frame(CLOSE)), "a Close without a code"),
    "/ws/close-bad-code": (opened(close_frame(1006, "never sent")), "a Close with 1006"),
    "/ws/close-unanswered": (close_unanswered, "answers no Close"),
    "/ws/fin": (fin_without_close, "FIN without a Close"),
    "/ws/reset": (reset, "RST after the client's first frame"),
}
"""Path: (behaviour, what it shows). Behind the frames that a path sends stands an echo."""
