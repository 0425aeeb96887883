"""Pages that show one thing of HTTP each: cookies, redirects, bodies, status codes, time."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse

from inspect_cli.practice import cookie_lines
from inspect_cli.practice.pages import items, page, says

MAX_SLOW_MS: Final = 60_000
MAX_BODY_BYTES: Final = 16 << 20
_LINES: Final = "".join(f"line {number}\n" for number in range(1, 101))


async def cookies(request: Request) -> Response:
    """What the Cookie field of this request held."""
    came = [f"{name}={value}" for name, value in request.cookies.items()]
    return page("Cookies that came", items(came) if came else says("None."))


async def cookies_all(request: Request) -> Response:
    lines = cookie_lines.every_attribute(request.url.hostname or "localhost")
    return page("A cookie of every attribute", items(lines), set_cookies=lines)


async def cookies_bad(request: Request) -> Response:
    lines = cookie_lines.bad_practice()
    shown = [line if len(line) < 100 else line[:20] + "..." for line in lines]
    return page("Cookies of bad practice", items(shown), set_cookies=lines)


async def redirect(request: Request) -> Response:
    """302 with a cookie, which the next request already carries."""
    response = RedirectResponse("/redirect/target", 302)
    response.headers.append("set-cookie", cookie_lines.hop("1"))
    return response


async def redirect_target(request: Request) -> Response:
    came = cookie_lines.HOP_NAME in request.cookies
    return page("Redirected", says(f"The cookie of the redirect came {'along' if came else 'not along'}."))


async def redirect_loop(request: Request) -> Response:
    return RedirectResponse("/redirect/loop", 302)


async def close(request: Request) -> Response:
    """RFC 9112 §9.6: the server closes after this response."""
    return PlainTextResponse("The server closes this connection.\n", headers={"connection": "close"})


async def gzipped(request: Request) -> Response:
    """gzip where Accept-Encoding names it, plain elsewhere (RFC 9110 §12.5.3)."""
    headers = {"vary": "Accept-Encoding"}
    if not accepts_gzip(request.headers.get("accept-encoding", "")):
        return PlainTextResponse(_LINES, headers=headers)
    body = gzip.compress(_LINES.encode(), mtime=0)
    return Response(body, media_type="text/plain", headers=headers | {"content-encoding": "gzip"})


def accepts_gzip(field: str) -> bool:
    """Whether an Accept-Encoding field value allows gzip."""
    for member in field.lower().split(","):
        coding, _, weight = member.partition(";")
        if coding.strip() in ("gzip", "x-gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


async def chunked(request: Request) -> Response:
    """No length known beforehand, so HTTP/1.1 sends chunks (RFC 9112 §7.1)."""

    async def pieces() -> AsyncIterator[str]:
        for word in ("one\n", "two\n", "three\n"):
            yield word

    return StreamingResponse(pieces(), media_type="text/plain")


async def status(request: Request) -> Response:
    """The code that was asked for; 204 and 304 have no body (RFC 9110 §6.4.1)."""
    code = request.path_params["code"]
    if not 200 <= code <= 599:
        return page("No such status", says("200 to 599."), status=400)
    headers = {"location": "/"} if code in (301, 302, 303, 307, 308) else {}
    if code == 401:
        headers["www-authenticate"] = 'Basic realm="practice"'
    if code in (204, 205, 304):
        return Response(status_code=code, headers=headers)
    return PlainTextResponse(f"{code}\n", code, headers=headers)


async def slow(request: Request) -> Response:
    """An answer after ?ms=1000 milliseconds, or at once when the server stops."""
    text = request.query_params.get("ms", "1000")
    wait_ms = min(int(text), MAX_SLOW_MS) if text.isascii() and text.isdigit() and len(text) < 10 else 1_000
    stopping: asyncio.Event = request.app.state.stopping
    try:
        await asyncio.wait_for(stopping.wait(), wait_ms / 1_000)
    except TimeoutError:
        return PlainTextResponse(f"after {wait_ms} ms\n")
    return PlainTextResponse("the server stops\n", 503)


async def echo(request: Request) -> Response:
    """The body of the request, piece by piece as it comes."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_BYTES:
            return PlainTextResponse("too large\n", 413, headers={"connection": "close"})
    return Response(bytes(body), media_type=request.headers.get("content-type", "application/octet-stream"))


async def size(request: Request) -> Response:
    """A body of exactly this many bytes."""
    count = request.path_params["count"]
    if count > MAX_BODY_BYTES:
        return page("Too many", says(f"At most {MAX_BODY_BYTES}."), status=400)
    return Response(b"0123456789abcdef" * (count // 16) + b"0123456789abcdef"[: count % 16])
