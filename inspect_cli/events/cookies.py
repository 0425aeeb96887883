"""Cookies: who asks, decisions with their steps, and what follows from them."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, NamedTuple

from inspect_cli.events.base import Event, Layer, Secret, noun
from inspect_cli.events.http import RequestHead, ResponseHead

BIS = "6265bis"
"""How draft-ietf-httpbis-rfc6265bis-22 is cited until its RFC number is confirmed."""

SameSite = Literal["strict", "lax", "none", "default"]


class Step(NamedTuple):
    """One question of a decision. `found` is short, without secrets, and filled into texts."""

    clause: str
    """e.g. `6265bis §5.7 step 10`."""
    check: str
    """Stable name of what was asked: `domain-match`, `secure`, `path-match`, ..."""
    outcome: Literal["passed", "failed", "applied", "skipped"]
    """applied: it changed something (a default path, a capped expiry)."""
    found: str


@noun
class Asking:
    """Who asks for what: the request as the cookie rules see it (6265bis §5.2, §5.8.3)."""

    scheme: str
    """`http`, `https`, `ws` or `wss`, lower case."""
    host: str
    """Without port, as in the URL; IPv6 without brackets."""
    path: str
    method: str = "GET"
    same_site: bool = True
    """Schemefully same-site (6265bis §5.2, HTML)."""
    top_level: bool = True
    """A top-level navigation."""
    same_domain: bool | None = None
    """Same-site whatever the schemes; None: as `same_site`."""
    top_site: str = ""
    """The site of the top-level page (`https://a.test`), the key of a partition; "": the request's own."""
    by_script: bool = False
    """A script's document.cookie, a "non-HTTP" API (6265bis §5.8.2)."""


@noun
class SetCookie:
    """A Set-Cookie line as parsed (6265bis §5.6), before any decision.

    Attribute values are those that win (the last of its name); None: absent.
    """

    name: bytes
    value: Secret
    expires_ns: int | None
    max_age: int | None
    domain: bytes | None
    path: bytes | None
    secure: bool
    http_only: bool
    same_site: SameSite
    attributes: tuple[tuple[bytes, bytes], ...]
    """All attributes in wire order, names as sent, ignored ones too."""
    partitioned: bool = False
    priority: Literal["low", "medium", "high"] = "medium"
    """Chromium's own attribute: which cookies of a site go first where there are too many."""


@noun
class Decision:
    """What was decided about one cookie, and why; requests that are alike share one.

    `reason` is the stable name of the deciding step (DevTools' where one fits),
    `reference` its clause; `steps` holds the whole way there.
    """

    name: bytes
    value: Secret
    domain: str
    path: str
    reason: str
    reference: str
    steps: tuple[Step, ...]


class Otherwise(NamedTuple):
    """Clients do not agree on a Set-Cookie line: profiles that keep it, and that refuse it, and why."""

    keep: tuple[str, ...]
    refuse: tuple[str, ...]
    reason: str
    """Of the deciding profile where it refuses, else of the first that does."""
    reference: str


@noun
class Sending(Decision):
    """Of a cookie in a captured Cookie field.

    `origin`: `stored` (its Set-Cookie was seen, and may have been refused by the rules), `given` (a Context says so),
    `unknown` (set before the capture began, or by a script; domain and path are "").
    `expected` False: by the rules it should not have been sent; then `reason` says why.
    Otherwise `reason` is `Sent`, `ByHand`, `Unknown`, or `ValueDiffers`: the jar has another
    value under that name.
    """

    origin: Literal["stored", "given", "unknown"]
    expected: bool
    set_frames: tuple[int, ...]
    alike: tuple[str, ...] = ()
    """Where it is not expected: profiles that would send it too."""


@noun
class Withholding(Decision):
    """Of a cookie in the jar that a request does not carry."""

    expected: bool
    alike: tuple[str, ...] = ()
    """Where it is not expected: profiles that would not send it either."""


_DECIDED: Final = ("name", "value", "domain", "path", "reason", "reference", "steps")


@noun
class CookieEvent(Event):
    """Something was decided about one cookie; `of` is the head that caused it."""

    layer: ClassVar[Layer] = "cookie"

    of: RequestHead | ResponseHead
    decision: Decision

    @property
    def name(self) -> bytes:
        return self.decision.name

    @property
    def value(self) -> Secret:
        return self.decision.value

    @property
    def domain(self) -> str:
        return self.decision.domain

    @property
    def path(self) -> str:
        return self.decision.path

    @property
    def reason(self) -> str:
        return self.decision.reason

    @property
    def reference(self) -> str:
        return self.decision.reference

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.decision.steps


@noun
class CookieStored(CookieEvent):
    """The client keeps the cookie (inferred for a recorded client)."""

    kind: ClassVar[str] = "cookie-stored"
    shown: ClassVar[tuple[str, ...]] = (
        *_DECIDED, "attributes", "host_only", "expires_ns", "secure", "http_only", "same_site", "replaces",
        "value_changed", "old_value",
    )  # fmt: skip

    attributes: tuple[tuple[bytes, bytes], ...]
    host_only: bool
    expires_ns: int | None
    """None: until the browser closes."""
    secure: bool
    http_only: bool
    same_site: SameSite
    replaces: bool
    """A cookie of the same name, domain and path was there."""
    value_changed: bool
    old_value: Secret | None = None
    """The value that was replaced by another one."""
    otherwise: Otherwise | None = None
    """Where other clients refuse it."""


@noun
class CookieDeleted(CookieEvent):
    """A Set-Cookie with an expiry in the past: the client drops the cookie."""

    kind: ClassVar[str] = "cookie-deleted"
    shown: ClassVar[tuple[str, ...]] = (*_DECIDED, "attributes", "existed", "old_value")

    attributes: tuple[tuple[bytes, bytes], ...]
    existed: bool
    old_value: Secret | None = None
    """The value that went, where it was known."""


@noun
class CookieRefused(CookieEvent):
    """The client does not store the cookie."""

    kind: ClassVar[str] = "cookie-refused"
    shown: ClassVar[tuple[str, ...]] = (*_DECIDED, "attributes")

    attributes: tuple[tuple[bytes, bytes], ...]
    otherwise: Otherwise | None = None
    """Where other clients keep it."""


@noun
class CookieSent(CookieEvent):
    """A cookie in a captured Cookie field."""

    kind: ClassVar[str] = "cookie-sent"
    shown: ClassVar[tuple[str, ...]] = (*_DECIDED, "origin", "expected", "set_frames")
    shared: ClassVar[str] = "decision"

    decision: Sending

    @property
    def origin(self) -> Literal["stored", "given", "unknown"]:
        return self.decision.origin

    @property
    def expected(self) -> bool:
        return self.decision.expected

    @property
    def set_frames(self) -> tuple[int, ...]:
        return self.decision.set_frames


@noun
class CookieWithheld(CookieEvent):
    """A cookie in the jar that this request does not carry (inferred)."""

    kind: ClassVar[str] = "cookie-withheld"
    shown: ClassVar[tuple[str, ...]] = (*_DECIDED, "expected")
    shared: ClassVar[str] = "decision"

    decision: Withholding

    @property
    def expected(self) -> bool:
        """True: a rule keeps it back; False: by the rules it should have gone."""
        return self.decision.expected


@noun
class ClientRestarted(Event):
    """A client was closed and opened again: its session cookies are gone, the others stay."""

    kind: ClassVar[str] = "client-restarted"
    layer: ClassVar[Layer] = "cookie"

    jar: str
    gone: tuple[bytes, ...]
    """Names of the cookies without expiry,"""
    kept: tuple[bytes, ...]
    """and of those with one."""


@noun
class SessionIssued(Event):
    """A cookie that looks like a session ID was handed out."""

    kind: ClassVar[str] = "session-issued"
    layer: ClassVar[Layer] = "session"

    of: CookieStored
    name: bytes
    value: Secret
    known_name: str
    """The framework its name is known from (`Java servlet`), "" where only its look tells."""
    entropy_bits: int
    """Upper bound from length and alphabet of the value; not a measurement of randomness."""


@noun
class SessionReturned(Event):
    """A request carries a session ID that was issued before."""

    kind: ClassVar[str] = "session-returned"
    layer: ClassVar[Layer] = "session"
    is_entry: ClassVar[bool] = False

    of: CookieSent
    name: bytes
    value: Secret
    issued_frames: tuple[int, ...]
    first: bool
    """The first time that this value comes back."""


@noun
class SessionChanged(Event):
    """A session ID was replaced by another value of the same name."""

    kind: ClassVar[str] = "session-changed"
    layer: ClassVar[Layer] = "session"

    of: CookieStored
    name: bytes
    old: Secret
    new: Secret
    old_frames: tuple[int, ...]
    at_login: bool
    """The response answers a request that carried credentials."""


@noun
class SessionKept(Event):
    """A login was answered and the session ID of before went on (session fixation risk)."""

    kind: ClassVar[str] = "session-kept"
    layer: ClassVar[Layer] = "session"

    of: ResponseHead
    name: bytes
    value: Secret
    login_frames: tuple[int, ...]


@noun
class LoginSeen(Event):
    """A request with credentials (a form with a password field, or Authorization) was answered."""

    kind: ClassVar[str] = "login"
    layer: ClassVar[Layer] = "session"
    is_entry: ClassVar[bool] = False

    of: ResponseHead
    request: RequestHead
    form_names: tuple[bytes, ...]
    issued: bool
    """The response hands out a session ID."""


@noun
class SessionEnded(Event):
    """The session ID was deleted at the client (logout)."""

    kind: ClassVar[str] = "session-ended"
    layer: ClassVar[Layer] = "session"

    of: CookieDeleted
    name: bytes
    value: Secret
