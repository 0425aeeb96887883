"""What drops a Set-Cookie line before it is a cookie (6265bis §5.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from inspect_cli.cookies.drafts import Draft, step_of
from inspect_cli.events.cookies import BIS, Step

_CONTROL = Step(f"{BIS} §5.6 step 1", "control-character", "failed", "")
_NO_CONTROL = Step(f"{BIS} §5.6 step 1", "control-character", "passed", "")
_INNER = Step(f"{BIS} §5.6 step 1", "control-character", "failed", "TAB")
_TOO_LONG = Step(f"{BIS} §5.6 step 5", "pair-size", "failed", "")
_NOT_TOO_LONG = Step(f"{BIS} §5.6 step 5", "pair-size", "passed", "")
_EMPTY = step_of(2, "name-or-value", "failed")
_NOT_EMPTY = step_of(2, "name-or-value", "passed")


def control_character(draft: Draft) -> Step:
    """Any control character but TAB (step 1); some clients refuse a TAB within a name or value, too."""
    line, profile = draft.line, draft.profile
    if len(line.translate(None, profile.refused_octets)) != len(line):
        draft.reason = "DisallowedCharacter"
        return _CONTROL
    inner = profile.refused_inner_octets
    if inner and len(line.translate(None, inner)) != len(line) and _is_within(line, inner):
        draft.reason = "DisallowedCharacter"
        return _INNER
    return _NO_CONTROL


def _is_within(line: bytes, octets: bytes) -> bool:
    """Whether one of the octets stands in a name or value, not around it."""
    for piece in line.split(b";"):
        name, _, value = piece.partition(b"=")
        inside = name.strip(b" \t") + value.strip(b" \t")
        if len(inside.translate(None, octets)) != len(inside):
            return True
    return False


def pair_size(draft: Draft) -> Step | None:
    limit = draft.profile.max_pair_bytes
    if limit is None:
        return None
    if len(draft.name) + len(draft.value) <= limit:
        return _NOT_TOO_LONG
    draft.reason = "NameValuePairExceedsMaxSize"
    return _TOO_LONG


def name_or_value(draft: Draft) -> Step:
    if draft.name or draft.value:
        return _NOT_EMPTY
    draft.reason = "NoCookieContent"
    return _EMPTY


LINE_RULES: Final[dict[str, Callable[[Draft], Step | None]]] = {
    "control-character": control_character,
    "pair-size": pair_size,
    "name-or-value": name_or_value,
}
