"""The tables of docs/cookies.md: bounds from the profiles, situations decided by the engine.

`python -m tests.cookies.client_table` prints them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from inspect_cli.cookies import Jar
from inspect_cli.cookies.asking import asking_from
from inspect_cli.cookies.profiles import PROFILES, Profile

NOW_NS: Final = 1_795_000_000 * 1_000_000_000
SHOP: Final = "http://shop.example.com/a/page"
SAFE: Final = SHOP.replace("http:", "https:")


class Situation(NamedTuple):
    words: str
    line: bytes
    url: str = SHOP
    then: str = ""
    """Where the next request goes; "": to `url`."""
    page: str | None = None
    """Which page asks for it; None: nobody."""
    via: str = "navigate"
    before: bytes = b""
    """A line that came over https first."""


SITUATIONS: Final = (
    Situation("`a`", b"a"),
    Situation("`=1`", b"=1"),
    Situation("`a=1;Path=\"/\"`", b'a=1;Path="/"'),
    Situation("`a=1; Path=x`, at `/`", b"a=1; Path=x", then="http://shop.example.com/"),
    Situation("`a=1; Path=/q; Path=/`", b"a=1; Path=/q; Path=/"),
    Situation("`a=1; Domain`", b"a=1; Domain"),
    Situation("a TAB: `a=1 2`", b"a=1\t2"),
    Situation("a control character", b"a=\x01"),
    Situation("a value of 5,000 octets", b"a=" + b"v" * 5000),
    Situation("`Max-Age=+5`", b"a=1; Max-Age=+5"),
    Situation("`Max-Age=x`", b"a=1; Max-Age=x"),
    Situation("`Secure` over http", b"a=1; Secure"),
    Situation("`Secure`, http://localhost", b"a=1; Secure", "http://localhost/"),
    Situation("`Secure`, http://127.0.0.2", b"a=1; Secure", "http://127.0.0.2/"),
    Situation("http over a `Secure` cookie", b"a=2", before=b"a=1; Secure", then=SAFE),
    Situation("`Domain=com`", b"a=1; Domain=com"),
    Situation("`Domain=co.uk` from co.uk, at a.co.uk", b"a=1; Domain=co.uk", "http://co.uk/", "http://a.co.uk/"),
    Situation("`Domain=co.uk` from a.co.uk", b"a=1; Domain=co.uk", "http://a.co.uk/"),
    Situation("no Domain, at a host below", b"a=1", "http://example.com/", "http://shop.example.com/"),
    Situation("`Domain=0.0.1` from 127.0.0.1", b"a=1; Domain=0.0.1", "http://127.0.0.1/"),
    Situation("`__Host-a=1; Secure; Path=/a`", b"__Host-a=1; Secure; Path=/a", SAFE),
    Situation("`__host-a=1; Path=/` over https", b"__host-a=1; Path=/", SAFE),
    Situation("`__Http-a=1; Secure`", b"__Http-a=1; Secure", SAFE),
    Situation("no `SameSite`, inside another site", b"a=1; Secure", SAFE, SAFE, "https://other.test/", "fetch"),
    Situation("`SameSite=None` without `Secure`", b"a=1; SameSite=None", SAFE),
    Situation("`SameSite=Strict`, a link from http", b"a=1; SameSite=Strict", SAFE, SAFE, SHOP, "link"),
    Situation("`Version=2`", b"a=1; Version=2"),
    Situation("`Port=\"8080\"`", b'a=1; Port="8080"'),
)  # fmt: skip


def outcome(situation: Situation, profile: str) -> str:
    """What the next request carries, or the reason why it carries nothing."""
    jar = Jar(profile)
    if situation.before:
        jar.store_all([situation.before], asking_from(SAFE, "navigate"), NOW_NS)
    kept = jar.store_all([situation.line], asking_from(situation.url, "navigate"), NOW_NS)[0]
    if not kept.stored:
        return kept.reason
    asking = asking_from(situation.then or situation.url, situation.via, page=situation.page)
    sent = jar.send(asking, NOW_NS)
    going = [decision for decision in sent if decision.sent]
    if not going:
        return next(iter(decision.reason for decision in sent), "DomainMismatch")
    header = jar.header(asking, NOW_NS).decode("latin-1")
    return f"`{header}`" if len(header) < 20 and header.isprintable() else "sent"


def _number(name: str, unit: str = "") -> Callable[[Profile], str]:
    def shown(profile: Profile) -> str:
        value = getattr(profile, name)
        if value is None:
            return "unknown" if profile.unknown_limits else "none"
        return f"{value:,}{unit}"

    return shown


def _days(profile: Profile) -> str:
    if profile.max_lifetime_s is None:
        return "unknown" if profile.unknown_limits else "none"
    return f"{profile.max_lifetime_s // 86_400} days"


BOUNDS: Final[tuple[tuple[str, Callable[[Profile], str]], ...]] = (
    ("cookies of one domain or site", _number("max_per_domain")),
    ("cookies in all", _number("max_total")),
    ("kept of one response", _number("max_stored_per_response")),
    ("sent with one request", _number("max_sent")),
    ("octets of a Cookie field", _number("max_header_bytes")),
    ("octets of a Set-Cookie line", _number("max_line_bytes")),
    ("octets of name and value", _number("max_pair_bytes")),
    ("octets of an attribute", _number("max_attribute_bytes")),
    ("longest lifetime", _days),
    ("measured on", lambda profile: profile.measured_on or "-"),
)


def table(head: str, rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    lines = [(head, list(PROFILES)), ("---", ["---"] * len(PROFILES)), *rows]
    return "\n".join(f"| {words} | {' | '.join(cells)} |" for words, cells in lines)


def bounds() -> str:
    return table("bound", [(words, [shown(one) for one in PROFILES.values()]) for words, shown in BOUNDS])


def situations() -> str:
    return table("situation", [(one.words, [outcome(one, name) for name in PROFILES]) for one in SITUATIONS])


if __name__ == "__main__":
    sys.stdout.write(f"{bounds()}\n\n{situations()}\n")
