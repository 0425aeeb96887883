"""Lines that differ from one before them in nothing but their value: what the rules say is known.

Servers repeat themselves. A line that passed all rules is kept by what they look at; the time
and the jar are asked again each time. Steps of equal decisions are one object.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from inspect_cli.cookies.drafts import Draft
from inspect_cli.cookies.parse import LONGEST_KEPT, Attributes
from inspect_cli.cookies.paths import default_path
from inspect_cli.events.cookies import Asking, Step

Key = tuple[str, str, str, bytes, bytes, bool]
"""Scheme, host, top-level site, what of the name counts, attributes, whether steps are wanted: all that
the rules look at in a same-site response, but for the default path."""

_MOST: Final = 1024
_MOST_TRAILS: Final = 32
_LONGEST_PATH: Final = 1024


class Trail:
    """The steps of a decision up to its end."""

    __slots__ = ("_ended", "_steps")

    def __init__(self, asked: Iterable[Step | None] | None) -> None:
        """`asked`: what each rule said; None: no steps are wanted."""
        self._steps = None if asked is None else tuple([step for step in asked if step is not None])
        self._ended: dict[tuple[Step, ...], tuple[Step, ...]] = {}

    @property
    def is_told(self) -> bool:
        """Whether steps are wanted."""
        return self._steps is not None

    def ended(self, *last: Step) -> tuple[Step, ...]:
        """All steps, with the last ones; the same object for the same ones."""
        if self._steps is None:
            return ()
        found = self._ended.get(last)
        if found is None:
            found = self._steps + last
            if len(self._ended) < _MOST_TRAILS:
                self._ended[last] = found
        return found


NO_TRAIL: Final = Trail(None)


class One:
    """A line that passed: what was read and settled, and what there is to tell."""

    __slots__ = (
        "attributes", "domain", "host_only", "is_capped", "overlays", "partition", "path", "trail",
    )  # fmt: skip

    def __init__(self, draft: Draft, attributes: Attributes, trail: Trail, *, is_capped: bool, overlays: bool) -> None:
        self.attributes = attributes
        self.domain = draft.domain
        self.host_only = draft.host_only
        self.path = draft.path
        self.partition = draft.partition
        self.trail = trail
        self.is_capped = is_capped
        """Its lifetime was cut: the time decides that."""
        self.overlays = overlays
        """Whether a Secure cookie could be overlaid: the jar decides that."""


class Settled:
    """Lines by their keys; bounded."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[Key | tuple[Key, str], One | None] = {}
        """None: the default path counts, and is part of the key."""

    def find(self, key: Key, asking: Asking) -> One | None:
        try:
            one = self._known[key]
        except KeyError:
            return None
        return one if one is not None else self._known.get((key, default_path(asking.path)))

    def put(self, key: Key, asking: Asking, one: One) -> None:
        path = one.attributes[3]
        has_path = path is not None and path.startswith(b"/")
        if not has_path and len(asking.path) > _LONGEST_PATH:
            return
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[key] = one if has_path else None
        if not has_path:
            self._known[key, default_path(asking.path)] = one


def key_of(asking: Asking, name: bytes, rest: bytes, *, tell: bool) -> Key | None:
    """`rest`: the line behind the pair. None where more decides, or where it is too much to keep."""
    if (
        not asking.same_site
        or asking.same_domain is False
        or asking.by_script
        or not name
        or len(name) + len(rest) + len(asking.scheme) > LONGEST_KEPT
    ):
        return None
    # But for prefixes, which begin with two underscores, a name decides nothing.
    counts = name if name[:2] == b"__" else b""
    return asking.scheme, asking.host, asking.top_site, counts, rest, tell
