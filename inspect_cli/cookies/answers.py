"""The Set-Cookie fields of one response, where a client counts or drops them together."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inspect_cli.cookies.drafts import StoreDecision
from inspect_cli.cookies.parse import parse_set_cookie
from inspect_cli.cookies.profiles import Profile
from inspect_cli.events.cookies import Step


def decide_all(
    lines: Iterable[bytes], profile: Profile, now_ns: int, decide: Callable[[bytes], StoreDecision], *, tell: bool
) -> list[StoreDecision]:
    """What `decide` says of each line, unless the client would not get that far."""
    lines = list(lines)
    if profile.fails_whole and _fails(lines, profile, now_ns):
        return [_refused(line, "ClientFailure", Step("http.cookiejar make_cookies", "failure", "failed", ""), tell)
                for line in lines]  # fmt: skip
    limit = profile.max_stored_per_response
    found: list[StoreDecision] = []
    taken = 0
    for line in lines:
        if limit is not None and taken >= limit:
            found.append(
                _refused(line, "TooManyOfResponse", Step("curl", "response-count", "failed", str(limit)), tell)
            )
            continue
        found.append(decide(line))
        taken += found[-1].stored or found[-1].deleted
    return found


def _fails(lines: list[bytes], profile: Profile, now_ns: int) -> bool:
    from inspect_cli.cookies.flavours import FAILS

    return FAILS[profile.flavour](lines, now_ns)


def _refused(line: bytes, reason: str, step: Step, tell: bool) -> StoreDecision:
    return StoreDecision(False, False, None, parse_set_cookie(line), None, reason, step.clause, (step,) if tell else ())
