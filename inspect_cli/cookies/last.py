"""What a jar decided about the last request: most of the time it decides the same about the next one."""

from __future__ import annotations

from typing import NamedTuple

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.paths import path_matches
from inspect_cli.cookies.profiles import Profile
from inspect_cli.cookies.send import MAX_WITHHELD, SendDecision
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.events.cookies import Asking


class Last(NamedTuple):
    """Decisions, what led to them, and for how long they are right."""

    version: int
    shape: int
    """-1 where values count too."""
    until_ns: int | None
    """When the first of the cookies expires."""
    path: str
    """"" where no more than `paths` counts."""
    paths: tuple[tuple[str, bool], ...]
    """Paths of cookies but `/`, and whether the request's lies below."""
    host: str
    scheme: str
    top_site: str
    decisions: tuple[SendDecision, ...]
    sent: tuple[Cookie, ...]

    @classmethod
    def of(cls, asking: Asking, shelves: Shelves, profile: Profile, decisions: tuple[SendDecision, ...]) -> Last | None:
        """None where more than the jar, the path and the time decides, or where it is too much to keep."""
        if not asking.same_site or asking.same_domain is False or asking.by_script:
            return None
        if not asking.path.startswith("/") or len(decisions) >= MAX_WITHHELD:
            return None
        cookies = [decision.cookie for decision in decisions]
        paths = {cookie.path for cookie in cookies if cookie.path != "/"}
        margin_ns = profile.expiry_margin_ns
        is_plain = (
            profile.flavour == "draft"
            and not margin_ns
            and profile.max_sent is None
            and profile.max_header_bytes is None
        )
        return cls(
            shelves.version,
            shelves.shape if is_plain else -1,
            min([c.expires_ns + margin_ns for c in cookies if c.expires_ns is not None], default=None),
            asking.path if paths and not is_plain else "",
            tuple([(path, path_matches(asking.path, path)) for path in paths]) if paths else (),
            asking.host,
            asking.scheme,
            asking.top_site,
            decisions,
            tuple([decision.cookie for decision in decisions if decision.sent]),
        )

    def holds(self, asking: Asking, now_ns: int) -> bool:
        """Whether it is what would be decided about this request by the same jar (6265bis §5.8.3)."""
        path = asking.path
        return (
            self.host == asking.host
            and asking.same_site
            and asking.same_domain is not False
            and not asking.by_script
            and self.scheme == asking.scheme
            and self.top_site == asking.top_site
            and (self.until_ns is None or now_ns <= self.until_ns)
            and (path == self.path if self.path else path.startswith("/"))
            and (not self.paths or all(path_matches(path, one) is fits for one, fits in self.paths))
        )

    def renewed(self, shelves: Shelves, now_ns: int) -> Last | None:
        """The same about the cookies that stand there now; None where other things than their values changed."""
        if self.shape != shelves.shape:
            return None
        decisions: list[SendDecision] = []
        until_ns: int | None = None
        for before in self.decisions:
            cookie = shelves.find(before.cookie.domain, before.cookie.key)
            if cookie is None:
                return None
            expires_ns = cookie.expires_ns
            if expires_ns is not None and (until_ns is None or expires_ns < until_ns):
                until_ns = expires_ns
            same = cookie is before.cookie
            decisions.append(
                before
                if same
                else SendDecision(before.sent, cookie, before.reason, before.reference, before.steps, before.also)
            )
        if until_ns is not None and until_ns < now_ns:
            return None
        return Last(
            shelves.version,
            self.shape,
            until_ns,
            self.path,
            self.paths,
            self.host,
            self.scheme,
            self.top_site,
            tuple(decisions),
            tuple([decision.cookie for decision in decisions if decision.sent]),
        )
