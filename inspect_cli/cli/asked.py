"""What `cookie why` is asked: Set-Cookie lines, and the requests around them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from inspect_cli.cli.curl import HTTP, WEBSOCKET, checked_url
from inspect_cli.errors import BadUrl, UsageProblem

ANOTHER_SITE: Final = "another-site.example"
"""Who asks with --cross-site where no page is named (RFC 2606 §3)."""
NAVIGATIONS: Final = ("navigate", "link", "post")
_SECOND_NS: Final = 1_000_000_000
_FIELD: Final = re.compile(rb"\s*(?:<\s)?set-cookie:[ \t]*(.*?)\r?\Z", re.IGNORECASE | re.DOTALL)
_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Asked(NamedTuple):
    """One request: what for, how, by whom, when."""

    url: str
    via: str
    page: str | None
    """None: nobody, it was typed into the address bar."""
    top: str | None
    method: str
    time_ns: int


def set_cookie_lines(arguments: Sequence[str]) -> list[bytes]:
    """The lines, octet by octet; `-` stands for those of stdin. Raises: UsageProblem where there are none."""
    lines: list[bytes] = []
    for text in arguments:
        lines += _piped(sys.stdin.buffer.read()) if text == "-" else [_value(os.fsencode(text))]
    if not lines:
        raise UsageProblem(problem="line-missing")
    return lines


def _piped(data: bytes) -> Iterator[bytes]:
    """Lines of a pipe; where some have a field's name, as in the output of curl -v, only these."""
    lines = [line.removesuffix(b"\r") for line in data.split(b"\n")]
    named = [match[1] for line in lines if (match := _FIELD.match(line))]
    yield from named or [line for line in lines if line.strip()]


def _value(line: bytes) -> bytes:
    """Without `Set-Cookie:` before it."""
    match = _FIELD.match(line)
    return match[1] if match else line


def requests_of(parts: Sequence[Mapping[str, Any]], now_ns: int) -> list[Asked]:
    """The request whose response has the lines, then those that are asked about. Raises: UsageProblem, BadUrl."""
    if parts[0]["url"] is None:
        raise UsageProblem(problem="why-without-url")
    asked: list[Asked] = []
    opened: str | None = None
    time_ns = now_ns
    for part in parts:
        after_ns = part["after"]
        if after_ns is not None:
            time_ns = max(time_ns, now_ns + after_ns)
        elif asked:
            time_ns += _SECOND_NS
        asked.append(_asked(part, opened, time_ns))
        if asked[-1].via in NAVIGATIONS:
            opened = asked[-1].url
    return asked


def _asked(part: Mapping[str, Any], opened: str | None, time_ns: int) -> Asked:
    url = _url(part["url"])
    page = None if part["page"] is None else _url(part["page"])
    if page is None and part["site"] == "cross":
        page = f"{urlsplit(url).scheme}://{ANOTHER_SITE}/"
    elif page is None and part["site"] == "same":
        page = url
    via = part["via"] or "navigate"
    if page is None and via != "navigate":
        page = opened or url  # the page that is open
    elif page is not None and via == "navigate":
        via = "link"  # what begins on a page was not typed into the address bar
    method = part["method"] or ("POST" if via == "post" else "GET")
    if not _METHOD.fullmatch(method):
        raise UsageProblem(problem="method")
    return Asked(url, via, page, None if part["top"] is None else _url(part["top"]), method, time_ns)


def _url(text: str) -> str:
    """Raises: BadUrl. There is no usual scheme here: whether it is secure decides about cookies."""
    if "://" not in text:
        raise BadUrl(url=text, problem="no-scheme")
    return checked_url(text, (*HTTP, *WEBSOCKET))[0]
