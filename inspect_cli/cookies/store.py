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
from inspect_cli.cookies.rules import RULES
from inspect_cli.cookies.settled import NO_TRAIL, One, Settled, Trail, key_of
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import BIS, Asking, SetCookie, Step

__all__ = ["StoreDecision", "decide_store"]

Rule = Callable[[Draft], Step | None]
_NO_HOST = Step(f"{BIS} §5.1.2", "canonical-host", "failed", "")
_NEW = step_of(23, "replace", "skipped")
_REPLACES = step_of(23, "replace", "applied")
_STORED = step_of(24, "insert", "applied")
_EXPIRED = step_of(24, "expired", "applied")


class _Rules:
    """A profile's rules in its order, without those that have nothing to say."""

    __slots__ = ("groups", "line", "live", "live_at", "profile", "settled")

    def __init__(self, profile: Profile, groups: tuple[tuple[Rule, ...], ...]) -> None:
        self.profile = profile
        self.line = tuple([LINE_RULES[name] for name in profile.line_order])
        self.groups = groups
        """One, where the first failure ends it."""
        asked = [*self.line, *(rule for group in groups for rule in group)]
        self.live_at = tuple([at for at, rule in enumerate(asked) if rule in _LIVE])
        self.live = tuple([asked[at] for at in self.live_at])
        """Those that look at the time and the jar, too; and where they stand among all."""
        self.settled = Settled()
        """What the others said to a line that passed them all."""


_known: dict[tuple[int, bool], _Rules] = {}
_MOST_KNOWN: Final = 64
_LIVE: Final = frozenset(
    [RULES[name] for name in ("lifetime", "lifetime-limit", "overlay-secure", "overlay-http-only")]
)


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
    draft = Draft(line, name, value, asking, now_ns, profile, shelves, tell)
    asked: list[Step | None] = []
    failed = _ask(rules.line, draft, asked, goes_on=False)
    if failed:
        return _refused(draft, asked, failed)
    key = key_of(asking, name, rest, tell=tell)
    one = rules.settled.find(key, asking) if key is not None else None
    if one is not None:
        found = _again(draft, one, rules)
        if found is not None:
            return found
        draft = Draft(line, name, value, asking, now_ns, profile, shelves, tell)
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
    if key is None:
        return insert(draft, Trail(asked) if tell else NO_TRAIL)
    one = One(draft, attributes, asked if tell else None, rules.live_at)
    rules.settled.put(key, asking, one)
    return insert(draft, one.trail_of(tuple([asked[at] for at in rules.live_at])))


def _again(draft: Draft, one: One, rules: _Rules) -> StoreDecision | None:
    """The line is as one before it but for its value; None where the time or the jar says no."""
    draft.parsed = SetCookie(draft.name, Secret(draft.value, "cookie"), *one.attributes)
    draft.host, draft.domain, draft.host_only, draft.path, draft.partition = one.place
    live: list[Step | None] = []
    for rule in rules.live:
        live.append(rule(draft))
        if draft.reason:
            return None  # once more with all its steps
    return insert(draft, one.trail_of(tuple(live)))


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
        priority=parsed.priority,
    )
    profile = draft.profile
    if profile.flavour != "draft":
        cookie.bare = bare
        cookie.place = shelves.place_of(cookie, profile.header_order)
    clock_ns = now_ns - profile.expiry_margin_ns
    old = shelves.find(draft.domain, (parsed.name, draft.host_only, draft.path, draft.partition))
    keeps_place = False
    if old is not None:
        if old.is_expired(clock_ns):
            shelves.remove(old)
            old = None
        elif profile.creation_kept == "always" or old.value.value == parsed.value.value:
            keeps_place = True
            cookie.creation_ns = old.creation_ns  # step 23.3
    came = _NEW if old is None else _REPLACES
    if draft.expires_ns is not None and cookie.is_expired(clock_ns):
        # Inserted and evicted at once: expired cookies never stay.
        if old is not None:
            shelves.remove(old)
        steps = trail.ended(came, _EXPIRED)
        return StoreDecision(False, True, cookie, parsed, old, "Expired", _EXPIRED.clause, steps)
    shelves.insert(cookie, keeps_place=keeps_place)
    evicted: tuple[Cookie, ...] = ()
    if old is None or cookie.partition:  # in place of another one, only the bytes of a partition can grow
        evicted = remove_excess(shelves, cookie, profile, now_ns)
    if evicted and draft.tell:
        steps = trail.ended(came, _STORED, step_of(24, "excess", "applied", str(len(evicted))))
    else:
        steps = trail.ended(came, _STORED)
    return StoreDecision(True, False, cookie, parsed, old, "Stored", _STORED.clause, steps, evicted)
