"""The Set-Cookie fields of one response, where a client counts or drops them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inspect_cli.cookies.drafts import StoreDecision
from inspect_cli.cookies.parse import parse_set_cookie
from inspect_cli.cookies.profiles import Profile
from inspect_cli.events.cookies import Step

_FAILED = Step("http.cookiejar make_cookies", "failure", "failed", "")


def decide_all(
    lines: Iterable[bytes], profile: Profile, now_ns: int, decide: Callable[[bytes], StoreDecision], *, tell: bool
) -> list[StoreDecision]:
    """What `decide` says of each line, unless the client would not get that far."""
    lines = list(lines)
    if profile.reads_whole_answers:
        return _decide_whole(lines, profile, now_ns, decide, tell=tell)
    limit = profile.max_stored_per_response
    found: list[StoreDecision] = []
    taken = 0
    for line in lines:
        if limit is not None and taken >= limit:
            too_many = Step("curl", "response-count", "failed", str(limit))
            found.append(_refused(line, "TooManyOfResponse", too_many, tell))
            continue
        found.append(decide(line))
        taken += found[-1].stored or found[-1].deleted
    return found


def _decide_whole(
    lines: list[bytes], profile: Profile, now_ns: int, decide: Callable[[bytes], StoreDecision], *, tell: bool
) -> list[StoreDecision]:
    # Only for those who ask as such a client.
    from inspect_cli.cookies.flavours import ORDER_OF

    order = ORDER_OF[profile.flavour](lines, now_ns)
    if order is None:
        return [_refused(line, "ClientFailure", _FAILED, tell) for line in lines]
    found = {number: decide(lines[number]) for number in order}
    return [found[number] for number in range(len(lines))]


def _refused(line: bytes, reason: str, step: Step, tell: bool) -> StoreDecision:
    return StoreDecision(False, False, None, parse_set_cookie(line), None, reason, step.clause, (step,) if tell else ())
