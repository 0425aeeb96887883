"""Hosts of cookies: canonical names, domain-match, public suffixes, same site."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_IPV4 = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_IPV6 = re.compile(r"[0-9a-f:.]*:[0-9a-f:.]*(?:%[0-9a-z._~-]*)?")
_DOTS = re.compile("[\u3002\uff0e\uff61]")  # full stops that IDNA takes for a dot
_MAX_HOST = 255

_SECURE_SCHEMES = frozenset(("https", "wss"))


def canonical_host(host: str) -> str | None:
    """Lower case, U-labels as A-labels (6265bis §5.1.2); None where a label is no label.

    `_` is taken for a letter, against the clause and with every client: such names exist
    in local networks. One empty label at the end (a trailing dot) stays.
    """
    return _canonical(host) if host and len(host) <= _MAX_HOST else None


# What is too long to be a host is told apart before it is remembered, here and below.
@lru_cache(maxsize=4096)
def _canonical(host: str) -> str | None:
    host = host.lower()
    if is_ip(host):
        return host
    if not host.isascii():
        host = _DOTS.sub(".", host)
    labels = host.split(".")
    dot = "." if labels[-1] == "" and len(labels) > 1 else ""
    found = [_canonical_label(label) for label in (labels[:-1] if dot else labels)]
    if None in found:
        return None
    return ".".join(label for label in found if label) + dot


def _canonical_label(label: str) -> str | None:
    if not label.isascii():
        import unicodedata  # a library of its own: most hosts do without

        # §5.1.2 step 3. Mapping as in UTS 46 without deviations: ß stays ß (IDNA2008).
        label = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).lower())
        if not label.isascii():
            label = "xn--" + label.encode("punycode").decode("ascii")
    if len(label) > 63 or not _LABEL.fullmatch(label):
        return None
    if label.startswith("xn--"):
        try:
            label[4:].encode("ascii").decode("punycode")
        except (UnicodeError, ValueError, OverflowError):
            return None  # step 4: a fake A-label
    return label


def is_ip(host: str) -> bool:
    """Whether the host is an address (IPv6 without brackets), not a name."""
    return (_is_ip if len(host) <= _MAX_HOST else _is_ip.__wrapped__)(host)


@lru_cache(maxsize=4096)
def _is_ip(host: str) -> bool:
    if host[-1:].isdigit() and _IPV4.fullmatch(host):
        return True
    return ":" in host and _IPV6.fullmatch(host) is not None


def domain_matches(host: str, domain: str) -> bool:
    """Whether the canonical host is the domain or lies below it (6265bis §5.1.3)."""
    return host == domain or (len(domain) < len(host) and _lies_below(host, domain))


@lru_cache(maxsize=4096)
def _lies_below(host: str, domain: str) -> bool:
    if not domain or not host.endswith(domain) or host[-len(domain) - 1] != ".":
        return False
    return not is_ip(host)


@cache
def _suffixes() -> PublicSuffixList:
    # Reading the list takes 35 ms: only for those who decide about a cookie.
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()


def registrable_domain(host: str) -> str | None:
    """Public suffix and one label more; None for a suffix itself, an address, no name."""
    return _registrable(host) if len(host) <= _MAX_HOST else None


@lru_cache(maxsize=4096)
def _registrable(host: str) -> str | None:
    if is_ip(host) or host.startswith("."):
        return None
    # A name that ends with a dot is another host than the one without it: the dot stays.
    found = _suffixes().privatesuffix(host.removesuffix("."))
    return found + "." * host.endswith(".") if isinstance(found, str) else None


def is_public_suffix(domain: str) -> bool:
    """Whether anybody may register names below it; an unlisted top-level name counts too."""
    return len(domain) <= _MAX_HOST and _is_suffix(domain)


@lru_cache(maxsize=4096)
def _is_suffix(domain: str) -> bool:
    if is_ip(domain) or domain.startswith("."):
        return False
    return bool(_suffixes().is_public(domain))


def site_of(host: str) -> str:
    """The registrable domain, or the host where there is none (HTML "obtain a site")."""
    return registrable_domain(host) or host


def is_secure_scheme(scheme: str) -> bool:
    """Whether the scheme denotes a "secure" protocol: TLS is beneath it."""
    return scheme in _SECURE_SCHEMES


def is_loopback(host: str) -> bool:
    """Whether browsers hold http to this host for trustworthy: it never leaves the machine.

    The draft leaves "secure" to the client; a profile says whether this counts.
    """
    return (
        host == "localhost" or host.endswith(".localhost") or host == "::1" or (host.startswith("127.") and is_ip(host))
    )


def same_site(scheme: str, host: str, other_scheme: str, other_host: str) -> bool:
    """Schemefully same site (6265bis §5.2, HTML): same site and both secure or both not.

    Hosts that have no canonical form are same-site with nothing.
    """
    one, other = canonical_host(host), canonical_host(other_host)
    if one is None or other is None:
        return False
    if is_secure_scheme(scheme) != is_secure_scheme(other_scheme):
        return False
    return site_of(one) == site_of(other)
