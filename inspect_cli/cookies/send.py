"""Whether a cookie goes along with a request (6265bis §5.8.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.hosts import (
    canonical_host,
    domain_matches,
    is_loopback,
    is_public_suffix,
    is_secure_scheme,
)
from inspect_cli.cookies.paths import path_matches
from inspect_cli.cookies.profiles import Profile
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.cookies.store import SAME_SITE_REASONS
from inspect_cli.events.base import noun
from inspect_cli.events.cookies import BIS, Asking, Step

MAX_WITHHELD: Final = 64
"""How many cookies that stay are told per request; what is sent has no bound of its own."""

SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "QUERY"))
"""RFC 9110 §9.2.1, and QUERY (RFC 10008)."""

_NS = 1_000_000_000
_SHORT = 80


@noun
class SendDecision:
    """Whether one cookie of the jar goes along; `reason` is `Sent` or what keeps it."""

    sent: bool
    cookie: Cookie
    reason: str
    reference: str
    steps: tuple[Step, ...]
    also: tuple[str, ...] = ()
    """Further reasons, of profiles that name them all."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The deciding reason and those that a profile names besides."""
        return (self.reason, *self.also)


@dataclass(slots=True)
class Trip:
    """A request for which cookies are picked."""

    asking: Asking
    host: str
    now_ns: int
    profile: Profile
    tell: bool
    is_secure: bool
    lets_lax: bool
    """Cross-site, but a top-level navigation with a safe method."""
    reason: str = ""


def _step(
    check: str,
    outcome: Literal["passed", "failed", "applied", "skipped"],
    found: str = "",
) -> Step:
    return Step(f"{BIS} §5.8.3 step 3", check, outcome, found)


_SENT_CLAUSE = f"{BIS} §5.8.3"
_EXPIRED = Step(f"{BIS} §5.7", "expired", "failed", "")
_FRESH = Step(f"{BIS} §5.7", "expired", "passed", "")
_SESSION = Step(f"{BIS} §5.7", "expired", "skipped", "session")
_SAME_HOST = _step("domain-match", "passed", "host-only")
_DOMAIN_MATCH = _step("domain-match", "passed")
_OTHER_HOST = _step("domain-match", "failed")
_IS_SUFFIX = _step("public-suffix", "failed")
_PATH_MATCH = _step("path-match", "passed")
_OTHER_PATH = _step("path-match", "failed")
_NO_SECURE = _step("secure", "skipped")
_SECURE = _step("secure", "passed")
_SECURE_LOOPBACK = _step("secure", "passed", "loopback")
_NOT_SECURE = _step("secure", "failed")
_NOT_SECURE_LOOPBACK = _step("secure", "failed", "loopback")
_NO_HTTP_ONLY = _step("http-only", "skipped")
_HTTP_API = _step("http-only", "passed", "HTTP")
_SITE_NONE = _step("same-site", "skipped", "None")
_SITE_SAME = _step("same-site", "passed", "same-site")
_SITE_TOP = _step("same-site", "passed", "top-level")
_SITE_YOUNG = Step(f"{BIS} §5.6.7.2", "same-site", "passed", "Lax-Allowing-Unsafe")
_SITE_CROSS = {flag: _step("same-site", "failed", flag) for flag in SAME_SITE_REASONS}
_ORDERED = Step(f"{BIS} §5.8.3 step 4", "order", "applied", "")


def _expired(cookie: Cookie, trip: Trip) -> Step:
    if cookie.expires_ns is None:
        return _SESSION
    if not cookie.is_expired(trip.now_ns):
        return _FRESH
    trip.reason = "Expired"
    return _EXPIRED


def _domain(cookie: Cookie, trip: Trip) -> Step:
    if cookie.domain == trip.host and cookie.host_only:
        return _SAME_HOST
    if cookie.host_only or not domain_matches(trip.host, cookie.domain):
        trip.reason = "DomainMismatch"
        return _step("domain-match", "failed", cookie.domain[:_SHORT]) if trip.tell else _OTHER_HOST
    if trip.profile.rejects_public_suffixes and cookie.domain != trip.host and is_public_suffix(cookie.domain):
        # The list may have changed since the cookie was stored.
        trip.reason = "InvalidDomain"
        return _IS_SUFFIX
    return _step("domain-match", "passed", cookie.domain[:_SHORT]) if trip.tell else _DOMAIN_MATCH


def _path(cookie: Cookie, trip: Trip) -> Step:
    if path_matches(trip.asking.path, cookie.path):
        if cookie.path == "/" or not trip.tell:
            return _PATH_MATCH
        return _step("path-match", "passed", cookie.path[:_SHORT])
    trip.reason = "NotOnPath"
    return _step("path-match", "failed", cookie.path[:_SHORT]) if trip.tell else _OTHER_PATH


def _secure(cookie: Cookie, trip: Trip) -> Step:
    if not cookie.secure:
        return _NO_SECURE
    if trip.is_secure:
        return _SECURE
    loopback = is_loopback(trip.host)
    if loopback and trip.profile.trusts_loopback:
        return _SECURE_LOOPBACK
    trip.reason = "SecureOnly"
    return _NOT_SECURE_LOOPBACK if loopback else _NOT_SECURE


def _http_only(cookie: Cookie, trip: Trip) -> Step:
    # A Cookie field is never made for a "non-HTTP" API.
    return _HTTP_API if cookie.http_only else _NO_HTTP_ONLY


def _same_site(cookie: Cookie, trip: Trip) -> Step:
    flag = cookie.same_site
    if flag == "none":
        return _SITE_NONE
    if trip.asking.same_site:
        return _SITE_SAME
    if flag != "strict" and trip.lets_lax:
        return _SITE_TOP
    if (
        flag == "default"
        and trip.asking.top_level
        and 0 <= trip.now_ns - cookie.creation_ns < trip.profile.lax_allowing_unsafe_s * _NS
    ):
        return _SITE_YOUNG
    trip.reason = SAME_SITE_REASONS[flag]
    return _SITE_CROSS[flag]


RULES: Final[tuple[Callable[[Cookie, Trip], Step], ...]] = (
    _expired,
    _domain,
    _path,
    _secure,
    _http_only,
    _same_site,
)


def start_trip(profile: Profile, asking: Asking, now_ns: int, *, tell: bool) -> Trip | None:
    """None where the host has no canonical form: nothing is ever sent there (§5.8.3 steps 1, 2)."""
    host = canonical_host(asking.host)
    if host is None:
        return None
    return Trip(
        asking,
        host,
        now_ns,
        profile,
        tell,
        is_secure_scheme(asking.scheme),
        asking.top_level and asking.method in SAFE_METHODS,
    )


def decide_cookie(cookie: Cookie, trip: Trip) -> SendDecision:
    """The rules for one cookie, as far as the first that keeps it."""
    trip.reason = ""
    trail: list[Step] = []
    for rule in RULES:
        step = rule(cookie, trip)
        trail.append(step)
        if trip.reason:
            return SendDecision(
                False,
                cookie,
                trip.reason,
                step.clause,
                tuple(trail) if trip.tell else (),
            )
    trail.append(_ORDERED)
    return SendDecision(True, cookie, "Sent", _SENT_CLAUSE, tuple(trail) if trip.tell else ())


def goes(cookie: Cookie, trip: Trip) -> bool:
    """The same, without a decision to hand on."""
    trip.reason = ""
    for rule in RULES:
        rule(cookie, trip)
        if trip.reason:
            return False
    return True


def header_order(cookie: Cookie) -> tuple[int, int, int]:
    """§5.8.3 step 4: longer paths first, then older ones."""
    return (-len(cookie.path), cookie.creation_ns, cookie.order)


def serialize(cookies: list[Cookie]) -> bytes:
    """The cookie-string (§5.8.3 step 6); a nameless cookie is its value alone."""
    return b"; ".join(c.name + b"=" + c.value.value if c.name else c.value.value for c in cookies)


def decide_send(
    shelves: Shelves,
    profile: Profile,
    asking: Asking,
    now_ns: int,
    *,
    tell: bool = True,
) -> list[SendDecision]:
    """Sent cookies in header order, then those of the same site that stay (at most MAX_WITHHELD).

    Expired ones are told once: they leave `shelves`.
    """
    trip = start_trip(profile, asking, now_ns, tell=tell)
    if trip is None or not len(shelves):
        return []
    sent: list[SendDecision] = []
    withheld: list[SendDecision] = []
    seen: set[int] = set()
    for cookie in shelves.matching(trip.host):
        decision = decide_cookie(cookie, trip)
        seen.add(id(cookie))
        if decision.sent:
            sent.append(decision)
        elif len(withheld) < MAX_WITHHELD:
            withheld.append(decision)
    for cookie in shelves.of_site(trip.host):
        if len(withheld) >= MAX_WITHHELD:
            break
        if id(cookie) not in seen:
            withheld.append(decide_cookie(cookie, trip))
    if len(sent) > 1:
        sent.sort(key=lambda decision: header_order(decision.cookie))
    for decision in sent:
        shelves.touch(decision.cookie, now_ns)  # step 5
    for decision in withheld:
        if decision.reason == "Expired":
            shelves.remove(decision.cookie)
    return sent + withheld
