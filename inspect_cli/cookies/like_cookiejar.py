"""http.cookiejar with its default policy, as urllib, requests and httpx use it.

Its parser is of 1999 (Netscape, RFC 2109): the first of two attributes wins, a name needs no
value, `Version` counts, and what it cannot read drops the cookie. A Domain is compared as text;
host-only cookies go to hosts below theirs. Measured by tests with the real one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from inspect_cli.cookies.drafts import Draft, Outcome, StoreDecision
from inspect_cli.cookies.http_time import UnknownMonth, http_time
from inspect_cli.cookies.names import host_of
from inspect_cli.cookies.parse import SAME_SITE
from inspect_cli.cookies.paths import default_path, upper_escapes
from inspect_cli.cookies.profiles import Profile
from inspect_cli.cookies.settled import Trail
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.cookies.store import insert, refuse
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import Asking, SetCookie, Step

CLIENT: Final = "http.cookiejar"
_LOWERED: Final = frozenset(("expires", "domain", "path", "secure", "version", "port", "max-age"))
_NEEDS_VALUE: Final = frozenset(("version", "expires", "domain", "path"))
_MAY_LACK_VALUE: Final = frozenset(("port", "comment", "commenturl"))
_STANDARD: Final = _NEEDS_VALUE | _MAY_LACK_VALUE | {"discard", "secure"}
_PATH_SAFE: Final = "%/;:@&=+$,!~*'()"
_LATEST_S: Final = 1 << 40
_TOO_LATE_S: Final = 1 << 1023
"""Where a float ends: http.cookiejar makes one of each expiry."""
_NS: Final = 1_000_000_000
_SHORT: Final = 80
_PORT: Final = "80"
"""Asking has no port; http.cookiejar takes 80 where the URL names none, for https too."""


class Failure(ValueError):
    """http.cookiejar itself raises here; it warns, and drops every cookie of the response."""


@dataclass(slots=True)
class Reading:
    """A line as http.cookiejar reads it. None: absent."""

    name: str = ""
    value: str | None = None
    bad: str = ""
    """The attribute that cannot be read."""
    standard: dict[str, str | bool | None] = field(default_factory=dict)
    expires_s: int | None = None
    by_max_age: bool = False


@dataclass(slots=True)
class JarDraft(Draft):
    """A cookie on its way, and how its line was read."""

    reading: Reading = field(default_factory=Reading)


def read_line(line: bytes, now_s: int) -> Reading:
    """The pair and the attributes (parse_ns_headers, _normalized_cookie_tuples). Raises Failure."""
    pieces = [_split(piece) for piece in line.decode("latin-1").split(";")]
    name, value = pieces[0]
    if not name:
        return Reading()
    pairs: list[tuple[str, str | int | None]] = []
    for key, text in pieces[1:]:
        low = key.lower()
        if low == "expires":
            pairs.append((low, None if text is None else _time(text, now_s)))
        elif low == "version":
            pairs.append((low, None if text is None else _unquoted(text)))
        elif key:
            pairs.append((low if low in _LOWERED or low in _STANDARD else key, text))
    reading = Reading(name, value)
    for key, found in pairs:
        _take(reading, key, found, now_s)
        if reading.bad:
            break
    return reading


def _split(piece: str) -> tuple[str, str | None]:
    name, equals, value = piece.strip().partition("=")
    return name.strip(), value.strip() if equals else None


def _unquoted(text: str) -> str:
    return text.removeprefix('"').removesuffix('"')


def _time(text: str, now_s: int) -> int | None:
    try:
        return http_time(_unquoted(text), now_s)
    except UnknownMonth:
        raise Failure("Expires") from None


def _take(reading: Reading, key: str, found: str | int | None, now_s: int) -> None:
    if key in reading.standard or (key == "expires" and (reading.expires_s is not None or found is None)):
        return  # the first counts; a date that cannot be read is passed over
    if key == "expires":
        assert isinstance(found, int)
        reading.expires_s = found
    elif key == "max-age":
        _take_max_age(reading, found, now_s)
    elif key in _STANDARD:
        if found is None and key in _NEEDS_VALUE:
            reading.bad = key
        flag = True if key in ("secure", "discard") else None
        reading.standard[key] = flag if found is None else str(found)


def _take_max_age(reading: Reading, found: str | int | None, now_s: int) -> None:
    if found is None:
        raise Failure("Max-Age")
    try:
        reading.expires_s = now_s + int(found)
    except ValueError:
        reading.bad = "max-age"
        return
    reading.by_max_age = True


def order_of(lines: Sequence[bytes], now_ns: int) -> list[int] | None:
    """In which order the lines of one response count; None where http.cookiejar fails on one, so that none does.

    It reads them all first; a date in the past deletes there and then, what is kept comes after.
    """
    try:
        readings = [read_line(line, now_ns // _NS) for line in lines]
    except Failure:
        return None
    if any(one.name and not one.bad and (one.expires_s or 0) >= _TOO_LATE_S for one in readings):
        return None
    return sorted(range(len(lines)), key=lambda number: not _is_past(readings[number], now_ns))


def _is_past(reading: Reading, now_ns: int) -> bool:
    return reading.expires_s is not None and reading.expires_s * _NS <= now_ns


def _step(function: str, check: str, outcome: Outcome, found: str = "") -> Step:
    return Step(f"{CLIENT} {function}", check, outcome, found[:_SHORT])


def _name(draft: JarDraft) -> Step:
    if draft.reading.name:
        return _step("parse_ns_headers", "name", "passed")
    draft.reason = "NoCookieContent" if not draft.line.strip() else "NoName"
    return _step("parse_ns_headers", "name", "failed")


def _attributes(draft: JarDraft) -> Step:
    bad = draft.reading.bad
    if bad:
        draft.reason = "InvalidAttribute"
    return _step("_normalized_cookie_tuples", "attributes", "failed" if bad else "passed", bad)


def _version(draft: JarDraft) -> Step:
    said = draft.reading.standard.get("version", "0")
    try:
        number = int(str(said))
    except ValueError:
        number = 2
    if number > 1:
        draft.reason = "UnknownVersion"
        return _step("set_ok_version", "version", "failed", str(said))
    return _step("set_ok_version", "version", "passed" if "version" in draft.reading.standard else "skipped")


def _lifetime(draft: JarDraft) -> Step:
    expires_s = draft.reading.expires_s
    if expires_s is None:
        return _step("_cookie_from_cookie_tuple", "lifetime", "applied", "session")
    draft.expires_ns = max(min(expires_s, _LATEST_S), -_LATEST_S) * _NS
    seconds = str(min(expires_s - draft.now_ns // _NS, _LATEST_S))
    found = f"Max-Age={seconds}" if draft.reading.by_max_age else "Expires"
    return _step("_cookie_from_cookie_tuple", "lifetime", "applied", found)


def _path(draft: JarDraft) -> Step:
    said = draft.reading.standard.get("path")
    if said:
        draft.path = escaped(str(said))
        return _step("_cookie_from_cookie_tuple", "path", "passed", draft.path)
    path = escaped(draft.asking.path)
    draft.path = default_path(path)
    if _number(draft) != 0:  # RFC 2109 keeps the slash
        draft.path = path[: path.rfind("/") + 1] or "/"
    return _step("_cookie_from_cookie_tuple", "path", "applied", draft.path)


def _number(draft: JarDraft) -> int:
    return int(str(draft.reading.standard.get("version", "0")))


def escaped(path: str) -> str:
    """A path with what HTTP does not allow percent-encoded, and escapes in upper case."""
    return upper_escapes(quote(path, safe=_PATH_SAFE))


def _domain(draft: JarDraft) -> Step:
    said = draft.reading.standard.get("domain")
    if said is None:
        draft.domain = draft.host
        return _step("set_ok_domain", "domain-match", "applied", "host-only")
    draft.host_only = False
    draft.domain = str(said).lower().removeprefix(".")
    return _step("set_ok_domain", "domain", "applied", draft.domain)


def _domain_match(draft: JarDraft) -> Step | None:
    """A suffix of the host's name, with a dot inside; no list of public suffixes is asked."""
    if draft.host_only:
        return None
    host, domain = draft.host, draft.domain
    if "." not in domain and not host.endswith(".local"):
        draft.reason = "InvalidDomain"
        return _step("set_ok_domain", "domain-dot", "failed", domain)
    fits = ("." + host).endswith("." + domain) or host.endswith(domain + ".local")
    if (not fits and _number(draft) == 0) or (not fits and _number(draft) == 1):
        draft.reason = "InvalidDomain"
        return _step("set_ok_domain", "domain-match", "failed", domain)
    return _step("set_ok_domain", "domain-match", "passed", domain)


def _port(draft: JarDraft) -> Step | None:
    said = draft.reading.standard.get("port")
    if "port" not in draft.reading.standard or said is None:
        return None
    for port in "".join(str(said).split()).split(","):
        if not port.strip("+-").isdecimal():
            break
        if port == _PORT:
            return _step("set_ok_port", "port", "passed", port)
    draft.reason = "PortMismatch"
    return _step("set_ok_port", "port", "failed", str(said))


RULES: Final[tuple[Callable[[JarDraft], Step | None], ...]] = (_name, _attributes, _version, _lifetime, _path, _domain)
_POLICY: Final[tuple[Callable[[JarDraft], Step | None], ...]] = (_domain_match, _port)


def decide_store(
    shelves: Shelves,
    profile: Profile,
    line: bytes,
    asking: Asking,
    now_ns: int,
    *,
    tell: bool = True,
) -> StoreDecision:
    """As store.decide_store, for the flavour `cookiejar`."""
    now_s = now_ns // _NS
    draft = JarDraft(line, b"", b"", asking, now_ns, profile, shelves, tell)
    trail: list[Step] = []
    if order_of((line,), now_ns) is None:
        draft.reason = "ClientFailure"
        return refuse(draft, trail, _step("make_cookies", "failure", "failed"))
    draft.reading = read_line(line, now_s)
    draft.parsed = _parsed(draft)
    host = host_of(asking.host, profile)
    if host is None:
        draft.reason = "InvalidDomain"
        return refuse(draft, trail, _step("request_host", "canonical-host", "failed"))
    draft.host = host
    # A date in the past deletes before the policy is asked: any response may delete any cookie.
    for rules in (RULES, _POLICY):
        if rules is _POLICY and draft.expires_ns is not None and draft.expires_ns <= now_ns:
            break
        for rule in rules:
            step = rule(draft)
            if step is not None:
                trail.append(step)
                if draft.reason:
                    return refuse(draft, trail[:-1], step)
    return insert(draft, Trail(trail if tell else None), bare=draft.reading.value is None)


def _parsed(draft: JarDraft) -> SetCookie:
    reading = draft.reading
    attributes = [_split(piece) for piece in draft.line.decode("latin-1").split(";")[1:]]
    said = {name.lower(): value or "" for name, value in reversed(attributes)}
    domain = reading.standard.get("domain")
    path = reading.standard.get("path")
    return SetCookie(
        _octets(reading.name),
        Secret(_octets(reading.value or ""), "cookie"),
        None if reading.by_max_age or reading.expires_s is None else min(reading.expires_s, _LATEST_S) * _NS,
        reading.expires_s - draft.now_ns // _NS if reading.by_max_age and reading.expires_s is not None else None,
        None if domain is None else _octets(str(domain).lower()),
        None if path is None else _octets(str(path)),
        bool(reading.standard.get("secure")),
        "httponly" in said,
        SAME_SITE.get(_octets(said.get("samesite", "").lower()), "default"),
        tuple([(_octets(name), _octets(value or "")) for name, value in attributes if name]),
    )


def _octets(text: str) -> bytes:
    return text.encode("latin-1")
