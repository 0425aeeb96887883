"""`--check`: which annotations are findings, and which of them are let pass.

A rule is a stable annotation code, for some codes one kind of reason. What a rule says and what
to do about it is in texts (`check.RULE.what`, `check.RULE.remedy`); docs/checks.md is made of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple

from inspect_cli.cookies.hosts import is_loopback
from inspect_cli.errors import UsageProblem
from inspect_cli.events.base import Annotation, Entry, Event
from inspect_cli.events.capture import HostsNamed
from inspect_cli.events.cookies import (
    BIS,
    CookieEvent,
    CookieRefused,
    SessionChanged,
    SessionIssued,
    SessionKept,
)
from inspect_cli.events.summary import Capture, Tally
from inspect_cli.events.tcp import Connection
from inspect_cli.render import Renderer
from inspect_cli.render.base import Finding


class Rule(NamedTuple):
    """Good practice for a cookie."""

    name: str
    about: str
    """`secure`, `http-only`, `same-site`, `prefix`, `lifetime`, `size`, `scope`, `session`, `kept`."""
    code: str
    """Of the annotation that is a finding."""
    reference: str
    reasons: tuple[str, ...] = ()
    """Of a refusal; (): of every other one."""


RULES: Final = (
    Rule("no-secure", "secure", "cookie-security.no-secure", f"{BIS} §8.3"),
    Rule("secure-refused", "secure", "cookie.refused", f"{BIS} §5.7", ("SecureOnly", "OverwriteSecure")),
    Rule("no-httponly", "http-only", "cookie-security.no-httponly", f"{BIS} §4.1.2.6"),
    Rule("no-samesite", "same-site", "cookie-security.no-samesite", f"{BIS} §4.1.2.7"),
    Rule("samesite-none", "same-site", "cookie-security.samesite-none", f"{BIS} §4.1.2.7"),
    Rule("none-without-secure", "same-site", "cookie.refused", f"{BIS} §5.7", ("SameSiteNoneInsecure",)),
    Rule("broken-prefix", "prefix", "cookie.refused", f"{BIS} §4.1.3", ("InvalidPrefix",)),
    Rule("no-prefix", "prefix", "cookie-security.no-prefix", f"{BIS} §4.1.3"),
    Rule("long-lifetime", "lifetime", "cookie-security.long-lifetime", f"{BIS} §5.5"),
    Rule("large", "size", "cookie-security.large", f"{BIS} §6.1"),
    Rule("too-large", "size", "cookie.refused", f"{BIS} §5.6", ("NameValuePairExceedsMaxSize",)),
    Rule("broad-domain", "scope", "cookie-security.broad-domain", f"{BIS} §4.1.2.3"),
    Rule("wrong-domain", "scope", "cookie.refused", f"{BIS} §5.7", ("InvalidDomain", "DomainMismatch")),
    Rule("wrong-path", "scope", "cookie-attributes.no-path", f"{BIS} §5.6.4"),
    Rule("guessable-id", "session", "session-id.guessable", f"{BIS} §8.4"),
    Rule("id-kept-at-login", "session", "session-login.kept", f"{BIS} §8.4"),
    Rule("refused", "kept", "cookie.refused", f"{BIS} §5.7"),
)
"""Of rules with the same code the first that fits counts."""

_BY_CODE: Final = {rule.code: tuple(other for other in RULES if other.code == rule.code) for rule in RULES}
_HELD_BACK: Final = ("SameSiteStrict", "SameSiteLax", "SameSiteUnspecifiedTreatedAsLax")
_ASKED_BY: Final = (*_HELD_BACK, *(f"Schemeful{reason}" for reason in _HELD_BACK), "ThirdPartyPhaseout")
"""Refusals that say who asked, and nothing of how the cookie was made."""
_MOST: Final = 1_000
"""Cookies that are remembered for a rule."""


Ignored = tuple[str, bytes | None]
"""Name of a rule, and of the cookie that it lets pass; None: of all."""


class Checker:
    """A renderer before another one: remembers the findings that pass, and shows them at the end.

    `ignored`: what passes all the same. `is_tls_untold`: bytes that sockets told may have gone through TLS.
    """

    def __init__(self, renderer: Renderer, ignored: Sequence[Ignored] = (), *, is_tls_untold: bool = False) -> None:
        self._renderer = renderer
        self._ignored = ignored
        self._is_tls_untold = is_tls_untold
        self._found: dict[str, dict[tuple[bytes, str, str], tuple[int, ...]]] = {rule.name: {} for rule in RULES}

    def begin(self, capture: Capture) -> None:
        self._renderer.begin(capture)

    def entry(self, entry: Entry) -> None:
        self._renderer.entry(entry)
        for annotation in entry.annotations:
            if annotation.code in _BY_CODE:
                self._look(entry.event, annotation)

    def connection(self, connection: Connection) -> None:
        self._renderer.connection(connection)

    def names(self, named: HostsNamed) -> None:
        self._renderer.names(named)

    def end(self, capture: Capture, tally: Tally) -> None:
        self._renderer.end(capture, tally)
        self.findings(self.found)

    def findings(self, findings: Sequence[Finding]) -> None:
        self._renderer.findings(findings)

    @property
    def count(self) -> int:
        """Of findings."""
        return sum(map(len, self._found.values()))

    @property
    def found(self) -> list[Finding]:
        """What was found so far, in the order of the rules."""
        return [
            Finding(rule.name, rule.reference, tuple((name, frames) for (name, _, _), frames in cookies.items()))
            for rule in RULES
            if (cookies := self._found[rule.name])
        ]

    def _look(self, event: Event, annotation: Annotation) -> None:
        reason = event.reason if isinstance(event, CookieRefused) else ""
        rule = next(r for r in _BY_CODE[annotation.code] if not r.reasons or reason in r.reasons)
        cookie = _cookie_of(event)
        found = self._found[rule.name]
        if cookie is None or cookie in found or len(found) >= _MOST or reason in _ASKED_BY:
            return
        if rule.about == "secure" and self._is_local(event):
            return
        if any(name == rule.name and one in (None, cookie[0]) for name, one in self._ignored):
            return
        found[cookie] = annotation.frames

    def _is_local(self, event: Event) -> bool:
        """Plain http to this machine: nobody is on the way, and not every client keeps Secure cookies there."""
        if not isinstance(event, CookieEvent) or "/tls" in event.where.channel:
            return False
        return is_loopback(event.domain) and bool(event.where.frames or not self._is_tls_untold)


def _cookie_of(event: Event) -> tuple[bytes, str, str] | None:
    """Name, domain and path of the cookie that the event is about."""
    if isinstance(event, SessionIssued | SessionChanged):
        event = event.of
    if isinstance(event, CookieEvent):
        return event.name, event.domain, event.path
    if isinstance(event, SessionKept):
        return event.name, "", ""
    return None


def exceptions(given: Sequence[str]) -> list[Ignored]:
    """Each `RULE` or `RULE:COOKIE`. Raises: UsageProblem for a rule that is not there."""
    return [_exception(text) for text in given]


def _exception(text: str) -> Ignored:
    rule, colon, cookie = text.partition(":")
    names = [rule.name for rule in RULES]
    if rule not in names:
        near = ", ".join(get_close_matches(rule, names, 2))
        raise UsageProblem(problem="unknown-rule", name=rule, near=near)
    return rule, cookie.encode("utf-8", "surrogateescape") if colon else None
