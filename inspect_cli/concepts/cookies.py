"""Cookies: what they are, how one travels, what its attributes did, how long it lives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.memory import Recent, brief, brief_text, connection_of, may_be_interim, names_of
from inspect_cli.events.base import INFERRED, NOT_OBSERVABLE, OBSERVED, REPORTED, Annotation, Basis, Event, Level, Where
from inspect_cli.events.cookies import (
    BIS,
    ClientRestarted,
    CookieDeleted,
    CookieEvent,
    CookieRefused,
    CookieSent,
    CookieStored,
    CookieWithheld,
)
from inspect_cli.events.http import MessageHead, RequestHead, ResponseHead
from inspect_cli.events.tcp import ConnectionEnd

_Identity = tuple[bytes, str, str]
_LONG = 256
"""Octets of name and path; of longer ones a digest is remembered."""
_NAMED = 16
"""Cookies that one sentence names."""


def identity(event: CookieEvent) -> _Identity:
    """What makes a cookie this one: name, domain, path (6265bis §5.7 step 23)."""
    decision = event.decision
    name, path = decision.name, decision.path
    if len(name) + len(path) > _LONG:
        return (brief(name), decision.domain, brief_text(path))
    return (name, decision.domain, path)


def _line_basis(event: CookieEvent) -> Basis:
    """How the field line itself is known, whatever is inferred from it."""
    return event.of.where.basis


class Cookie(Concept):
    """A small name=value that the client keeps and sends back; or why it does not."""

    id = "cookie"
    reference = f"{BIS} §4.1.2"
    watches = (CookieStored, CookieDeleted, CookieRefused, CookieSent, CookieWithheld)
    codes = (
        "cookie.kept",
        "cookie.replaced",
        "cookie.deleted",
        "cookie.nothing-to-delete",
        "cookie.refused",
        "cookie.value-differs",
        "cookie.set-before-capture",
        "cookie.given",
        "cookie.should-not-be-sent",
        "cookie.should-be-sent",
    )

    def __init__(self) -> None:
        self._kept: Recent[_Identity, bool] = Recent()
        self._sent: Recent[_Identity, bool] = Recent()

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Annotation]]]:
        return {
            CookieStored: self._stored,
            CookieDeleted: self._deleted,
            CookieRefused: self._refused,
            CookieSent: self._returned,
            CookieWithheld: self._withheld,
        }

    def _deleted(self, event: CookieDeleted) -> Iterable[Annotation]:
        name = "deleted" if event.existed else "nothing-to-delete"
        return (self.note(event, name, reference=event.reference, name=event.name),)

    def _refused(self, event: CookieRefused) -> Iterable[Annotation]:
        return (self._ruled(event, "refused", "warning"),)

    def _withheld(self, event: CookieWithheld) -> Iterable[Annotation]:
        if event.expected:
            return ()
        # What a recorded client was told by its user is not known; of ours it is.
        return (self._ruled(event, "should-be-sent", "warning" if event.where.basis == REPORTED else "notice"),)

    def _stored(self, event: CookieStored) -> Iterable[Annotation]:
        if self._kept.first_time(identity(event), True):
            return (self.note(event, "kept", basis=_line_basis(event), name=event.name),)
        if event.replaces and event.value_changed:
            return (self.note(event, "replaced", reference=f"{BIS} §5.7 step 23", name=event.name),)
        return ()

    def _returned(self, event: CookieSent) -> Iterable[Annotation]:
        decision = event.decision
        if not decision.expected:
            return (self._ruled(event, "should-not-be-sent", "warning"),)
        if not self._sent.first_time(identity(event), True):
            return ()
        if event.reason == "ValueDiffers":
            return (self.note(event, "value-differs", level="notice", name=event.name),)
        if event.origin == "stored":
            return ()  # that it came back is a step of its flow
        if event.origin == "given":
            return (self.note(event, "given", basis=REPORTED, name=event.name),)
        return (self.note(event, "set-before-capture", basis=NOT_OBSERVABLE, name=event.name),)

    def _ruled(self, event: CookieEvent, what: str, level: Level) -> Annotation:
        data: dict[str, Any] = {"name": event.name, "reason": event.reason}
        if isinstance(event, CookieSent | CookieWithheld):
            data["alike"] = event.decision.alike
        return self.note(event, what, reference=event.reference, level=level, **data)


@dataclass(slots=True)
class _Answer:
    """A request whose cookies came back for the first time, waiting for its response."""

    where: Where
    index: int
    names: list[bytes] = field(default_factory=list)

    def is_of(self, request: RequestHead) -> bool:
        """Whether it waits for this one's response: objects may be copies, made in another process."""
        return request.index == self.index and request.where == self.where


class CookieFlow(Concept):
    """The five steps: request, value made, Set-Cookie, kept and returned, read."""

    id = "cookie-flow"
    reference = f"{BIS} §3"
    watches = (CookieStored, CookieSent, ResponseHead, ConnectionEnd)
    codes = ("cookie-flow.made", "cookie-flow.set", "cookie-flow.returned", "cookie-flow.read")

    def __init__(self) -> None:
        self._set: Recent[tuple[_Identity, bytes], bool] = Recent()
        """Cookies by identity and value -> did they come back?"""
        self._waiting: Recent[str, list[_Answer]] = Recent(4096)
        self._made: MessageHead | None = None
        """The last response whose first two steps were said: once for all its cookies."""

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Annotation]]]:
        return {
            CookieStored: self._stored,
            CookieSent: self._returned,
            ResponseHead: self._answered,
            ConnectionEnd: self._ended,
        }

    def _ended(self, event: ConnectionEnd) -> Iterable[Annotation]:
        self._waiting.pop(event.where.channel, None)
        return ()

    def _stored(self, event: CookieStored) -> Iterable[Annotation]:
        decision = event.decision
        name = decision.name
        if not self._set.first_time((identity(event), brief(decision.value.value)), False):
            return ()
        of, given = event.of, event.where.frames
        basis = of.where.basis
        said = self.note(event, "set", basis=basis, name=name, given=given)
        if of.is_same(self._made):
            return (said,)
        self._made = of
        request = of.request if isinstance(of, ResponseHead) else None
        asked = request.where.frames if request is not None else ()
        return (self.note(event, "made", frames=asked, basis=INFERRED, asked=asked), said)

    def _returned(self, event: CookieSent) -> Iterable[Annotation]:
        decision = event.decision
        if decision.origin != "stored":
            return ()
        name, set_frames = decision.name, decision.set_frames
        key = (identity(event), brief(decision.value.value))
        if self._set.get(key) is not False:
            return ()
        self._set[key] = True
        if isinstance(event.of, RequestHead):
            self._wait(event.of, name)
        frames = set_frames + event.where.frames
        return (
            self.note(
                event,
                "returned",
                frames=frames,
                reference=f"{BIS} §5.8.3",
                name=name,
                set_frames=set_frames,
                sent_frames=event.where.frames,
            ),
        )

    def _wait(self, request: RequestHead, name: bytes) -> None:
        channel = connection_of(request.where.channel)
        waiting = self._waiting.get(channel)
        if waiting is None:
            waiting = self._waiting[channel] = []
        if waiting and waiting[-1].is_of(request):
            waiting[-1].names.append(name)
        elif len(waiting) < 64:  # pipelined that deep, the last ones go unsaid
            waiting.append(_Answer(request.where, request.index, [name]))

    def _answered(self, event: ResponseHead) -> Iterable[Annotation]:
        if not self._waiting:
            return ()
        channel = connection_of(event.where.channel)
        waiting = self._waiting.get(channel)
        if not waiting or event.request is None:
            return ()
        if may_be_interim(event.head) and 100 <= event.status < 200 and event.status != 101:
            return ()
        for at in range(len(waiting)):
            if waiting[at].is_of(event.request):
                break
        else:
            return ()
        answer = waiting[at]
        del waiting[: at + 1]
        if not waiting:
            del self._waiting[channel]
        asked = answer.where.frames
        frames = asked + event.where.frames
        names = tuple(answer.names[:8])
        return (self.note(event, "read", frames=frames, basis=INFERRED, names=names, asked=asked),)


class CookieAttributes(Concept):
    """What each attribute says, and what the client does because of it."""

    id = "cookie-attributes"
    reference = f"{BIS} §5.6"
    watches = (CookieStored,)
    codes = (
        "cookie-attributes.effect",
        "cookie-attributes.none",
        "cookie-attributes.no-path",
        "cookie-attributes.max-age-wins",
        "cookie-attributes.ignored",
        "cookie-attributes.repeated",
        "cookie-attributes.lifetime-capped",
    )
    _KNOWN = frozenset({b"expires", b"max-age", b"domain", b"path", b"secure", b"httponly", b"samesite"})

    def __init__(self) -> None:
        self._seen: Recent[tuple[_Identity, frozenset[bytes]], bool] = Recent()

    def see(self, event: Event) -> Iterable[Annotation]:
        if not isinstance(event, CookieStored):
            return ()
        if not self._seen.first_time((identity(event), names_of(event.attributes)), True):
            return ()
        return self._effects(event, [name.lower() for name, _ in event.attributes])

    def _effects(self, event: CookieStored, names: list[bytes]) -> Iterable[Annotation]:
        basis = _line_basis(event)
        given = set(names)
        scope = given & {b"domain", b"path", b"secure", b"httponly", b"samesite"}
        asked_path = next((value for name, value in reversed(event.attributes) if name.lower() == b"path"), b"/")
        is_path = asked_path.startswith(b"/")  # else the default path is taken (§5.6.4)
        data: dict[str, Any] = {
            "domain": event.domain if not event.host_only else "",
            "path": event.path if b"path" in given and is_path else "",
            "secure": event.secure,
            "http_only": event.http_only,
            "same_site": event.same_site if event.same_site != "default" else "",
        }
        if scope and any(data.values()):
            yield self.note(event, "effect", basis=basis, everywhere=event.path == "/", **data)
        elif not given:
            yield self.note(event, "none", basis=basis)
        if not is_path:
            shown = asked_path[:48]
            yield self.note(event, "no-path", basis=basis, level="notice", given=shown, path=event.path)
        if {b"expires", b"max-age"} <= given:
            yield self.note(event, "max-age-wins", basis=basis, reference=f"{BIS} §5.7 step 6")
        known = self._KNOWN
        if any(step.check == "partitioned" and step.outcome == "applied" for step in event.steps):
            known = known | {b"partitioned"}  # this client knows it
        unknown = tuple(sorted(given - known))[:8]
        if unknown:
            yield self.note(event, "ignored", basis=basis, level="notice", names=unknown)
        repeated = tuple(sorted({n for n in given & self._KNOWN if names.count(n) > 1}))
        if repeated:
            yield self.note(event, "repeated", basis=basis, level="notice", names=repeated)
        if event.expires_ns is not None and any(_is_cap(step.clause, step.outcome) for step in event.steps):
            yield self.note(event, "lifetime-capped", reference=f"{BIS} §5.5", expires_ns=event.expires_ns)


def _is_cap(clause: str, outcome: str) -> bool:
    return outcome == "applied" and clause.startswith(f"{BIS} §5.5")


class SessionCookie(Concept):
    """No Expires and no Max-Age: the cookie goes when the browser closes."""

    id = "session-cookie"
    reference = f"{BIS} §5.7 step 6"
    watches = (CookieStored, ClientRestarted)
    codes = ("session-cookie.no-expiry", "session-cookie.gone")

    def __init__(self) -> None:
        self._seen: Recent[_Identity, bool] = Recent()

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Annotation]]]:
        return {
            CookieStored: self._stored,
            ClientRestarted: self._restarted,
        }

    def _restarted(self, event: ClientRestarted) -> Iterable[Annotation]:
        if not event.gone:
            return ()
        return (self.note(event, "gone", reference=f"{BIS} §5.7", names=event.gone[:_NAMED]),)

    def _stored(self, event: CookieStored) -> Iterable[Annotation]:
        if event.expires_ns is not None:
            return ()
        if not self._seen.first_time(identity(event), True):
            return ()
        return (self.note(event, "no-expiry", basis=_line_basis(event), name=event.name),)


class PersistentCookie(Concept):
    """With Expires or Max-Age the cookie stays until then, whatever the browser does."""

    id = "persistent-cookie"
    reference = f"{BIS} §5.7 step 6"
    watches = (CookieStored, ClientRestarted)
    codes = ("persistent-cookie.expires", "persistent-cookie.stayed")

    def __init__(self) -> None:
        self._seen: Recent[_Identity, bool] = Recent()

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Annotation]]]:
        return {
            CookieStored: self._stored,
            ClientRestarted: self._restarted,
        }

    def _restarted(self, event: ClientRestarted) -> Iterable[Annotation]:
        if not event.kept:
            return ()
        return (self.note(event, "stayed", reference=f"{BIS} §5.7", names=event.kept[:_NAMED]),)

    def _stored(self, event: CookieStored) -> Iterable[Annotation]:
        if event.expires_ns is None:
            return ()
        if not self._seen.first_time(identity(event), True):
            return ()
        lifetime_ns = event.expires_ns - event.where.time_ns
        basis = event.where.basis if event.where.basis != OBSERVED else INFERRED
        return (
            self.note(
                event, "expires", basis=basis, name=event.name, expires_ns=event.expires_ns, lifetime_ns=lifetime_ns
            ),
        )
