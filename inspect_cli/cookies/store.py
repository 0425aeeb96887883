"""Whether a client keeps a Set-Cookie line (6265bis §5.6 and the 24 steps of §5.7).

One rule is one function: it looks at the draft of the cookie, may settle a part of it, and
gives its step. Rules stand in the order of the clauses; the first that fails ends it. Steps
without words of their own are shared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.dates import EARLIEST_NS
from inspect_cli.cookies.hosts import (
    canonical_host,
    domain_matches,
    is_loopback,
    is_public_suffix,
    is_secure_scheme,
)
from inspect_cli.cookies.parse import (
    MAX_PAIR_BYTES,
    has_control_character,
    read_attributes,
    split_pair,
)
from inspect_cli.cookies.paths import default_path
from inspect_cli.cookies.profiles import Profile
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.events.base import noun
from inspect_cli.events.cookies import BIS, Asking, SetCookie, Step

_NS = 1_000_000_000
_SHORT = 80

SAME_SITE_REASONS: Final = {
    "strict": "SameSiteStrict",
    "lax": "SameSiteLax",
    "default": "SameSiteUnspecifiedTreatedAsLax",
}


@noun
class StoreDecision:
    """What becomes of one Set-Cookie line.

    `stored`: it is in the jar now. `deleted`: it expires in the past, so that it is gone,
    whether or not there was one (`replaced`). Neither: refused, and `reason` says why.
    """

    stored: bool
    deleted: bool
    cookie: Cookie | None
    """As it would be kept; None where the line was dropped before it was one."""
    parsed: SetCookie | None
    """None where §5.6 drops the line whole."""
    replaced: Cookie | None
    """The live cookie of the same name, domain, host-only flag and path that was there."""
    reason: str
    reference: str
    steps: tuple[Step, ...]
    evicted: tuple[Cookie, ...] = ()
    """Cookies that had to go because of the bounds (step 24)."""
    also: tuple[str, ...] = ()
    """Further reasons, of profiles that name them all."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The deciding reason and those that a profile names besides."""
        return (self.reason, *self.also)


@dataclass(slots=True)
class Draft:
    """A cookie on its way through the steps."""

    parsed: SetCookie
    asking: Asking
    host: str
    now_ns: int
    profile: Profile
    shelves: Shelves
    tell: bool
    """Whether steps are wanted with their words."""
    reason: str = ""
    domain: str = ""
    host_only: bool = True
    path: str = "/"
    expires_ns: int | None = None


def _step(step: int, check: str, outcome: Literal["passed", "failed", "applied", "skipped"], found: str = "") -> Step:
    return Step(f"{BIS} §5.7 step {step}", check, outcome, found)


_CONTROL = Step(f"{BIS} §5.6 step 1", "control-character", "failed", "")
_NO_CONTROL = Step(f"{BIS} §5.6 step 1", "control-character", "passed", "")
_TOO_LONG = Step(f"{BIS} §5.6 step 5", "pair-size", "failed", "")
_NOT_TOO_LONG = Step(f"{BIS} §5.6 step 5", "pair-size", "passed", "")
_NO_HOST = Step(f"{BIS} §5.1.2", "canonical-host", "failed", "")
_EMPTY = _step(2, "name-or-value", "failed")
_NOT_EMPTY = _step(2, "name-or-value", "passed")
_SESSION = _step(6, "lifetime", "applied", "session")
_EXPIRES = _step(6, "lifetime", "applied", "Expires")
_CAPPED = Step(f"{BIS} §5.5", "lifetime-limit", "applied", "400 days")
_DOMAIN_ASCII = _step(8, "domain-ascii", "passed")
_DOMAIN_NOT_ASCII = _step(8, "domain-ascii", "failed")
_NO_SUFFIX = _step(9, "public-suffix", "passed")
_SUFFIX_IS_HOST = _step(9, "public-suffix", "applied")
_SUFFIX = _step(9, "public-suffix", "failed")
_HOST_ONLY = _step(10, "domain-match", "applied", "host-only")
_DOMAIN_MATCH = _step(10, "domain-match", "passed")
_DOMAIN_MISMATCH = _step(10, "domain-match", "failed")
_PATH = _step(11, "path", "passed")
_DEFAULT_PATH = _step(11, "path", "applied")
_NO_SECURE = _step(13, "secure", "skipped")
_SECURE_OK = _step(13, "secure", "passed")
_SECURE_LOOPBACK = _step(13, "secure", "passed", "loopback")
_SECURE_REFUSED = _step(13, "secure", "failed")
_SECURE_REFUSED_LOOPBACK = _step(13, "secure", "failed", "loopback")
_HTTP_API = _step(15, "http-only", "passed", "HTTP")
_NO_HTTP_ONLY = _step(15, "http-only", "skipped")
_OVERLAY_SKIPPED = _step(16, "overlay-secure", "skipped")
_NO_OVERLAY = _step(16, "overlay-secure", "passed")
_OVERLAY = _step(16, "overlay-secure", "failed")
_SITE_NONE = _step(18, "same-site", "skipped", "None")
_SITE_SAME = _step(18, "same-site", "passed", "same-site")
_SITE_TOP = _step(18, "same-site", "passed", "top-level")
_SITE_CROSS = {flag: _step(18, "same-site", "failed", flag) for flag in SAME_SITE_REASONS}
_NONE_SKIPPED = _step(19, "same-site-none", "skipped")
_NONE_SECURE = _step(19, "same-site-none", "passed")
_NONE_INSECURE = _step(19, "same-site-none", "failed")
_NO_PREFIX = _step(20, "prefix", "skipped")
_PREFIX_SECURE = _step(20, "prefix", "passed", "__Secure-")
_PREFIX_SECURE_BROKEN = _step(20, "prefix", "failed", "__Secure-")
_PREFIX_HOST = _step(21, "prefix", "passed", "__Host-")
_PREFIX_HOST_BROKEN = {
    what: _step(21, "prefix", "failed", f"__Host- {what}") for what in ("Secure", "host-only", "Path", "Path=/")
}
_NAMELESS_PREFIX = _step(22, "prefix", "failed")
_NEW = _step(23, "replace", "skipped")
_REPLACES = _step(23, "replace", "applied")
_STORED = _step(24, "insert", "applied")
_EXPIRED = _step(24, "expired", "applied")


def _name_or_value(draft: Draft) -> Step:
    if draft.parsed.name or draft.parsed.value.value:
        return _NOT_EMPTY
    draft.reason = "NoCookieContent"
    return _EMPTY


def _lifetime(draft: Draft) -> Step:
    """Max-Age before Expires; neither: until the session is over."""
    max_age = draft.parsed.max_age
    if max_age is not None:
        # §5.6.2 step 4; 2**40 s is far beyond any date.
        draft.expires_ns = EARLIEST_NS if max_age <= 0 else draft.now_ns + min(max_age, 1 << 40) * _NS
        return _step(6, "lifetime", "applied", f"Max-Age={str(max_age)[:20]}") if draft.tell else _SESSION
    if draft.parsed.expires_ns is not None:
        draft.expires_ns = draft.parsed.expires_ns
        return _EXPIRES
    return _SESSION


def _lifetime_limit(draft: Draft) -> Step | None:
    limit_s = draft.profile.max_lifetime_s
    if draft.expires_ns is None or limit_s is None:
        return None
    latest_ns = draft.now_ns + limit_s * _NS
    if draft.expires_ns <= latest_ns:
        return None
    draft.expires_ns = latest_ns
    return _CAPPED


def _domain_ascii(draft: Draft) -> Step | None:
    domain = draft.parsed.domain  # step 7
    if not domain:
        return None
    if not domain.isascii():
        draft.reason = "InvalidDomain"
        draft.domain = domain.decode("latin-1")
        return _DOMAIN_NOT_ASCII
    draft.domain = domain.decode("ascii")
    return _DOMAIN_ASCII


def _public_suffix(draft: Draft) -> Step | None:
    domain = draft.domain
    if not domain or not draft.profile.rejects_public_suffixes:
        return None
    if not is_public_suffix(domain):
        return _NO_SUFFIX
    if domain == draft.host:
        draft.domain = ""  # host-only: nobody else can be meant
        return _step(9, "public-suffix", "applied", domain[:_SHORT]) if draft.tell else _SUFFIX_IS_HOST
    draft.reason = "InvalidDomain"
    return _step(9, "public-suffix", "failed", domain[:_SHORT]) if draft.tell else _SUFFIX


def _domain_match(draft: Draft) -> Step:
    if not draft.domain:
        draft.domain = draft.host
        return _HOST_ONLY
    if domain_matches(draft.host, draft.domain):
        draft.host_only = False
        return _step(10, "domain-match", "passed", draft.domain[:_SHORT]) if draft.tell else _DOMAIN_MATCH
    draft.reason = "InvalidDomain"
    return _step(10, "domain-match", "failed", draft.domain[:_SHORT]) if draft.tell else _DOMAIN_MISMATCH


def _path(draft: Draft) -> Step:
    path = draft.parsed.path
    if path is not None and path.startswith(b"/"):
        draft.path = path.decode("latin-1")
        return _step(11, "path", "passed", draft.path[:_SHORT]) if draft.tell else _PATH
    # §5.6.4 step 1: an empty Path, or one that does not begin with "/", means the default too.
    draft.path = default_path(draft.asking.path)
    return _step(11, "path", "applied", draft.path[:_SHORT]) if draft.tell else _DEFAULT_PATH


def _secure(draft: Draft) -> Step:
    if not draft.parsed.secure:
        return _NO_SECURE
    if is_secure_scheme(draft.asking.scheme):
        return _SECURE_OK
    loopback = is_loopback(draft.host)
    if loopback and draft.profile.trusts_loopback:
        return _SECURE_LOOPBACK
    draft.reason = "SecureOnly"
    return _SECURE_REFUSED_LOOPBACK if loopback else _SECURE_REFUSED


def _http_only(draft: Draft) -> Step:
    # A Set-Cookie field never comes from a "non-HTTP" API.
    return _HTTP_API if draft.parsed.http_only else _NO_HTTP_ONLY


def _overlay_secure(draft: Draft) -> Step:
    if draft.parsed.secure or is_secure_scheme(draft.asking.scheme):
        return _OVERLAY_SKIPPED
    if not draft.shelves.has_secure_over(draft.parsed.name, draft.domain, draft.path):
        return _NO_OVERLAY
    draft.reason = "OverwriteSecure"
    return _OVERLAY


def _same_site(draft: Draft) -> Step:
    flag = draft.parsed.same_site
    if flag == "none":
        return _SITE_NONE
    if draft.asking.same_site:
        return _SITE_SAME
    if draft.asking.top_level:
        return _SITE_TOP
    draft.reason = SAME_SITE_REASONS[flag]
    return _SITE_CROSS[flag]


def _same_site_none(draft: Draft) -> Step:
    if draft.parsed.same_site != "none":
        return _NONE_SKIPPED
    if draft.parsed.secure:
        return _NONE_SECURE
    draft.reason = "SameSiteNoneInsecure"
    return _NONE_INSECURE


def _prefix(draft: Draft) -> Step:
    """Steps 20 to 22; without regard to case (§5.4)."""
    parsed = draft.parsed
    text = (parsed.name or parsed.value.value)[:9].lower()
    if not text.startswith((b"__secure-", b"__host-")):
        return _NO_PREFIX
    if not parsed.name:
        found = _NAMELESS_PREFIX
    elif text == b"__secure-":
        if parsed.secure:
            return _PREFIX_SECURE
        found = _PREFIX_SECURE_BROKEN
    elif not parsed.secure:
        found = _PREFIX_HOST_BROKEN["Secure"]
    elif not draft.host_only:
        found = _PREFIX_HOST_BROKEN["host-only"]
    elif parsed.path is None:
        found = _PREFIX_HOST_BROKEN["Path"]
    elif draft.path != "/":
        found = _PREFIX_HOST_BROKEN["Path=/"]
    else:
        return _PREFIX_HOST
    draft.reason = "InvalidPrefix"
    return found


RULES: Final[tuple[Callable[[Draft], Step | None], ...]] = (
    _name_or_value,
    _lifetime,
    _lifetime_limit,
    _domain_ascii,
    _public_suffix,
    _domain_match,
    _path,
    _secure,
    _http_only,
    _overlay_secure,
    _same_site,
    _same_site_none,
    _prefix,
)


def _dropped(parsed: SetCookie | None, reason: str, trail: list[Step], last: Step, tell: bool) -> StoreDecision:
    return StoreDecision(
        False,
        False,
        None,
        parsed,
        None,
        reason,
        last.clause,
        (*trail, last) if tell else (),
    )


def decide_store(
    shelves: Shelves,
    profile: Profile,
    line: bytes,
    asking: Asking,
    now_ns: int,
    *,
    tell: bool = True,
) -> StoreDecision:
    """Decide about a Set-Cookie line and do it to `shelves`."""
    trail: list[Step] = []
    if has_control_character(line):
        return _dropped(None, "DisallowedCharacter", trail, _CONTROL, tell)
    name, value = split_pair(line)
    if len(name) + len(value) > MAX_PAIR_BYTES:
        trail.append(_NO_CONTROL)
        return _dropped(None, "NameValuePairExceedsMaxSize", trail, _TOO_LONG, tell)
    parsed = read_attributes(name, value, line)
    trail += (_NO_CONTROL, _NOT_TOO_LONG)
    host = canonical_host(asking.host)
    if host is None:
        return _dropped(parsed, "InvalidDomain", trail, _NO_HOST, tell)
    draft = Draft(parsed, asking, host, now_ns, profile, shelves, tell)
    for rule in RULES:
        step = rule(draft)
        if step is not None:
            trail.append(step)
            if draft.reason:
                return _dropped(parsed, draft.reason, trail[:-1], step, tell)
    return _insert(draft, trail)


def _insert(draft: Draft, trail: list[Step]) -> StoreDecision:
    """Steps 23 and 24."""
    shelves, parsed, now_ns = draft.shelves, draft.parsed, draft.now_ns
    cookie = Cookie(
        parsed.name,
        parsed.value,
        draft.domain,
        draft.host_only,
        draft.path,
        parsed.secure,
        parsed.http_only,
        parsed.same_site,
        draft.expires_ns,
        now_ns,
        now_ns,
    )
    old = shelves.find(cookie.domain, cookie.key)
    if old is not None and old.is_expired(now_ns):
        shelves.remove(old)
        old = None
    trail.append(_REPLACES if old else _NEW)
    if old is not None:
        cookie.creation_ns = old.creation_ns  # step 23.3
    if cookie.is_expired(now_ns):
        # Inserted and evicted at once: expired cookies never stay.
        if old is not None:
            shelves.remove(old)
        trail.append(_EXPIRED)
        return StoreDecision(
            False,
            True,
            cookie,
            parsed,
            old,
            "Expired",
            _EXPIRED.clause,
            tuple(trail) if draft.tell else (),
        )
    shelves.insert(cookie)
    evicted = shelves.remove_excess(cookie.domain, draft.profile, now_ns)
    trail.append(_STORED)
    if evicted and draft.tell:
        trail.append(_step(24, "excess", "applied", str(len(evicted))))
    steps = tuple(trail) if draft.tell else ()
    return StoreDecision(True, False, cookie, parsed, old, "Stored", _STORED.clause, steps, evicted)
