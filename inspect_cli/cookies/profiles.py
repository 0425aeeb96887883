"""Client profiles: what differs between clients, as data.

Facts of August to November 2026. Each field says where it is known from; its default is what
the draft says, so that a profile lists only where its client is another one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeVar, dataclass_transform

_CONTROLS: Final = bytes((*range(0x09), *range(0x0A, 0x20), 0x7F))
_400_DAYS_S: Final = 34_560_000
_DRAFT_ORDER: Final = (
    "name-or-value", "lifetime", "lifetime-limit", "domain-ascii", "public-suffix", "domain-match", "path",
    "partitioned", "secure", "http-only", "overlay-secure", "same-site", "same-site-none", "prefix",
    "third-party", "overlay-http-only",
)  # fmt: skip
"""As the steps of §5.7 stand; what the draft does not know has its place among them."""


_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def _data(cls: type[_T]) -> type[_T]:
    """Make a class of facts: what type checkers take for a dataclass, without its price.

    A dataclass of so many fields takes longer to make than the rest of this library to load.
    """
    names = tuple(cls.__annotations__)
    usual = {name: getattr(cls, name) for name in names if hasattr(cls, name)}

    def init(self: object, *values: object, **said: object) -> None:
        self.__dict__.update(usual, **dict(zip(names, values, strict=False)), **said)

    cls.__init__ = init  # type: ignore[method-assign]
    return cls


@_data
class Profile:
    """One client's rules where they are a number, a yes/no, or the name of a flavour.

    Chromium's are read off a recorded Chromium 156 and its source (net/cookies), Firefox's off
    its source (netwerk/cookie) and MDN's compatibility data of 2026-08-07, Safari's off the
    latter. None as a limit: there is none, or (`unknown_limits`) nobody outside knows it.
    """

    name: str
    rejects_public_suffixes: bool
    """Is "configured to reject public suffixes" (6265bis §5.7 step 9)."""
    trusts_loopback: bool
    """Counts http to localhost and loopback addresses as a secure protocol: Chromium, Firefox;
    not Safari (WebKit bug 281149)."""
    max_lifetime_s: int | None
    """6265bis §5.5; None: no limit."""
    lax_allowing_unsafe_s: int
    """Age up to which "Default" cookies go along on cross-site unsafe top-level requests
    (6265bis §5.6.7.2); 0: never. Chromium: two minutes."""
    max_per_domain: int | None
    """Cookies that share a domain (6265bis §6.1, §5.7 step 24), or a site: `limit_scope`."""
    max_total: int | None

    # -- as what
    flavour: Literal["draft", "cookiejar", "curl"] = "draft"
    """Who reads the line and decides: 6265bis with the fields below, or a library in its own way."""
    measured_on: str = ""
    """The version that tests compare with, where the program itself runs in them."""

    # -- bounds
    limit_scope: Literal["domain", "site"] = "domain"
    """What `max_per_domain` counts; browsers count the registrable domain with all below it."""
    kept_per_domain: int | None = None
    """How many stay where the bound is passed; None: as many as may be. Browsers go further down."""
    kept_total: int | None = None
    priority_quotas: Mapping[str, int] | None = None
    """How many cookies of each Priority a site keeps while others can go (Chromium); None: Priority is unknown."""
    total_spares_s: int = 0
    """Cookies that were used within this time stay when there are too many in all (Chromium: 30 days)."""
    max_per_partition: int | None = None
    """Partitioned cookies of one site in one partition."""
    max_partition_bytes: int | None = None
    """Their names and values together."""
    max_stored_per_response: int | None = None
    """curl: 50 (lib/cookie.h, MAX_SET_COOKIE_AMOUNT)."""
    max_sent: int | None = None
    """curl: 150 (MAX_COOKIE_SEND_AMOUNT)."""
    reads_whole_answers: bool = False
    """All lines of a response are read before one is kept (http.cookiejar): one that it fails on
    takes all with it, and what deletes comes first."""
    max_header_bytes: int | None = None
    """The Cookie field with its name. curl: 8190 (MAX_COOKIE_HEADER_LEN)."""
    unknown_limits: bool = False
    """The bounds that are None here are not documented (Safari)."""

    # -- the line
    refused_octets: bytes = _CONTROLS
    """Octets that drop a Set-Cookie line wherever they stand (6265bis §5.6 step 1)."""
    line_end_octets: bytes = b""
    """Octets at which the line of a response ends, a script's not. Chromium, Firefox: NUL, CR, LF."""
    refused_inner_octets: bytes = b""
    """Octets that are refused within a name or value, of attributes too, but not around them. Chromium: TAB."""
    max_line_bytes: int | None = None
    """curl: 5000 (MAX_COOKIE_LINE)."""
    max_pair_bytes: int | None = 4096
    """Name and value (6265bis §5.6 step 5)."""
    max_attribute_bytes: int | None = 1024
    """A longer attribute value counts as not there (6265bis §5.6 step 6)."""
    keeps_nameless: bool = True
    """`value` and `=value` are cookies (6265bis §5.6 steps 3, 4)."""
    nameless_holds_equals: bool = True
    """`=a=b` is one of them too; not for Chromium, which would send `a=b`."""
    plus_in_max_age: bool = False
    """`Max-Age=+5` is a number (Chromium); §5.6.2 allows digits and "-"."""
    early_years_expire: bool = False
    """A year before 1601 is the past (Chromium); §5.1.1 step 5 fails, the attribute is ignored."""

    # -- the domain
    keeps_empty_domain: bool = True
    """`Domain=.` and `Domain=` mean host-only (6265bis §5.6.3); Chromium refuses `.`."""
    address_is_host_only: bool = False
    """A Domain that is the host's own address makes no other cookie than none (Chromium, Firefox);
    by §5.7 step 10 it is not host-only."""
    converts_domain: bool = False
    """A Domain with U-labels is converted (Chromium); §5.7 step 8 drops the cookie."""

    # -- Secure and prefixes
    secure_needs_secure: bool = True
    """Secure from an insecure URI is refused (6265bis §5.7 step 13)."""
    protects_secure: bool = True
    """An insecure URI cannot overlay a Secure cookie (6265bis §5.7 step 16)."""
    prefixes: tuple[str, ...] = ("__Secure-", "__Host-")
    """Chromium 49, Firefox 50, Safari 13; `__Http-` and `__Host-Http-` (layered-cookies §4.1.3):
    Chromium 140, Firefox 143."""

    # -- SameSite and partitions
    knows_same_site: bool = True
    """False: a library without pages; every request is same-site to it."""
    default_is_lax: bool = True
    """A missing SameSite holds cross-site requests back: the draft, Chromium 80; others do not."""
    none_needs_secure: bool = True
    """6265bis §5.7 step 19: Chromium 80, Firefox 131."""
    schemeful_reasons: Literal["by-scheme", "always"] = "by-scheme"
    """When a cookie held back from another site gets a Schemeful… reason: where only the scheme
    differs, or always, as the recorded Chromium does it."""
    schemeful: bool = True
    """http and https of one site are two (HTML): Chromium 91; the draft asks for HTML's."""
    partitions: bool = False
    """Knows Partitioned (CHIPS): Chromium 114, Firefox 141, Safari 26.2."""

    # -- hosts, paths and times
    drops_last_slash: bool = False
    """A path is kept without the slash at its end (curl)."""
    dotless_suffix: str = ""
    """http.cookiejar: a host without a dot is `HOST.local`."""
    trusted_hosts: tuple[str, ...] | None = None
    """Which hosts `trusts_loopback` means; None: all of loopback. curl: three names."""
    expiry_margin_ns: int = 0
    """How long after its expiry a cookie lives; http.cookiejar: not even to it, curl: to the next second."""
    lifetime_rounds_s: int = 1
    """What a lifetime beyond the limit is rounded to. curl: a minute."""
    header_order: Literal["creation", "newest", "nested"] = "creation"
    """Behind longer paths (6265bis §5.8.3 step 4): older ones; curl: longer domains, longer names,
    newer ones; http.cookiejar: domains and paths in the order of their first cookie."""

    # -- decisions
    creation_kept: Literal["always", "same-value"] = "always"
    """When an overwritten cookie's creation time lives on (6265bis §5.7 step 23.3). Chromium:
    only under the same value, so that a changed cookie goes to the end."""
    tells_all_reasons: bool = False
    """Goes on after the first reason and names them all, as Chromium's DevTools do."""
    line_order: tuple[str, ...] = ("control-character", "pair-size")
    """What is asked about a line (names of lines.LINE_RULES)."""
    store_order: tuple[tuple[str, ...], ...] = (_DRAFT_ORDER,)
    """What is asked about a cookie (names of rules.RULES). All of a group are asked where all
    reasons are told; after a group in which one failed nothing more is."""
    send_order: tuple[str, ...] = (
        "expired", "domain-match", "partition", "path-match", "secure", "http-only", "same-site", "third-party",
    )  # fmt: skip
    """What is asked before a cookie goes along (names of send.RULES)."""


RFC6265BIS: Final = Profile(
    name="rfc6265bis",
    rejects_public_suffixes=True,
    trusts_loopback=False,
    max_lifetime_s=_400_DAYS_S,
    lax_allowing_unsafe_s=0,
    max_per_domain=50,
    max_total=3000,
)
_ALL_PREFIXES: Final = ("__Secure-", "__Host-", "__Http-", "__Host-Http-")

CHROMIUM: Final = Profile(
    name="chromium",
    rejects_public_suffixes=True,
    trusts_loopback=True,
    max_lifetime_s=_400_DAYS_S,
    lax_allowing_unsafe_s=120,
    max_per_domain=180,
    max_total=3300,
    limit_scope="site",
    kept_per_domain=150,
    kept_total=3000,
    priority_quotas=MappingProxyType({"low": 30, "medium": 50, "high": 70}),
    total_spares_s=30 * 86_400,
    max_per_partition=180,
    max_partition_bytes=10_240,
    line_end_octets=b"\0\r\n",
    refused_inner_octets=b"\t",
    nameless_holds_equals=False,
    plus_in_max_age=True,
    early_years_expire=True,
    keeps_empty_domain=False,
    address_is_host_only=True,
    converts_domain=True,
    prefixes=_ALL_PREFIXES,
    partitions=True,
    creation_kept="same-value",
    schemeful_reasons="always",
    tells_all_reasons=True,
    line_order=("name-or-value", "pair-size", "control-character"),
    store_order=(
        (
            "lifetime",
            "lifetime-limit",
            "domain-ascii",
            "public-suffix",
            "domain-match",
            "path",
            "prefix",
            "partitioned",
        ),
        ("nameless",),
        ("third-party",),
        ("secure", "http-only", "same-site", "same-site-none", "overlay-secure", "overlay-http-only"),
    ),
    send_order=(
        "expired",
        "partition",
        "http-only",
        "secure",
        "path-match",
        "domain-match",
        "same-site",
        "third-party",
    ),
)

FIREFOX: Final = Profile(
    name="firefox",
    rejects_public_suffixes=True,
    trusts_loopback=True,
    max_lifetime_s=_400_DAYS_S,
    lax_allowing_unsafe_s=0,
    max_per_domain=180,
    max_total=3300,
    limit_scope="site",
    kept_per_domain=151,  # thirty go before the 181st comes in
    kept_total=3000,
    total_spares_s=33 * 86_400,
    address_is_host_only=True,
    line_end_octets=b"\0\r\n",
    prefixes=_ALL_PREFIXES,
    default_is_lax=False,
    schemeful=False,
    partitions=True,
)

SAFARI: Final = Profile(
    name="safari",
    rejects_public_suffixes=True,
    trusts_loopback=False,
    max_lifetime_s=None,
    lax_allowing_unsafe_s=0,
    max_per_domain=None,
    max_total=None,
    unknown_limits=True,
    default_is_lax=False,
    none_needs_secure=False,
    schemeful=False,
    partitions=True,
)

CURL: Final = Profile(
    name="curl",
    rejects_public_suffixes=True,
    trusts_loopback=True,
    max_lifetime_s=_400_DAYS_S,
    lax_allowing_unsafe_s=0,
    max_per_domain=None,
    max_total=None,
    max_stored_per_response=50,
    max_sent=150,
    max_header_bytes=8190,
    max_line_bytes=5000,
    knows_same_site=False,
    none_needs_secure=False,
    flavour="curl",
    measured_on="libcurl 8.23.0",
    refused_octets=bytes((*range(0x20), 0x7F)),
    max_attribute_bytes=None,
    keeps_nameless=False,
    trusted_hosts=("localhost", "127.0.0.1", "::1"),
    expiry_margin_ns=999_999_999,
    drops_last_slash=True,
    lifetime_rounds_s=60,
    header_order="newest",
    send_order=("expired", "curl-domain", "curl-path", "secure", "http-only"),
)

PYTHON: Final = Profile(
    name="python",
    rejects_public_suffixes=False,
    trusts_loopback=False,
    max_lifetime_s=None,
    lax_allowing_unsafe_s=0,
    max_per_domain=None,
    max_total=None,
    max_pair_bytes=None,
    max_attribute_bytes=None,
    secure_needs_secure=False,
    protects_secure=False,
    prefixes=(),
    knows_same_site=False,
    none_needs_secure=False,
    flavour="cookiejar",
    measured_on="CPython 3.11 to 3.13",
    refused_octets=b"",
    keeps_nameless=False,
    reads_whole_answers=True,
    dotless_suffix=".local",
    expiry_margin_ns=-1,
    header_order="nested",
    send_order=("cookiejar-domain", "cookiejar-path", "secure", "expired", "http-only"),
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {profile.name: profile for profile in (RFC6265BIS, CHROMIUM, FIREFOX, SAFARI, CURL, PYTHON)}
)
