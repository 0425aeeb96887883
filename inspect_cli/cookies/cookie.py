"""A cookie as a jar keeps it (6265bis §5.7)."""

from __future__ import annotations

from dataclasses import dataclass, field

from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import SameSite

Key = tuple[bytes, bool, str, str]
"""Name, host-only, path, partition: with the domain, what makes a cookie this one (§5.7 step 23)."""


@dataclass(slots=True)
class Cookie:
    """Times are Unix ns. Equal when what the rules and a server see of them is equal."""

    name: bytes
    value: Secret
    domain: str
    """Canonical: lower case, no leading dot."""
    host_only: bool
    path: str
    """Octets as Latin-1, so that nothing is lost."""
    secure: bool = False
    http_only: bool = False
    same_site: SameSite = "default"
    expires_ns: int | None = None
    """None: until the browser closes."""
    partition: str = ""
    """The top-level site under which it lives alone (CHIPS); "": everywhere."""
    creation_ns: int = field(default=0, compare=False)
    last_access_ns: int = field(default=0, compare=False)
    order: int = field(default=0, compare=False)
    """Ties between equal creation times; given by the jar."""
    priority: str = field(default="medium", compare=False)
    """Chromium's: `low` and `medium` ones go before `high` ones where a site has too many."""
    place: tuple[int, ...] = field(default=(), compare=False)
    """Where its client's store has it, for clients whose store has an order of its own."""
    bare: bool = False
    """It is sent as its name alone, without `=` (http.cookiejar); the value is empty."""
    size: int = field(default=0, compare=False)
    """`size_bytes` as it came into the jar."""
    tag: object = field(default=None, compare=False)
    """Whatever the jar's owner wants to find with it again; the jar never looks at it."""

    @property
    def key(self) -> Key:
        return (self.name, self.host_only, self.path, self.partition)

    @property
    def size_bytes(self) -> int:
        """What it takes to remember it, roughly."""
        return 300 + len(self.name) + len(self.value.value) + len(self.domain) + len(self.path) + len(self.partition)

    def is_expired(self, now_ns: int) -> bool:
        """§5.7: its expiry date is in the past."""
        return self.expires_ns is not None and self.expires_ns < now_ns
