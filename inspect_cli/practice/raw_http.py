"""HTTP as it should not be, and as it may be but seldom is.

A behaviour returns True where the connection may go on with the next request.
"""

from __future__ import annotations

from typing import Final

from inspect_cli.practice.raw_talk import RawRequest, RawTalk


def ok(text: str, *fields: str, version: str = "HTTP/1.1") -> bytes:
    """A plain 200 with its length."""
    body = text.encode()
    lines = (f"{version} 200 OK", "Content-Type: text/plain", f"Content-Length: {len(body)}", *fields)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def keep_alive(talk: RawTalk, request: RawRequest) -> bool:
    """An ordinary answer; requests may be pipelined."""
    await talk.body(request)
    await talk.send(ok(f"{request.method} {request.target}\n"))
    return True


async def http10(talk: RawTalk, request: RawRequest) -> bool:
    await talk.send(
        b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nthe end of this body is the end of the connection\n"
    )
    return False


async def no_answer(talk: RawTalk, request: RawRequest) -> bool:
    await talk.until_client_ends()
    return False


async def closed_without_answer(talk: RawTalk, request: RawRequest) -> bool:
    return False


async def closed_in_head(talk: RawTalk, request: RawRequest) -> bool:
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/pl")
    return False


async def closed_in_body(talk: RawTalk, request: RawRequest) -> bool:
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 100)
    return False


async def closed_in_chunk(talk: RawTalk, request: RawRequest) -> bool:
    await talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\n" + b"x" * 10)
    return False


async def reset(talk: RawTalk, request: RawRequest) -> bool:
    talk.reset()
    return False


async def reset_in_body(talk: RawTalk, request: RawRequest) -> bool:
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 100)
    talk.reset()
    return False


async def half_close(talk: RawTalk, request: RawRequest) -> bool:
    """FIN right behind the answer, then listen on until the client has finished too."""
    await talk.send(ok("no more from here; you may go on\n", "Connection: close"))
    talk.finish()
    await talk.until_client_ends()
    return False


async def odd_fields(talk: RawTalk, request: RawRequest) -> bool:
    await talk.body(request)
    await talk.send(
        b"HTTP/1.1 200 \r\n"  # no reason phrase (RFC 9112 §4: it may be empty)
        b"content-type:text/plain\r\n"  # no space after the colon
        b"X-Twice: 1\r\nX-TWICE: 2\r\n"
        b"X-Empty:\r\n"
        b"X-Padded: \t value \t \r\n"
        b"X-Folded: one\r\n two\r\n"  # obs-fold (RFC 9112 §5.2)
        b"X-Latin: caf\xe9\r\n"  # obs-text (RFC 9110 §5.5)
        b"Set-Cookie: first=1\r\nset-cookie: second=2; Path=/\r\n"
        b"Content-Length: 4\r\n\r\nodd\n"
    )
    return True


async def interim(talk: RawTalk, request: RawRequest) -> bool:
    """103, then 100 where the client waits for it, then the answer."""
    await talk.send(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
    if request.field("expect").lower() == "100-continue":
        await talk.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await talk.body(request)
    await talk.send(ok(f"{len(body)} bytes came\n"))
    return True


async def trailers(talk: RawTalk, request: RawRequest) -> bool:
    """Chunks with an extension, then a trailer section (RFC 9112 §7.1.2)."""
    await talk.body(request)
    await talk.send(
        b"HTTP/1.1 200 OK\r\nTrailer: X-Count, X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n",
        b'5;name="value"\r\nhello\r\n',
        b"6\r\n world\r\n",
        b"0\r\nX-Count: 2\r\nX-Sum: 11\r\n\r\n",
    )
    return True


async def two_lengths(talk: RawTalk, request: RawRequest) -> bool:
    """Content-Length and Transfer-Encoding at once: smuggling (RFC 9112 §6.3)."""
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    return False


async def garbage(talk: RawTalk, request: RawRequest) -> bool:
    await talk.send(b"\x00\x01\xff\xfe this is no HTTP \x1b[31m\r\n\r\n")
    return False


async def drip(talk: RawTalk, request: RawRequest) -> bool:
    """The head in segments of five bytes."""
    await talk.body(request)
    whole = ok("drop by drop\n", "Set-Cookie: slow=1; Path=/")
    await talk.send(*(whole[at : at + 5] for at in range(0, len(whole), 5)))
    return True


HTTP_BEHAVIOURS: Final = {
    "/": (keep_alive, "an ordinary answer; requests may be pipelined"),
    "/http10": (http10, "HTTP/1.0: the body ends with the connection"),
    "/no-answer": (no_answer, "never answers"),
    "/closed": (closed_without_answer, "closes without a byte"),
    "/closed-in-head": (closed_in_head, "closes in mid-header"),
    "/closed-in-body": (closed_in_body, "closes after 100 of 1000 bytes"),
    "/closed-in-chunk": (closed_in_chunk, "closes inside a chunk"),
    "/reset": (reset, "RST instead of an answer"),
    "/reset-in-body": (reset_in_body, "RST after 100 of 1000 bytes"),
    "/half-close": (half_close, "FIN, and still listens"),
    "/odd-fields": (odd_fields, "odd header fields, all of them legal once"),
    "/interim": (interim, "103, 100 if expected, then 200"),
    "/trailers": (trailers, "chunks, then trailer fields"),
    "/two-lengths": (two_lengths, "Content-Length and chunked at once"),
    "/garbage": (garbage, "bytes that are no HTTP"),
    "/drip": (drip, "a head in pieces of five bytes"),
}
"""Path: (behaviour, what it shows)."""
