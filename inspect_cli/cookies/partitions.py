"""Partitioned cookies (CHIPS) and those of third parties (6265bis §7.1), as browsers ship them."""

from __future__ import annotations

from typing import Final

from inspect_cli.cookies.drafts import Draft
from inspect_cli.cookies.sites import is_third_party, is_trusted, partition_of
from inspect_cli.events.cookies import BIS, Step

CHIPS: Final = "CHIPS"
"""draft-cutler-httpbis-partitioned-cookies: expired, and shipped by three engines."""

_FOUND: Final = 80
_NOT_SECURE = Step(CHIPS, "partitioned", "failed", "")
_APPLIED = Step(CHIPS, "partitioned", "applied", "")
_THIRD = Step(f"{BIS} §7.1", "third-party", "failed", "")
_PARTITIONED = Step(f"{BIS} §7.1", "third-party", "passed", "Partitioned")
_FIRST = Step(f"{BIS} §7.1", "third-party", "passed", "")


def partitioned(draft: Draft) -> Step | None:
    """The cookie lives under the top-level site alone; that needs Secure."""
    parsed = draft.parsed
    if not parsed.partitioned:
        return None
    if not parsed.secure or not is_trusted(draft.asking.scheme, draft.host, draft.profile):
        draft.reason = "PartitionedNeedsSecure"
        return _NOT_SECURE
    draft.partition = partition_of(draft.asking, draft.host)
    return Step(CHIPS, "partitioned", "applied", draft.partition[:_FOUND]) if draft.tell else _APPLIED


def third_party(draft: Draft) -> Step:
    """Asked where the user blocks third-party cookies: partitioned ones pass."""
    if not is_third_party(draft.asking, draft.profile):
        return _FIRST
    if draft.partition:
        return _PARTITIONED
    draft.reason = "UserPreferences"
    return _THIRD
