"""What the clients that do not decide here would do with the same cookie.

Most cookies are treated alike by all, and most lines differ from one another in nothing that
decides: what was found is remembered by that.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.jar import Jar
from inspect_cli.cookies.profiles import PROFILES
from inspect_cli.cookies.store import StoreDecision
from inspect_cli.derive.heads import Recent
from inspect_cli.events.cookies import Asking, Otherwise

_MOST: Final = 1_024
_MOST_BYTES: Final = 8_192
"""A longer line is decided each time anew."""

_PLAIN = re.compile(rb"(?!__)[\w.-]+=[!#-:<-~]{0,1000}")
"""A name and value of which no client thinks anything."""
_DATE = re.compile(rb" \w{3}, \d\d[ -]\w{3}[ -](?:19|20)\d\d \d\d:\d\d:\d\d GMT")
"""That it is past or to come is known from the decision."""

_Key = tuple[str, bytes, bytes, bool, bool, str, str, bool, bool, bool | None, str]


class Others:
    """Compares a profile's decisions with those of all others; bounded."""

    def __init__(self) -> None:
        self._known: Recent[_Key, Otherwise | None] = Recent(_MOST)

    def of_line(
        self, line: bytes, asking: Asking, now_ns: int, profile: str, decision: StoreDecision
    ) -> Otherwise | None:
        """Who keeps a Set-Cookie line and who does not; None where all do as this one."""
        pair, _, rest = line.partition(b";")
        if _PLAIN.fullmatch(pair) is not None:
            pair = b""
        if b"GMT" in rest:
            rest = _DATE.sub(b"", rest)
        key = (
            profile,
            pair,
            rest,
            decision.stored,
            decision.deleted,
            asking.scheme,
            asking.host,
            asking.same_site,
            asking.top_level,
            asking.same_domain,
            asking.top_site,
        )
        known = self._known
        if key in known:
            return known[key]
        found = _compared(line, asking, now_ns, profile, decision)
        if len(line) <= _MOST_BYTES:
            known.put(key, found)
        return found


def of_cookie(cookie: Cookie, asking: Asking, now_ns: int, *, sends: bool, refuses: tuple[str, ...]) -> tuple[str, ...]:
    """Profiles that send the cookie with the request, or do not; those of `refuses` never kept it."""
    return tuple([name for name in PROFILES if (name not in refuses and _sends(name, cookie, asking, now_ns)) is sends])


def _compared(line: bytes, asking: Asking, now_ns: int, profile: str, decision: StoreDecision) -> Otherwise | None:
    if decision.deleted:
        return None
    # In an empty jar: what else is in it is this client's own affair.
    decisions = {name: Jar(name).store(line, asking, now_ns, steps=False) for name in PROFILES}
    if decisions[profile].stored is not decision.stored:
        return None
    keep = tuple([name for name, found in decisions.items() if found.stored])
    refuse = tuple([name for name, found in decisions.items() if not found.stored and not found.deleted])
    if not keep or not refuse:
        return None
    first = decisions[refuse[0]] if decision.stored else decision
    return Otherwise(keep, refuse, first.reason, first.reference)


def _sends(name: str, cookie: Cookie, asking: Asking, now_ns: int) -> bool:
    jar = Jar(name)
    copy = replace(cookie, tag=None)
    jar.add(copy)
    return any(found.sent for found in jar.send(asking, now_ns, steps=False))
