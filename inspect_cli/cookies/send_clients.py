"""Rules of libraries for what goes along with a request: http.cookiejar's and curl's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from inspect_cli.cookies import like_cookiejar, like_curl
from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.hosts import is_ip
from inspect_cli.cookies.paths import path_matches, upper_escapes
from inspect_cli.events.cookies import Step

if TYPE_CHECKING:
    from inspect_cli.cookies.send import Trip

_SHORT: Final = 80


def _step(clause: str, check: str, cookie_has: str, reason: str, trip: Trip) -> Step:
    if reason:
        trip.reason = reason
    found = cookie_has[:_SHORT] if trip.tell else ""
    return Step(clause, check, "failed" if reason else "passed", found)


def cookiejar_domain(cookie: Cookie, trip: Trip) -> Step:
    """Hosts below the cookie's get it, host-only or not."""
    fits = ("." + trip.host).endswith("." + cookie.domain)
    return _step(
        f"{like_cookiejar.CLIENT} return_ok_domain",
        "domain-match",
        cookie.domain,
        "" if fits else "DomainMismatch",
        trip,
    )


def cookiejar_path(cookie: Cookie, trip: Trip) -> Step:
    fits = path_matches(like_cookiejar.escaped(trip.asking.path), cookie.path)
    return _step(
        f"{like_cookiejar.CLIENT} path_return_ok", "path-match", cookie.path, "" if fits else "NotOnPath", trip
    )


def curl_domain(cookie: Cookie, trip: Trip) -> Step:
    below = not cookie.host_only and not is_ip(trip.host) and trip.host.endswith("." + cookie.domain)
    fits = trip.host == cookie.domain or below
    return _step(like_curl.CLIENT, "domain-match", cookie.domain, "" if fits else "DomainMismatch", trip)


def curl_path(cookie: Cookie, trip: Trip) -> Step:
    """Paths are kept without their last slash."""
    path = upper_escapes(trip.asking.path) if trip.asking.path.startswith("/") else "/"
    fits = cookie.path in ("/", path) or path.startswith(cookie.path + "/")
    return _step(like_curl.CLIENT, "path-match", cookie.path, "" if fits else "NotOnPath", trip)
