"""A cookie on its way into the jar, and what is decided about it in the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.profiles import Profile
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.events.base import noun
from inspect_cli.events.cookies import BIS, Asking, SetCookie, Step

Outcome = Literal["passed", "failed", "applied", "skipped"]


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


@dataclass(slots=True, eq=False, repr=False)
class Draft:
    """A cookie on its way through the steps."""

    line: bytes
    name: bytes
    value: bytes
    asking: Asking
    now_ns: int
    profile: Profile
    shelves: Shelves
    tell: bool
    """Whether steps are wanted with their words."""
    host: str = ""
    parsed: SetCookie = None  # type: ignore[assignment]  # until the line is through its own rules
    reason: str = ""
    domain: str = ""
    host_only: bool = True
    path: str = "/"
    expires_ns: int | None = None
    partition: str = ""


def step_of(number: int, check: str, outcome: Outcome, found: str = "") -> Step:
    """A step of the storage model."""
    return Step(f"{BIS} §5.7 step {number}", check, outcome, found)
