"""What a cookie's name promises (6265bis §5.4, §5.7 steps 20 to 22; layered-cookies)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from inspect_cli.cookies.drafts import Draft, Outcome, step_of
from inspect_cli.cookies.sites import is_trusted
from inspect_cli.events.cookies import Step

_LAYERED: Final = "layered-cookies §4.1.3"
_HOST: Final = ("Secure", "host-only", "Path", "Path=/")
_PROMISES: Final = {
    "__Secure-": ("Secure",),
    "__Host-": _HOST,
    "__Http-": ("Secure", "HttpOnly"),
    "__Host-Http-": (*_HOST, "HttpOnly"),
}
_STEPS: Final = {"__Secure-": 20, "__Host-": 21}
_NO_PREFIX = step_of(20, "prefix", "skipped")
_NAMELESS = step_of(22, "prefix", "failed")


@lru_cache(maxsize=64)
def _longest_first(prefixes: tuple[str, ...]) -> tuple[tuple[bytes, str], ...]:
    return tuple((one.lower().encode("ascii"), one) for one in sorted(prefixes, key=len, reverse=True))


@lru_cache(maxsize=256)
def _step(prefix: str, outcome: Outcome, broken: str) -> Step:
    found = f"{prefix} {broken}" if broken and len(_PROMISES[prefix]) > 1 else prefix
    number = _STEPS.get(prefix)
    return Step(_LAYERED, "prefix", outcome, found) if number is None else step_of(number, "prefix", outcome, found)


def prefix(draft: Draft) -> Step:
    """Without regard to case (§5.4); a nameless cookie may not look like one on the wire (step 22)."""
    text = draft.name or draft.value
    if text[:2] != b"__" or not draft.profile.prefixes:
        return _NO_PREFIX
    start = text[:16].lower()
    known = _longest_first(draft.profile.prefixes)
    name = next((name for octets, name in known if start.startswith(octets)), None)
    if name is None:
        return _NO_PREFIX
    if not draft.name:
        draft.reason = "InvalidPrefix"
        return _NAMELESS
    broken = next((promise for promise in _PROMISES[name] if not _is_kept(promise, draft)), "")
    if not broken:
        return _step(name, "passed", "")
    draft.reason = "InvalidPrefix"
    return _step(name, "failed", broken)


def _is_kept(promise: str, draft: Draft) -> bool:
    parsed = draft.parsed
    if promise == "Secure":
        # Where Secure itself was refused before (step 13), the scheme is secure here anyway.
        return parsed.secure and is_trusted(draft.asking.scheme, draft.host, draft.profile)
    if promise == "host-only":
        return draft.host_only
    if promise == "Path":
        return parsed.path is not None
    if promise == "Path=/":
        return draft.path == "/"
    return parsed.http_only and not draft.asking.by_script
