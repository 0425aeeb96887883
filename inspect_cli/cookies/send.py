"""Whether a cookie goes along with a request (6265bis §5.8.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.hosts import (
    domain_matches,
    is_loopback,
    is_public_suffix,
)
from inspect_cli.cookies.names import host_of
from inspect_cli.cookies.outgoing import ORDERS, excess
from inspect_cli.cookies.partitions import CHIPS
from inspect_cli.cookies.paths import path_matches
from inspect_cli.cookies.profiles import Profile
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.cookies.sites import (
    SAME_SITE_REASONS,
    cross_site_reason,
    is_near,
    is_third_party,
    is_trusted,
    partition_of,
)
from inspect_cli.events.base import noun
from inspect_cli.events.cookies import BIS, Asking, Step

MAX_WITHHELD: Final = 64
"""How many cookies that stay are told per request; what is sent has no bound of its own."""

SAFE_METHODS: Final = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "QUERY"))
"""RFC 9110 §9.2.1, and QUERY (RFC 10008)."""

_ALONE: Final = frozenset(("Expired", "OtherPartition"))
"""A cookie that is not there, or of another world: nothing more is asked."""

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


Rule = Callable[[Cookie, "Trip"], Step | None]


@dataclass(slots=True, eq=False, repr=False)
class Trip:
    """A request for which cookies are picked."""

    asking: Asking
    host: str
    now_ns: int
    profile: Profile
    tell: bool
    is_secure: bool
    """Secure cookies may go: TLS, or a host that the profile trusts without."""
    is_near: bool
    """Same-site, as the profile counts it."""
    lets_lax: bool
    """Cross-site, but a top-level navigation with a safe method."""
    is_blocked: bool
    """A third party, and the user blocks those."""
    rules: tuple[Rule, ...]
    reason: str = ""
    partition: str | None = None
    """Whose partitioned cookies go along; found out when there is one (sites need the list of public suffixes)."""


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
_SCRIPT_API = _step("http-only", "failed", "script")
_SITE_NONE = _step("same-site", "skipped", "None")
_SITE_UNKNOWN = _step("same-site", "skipped", "not known")
_SITE_DEFAULT = _step("same-site", "skipped", "default")
_SITE_SAME = _step("same-site", "passed", "same-site")
_SITE_TOP = _step("same-site", "passed", "top-level")
_SITE_YOUNG = Step(f"{BIS} §5.6.7.2", "same-site", "passed", "Lax-Allowing-Unsafe")
_SITE_CROSS = {flag: _step("same-site", "failed", flag) for flag in SAME_SITE_REASONS}
_OTHER_PARTITION = Step(CHIPS, "partition", "failed", "")
_SAME_PARTITION = Step(CHIPS, "partition", "passed", "")
_THIRD_PARTY = Step(f"{BIS} §7.1", "third-party", "failed", "")
_PARTITIONED = Step(f"{BIS} §7.1", "third-party", "passed", "Partitioned")
_EXCESS = Step("curl", "excess", "failed", "")
_ORDERED = Step(f"{BIS} §5.8.3 step 4", "order", "applied", "")


def _expired(cookie: Cookie, trip: Trip) -> Step:
    if cookie.expires_ns is None:
        return _SESSION
    if not cookie.is_expired(trip.now_ns - trip.profile.expiry_margin_ns):
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
        return _SECURE if trip.asking.scheme in ("https", "wss") else _SECURE_LOOPBACK
    trip.reason = "SecureOnly"
    return _NOT_SECURE_LOOPBACK if is_loopback(trip.host) else _NOT_SECURE


def _http_only(cookie: Cookie, trip: Trip) -> Step:
    if not cookie.http_only:
        return _NO_HTTP_ONLY
    if not trip.asking.by_script:
        return _HTTP_API
    trip.reason = "HttpOnlyFromScript"
    return _SCRIPT_API


def _partition(cookie: Cookie, trip: Trip) -> Step | None:
    if not cookie.partition:
        return None
    if trip.partition is None:
        trip.partition = partition_of(trip.asking, trip.host)
    if cookie.partition == trip.partition:
        return Step(CHIPS, "partition", "passed", cookie.partition[:_SHORT]) if trip.tell else _SAME_PARTITION
    trip.reason = "OtherPartition"
    return Step(CHIPS, "partition", "failed", cookie.partition[:_SHORT]) if trip.tell else _OTHER_PARTITION


def _third_party(cookie: Cookie, trip: Trip) -> Step:
    if cookie.partition:
        return _PARTITIONED
    trip.reason = "UserPreferences"
    return _THIRD_PARTY


def _same_site(cookie: Cookie, trip: Trip) -> Step:
    flag = cookie.same_site
    if flag == "none":
        return _SITE_NONE
    profile = trip.profile
    if trip.is_near:
        return _SITE_SAME if profile.knows_same_site else _SITE_UNKNOWN
    if flag == "default" and not profile.default_is_lax:
        return _SITE_DEFAULT
    if flag != "strict" and trip.lets_lax:
        return _SITE_TOP
    if (
        flag == "default"
        and trip.asking.top_level
        and 0 <= trip.now_ns - cookie.creation_ns < profile.lax_allowing_unsafe_s * _NS
    ):
        return _SITE_YOUNG
    trip.reason = cross_site_reason(flag, trip.asking, profile)
    return _SITE_CROSS[flag]


RULES: Final[dict[str, Rule]] = {
    "expired": _expired,
    "domain-match": _domain,
    "partition": _partition,
    "path-match": _path,
    "secure": _secure,
    "http-only": _http_only,
    "same-site": _same_site,
    "third-party": _third_party,
}


@lru_cache(maxsize=32)
def _rules_of(order: tuple[str, ...], partitions: bool, is_blocked: bool) -> tuple[Rule, ...]:
    """The rules in this order, without those that have nothing to say."""
    idle = {name for name, is_asked in (("partition", partitions), ("third-party", is_blocked)) if not is_asked}
    asked = [name for name in order if name not in idle]
    if RULES.keys() >= set(asked):
        return tuple([RULES[name] for name in asked])
    # Only for those who ask as such a client.
    from inspect_cli.cookies.flavours import SEND_RULES

    return tuple([RULES.get(name) or SEND_RULES[name] for name in asked])


def start_trip(
    profile: Profile, asking: Asking, now_ns: int, *, tell: bool, blocks_third_parties: bool = False
) -> Trip | None:
    """None where the host has no canonical form: nothing is ever sent there (§5.8.3 steps 1, 2)."""
    host = host_of(asking.host, profile)
    if host is None:
        return None
    is_blocked = blocks_third_parties and is_third_party(asking, profile)
    return Trip(
        asking,
        host,
        now_ns,
        profile,
        tell,
        is_trusted(asking.scheme, host, profile),
        is_near(asking, profile) or not profile.knows_same_site,
        asking.top_level and asking.method in SAFE_METHODS,
        is_blocked,
        _rules_of(profile.send_order, profile.partitions, is_blocked),
    )


def decide_cookie(cookie: Cookie, trip: Trip) -> SendDecision:
    """The rules for one cookie, as far as the first that keeps it, or all of them (`tells_all_reasons`)."""
    trail: list[Step] = []
    reasons: list[str] = []
    reference = ""
    trip.reason = ""
    for rule in trip.rules:
        step = rule(cookie, trip)
        if step is not None:
            trail.append(step)
            if trip.reason:
                reasons.append(trip.reason)
                reference = reference or step.clause
                if not trip.profile.tells_all_reasons or trip.reason in _ALONE:
                    break
                trip.reason = ""
    if reasons:
        steps = tuple(trail) if trip.tell else ()
        return SendDecision(False, cookie, reasons[0], reference, steps, tuple(reasons[1:]))
    trail.append(_ORDERED)
    return SendDecision(True, cookie, "Sent", _SENT_CLAUSE, tuple(trail) if trip.tell else ())


def goes(cookie: Cookie, trip: Trip) -> bool:
    """The same, without a decision to hand on."""
    trip.reason = ""
    for rule in trip.rules:
        rule(cookie, trip)
        if trip.reason:
            return False
    return True


def _without_excess(
    sent: list[SendDecision], profile: Profile, *, tell: bool
) -> tuple[list[SendDecision], list[SendDecision]]:
    """Those that fit into one request, and those that do not, with their reason."""
    late = excess([decision.cookie for decision in sent], profile)
    if not late:
        return sent, []
    return [one for one in sent if id(one.cookie) not in late], [
        SendDecision(
            False, one.cookie, late[id(one.cookie)], _EXCESS.clause, (*one.steps[:-1], _EXCESS) if tell else ()
        )
        for one in sent
        if id(one.cookie) in late
    ]


def _is_another_sites(decision: SendDecision, host: str) -> bool:
    """Whether the cookie was found above the host, but nobody could mean it: a public suffix's own."""
    cookie = decision.cookie
    return cookie.host_only and cookie.domain != host and is_public_suffix(cookie.domain)


def decide_send(
    shelves: Shelves,
    profile: Profile,
    asking: Asking,
    now_ns: int,
    *,
    tell: bool = True,
    blocks_third_parties: bool = False,
    most: int = MAX_WITHHELD,
) -> list[SendDecision]:
    """Sent cookies in header order, then those of the same site that stay (at most `most`).

    Expired ones are told once: they leave `shelves`.
    """
    trip = start_trip(profile, asking, now_ns, tell=tell, blocks_third_parties=blocks_third_parties)
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
        elif len(withheld) < most and not _is_another_sites(decision, trip.host):
            withheld.append(decision)
    for cookie in shelves.of_site(trip.host):
        if len(withheld) >= most:
            break
        if id(cookie) not in seen:
            withheld.append(decide_cookie(cookie, trip))
    if len(sent) > 1:
        order = ORDERS[profile.header_order]
        sent.sort(key=lambda decision: order(decision.cookie))
    if profile.max_sent is not None or profile.max_header_bytes is not None:
        sent, late = _without_excess(sent, profile, tell=tell)
        withheld += late
    for decision in sent:
        shelves.touch(decision.cookie, now_ns)  # step 5
    for decision in withheld:
        if decision.reason == "Expired":
            shelves.remove(decision.cookie)
    return sent + withheld
