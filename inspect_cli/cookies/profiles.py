"""Client profiles: what differs between clients, as data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from inspect_cli.events.base import noun


@noun
class Profile:
    """One client's rules where they are a number or a yes/no."""

    name: str
    rejects_public_suffixes: bool
    """Is "configured to reject public suffixes" (6265bis §5.7 step 9)."""
    trusts_loopback: bool
    """Counts http to localhost and loopback addresses as a secure protocol."""
    max_lifetime_s: int | None
    """6265bis §5.5; None: no limit."""
    lax_allowing_unsafe_s: int
    """Age up to which "Default" cookies go along on cross-site unsafe top-level requests
    (6265bis §5.6.7.2); 0: never."""
    max_per_domain: int
    """Cookies that share a domain (6265bis §6.1, §5.7 step 24)."""
    max_total: int


RFC6265BIS: Final = Profile(
    name="rfc6265bis",
    rejects_public_suffixes=True,
    trusts_loopback=False,
    max_lifetime_s=34_560_000,  # 400 days
    lax_allowing_unsafe_s=0,
    max_per_domain=50,
    max_total=3000,
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType({RFC6265BIS.name: RFC6265BIS})
