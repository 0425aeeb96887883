"""Who is near whom: same-site as a profile counts it, third parties, partitions."""

from __future__ import annotations

from typing import Final

from inspect_cli.cookies.hosts import is_loopback, is_secure_scheme, site_of
from inspect_cli.cookies.profiles import Profile
from inspect_cli.events.cookies import Asking, SameSite

SAME_SITE_REASONS: Final[dict[SameSite, str]] = {
    "strict": "SameSiteStrict",
    "lax": "SameSiteLax",
    "default": "SameSiteUnspecifiedTreatedAsLax",
}
_SCHEMEFUL: Final[dict[SameSite, str]] = {flag: "Schemeful" + reason for flag, reason in SAME_SITE_REASONS.items()}
_CROSS: Final = "^cross"


def is_near(asking: Asking, profile: Profile) -> bool:
    """Whether the request is same-site to this client (6265bis §5.2; HTML counts the scheme in)."""
    if profile.schemeful or asking.same_domain is None:
        return asking.same_site
    return asking.same_domain


def cross_site_reason(flag: SameSite, asking: Asking, profile: Profile) -> str:
    """DevTools' name for a cookie that is held back from another site."""
    is_scheme = profile.schemeful_reasons == "always" or (asking.same_domain is True and not asking.same_site)
    return (_SCHEMEFUL if is_scheme else SAME_SITE_REASONS)[flag]


def is_trusted(scheme: str, host: str, profile: Profile) -> bool:
    """Whether Secure cookies may come and go: TLS, or a host that the profile trusts without."""
    if is_secure_scheme(scheme) or not profile.trusts_loopback:
        return is_secure_scheme(scheme)
    return is_loopback(host) if profile.trusted_hosts is None else host in profile.trusted_hosts


def is_third_party(asking: Asking, profile: Profile) -> bool:
    """Whether the request is made inside another site's page (6265bis §7.1)."""
    return not asking.top_level and not is_near(asking, profile)


def partition_of(asking: Asking, host: str) -> str:
    """The key of the partition that the request has to do with: the top-level page's site.

    A site inside another one inside its own page has a partition besides (`^cross`), as
    browsers do it.
    """
    scheme = "https" if is_secure_scheme(asking.scheme) else "http"
    own = f"{scheme}://{site_of(host)}"
    top = asking.top_site or own
    return top + _CROSS if top == own and not asking.same_site and not asking.top_level else top
