"""Sessions: the state is the server's, the client holds only its ID."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.memory import Recent, connection_of
from inspect_cli.events.base import INFERRED, NOT_OBSERVABLE, Annotation, Event
from inspect_cli.events.cookies import (
    BIS,
    LoginSeen,
    SessionChanged,
    SessionEnded,
    SessionIssued,
    SessionKept,
    SessionReturned,
)
from inspect_cli.events.http import ResponseHead
from inspect_cli.events.tcp import ConnectionEnd

_ENOUGH_BITS = 64
"""Below that an ID can be guessed (OWASP Session Management asks for 64 bits at least)."""
_HOLD_STATE = {"Flask": b".", "Rails": b"--"}
"""Frameworks that by default keep the session itself in the cookie: what stands before its signature."""


def _response(event: SessionIssued | SessionChanged) -> ResponseHead | None:
    head = event.of.of
    return head if isinstance(head, ResponseHead) else None


class SessionId(Concept):
    """A cookie that names a session kept by the server."""

    id = "session-id"
    reference = f"{BIS} §8.4"
    watches = (SessionIssued, SessionReturned, SessionChanged)
    codes = (
        "session-id.known-name",
        "session-id.by-its-look",
        "session-id.holds-state",
        "session-id.guessable",
        "session-id.returned",
        "session-id.renewed",
    )

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Annotation]]]:
        return {
            SessionIssued: self._issued,
            SessionReturned: self._returned,
            SessionChanged: self._changed,
        }

    def _returned(self, event: SessionReturned) -> Iterable[Annotation]:
        if not event.first:
            return ()
        issued = event.issued_frames
        frames = issued + event.where.frames
        return (self.note(event, "returned", frames=frames, basis=INFERRED, name=event.name, issued=issued),)

    def _changed(self, event: SessionChanged) -> Iterable[Annotation]:
        if event.at_login:
            return ()
        frames = event.old_frames + event.where.frames
        return (self.note(event, "renewed", frames=frames, name=event.name, old_frames=event.old_frames),)

    def _issued(self, event: SessionIssued) -> Iterable[Annotation]:
        # That it is a session ID is a conclusion from name or look: nothing on the wire says so.
        what = "known-name" if event.known_name else "by-its-look"
        mark = _HOLD_STATE.get(event.known_name)
        if mark is not None and mark in event.value.value:
            what = "holds-state"
        bits = event.entropy_bits
        known = event.known_name
        yield self.note(event, what, basis=INFERRED, name=event.name, known_name=known, entropy_bits=bits)
        if what != "holds-state" and bits < _ENOUGH_BITS:
            yield self.note(event, "guessable", level="warning", name=event.name, entropy_bits=bits)


class SessionLogin(Concept):
    """Login: credentials checked, session made, ID handed out; and the ID must change there."""

    id = "session-login"
    reference = f"{BIS} §8.4"
    watches = (LoginSeen, SessionIssued, SessionChanged, SessionKept, SessionEnded, ConnectionEnd)
    codes = (
        "session-login.issued",
        "session-login.changed",
        "session-login.kept",
        "session-login.logout",
    )

    def __init__(self) -> None:
        self._logins: Recent[str, LoginSeen] = Recent(4096)
        """The last login of each connection: its session ID follows from the same response."""

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Annotation]]]:
        return {
            LoginSeen: self._logged_in,
            SessionIssued: self._issued,
            SessionChanged: self._changed,
            SessionKept: self._kept,
            SessionEnded: self._ended,
            ConnectionEnd: self._over,
        }

    def _over(self, event: ConnectionEnd) -> Iterable[Annotation]:
        self._logins.pop(event.where.channel, None)
        return ()

    def _logged_in(self, event: LoginSeen) -> Iterable[Annotation]:
        self._logins[connection_of(event.where.channel)] = event
        return ()

    def _kept(self, event: SessionKept) -> Iterable[Annotation]:
        frames = event.login_frames + event.where.frames
        return (self.note(event, "kept", frames=frames, level="warning", name=event.name, login=event.login_frames),)

    def _ended(self, event: SessionEnded) -> Iterable[Annotation]:
        return (self.note(event, "logout", basis=NOT_OBSERVABLE, name=event.name),)

    def _issued(self, event: SessionIssued) -> Iterable[Annotation]:
        response = _response(event)
        login = self._logins.get(connection_of(event.where.channel))
        if login is None or not login.of.is_same(response):
            return ()
        asked = login.request.where.frames
        frames = asked + event.where.frames
        return (self.note(event, "issued", frames=frames, basis=INFERRED, name=event.name, login=asked),)

    def _changed(self, event: SessionChanged) -> Iterable[Annotation]:
        if not event.at_login:
            return ()
        response = _response(event)
        asked = response.request.where.frames if response is not None and response.request is not None else ()
        frames = event.old_frames + asked + event.where.frames
        return (self.note(event, "changed", frames=frames, name=event.name, login=asked, old_frames=event.old_frames),)
