"""Heads and bodies of a HAR's messages as HTTP/1.1 has them.

A HAR holds no bytes of the wire: fields come as it lists them, the start line is made of what
it says of method, URL and status, and a body is as long as the head says, its bytes unseen
(those of a request are told where the HAR has all of them).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from inspect_cli.cookies.asking import asking_for
from inspect_cli.events.cookies import Asking
from inspect_cli.protocols.http1_body import NO_BODY, framing_of
from inspect_cli.protocols.http1_head import read_facts

Pieces = list[tuple[bytes, int]]
"""Bytes, and how many unseen ones follow them."""

SCHEMES: Final = ("http", "https", "ws", "wss")
MOST_BYTES: Final = 1 << 40
"""No body is longer, whatever is said."""
KEPT_BYTES: Final = 65_536
"""Bytes of a request's body that are kept: a form may be in it."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
_URL_CHARACTERS = "".join(chr(c) for c in range(0x21, 0x7F))
_BREAKS = re.compile(r"[\r\x00]")
_OLD = ("HTTP/1.0", "HTTP/0.9")


class Message(NamedTuple):
    """A head with its body."""

    head: bytes
    pieces: Pieces
    from_list: bool
    """Its cookies are those of the HAR's own list: it has no field of them."""
    switches: bool = False
    """Something else than HTTP follows."""


class Target(NamedTuple):
    """What a request asks for."""

    asking: Asking
    """By method and URL alone."""
    authority: str
    path: str
    """With the query, as a request line has it."""


def target_of(request: Mapping[str, Any]) -> Target | None:
    """None where no HTTP request can be made of it."""
    method, url = request.get("method"), request.get("url")
    if not isinstance(method, str) or not isinstance(url, str) or not _TOKEN.fullmatch(method):
        return None
    try:
        parts = urlsplit(_encodable(url))
        if parts.scheme.lower() not in SCHEMES:
            return None
        asking = asking_for(_encodable(url), method)
    except ValueError:
        return None
    query = "?" + quote(parts.query, safe=_URL_CHARACTERS) if parts.query else ""
    return Target(asking, quote(parts.netloc.rpartition("@")[2], safe=_URL_CHARACTERS), asking.path + query)


def request_of(request: Mapping[str, Any], target: Target) -> Message:
    """The request as HTTP/1.1 sends it."""
    lines = field_lines(request)
    names = {name.lower() for name, _ in lines}
    if "host" not in names:
        # RFC 9113 §8.3.1: what stands in :authority there is the Host field here.
        lines.insert(0, ("Host", target.authority.encode("utf-8", "replace")))
    cookies = _listed(request) if "cookie" not in names else []
    if cookies:
        lines.append(("Cookie", b"; ".join(name + b"=" + value for name, value in cookies)))
    is_tunnel = target.asking.method == "CONNECT"
    first = f"{target.asking.method} {target.authority if is_tunnel else target.path} {_version(request)}"
    head = _head(first, lines)
    text = _within(request, "postData").get("text")
    body = text.encode("utf-8", "replace") if isinstance(text, str) else None
    return Message(head, _with_body(head, body, _size(request.get("bodySize")), is_request=True), bool(cookies))


def response_of(response: Mapping[str, Any], method: str) -> Message | None:
    """The response; None where none came."""
    status = response.get("status")
    if not isinstance(status, int) or not 100 <= status <= 999:
        return None
    lines = field_lines(response)
    cookies = []
    if not any(name.lower() == "set-cookie" for name, _ in lines):
        cookies = [line for cookie in response.get("cookies", ()) if (line := _set_cookie(cookie))]
        lines += [("Set-Cookie", line) for line in cookies]
    reason = response.get("statusText")
    words = _clean(reason.replace("\n", " ")).decode("utf-8") if isinstance(reason, str) else ""
    head = _head(f"{_version(response)} {status} {words}", lines)
    switches = status == 101 or (method == "CONNECT" and 200 <= status < 300)
    if method == "HEAD" or status < 200 or status in (204, 304) or switches:
        return Message(head, [(head, 0)], bool(cookies), switches)  # RFC 9112 §6.3
    size = _size(response.get("bodySize")) or _size(_within(response, "content").get("size"))
    return Message(head, _with_body(head, None, size, is_request=False), bool(cookies))


def field_lines(message: Mapping[str, Any]) -> list[tuple[str, bytes]]:
    """Field lines as the HAR lists them, without pseudo-fields (RFC 9113 §8.3) and what is no field.

    A value with line breaks is several lines: so DevTools' own protocol joins them.
    """
    found: list[tuple[str, bytes]] = []
    for field in message.get("headers", ()):
        name, value = field.get("name"), field.get("value")
        if isinstance(name, str) and isinstance(value, str) and _TOKEN.fullmatch(name):
            found += [(name, _clean(part)) for part in value.split("\n")]
    return found


def moment(text: object) -> int | None:
    """An ISO 8601 date and time in Unix ns; without a zone it is UTC."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).__sub__(EPOCH) // timedelta(microseconds=1) * 1000
    except (ValueError, OverflowError):
        return None


def milliseconds(value: object) -> int:
    """A duration of the HAR in ns; 0 where there is none (-1: does not apply)."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        return 0
    return round(value * 1_000_000)


def _head(first: str, lines: list[tuple[str, bytes]]) -> bytes:
    fields = b"".join(b"%s: %s\r\n" % (name.encode("ascii"), value) for name, value in lines)
    return first.encode("utf-8", "replace") + b"\r\n" + fields + b"\r\n"


def _with_body(head: bytes, body: bytes | None, size: int, *, is_request: bool) -> Pieces:
    """The head and what follows it, framed as it says (RFC 9112 §6.3)."""
    framing = framing_of(read_facts(head), is_request=is_request)
    if framing == NO_BODY:
        return [(head, 0)]
    if framing.by == "length":
        if body is not None and len(body) == framing.length <= KEPT_BYTES:
            return [(head + body, 0)]
        return [(head, framing.length)]
    if framing.by == "close":
        return [(head, size)]
    if body is not None:
        size = len(body)
    if not size:
        return [(head + b"0\r\n\r\n", 0)]
    begun = head + b"%x\r\n" % size
    if body is not None and size <= KEPT_BYTES:
        return [(begun + body + b"\r\n0\r\n\r\n", 0)]
    return [(begun, size), (b"\r\n0\r\n\r\n", 0)]


def _listed(request: Mapping[str, Any]) -> list[tuple[bytes, bytes]]:
    pairs = [(cookie.get("name"), cookie.get("value")) for cookie in request.get("cookies", ())]
    return [
        (_clean(name.replace("\n", " ")), _clean(value.replace("\n", " ")))
        for name, value in pairs
        if isinstance(name, str) and isinstance(value, str)
    ]


def _set_cookie(cookie: Mapping[str, Any]) -> bytes:
    """A Set-Cookie line of what the HAR lists of it; b"" where it has no name or value."""
    name, value = cookie.get("name"), cookie.get("value")
    if not isinstance(name, str) or not isinstance(value, str):
        return b""
    parts = [f"{name}={value}"]
    for key in ("path", "domain", "sameSite"):
        said = cookie.get(key)
        if isinstance(said, str) and said:
            parts.append(f"{key.capitalize() if key != 'sameSite' else 'SameSite'}={said}")
    expires = moment(cookie.get("expires"))
    if expires is not None:
        parts.append("Expires=" + format_datetime(EPOCH + timedelta(seconds=expires // 10**9), usegmt=True))
    elif isinstance(cookie.get("expires"), str) and cookie["expires"]:
        parts.append("Expires=" + cookie["expires"])
    parts += [word for key, word in (("secure", "Secure"), ("httpOnly", "HttpOnly")) if cookie.get(key) is True]
    return _clean("; ".join(parts).replace("\n", " "))


def _version(message: Mapping[str, Any]) -> str:
    """HTTP/1.1 stands for HTTP/2 and HTTP/3 too."""
    said = message.get("httpVersion")
    return "HTTP/1.0" if isinstance(said, str) and said.upper() in _OLD else "HTTP/1.1"


def _within(message: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = message.get(key)
    return found if isinstance(found, dict) else {}


def _size(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < MOST_BYTES:
        return 0
    return int(value)


def _clean(value: str) -> bytes:
    """RFC 9110 §5.5: CR and NUL become spaces; a line break is none of a value's."""
    return _BREAKS.sub(" ", value).strip(" \t").encode("utf-8", "replace")


def _encodable(text: str) -> str:
    """Without halves of surrogate pairs, which are no characters."""
    return text.encode("utf-8", "replace").decode("utf-8")
