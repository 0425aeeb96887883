"""In which order cookies go out, how many, and as what (6265bis §5.8.3 steps 4 and 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.profiles import Profile

_FIELD_BYTES: Final = len(b"Cookie: ")
SortKey = tuple[int, ...]


def _by_creation(cookie: Cookie) -> SortKey:
    """Step 4: longer paths first, then older ones."""
    return (-len(cookie.path), cookie.creation_ns, cookie.order)


def _newest_first(cookie: Cookie) -> SortKey:
    """curl: longer paths, longer domains, longer names, newer ones."""
    return (-len(cookie.path), -len(cookie.domain), -len(cookie.name), -cookie.order)


def _nested(cookie: Cookie) -> SortKey:
    """http.cookiejar: longer paths, then as its dictionaries of domains, paths and names stand."""
    return (-len(cookie.path), *cookie.place, cookie.order)


ORDERS: Final[dict[str, Callable[[Cookie], SortKey]]] = {
    "creation": _by_creation,
    "newest": _newest_first,
    "nested": _nested,
}


def excess(going: Iterable[Cookie], profile: Profile) -> dict[int, str]:
    """Reasons by the id of those cookies that are too many, or too long, for one request.

    Too many: the client stops at its number in the order of its store. Too long: the first that
    does not fit any more and all behind it.
    """
    found: dict[int, str] = {}
    fits = list(going)
    if profile.max_sent is not None and len(fits) > profile.max_sent:
        fits.sort(key=lambda cookie: cookie.place)
        found.update({id(cookie): "TooManyCookies" for cookie in fits[profile.max_sent :]})
        del fits[profile.max_sent :]
    if profile.max_header_bytes is not None:
        fits.sort(key=ORDERS[profile.header_order])
        found.update(_too_long(fits, profile.max_header_bytes))
    return found


def _too_long(going: list[Cookie], limit: int) -> dict[int, str]:
    size = _FIELD_BYTES
    for number, cookie in enumerate(going):
        pair = len(cookie.name) + len(cookie.value.value) + 1
        if size + pair >= limit:
            return {id(late): "CookieHeaderTooLong" for late in going[number:]}
        size += pair + 2 * bool(number)
    return {}


def pair(cookie: Cookie) -> bytes:
    """As the Cookie field has it; a nameless cookie is its value alone, one without `=` its name (http.cookiejar)."""
    if cookie.bare:
        return cookie.name
    return cookie.name + b"=" + cookie.value.value if cookie.name else cookie.value.value


def serialize(cookies: Iterable[Cookie]) -> bytes:
    """The cookie-string (step 6)."""
    return b"; ".join([pair(cookie) for cookie in cookies])
