"""Whether a client keeps a Set-Cookie line (6265bis §5.6 and the 24 steps of §5.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.drafts import Draft, StoreDecision, step_of
from inspect_cli.cookies.hosts import canonical_host
from inspect_cli.cookies.limits import remove_excess
from inspect_cli.cookies.lines import LINE_RULES
from inspect_cli.cookies.parse import cut_line, read_attributes, split_pair
from inspect_cli.cookies.profiles import Profile
from inspect_cli.cookies.rules import RULES
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.events.cookies import BIS, Asking, Step

__all__ = ["StoreDecision", "decide_store"]

Rule = Callable[[Draft], Step | None]
_NO_HOST = Step(f"{BIS} §5.1.2", "canonical-host", "failed", "")
_NEW = step_of(23, "replace", "skipped")
_REPLACES = step_of(23, "replace", "applied")
_STORED = step_of(24, "insert", "applied")
_EXPIRED = step_of(24, "expired", "applied")


@lru_cache(maxsize=32)
def _line_rules(order: tuple[str, ...]) -> tuple[Rule, ...]:
    return tuple([LINE_RULES[name] for name in order])


@lru_cache(maxsize=32)
def _store_rules(order: tuple[tuple[str, ...], ...]) -> tuple[tuple[Rule, ...], ...]:
    return tuple([tuple([RULES[name] for name in group]) for group in order])


def decide_store(
    shelves: Shelves,
    profile: Profile,
    line: bytes,
    asking: Asking,
    now_ns: int,
    *,
    tell: bool = True,
    blocks_third_parties: bool = False,
) -> StoreDecision:
    """Decide about a Set-Cookie line and do it to `shelves`."""
    if profile.line_end_octets:
        line = cut_line(line, profile.line_end_octets)
    name, value = split_pair(line)
    draft = Draft(line, name, value, asking, now_ns, profile, shelves, blocks_third_parties, tell)
    trail: list[Step] = []
    failed = _ask(_line_rules(profile.line_order), draft, trail, goes_on=False)
    if failed:
        return _refused(draft, trail, failed)
    draft.parsed = read_attributes(name, value, line, profile)
    host = canonical_host(asking.host)
    if host is None:
        draft.reason = "InvalidDomain"
        trail.append(_NO_HOST)
        return _refused(draft, trail, [("InvalidDomain", _NO_HOST)])
    draft.host = host
    for group in _store_rules(profile.store_order):
        failed = _ask(group, draft, trail, goes_on=profile.tells_all_reasons)
        if failed:
            return _refused(draft, trail, failed)
    return _insert(draft, trail)


def _ask(rules: Iterable[Rule], draft: Draft, trail: list[Step], *, goes_on: bool) -> list[tuple[str, Step]] | None:
    """Ask each rule; the reasons and steps of those that fail, None where none does."""
    failed: list[tuple[str, Step]] | None = None
    for rule in rules:
        step = rule(draft)
        if step is None:
            continue
        trail.append(step)
        if draft.reason:
            failed = [*(failed or ()), (draft.reason, step)]
            if not goes_on:
                break
            draft.reason = ""
    return failed


def _refused(draft: Draft, trail: list[Step], failed: list[tuple[str, Step]]) -> StoreDecision:
    (reason, step), *others = failed
    steps = tuple(trail) if draft.tell else ()
    also = tuple([other for other in dict.fromkeys(other for other, _ in others) if other != reason])
    return StoreDecision(False, False, None, draft.parsed, None, reason, step.clause, steps, (), also)


def _insert(draft: Draft, trail: list[Step]) -> StoreDecision:
    """Steps 23 and 24."""
    shelves, parsed, now_ns = draft.shelves, draft.parsed, draft.now_ns
    cookie = Cookie(
        parsed.name,
        parsed.value,
        draft.domain,
        draft.host_only,
        draft.path,
        parsed.secure,
        parsed.http_only,
        parsed.same_site,
        draft.expires_ns,
        draft.partition,
        now_ns,
        now_ns,
    )
    old = shelves.find(cookie.domain, cookie.key)
    if old is not None and old.is_expired(now_ns):
        shelves.remove(old)
        old = None
    trail.append(_REPLACES if old else _NEW)
    keeps_place = old is not None and (draft.profile.creation_kept == "always" or old.value.value == parsed.value.value)
    if old is not None and keeps_place:
        cookie.creation_ns = old.creation_ns  # step 23.3
    if cookie.is_expired(now_ns):
        # Inserted and evicted at once: expired cookies never stay.
        if old is not None:
            shelves.remove(old)
        trail.append(_EXPIRED)
        steps = tuple(trail) if draft.tell else ()
        return StoreDecision(False, True, cookie, parsed, old, "Expired", _EXPIRED.clause, steps)
    shelves.insert(cookie, keeps_place=keeps_place)
    evicted = remove_excess(shelves, cookie, draft.profile, now_ns)
    trail.append(_STORED)
    if evicted and draft.tell:
        trail.append(step_of(24, "excess", "applied", str(len(evicted))))
    steps = tuple(trail) if draft.tell else ()
    return StoreDecision(True, False, cookie, parsed, old, "Stored", _STORED.clause, steps, evicted)
