"""HARs as browsers and tools write them, made by hand after what they export."""

from __future__ import annotations

import json
from typing import Any

START = "2026-11-24T10:00:00.000Z"
START_NS = 1_795_514_400_000_000_000


def fields(*lines: str) -> list[dict[str, str]]:
    """`Name: value` as a HAR lists it; a pseudo-field too (`:authority: a.test`)."""
    found = []
    for line in lines:
        name, _, value = line[1:].partition(": ")
        found.append({"name": line[0] + name, "value": value})
    return found


def entry(
    url: str,
    *asks: str,
    answer: tuple[str, ...] = (),
    status: int = 200,
    method: str = "GET",
    after_ms: float = 0,
    wait_ms: float = 10,
    **more: Any,
) -> dict[str, Any]:
    """An entry of a HAR; `more` goes into the entry itself."""
    seconds, rest = divmod(after_ms, 1000)
    return {
        "startedDateTime": f"2026-11-24T10:{int(seconds // 60):02}:{int(seconds % 60):02}.{int(rest):03}Z",
        "time": wait_ms + 2,
        "request": {
            "method": method,
            "url": url,
            "httpVersion": "HTTP/1.1",
            "headers": fields(*asks),
            "queryString": [],
            "cookies": [],
            "headersSize": -1,
            "bodySize": 0,
        },
        "response": {
            "status": status,
            "statusText": "OK" if status == 200 else "",
            "httpVersion": "HTTP/1.1",
            "headers": fields(*answer),
            "cookies": [],
            "content": {"size": 5, "mimeType": "text/html", "text": "hello"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": 5,
        },
        "cache": {},
        "timings": {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": wait_ms, "receive": 2},
        **more,
    }


def har(*entries: Any, pages: Any = (), creator: str = "WebInspector") -> bytes:
    log = {
        "version": "1.2",
        "creator": {"name": creator, "version": "537.36"},
        "pages": list(pages),
        "entries": list(entries),
    }
    return json.dumps({"log": log}, indent=2).encode()


CHROMIUM = har(
    entry(
        "https://shop.test/login?next=%2F",
        *(":authority: shop.test", ":method: GET", ":path: /login?next=%2F", ":scheme: https"),
        *("sec-fetch-dest: document", "sec-fetch-mode: navigate", "sec-fetch-site: none", "user-agent: Mozilla/5.0"),
        answer=("content-type: text/html", "set-cookie: sid=5f1c9a77; Path=/; Secure; HttpOnly; SameSite=Lax"),
        pageref="page_1",
        _initiator={"type": "other"},
        _priority="VeryHigh",
        _resourceType="document",
        _connectionId="101",
        connection="101",
        serverIPAddress="192.0.2.7",
    ),
    entry(
        "https://cdn.test/pixel.gif",
        *(":authority: cdn.test", ":method: GET", ":path: /pixel.gif", ":scheme: https"),
        *("sec-fetch-dest: image", "sec-fetch-mode: no-cors", "sec-fetch-site: cross-site"),
        *("referer: https://shop.test/", "user-agent: Mozilla/5.0"),
        answer=("content-length: 43", "set-cookie: seen=1; SameSite=None"),
        after_ms=40,
        pageref="page_1",
        _initiator={"type": "parser", "url": "https://shop.test/login?next=%2F", "lineNumber": 3},
        _resourceType="image",
    ),
    entry("https://shop.test/logo.png", status=200, after_ms=45, _fromCache="memory", _resourceType="image"),
    entry(
        "https://shop.test/account",
        *(":authority: shop.test", ":method: GET", ":path: /account", ":scheme: https"),
        *("cookie: sid=5f1c9a77; theme=dark", "sec-fetch-dest: document", "sec-fetch-mode: navigate"),
        *("sec-fetch-site: same-origin", "user-agent: Mozilla/5.0"),
        answer=("content-type: text/html", "transfer-encoding: chunked"),
        after_ms=900,
        pageref="page_1",
        _resourceType="document",
    ),
    entry(
        "wss://shop.test/live",
        *("Host: shop.test", "Connection: Upgrade", "Upgrade: websocket", "Origin: https://shop.test"),
        *("Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Cookie: sid=5f1c9a77"),
        answer=(
            *("Upgrade: websocket", "Connection: Upgrade"),
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        ),
        status=101,
        after_ms=950,
        pageref="page_1",
        _resourceType="websocket",
        _webSocketMessages=[
            {"type": "send", "time": 1795514401.0, "opcode": 1, "data": "hi"},
            {"type": "receive", "time": 1795514401.1, "opcode": 1, "data": "hello"},
        ],
    ),
    pages=[{"startedDateTime": START, "id": "page_1", "title": "https://shop.test/login", "pageTimings": {}}],
)

_FIREFOX_ENTRY = entry(
    "http://shop.test/buy",
    *("Host: shop.test", "User-Agent: Mozilla/5.0 Firefox/148.0", "Content-Length: 17"),
    *("Content-Type: application/x-www-form-urlencoded", "Origin: http://shop.test", "Cookie: cart=7"),
    answer=("Content-Length: 5", "Set-Cookie: cart=8; Path=/", "Set-Cookie: last=1"),
    method="POST",
    wait_ms=30,
    pageref="page_1",
)
_FIREFOX_ENTRY["request"]["postData"] = {
    "mimeType": "application/x-www-form-urlencoded",
    "params": [{"name": "user", "value": "a"}],
    "text": "user=a&password=b",
}
FIREFOX = har(
    _FIREFOX_ENTRY,
    pages=[{"id": "page_1", "title": "The shop", "startedDateTime": "2026-11-24T11:00:00.000+01:00"}],
    creator="Firefox",
)

_MITMPROXY_ENTRY = entry(
    "https://api.test/v1",
    *("user-agent: curl/8.14.1", "accept: */*"),
    answer=("server: x",),
)
_MITMPROXY_ENTRY["startedDateTime"] = "2026-11-24T10:00:00.250000+00:00"
_MITMPROXY_ENTRY["request"] |= {"httpVersion": "HTTP/2.0", "cookies": [{"name": "a", "value": "1"}]}
_MITMPROXY_ENTRY["response"] |= {
    "httpVersion": "HTTP/2.0",
    "cookies": [{"name": "b", "value": "2", "path": "/", "domain": "", "httpOnly": True, "secure": True}],
}
_MITMPROXY_ENTRY["timings"] = {"connect": -1.0, "ssl": -1.0, "send": 0.5, "receive": 1.25, "wait": 20.25}
MITMPROXY = har(_MITMPROXY_ENTRY, creator="mitmproxy")
