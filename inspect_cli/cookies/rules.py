"""The rules of the storage model (6265bis §5.7).

One rule is one function: it looks at the draft of the cookie, may settle a part of it, and
gives its step. A profile says in which order they are asked; the first that fails ends it.
Steps without words of their own are shared.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from inspect_cli.cookies.dates import EARLIEST_NS
from inspect_cli.cookies.drafts import Draft, step_of
from inspect_cli.cookies.hosts import (
    canonical_host,
    domain_matches,
    is_ip,
    is_loopback,
    is_public_suffix,
    is_secure_scheme,
)
from inspect_cli.cookies.lines import name_or_value
from inspect_cli.cookies.partitions import partitioned, third_party
from inspect_cli.cookies.paths import default_path
from inspect_cli.cookies.prefixes import prefix
from inspect_cli.cookies.profiles import Profile
from inspect_cli.cookies.sites import SAME_SITE_REASONS, cross_site_reason, is_near, is_trusted
from inspect_cli.events.cookies import BIS, Step

_NS = 1_000_000_000
_SHORT = 80

_SESSION = step_of(6, "lifetime", "applied", "session")
_EXPIRES = step_of(6, "lifetime", "applied", "Expires")
_CAPPED = Step(f"{BIS} §5.5", "lifetime-limit", "applied", "400 days")
_DOMAIN_ASCII = step_of(8, "domain-ascii", "passed")
_DOMAIN_NOT_ASCII = step_of(8, "domain-ascii", "failed")
_NO_SUFFIX = step_of(9, "public-suffix", "passed")
_SUFFIX_IS_HOST = step_of(9, "public-suffix", "applied")
_SUFFIX = step_of(9, "public-suffix", "failed")
_HOST_ONLY = step_of(10, "domain-match", "applied", "host-only")
_DOMAIN_MATCH = step_of(10, "domain-match", "passed")
_DOMAIN_MISMATCH = step_of(10, "domain-match", "failed")
_PATH = step_of(11, "path", "passed")
_DEFAULT_PATH = step_of(11, "path", "applied")
_NO_SECURE = step_of(13, "secure", "skipped")
_SECURE_OK = step_of(13, "secure", "passed")
_SECURE_LOOPBACK = step_of(13, "secure", "passed", "loopback")
_SECURE_REFUSED = step_of(13, "secure", "failed")
_SECURE_REFUSED_LOOPBACK = step_of(13, "secure", "failed", "loopback")
_HTTP_API = step_of(15, "http-only", "passed", "HTTP")
_SCRIPT_API = step_of(15, "http-only", "failed", "script")
_NO_HTTP_ONLY = step_of(15, "http-only", "skipped")
_OVERLAY_SKIPPED = step_of(16, "overlay-secure", "skipped")
_NO_OVERLAY = step_of(16, "overlay-secure", "passed")
_OVERLAY = step_of(16, "overlay-secure", "failed")
_SITE_NONE = step_of(18, "same-site", "skipped", "None")
_SITE_SAME = step_of(18, "same-site", "passed", "same-site")
_SITE_TOP = step_of(18, "same-site", "passed", "top-level")
_SITE_CROSS = {flag: step_of(18, "same-site", "failed", flag) for flag in SAME_SITE_REASONS}
_SITE_DEFAULT = step_of(18, "same-site", "skipped", "default")
_SITE_UNKNOWN = step_of(18, "same-site", "skipped", "not known")
_NONE_SKIPPED = step_of(19, "same-site-none", "skipped")
_NONE_SECURE = step_of(19, "same-site-none", "passed")
_NONE_INSECURE = step_of(19, "same-site-none", "failed")
_OVER_HTTP_ONLY = step_of(23, "overlay-http-only", "failed")
_NAMELESS_EQUALS = step_of(2, "nameless", "failed")


def _nameless(draft: Draft) -> Step | None:
    """Clients that would send back `a=b`, another cookie than the nameless one, refuse it."""
    if draft.name or b"=" not in draft.value:
        return None
    draft.reason = "NamelessEquals"
    return _NAMELESS_EQUALS


def expiry_of(max_age: int | None, expires_ns: int | None, now_ns: int) -> int | None:
    """When a cookie with these attributes expires: Max-Age before Expires; neither: None (§5.7 step 6)."""
    if max_age is None:
        return expires_ns
    # §5.6.2 step 4; 2**40 s is far beyond any date.
    return EARLIEST_NS if max_age <= 0 else now_ns + min(max_age, 1 << 40) * _NS


def _lifetime(draft: Draft) -> Step:
    """Until the session is over where nothing else is said."""
    max_age = draft.parsed.max_age
    draft.expires_ns = expiry_of(max_age, draft.parsed.expires_ns, draft.now_ns)
    if max_age is not None:
        return _max_age_step(max_age) if draft.tell else _SESSION
    return _SESSION if draft.expires_ns is None else _EXPIRES


@lru_cache(maxsize=256)
def _max_age_step(max_age: int) -> Step:
    return step_of(6, "lifetime", "applied", f"Max-Age={str(max_age)[:20]}")


def _lifetime_limit(draft: Draft) -> Step | None:
    if draft.expires_ns is None:
        return None
    latest_ns = draft.now_ns + (draft.profile.max_lifetime_s or 0) * _NS
    if draft.expires_ns <= latest_ns:
        return None
    draft.expires_ns = latest_ns
    return _CAPPED


def _domain_ascii(draft: Draft) -> Step | None:
    domain = draft.parsed.domain  # step 7
    if not domain:
        return None if domain is None or draft.profile.keeps_empty_domain else _empty_domain(draft)
    if not domain.isascii():
        if draft.profile.converts_domain:
            draft.domain = canonical_host(domain.decode("utf-8", "replace")) or ""
            if draft.domain:
                return step_of(8, "domain-ascii", "applied", draft.domain[:_SHORT]) if draft.tell else _DOMAIN_ASCII
        draft.reason = "InvalidDomain"
        draft.domain = domain.decode("latin-1")
        return _DOMAIN_NOT_ASCII
    draft.domain = domain.decode("ascii")
    if draft.domain == f"[{draft.host}]":
        draft.domain = draft.host  # an IPv6 address, as in a URL
    return _DOMAIN_ASCII


def _empty_domain(draft: Draft) -> Step | None:
    """`Domain=` is no domain, but `Domain=.` is one that matches nothing (Chromium)."""
    last = [value for name, value in draft.parsed.attributes if name.lower() == b"domain"][-1:]
    if last != [b"."]:
        return None
    draft.host_only = False
    draft.reason = "InvalidDomain"
    return _DOMAIN_MISMATCH


def _public_suffix(draft: Draft) -> Step | None:
    domain = draft.domain
    if not domain:
        return None
    if not is_public_suffix(domain):
        return _NO_SUFFIX
    if domain == draft.host:
        draft.domain = ""  # host-only: nobody else can be meant
        return step_of(9, "public-suffix", "applied", domain[:_SHORT]) if draft.tell else _SUFFIX_IS_HOST
    draft.reason = "InvalidDomain"
    return step_of(9, "public-suffix", "failed", domain[:_SHORT]) if draft.tell else _SUFFIX


def _domain_match(draft: Draft) -> Step:
    if not draft.domain:
        draft.domain = draft.host
        return _HOST_ONLY
    if domain_matches(draft.host, draft.domain):
        draft.host_only = draft.profile.address_is_host_only and is_ip(draft.host)
        return step_of(10, "domain-match", "passed", draft.domain[:_SHORT]) if draft.tell else _DOMAIN_MATCH
    draft.host_only = False
    draft.reason = "InvalidDomain"
    return step_of(10, "domain-match", "failed", draft.domain[:_SHORT]) if draft.tell else _DOMAIN_MISMATCH


def _path(draft: Draft) -> Step:
    path = draft.parsed.path
    if path is not None and path.startswith(b"/"):
        draft.path = path.decode("latin-1")
        return step_of(11, "path", "passed", draft.path[:_SHORT]) if draft.tell else _PATH
    # §5.6.4 step 1: an empty Path, or one that does not begin with "/", means the default too.
    draft.path = default_path(draft.asking.path)
    return step_of(11, "path", "applied", draft.path[:_SHORT]) if draft.tell else _DEFAULT_PATH


def _secure(draft: Draft) -> Step:
    if not draft.parsed.secure:
        return _NO_SECURE
    if is_secure_scheme(draft.asking.scheme) or not draft.profile.secure_needs_secure:
        return _SECURE_OK
    loopback = is_loopback(draft.host)
    if loopback and draft.profile.trusts_loopback:
        return _SECURE_LOOPBACK
    draft.reason = "SecureOnly"
    return _SECURE_REFUSED_LOOPBACK if loopback else _SECURE_REFUSED


def _http_only(draft: Draft) -> Step:
    if not draft.parsed.http_only:
        return _NO_HTTP_ONLY
    if not draft.asking.by_script:
        return _HTTP_API
    draft.reason = "HttpOnlyFromScript"
    return _SCRIPT_API


def _overlay_http_only(draft: Draft) -> Step | None:
    """A script cannot replace what it may not see (step 23.2)."""
    if not draft.asking.by_script:
        return None
    old = draft.shelves.find(draft.domain, (draft.name, draft.host_only, draft.path, draft.partition))
    if old is None or not old.http_only or old.is_expired(draft.now_ns):
        return None
    draft.reason = "OverwriteHttpOnly"
    return _OVER_HTTP_ONLY


def can_overlay(scheme: str, host: str, profile: Profile) -> bool:
    """Whether Secure cookies must be protected from this response (step 16)."""
    # A cookie that is Secure itself came over a secure scheme, or was refused for that (step 13).
    return profile.protects_secure and not is_trusted(scheme, host, profile)


def _overlay_secure(draft: Draft) -> Step:
    if not can_overlay(draft.asking.scheme, draft.host, draft.profile):
        return _OVERLAY_SKIPPED
    if not draft.shelves.has_secure_over(draft.parsed.name, draft.domain, draft.path):
        return _NO_OVERLAY
    draft.reason = "OverwriteSecure"
    return _OVERLAY


def _same_site(draft: Draft) -> Step:
    flag = draft.parsed.same_site
    profile, asking = draft.profile, draft.asking
    if flag == "none":
        return _SITE_NONE
    if not profile.knows_same_site:
        return _SITE_UNKNOWN
    if is_near(asking, profile):
        return _SITE_SAME
    if flag == "default" and not profile.default_is_lax:
        return _SITE_DEFAULT
    if asking.top_level:
        return _SITE_TOP
    draft.reason = cross_site_reason(flag, asking, profile)
    return _SITE_CROSS[flag]


def _same_site_none(draft: Draft) -> Step:
    if draft.parsed.same_site != "none" or not draft.profile.none_needs_secure:
        return _NONE_SKIPPED
    if draft.parsed.secure:
        return _NONE_SECURE
    draft.reason = "SameSiteNoneInsecure"
    return _NONE_INSECURE


RULES: Final[dict[str, Callable[[Draft], Step | None]]] = {
    "name-or-value": name_or_value,
    "nameless": _nameless,
    "lifetime": _lifetime,
    "lifetime-limit": _lifetime_limit,
    "domain-ascii": _domain_ascii,
    "public-suffix": _public_suffix,
    "domain-match": _domain_match,
    "path": _path,
    "partitioned": partitioned,
    "third-party": third_party,
    "secure": _secure,
    "http-only": _http_only,
    "overlay-secure": _overlay_secure,
    "same-site": _same_site,
    "same-site-none": _same_site_none,
    "prefix": prefix,
    "overlay-http-only": _overlay_http_only,
}
