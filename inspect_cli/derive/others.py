"""What the clients that do not decide here would do with the same cookie.

Most cookies are treated alike by all, and most lines differ from one another in nothing that
decides: what was found is remembered by that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.hosts import is_ip, is_loopback
from inspect_cli.cookies.jar import Jar
from inspect_cli.cookies.paths import path_matches
from inspect_cli.cookies.profiles import PROFILES
from inspect_cli.cookies.store import StoreDecision
from inspect_cli.derive.heads import Recent
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import Asking, Otherwise, SameSite

_MOST_ASKED: Final = 256
_MOST_LINES: Final = 64
_MOST_COOKIES: Final = 1_024
_NS: Final = 1_000_000_000
_ANY_HOST: Final = "a.example"
"""Stands for every host whose own cookie is asked about: what it is called decides nothing."""
_MOST_BYTES: Final = 1_024
"""Of a line; a longer one is decided each time anew."""

_PLAIN = re.compile(rb"(?!__)[\w.-]+=[!#-:<-~]{0,1000}")
"""A name and value of which no client thinks anything."""
_PLAIN_PATH = re.compile(r"/[\w./-]*", re.ASCII)
"""No escapes, and nothing that a client would escape."""
_DATE = re.compile(rb"= ?\w{3}, \d\d[ -]\w{3}[ -](?:19|20)\d\d \d\d:\d\d:\d\d GMT")
"""That it is past or to come is known from the decision, which is not to delete."""

_UNKNOWN: Final = Otherwise((), (), "", "")

_Asked = tuple[str, str, str, bool, bool, bool | None, str]
"""The deciding profile, and what decides of who asks for what."""
_Said = tuple[bytes, bytes, bool]
"""What decides of a line, and whether it was stored."""


class Others:
    """Compares a profile's decisions with those of all others; bounded."""

    def __init__(self) -> None:
        self._known: Recent[_Asked, Recent[_Said, Otherwise | None]] = Recent(_MOST_ASKED)

    def of_lines(
        self, lines: Sequence[bytes], decisions: Sequence[StoreDecision], asking: Asking, now_ns: int, profile: str
    ) -> list[Otherwise | None]:
        """Who keeps each Set-Cookie line of a response and who does not; None where all do as this profile."""
        asked = (
            profile,
            asking.scheme,
            asking.host,
            asking.same_site,
            asking.top_level,
            asking.same_domain,
            asking.top_site,
        )
        known = self._known.get(asked)
        if known is None:
            known = Recent(_MOST_LINES)
            self._known.put(asked, known)
        found: list[Otherwise | None] = []
        for line, decision in zip(lines, decisions, strict=True):
            if decision.deleted:
                found.append(None)
                continue
            pair, _, rest = line.partition(b";")
            if _PLAIN.fullmatch(pair) is not None:
                pair = b""
            if b"GMT" in rest:
                rest = _DATE.sub(b"", rest)
            key = (pair, rest, decision.stored)
            one = known.get(key, _UNKNOWN)
            if one is _UNKNOWN:
                one = _compared(line, asking, now_ns, profile, decision)
                if len(line) <= _MOST_BYTES:
                    known.put(key, one)
            found.append(one)
        return found


def of_cookie(cookie: Cookie, asking: Asking, now_ns: int, *, sends: bool, refuses: tuple[str, ...]) -> tuple[str, ...]:
    """Profiles that send the cookie with the request, or do not; those of `refuses` never kept it."""
    domain, host = cookie.domain, asking.host
    if domain == host and not asking.top_site and "." in host and not (is_ip(host) or is_loopback(host)):
        domain = host = _ANY_HOST
    kept = _Kept(
        domain,
        cookie.host_only,
        cookie.path,
        cookie.secure,
        cookie.http_only,
        cookie.same_site,
        cookie.partition,
        0 <= now_ns - cookie.creation_ns < _young_ns(),
    )
    asks = (asking.scheme, host, _path_that_counts(asking.path, cookie.path), *_who_that_counts(asking))
    is_short = len(asks[2]) + len(kept.path) + len(asking.scheme) + len(host) <= _MOST_BYTES
    return (_agreeing if is_short else _agreeing.__wrapped__)(kept, asks, sends, refuses)


def _path_that_counts(path: str, cookie_path: str) -> str:
    """One path for all that lie at or below the cookie's, where every client reads them alike."""
    if cookie_path == "/":
        return "/" if path.startswith("/") else path
    plain = _PLAIN_PATH.fullmatch(path) is not None and path_matches(path, cookie_path)
    return cookie_path if plain else path


def _who_that_counts(asking: Asking) -> tuple[str, bool, bool, bool | None, str, bool]:
    """Method and navigation count for what another site asks for, and there alone (6265bis §5.8.3)."""
    is_near = asking.same_site and asking.same_domain is not False
    method, top_level = ("GET", True) if is_near else (asking.method, asking.top_level)
    return method, asking.same_site, top_level, asking.same_domain, asking.top_site, asking.by_script


class _Kept(NamedTuple):
    """What decides of a cookie that is in a jar; its name and value have decided before."""

    domain: str
    host_only: bool
    path: str
    secure: bool
    http_only: bool
    same_site: SameSite
    partition: str
    is_young: bool
    """6265bis §5.6.7.2 lets it go."""


@cache
def _young_ns() -> int:
    return max(profile.lax_allowing_unsafe_s for profile in PROFILES.values()) * _NS


@lru_cache(maxsize=_MOST_COOKIES)
def _agreeing(kept: _Kept, asks: tuple[Any, ...], sends: bool, refuses: tuple[str, ...]) -> tuple[str, ...]:
    going = _who_sends(kept, asks)
    return tuple([name for name in PROFILES if (name in going and name not in refuses) is sends])


def _who_sends(kept: _Kept, asks: tuple[Any, ...]) -> frozenset[str]:
    now_ns = 2 * _young_ns()
    found = []
    for name in PROFILES:
        jar = Jar(name)
        jar.add(
            Cookie(
                b"a",
                Secret(b"", "cookie"),
                kept.domain,
                kept.host_only,
                kept.path,
                kept.secure,
                kept.http_only,
                kept.same_site,
                None,
                kept.partition,
                creation_ns=now_ns if kept.is_young else 0,
            )
        )
        if jar.header(Asking(*asks), now_ns):
            found.append(name)
    return frozenset(found)


def _compared(line: bytes, asking: Asking, now_ns: int, profile: str, decision: StoreDecision) -> Otherwise | None:
    # In an empty jar: what else is in it is this client's own affair.
    decisions = {name: Jar(name).store(line, asking, now_ns, steps=False) for name in PROFILES}
    if decisions[profile].stored is not decision.stored:
        return None
    keep = tuple([name for name, found in decisions.items() if found.stored])
    refuse = tuple([name for name, found in decisions.items() if not found.stored and not found.deleted])
    if not keep or not refuse:
        return None
    first = decisions[refuse[0]] if decision.stored else decision
    return Otherwise(keep, refuse, first.reason, first.reference)
