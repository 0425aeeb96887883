"""How many cookies a client keeps, and which ones go when there are more (6265bis §5.7 step 24, §6.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.profiles import Profile
from inspect_cli.cookies.shelves import Shelves

_NS = 1_000_000_000


def remove_excess(shelves: Shelves, cookie: Cookie, profile: Profile, now_ns: int) -> tuple[Cookie, ...]:
    """Bring the store back within its bounds after `cookie` came in; gives those that went.

    Order: expired; not secure, over the domain's bound; over the domain's bound; any.
    Oldest access first. Only what has just grown can be over its bound.
    """
    gone: list[Cookie] = []
    total = len(shelves)
    bound = profile.max_per_domain
    if cookie.partition:
        _remove_of_partition(shelves, cookie, profile, now_ns, gone)
    elif bound is not None and total > bound:
        _remove_of_domain(shelves, cookie.domain, profile, bound, now_ns, gone)
    bound = profile.max_total
    if bound is not None and total > bound and len(shelves) > bound:
        shelves.remove_expired(now_ns, gone)
        if len(shelves) > bound:
            _remove_of_all(shelves, profile, now_ns, gone)
    return tuple(gone)


def _remove_of_domain(
    shelves: Shelves, domain: str, profile: Profile, bound: int, now_ns: int, gone: list[Cookie]
) -> None:
    is_site = profile.limit_scope == "site"
    if (shelves.count_site(domain) if is_site else shelves.count(domain)) <= bound:
        return
    found = shelves.of_site(domain) if is_site else shelves.of_domain(domain)
    counted = [cookie for cookie in found if not cookie.partition]
    if len(counted) <= bound:
        return
    left = _without_expired(shelves, counted, now_ns, gone)
    if len(left) > bound:
        kept = bound if profile.kept_per_domain is None else profile.kept_per_domain
        _remove(shelves, _first_to_go(left, len(left) - kept, profile), gone)


_ROUNDS: Final = (
    ("low", True), ("low", False), ("medium", True), ("high", True), ("medium", False), ("high", False),
)  # fmt: skip
"""Chromium: a priority, and whether Secure cookies are spared."""


def _first_to_go(cookies: list[Cookie], count: int, profile: Profile) -> list[Cookie]:
    cookies.sort(key=_eviction_rank)
    quotas = profile.priority_quotas
    if quotas is None or all(cookie.priority == "medium" for cookie in cookies):
        return cookies[:count]
    gone: list[Cookie] = []
    for priority, spares_secure in _ROUNDS:
        of_kind = [
            cookie for cookie in cookies if cookie.priority == priority and not any(cookie is one for one in gone)
        ]
        secure = sum(cookie.secure for cookie in of_kind) if spares_secure else 0
        free = min(len(of_kind) - max(quotas[priority], secure), count - len(gone))
        going = [cookie for cookie in of_kind if not (spares_secure and cookie.secure)]
        gone += sorted(going, key=_age)[: max(free, 0)]
    return gone


def _remove_of_partition(shelves: Shelves, cookie: Cookie, profile: Profile, now_ns: int, gone: list[Cookie]) -> None:
    """CHIPS: so many cookies, and so many bytes, of one site in one partition."""
    most, most_bytes = profile.max_per_partition, profile.max_partition_bytes
    counted = [one for one in shelves.of_site(cookie.domain) if one.partition == cookie.partition]
    size = sum(_pair_bytes(one) for one in counted)
    if (most is None or len(counted) <= most) and (most_bytes is None or size <= most_bytes):
        return
    left = _without_expired(shelves, counted, now_ns, gone)
    left.sort(key=_age, reverse=True)
    size = sum(_pair_bytes(one) for one in left)
    while left and ((most is not None and len(left) > most) or (most_bytes is not None and size > most_bytes)):
        oldest = left.pop()
        size -= _pair_bytes(oldest)
        _remove(shelves, (oldest,), gone)


def _remove_of_all(shelves: Shelves, profile: Profile, now_ns: int, gone: list[Cookie]) -> None:
    kept = profile.max_total if profile.kept_total is None else profile.kept_total
    excess = len(shelves) - (kept or 0)
    fresh_ns = now_ns - profile.total_spares_s * _NS
    for cookie in list(_oldest(shelves, excess)):
        if profile.total_spares_s and cookie.last_access_ns > fresh_ns:
            return
        _remove(shelves, (cookie,), gone)


def _oldest(shelves: Shelves, count: int) -> Iterable[Cookie]:
    for cookie in shelves:
        if count <= 0:
            return
        count -= 1
        yield cookie


def _without_expired(shelves: Shelves, cookies: list[Cookie], now_ns: int, gone: list[Cookie]) -> list[Cookie]:
    _remove(shelves, [cookie for cookie in cookies if cookie.is_expired(now_ns)], gone)
    return [cookie for cookie in cookies if not cookie.is_expired(now_ns)]


def _remove(shelves: Shelves, cookies: Iterable[Cookie], gone: list[Cookie]) -> None:
    for cookie in cookies:
        shelves.remove(cookie)
        gone.append(cookie)


def _pair_bytes(cookie: Cookie) -> int:
    return len(cookie.name) + len(cookie.value.value)


def _age(cookie: Cookie) -> tuple[int, int]:
    return (cookie.last_access_ns, cookie.order)


def _eviction_rank(cookie: Cookie) -> tuple[bool, int, int]:
    return (cookie.secure, cookie.last_access_ns, cookie.order)
