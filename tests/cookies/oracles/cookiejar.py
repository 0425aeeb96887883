"""http.cookiejar of the Python that runs the tests, driven without a network."""

from __future__ import annotations

import http.client
import http.cookiejar
import io
import time
import urllib.request
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from email.message import Message
from types import SimpleNamespace

LATEST_S = 1 << 40
"""As the profiles have it: no expiry is later."""

Kept = tuple[bytes, bytes | None, str, bool, str, bool, int | None]
"""Name, value (None: a name alone), domain, host-only, path, Secure, expiry in Unix seconds."""


class Response:
    """As much of a response as http.cookiejar looks at: the head that http.client read."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        head = b"".join(b"Set-Cookie: " + line + b"\r\n" for line in lines) + b"\r\n"
        self._head = http.client.parse_headers(io.BytesIO(head))

    def info(self) -> Message:
        return self._head


class Oracle:
    """One http.cookiejar.CookieJar with its default policy; time is an argument."""

    def __init__(self) -> None:
        self._jar = http.cookiejar.CookieJar()

    def store(self, url: str, lines: Iterable[bytes], now_s: float) -> None:
        """Hand over a response; what http.cookiejar itself fails on is dropped with a warning, as it does."""
        with _clock(now_s), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._jar.extract_cookies(Response(lines), urllib.request.Request(url))  # type: ignore[arg-type]

    def header(self, url: str, now_s: float) -> bytes:
        request = urllib.request.Request(url)
        with _clock(now_s):
            self._jar.add_cookie_header(request)
        return str(request.get_header("Cookie", "")).encode("latin-1")

    def kept(self, now_s: float) -> set[Kept]:
        """What is in the jar and has not expired."""
        return {_kept(cookie) for cookie in self._jar if not cookie.is_expired(now_s)}


def _kept(cookie: http.cookiejar.Cookie) -> Kept:
    return (
        cookie.name.encode("latin-1"),
        None if cookie.value is None else cookie.value.encode("latin-1"),
        cookie.domain.removeprefix("."),
        not cookie.domain_specified,
        cookie.path,
        bool(cookie.secure),
        None if cookie.expires is None else min(cookie.expires, LATEST_S),
    )


@contextmanager
def _clock(now_s: float) -> Iterator[None]:
    """http.cookiejar reads the clock of the module `time`."""
    real = http.cookiejar.time  # type: ignore[attr-defined]
    http.cookiejar.time = SimpleNamespace(time=lambda: now_s, localtime=time.gmtime)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        http.cookiejar.time = real  # type: ignore[attr-defined]
