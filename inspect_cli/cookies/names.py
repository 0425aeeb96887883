"""What a client calls the host of a request."""

from __future__ import annotations

from functools import lru_cache

from inspect_cli.cookies.hosts import canonical_host
from inspect_cli.cookies.profiles import Profile

_LONGEST = 255
"""A longer name has no canonical form."""


def host_of(host: str, profile: Profile) -> str | None:
    """The canonical name (6265bis §5.1.2), with the suffix that a client gives to names without a dot."""
    if not profile.dotless_suffix:
        return canonical_host(host)
    return _with_suffix(host, profile.dotless_suffix) if len(host) <= _LONGEST else None


@lru_cache(maxsize=4096)
def _with_suffix(host: str, suffix: str) -> str | None:
    name = canonical_host(host)
    if name is not None and ":" in name:
        name = f"[{name}]"
    return name + suffix if name is not None and "." not in name else name
