"""Paths of cookies (6265bis §5.1.4)."""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")


def default_path(uri_path: str) -> str:
    """The directory of the request's path, `/` at least."""
    if not uri_path.startswith("/"):
        return "/"
    return uri_path[: uri_path.rfind("/")] or "/"


def path_matches(request_path: str, cookie_path: str) -> bool:
    """Whether the request's path lies at or below the cookie's."""
    if not request_path.startswith(cookie_path):
        return False
    size = len(cookie_path)
    return len(request_path) == size or cookie_path.endswith("/") or request_path[size] == "/"


def upper_escapes(path: str) -> str:
    """Percent-escapes in upper case, as some clients write them (RFC 3986 §6.2.2.1)."""
    return _ESCAPE.sub(lambda found: found[0].upper(), path) if "%" in path else path
