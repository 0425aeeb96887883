"""Whether a client keeps a Set-Cookie line (6265bis §5.6 and the 24 steps of §5.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.drafts import Draft, StoreDecision, step_of
from inspect_cli.cookies.hosts import canonical_host
from inspect_cli.cookies.limits import remove_excess
from inspect_cli.cookies.lines import LINE_RULES
from inspect_cli.cookies.parse import cut_line, read_attributes, split_line
from inspect_cli.cookies.profiles import Profile
from inspect_cli.cookies.rules import RULES, can_overlay, expiry_of
from inspect_cli.cookies.settled import NO_TRAIL, One, Settled, Trail, key_of
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import BIS, Asking, SetCookie, Step

__all__ = ["StoreDecision", "decide_store"]

_NS = 1_000_000_000
Rule = Callable[[Draft], Step | None]
_NO_HOST = Step(f"{BIS} §5.1.2", "canonical-host", "failed", "")
_NEW = step_of(23, "replace", "skipped")
_REPLACES = step_of(23, "replace", "applied")
_STORED = step_of(24, "insert", "applied")
_EXPIRED = step_of(24, "expired", "applied")


class _Rules:
    """A profile's rules in its order, without those that have nothing to say."""

    __slots__ = ("groups", "line", "most_ns", "octets", "overlays", "profile", "settled")

    def __init__(self, profile: Profile, groups: tuple[tuple[Rule, ...], ...]) -> None:
        self.profile = profile
        self.line = tuple([LINE_RULES[name] for name in profile.line_order])
        self.groups = groups
        """One, where the first failure ends it."""
        asked = [rule for group in groups for rule in group]
        self.octets = profile.refused_octets + profile.refused_inner_octets
        """A named line with none of these passes the rules of a line if it is not too long."""
        self.most_ns = (profile.max_lifetime_s or 0) * _NS if RULES["lifetime-limit"] in asked else None
        self.overlays = RULES["overlay-secure"] in asked
        self.settled = Settled()
        """What the rules said to a line that passed them all."""

    def are_fine(self, line: bytes, name: bytes, value: bytes) -> bool:
        """Whether no rule of a line fails; False: ask them."""
        limit = self.profile.max_pair_bytes
        return (
            name != b""
            and (limit is None or len(name) + len(value) <= limit)
            and len(line.translate(None, self.octets)) == len(line)
        )


_known: dict[tuple[int, bool], _Rules] = {}
_MOST_KNOWN: Final = 64


def _rules_of(profile: Profile, blocks_third_parties: bool) -> _Rules:
    key = (id(profile), blocks_third_parties)
    found = _known.get(key)
    if found is not None:
        return found  # it holds the profile, so that no other one has its identity
    idle = {name for name, is_asked in _asked(profile, blocks_third_parties).items() if not is_asked}
    order = profile.store_order
    if not profile.tells_all_reasons:
        order = (tuple([name for group in order for name in group]),)
    groups = tuple([tuple([RULES[name] for name in group if name not in idle]) for group in order])
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    found = _known[key] = _Rules(profile, groups)
    return found


def _asked(profile: Profile, blocks_third_parties: bool) -> dict[str, bool]:
    """Rules that some profiles need not ask."""
    return {
        "third-party": blocks_third_parties,
        "partitioned": profile.partitions,
        "nameless": not profile.nameless_holds_equals,
        "public-suffix": profile.rejects_public_suffixes,
        "lifetime-limit": profile.max_lifetime_s is not None,
    }


@cache
def _as(flavour: str) -> Callable[..., StoreDecision]:
    # Only for those who ask as such a client.
    from inspect_cli.cookies.flavours import DECIDE_STORE

    return DECIDE_STORE[flavour]


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
    if profile.flavour != "draft":
        return _as(profile.flavour)(shelves, profile, line, asking, now_ns, tell=tell)
    if profile.line_end_octets and not asking.by_script:
        line = cut_line(line, profile.line_end_octets)
    name, value, rest = split_line(line)
    rules = _rules_of(profile, blocks_third_parties)
    key = key_of(asking, name, rest, tell=tell)
    if key is not None:
        one = rules.settled.find(key, asking)
        if one is not None and rules.are_fine(line, name, value):
            decision = _again(one, shelves, rules, name, value, now_ns)
            if decision is not None:
                return decision
    draft = Draft(line, name, value, asking, now_ns, profile, shelves, tell)
    asked: list[Step | None] = []
    failed = _ask(rules.line, draft, asked, goes_on=False)
    if failed:
        return _refused(draft, asked, failed)
    attributes = read_attributes(rest, profile)
    draft.parsed = SetCookie(name, Secret(value, "cookie"), *attributes)
    host = canonical_host(asking.host)
    if host is None:
        asked.append(_NO_HOST)
        return _refused(draft, asked, [("InvalidDomain", _NO_HOST)])
    draft.host = host
    for group in rules.groups:
        failed = _ask(group, draft, asked, goes_on=profile.tells_all_reasons)
        if failed:
            return _refused(draft, asked, failed)
    trail = Trail(asked) if tell else NO_TRAIL
    if key is not None:
        overlays = rules.overlays and can_overlay(asking.scheme, host, profile)
        is_capped = draft.expires_ns != expiry_of(draft.parsed.max_age, draft.parsed.expires_ns, now_ns)
        rules.settled.put(key, asking, One(draft, attributes, trail, is_capped=is_capped, overlays=overlays))
    return insert(draft, trail)


def _again(one: One, shelves: Shelves, rules: _Rules, name: bytes, value: bytes, now_ns: int) -> StoreDecision | None:
    """The line is as one before it but for its value; None where the time or the jar says something else."""
    attributes = one.attributes
    expires_ns = expiry_of(attributes[1], attributes[0], now_ns)
    is_capped = expires_ns is not None and rules.most_ns is not None and expires_ns > now_ns + rules.most_ns
    if is_capped is not one.is_capped or (one.overlays and shelves.has_secure_over(name, one.domain, one.path)):
        return None
    if is_capped:
        expires_ns = now_ns + (rules.most_ns or 0)
    parsed = SetCookie(name, Secret(value, "cookie"), *attributes)
    cookie = Cookie(
        name,
        parsed.value,
        one.domain,
        one.host_only,
        one.path,
        parsed.secure,
        parsed.http_only,
        parsed.same_site,
        expires_ns,
        one.partition,
        now_ns,
        now_ns,
        0,
        parsed.priority,
    )
    return _keep(shelves, rules.profile, cookie, parsed, now_ns, one.trail)


def _ask(
    rules: tuple[Rule, ...], draft: Draft, asked: list[Step | None], *, goes_on: bool
) -> list[tuple[str, Step]] | None:
    """Ask each rule, and keep what it says; the reasons and steps of those that fail, None where none does."""
    failed: list[tuple[str, Step]] | None = None
    for rule in rules:
        step = rule(draft)
        asked.append(step)
        if step is not None and draft.reason:
            failed = [*(failed or ()), (draft.reason, step)]
            if not goes_on:
                break
            draft.reason = ""
    return failed


def _refused(draft: Draft, asked: Iterable[Step | None], failed: list[tuple[str, Step]]) -> StoreDecision:
    (reason, step), *others = failed
    steps = tuple([step for step in asked if step is not None]) if draft.tell else ()
    also = tuple([other for other in dict.fromkeys(other for other, _ in others) if other != reason])
    return StoreDecision(False, False, None, draft.parsed, None, reason, step.clause, steps, (), also)


def refuse(draft: Draft, trail: list[Step], step: Step) -> StoreDecision:
    """The step ends it; `draft.reason` says why."""
    return _refused(draft, [*trail, step], [(draft.reason, step)])


def insert(draft: Draft, trail: Trail, *, bare: bool = False) -> StoreDecision:
    """Steps 23 and 24; `bare`: the cookie is a name without `=`."""
    parsed, now_ns, profile = draft.parsed, draft.now_ns, draft.profile
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
        priority=parsed.priority,
    )
    if profile.flavour != "draft":
        cookie.bare = bare
        cookie.place = draft.shelves.place_of(cookie, profile.header_order)
    return _keep(draft.shelves, profile, cookie, parsed, now_ns, trail)


def _keep(
    shelves: Shelves, profile: Profile, cookie: Cookie, parsed: SetCookie, now_ns: int, trail: Trail
) -> StoreDecision:
    clock_ns = now_ns - profile.expiry_margin_ns
    key = cookie.key
    old = shelves.find(cookie.domain, key)
    keeps_place = False
    if old is not None:
        if old.is_expired(clock_ns):
            shelves.remove(old)
            old = None
        elif profile.creation_kept == "always" or old.value.value == parsed.value.value:
            keeps_place = True
            cookie.creation_ns = old.creation_ns  # step 23.3
    came = _NEW if old is None else _REPLACES
    if cookie.expires_ns is not None and cookie.expires_ns < clock_ns:
        # Inserted and evicted at once: expired cookies never stay.
        if old is not None:
            shelves.remove(old)
        steps = trail.ended(came, _EXPIRED)
        return StoreDecision(False, True, cookie, parsed, old, "Expired", _EXPIRED.clause, steps)
    shelves.insert(cookie, keeps_place=keeps_place)
    evicted: tuple[Cookie, ...] = ()
    if old is None or cookie.partition:  # in place of another one, only the bytes of a partition can grow
        evicted = remove_excess(shelves, cookie, profile, now_ns)
    if evicted and trail.is_told:
        steps = trail.ended(came, _STORED, step_of(24, "excess", "applied", str(len(evicted))))
    else:
        steps = trail.ended(came, _STORED)
    return StoreDecision(True, False, cookie, parsed, old, "Stored", _STORED.clause, steps, evicted)
