"""Session IDs: handed out, sent back, changed, kept over a login, ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, NamedTuple

from inspect_cli.derive.base import Deriver
from inspect_cli.derive.heads import Recent, is_final
from inspect_cli.derive.session_ids import entropy_bits, known_name, names_session
from inspect_cli.derive.waiting import Waiting
from inspect_cli.events.base import INFERRED, OBSERVED, Event, Secret
from inspect_cli.events.cookies import (
    CookieDeleted,
    CookieEvent,
    CookieSent,
    CookieStored,
    LoginSeen,
    SessionChanged,
    SessionEnded,
    SessionIssued,
    SessionKept,
    SessionReturned,
)
from inspect_cli.events.http import MessageHead, ResponseHead
from inspect_cli.events.tcp import ConnectionEnd

_MAX_IDS = 10_000
_MAX_OPEN = 4_096
_FEW, _SMALL_BYTES = 16, 256
"""So many IDs of a request, of so many bytes, are not worth counting."""

_Id = tuple[bytes, bytes]


@dataclass(slots=True)
class _Issued:
    frames: tuple[int, ...]
    is_returned: bool = False
    is_kept: bool = False
    """Its going on over a login was said."""


class _Carried(NamedTuple):
    """A session ID in a request."""

    value: Secret
    frames: tuple[int, ...]


def _id(name: bytes, value: bytes) -> _Id:
    # A digest where the value is long: ten thousand of them are remembered.
    return (name[:256], value if len(value) <= 64 else blake2b(value, digest_size=16).digest())


class Sessions(Deriver):
    """Follows IDs by name and value, which are unique where they are IDs at all."""

    watches = (LoginSeen, CookieSent, CookieStored, CookieDeleted, ResponseHead, ConnectionEnd)
    makes = (SessionIssued, SessionReturned, SessionChanged, SessionKept, SessionEnded)

    def __init__(self) -> None:
        self._ids: Recent[_Id, _Issued] = Recent(_MAX_IDS)
        self._carried: Waiting[dict[bytes, _Carried]] = Waiting(_MAX_OPEN)
        self._login: LoginSeen | None = None
        self._touched: set[bytes] = set()
        """Names that the response of the last login stored or deleted."""
        self._carries: tuple[MessageHead | None, dict[bytes, _Carried]] = (None, {})
        """The last request with IDs, and these."""

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Event]]]:
        return {
            LoginSeen: self._logged_in,
            CookieSent: self._sent,
            CookieStored: self._stored,
            CookieDeleted: self._deleted,
            ResponseHead: self._answered,
            ConnectionEnd: self._over,
        }

    def _over(self, event: ConnectionEnd) -> Iterable[Event]:
        self._carried.over(event.where.channel)
        self._carries = (None, {})
        return ()

    def _logged_in(self, event: LoginSeen) -> Iterable[Event]:
        self._login = event
        self._touched = set()
        return ()

    def _sent(self, event: CookieSent) -> Iterable[Event]:
        decision, where = event.decision, event.where
        name, value = decision.name, decision.value
        issued = self._ids.get(_id(name, value.value))
        if issued is None and not known_name(name):
            return ()
        carried = self._carried_by(event.of)
        if name not in carried:
            carried[name] = _Carried(value, where.frames)
            size = len(name) + len(value.value)
            if size > _SMALL_BYTES or len(carried) > _FEW:
                self._carried.grow(event.of.where.channel, event.of.index, size)
        if issued is None:
            return ()
        first = not issued.is_returned
        issued.is_returned = True
        return (SessionReturned(where, event, name, value, issued.frames, first),)

    def _carried_by(self, head: MessageHead) -> dict[bytes, _Carried]:
        """IDs in this request, to put more in; its cookies come one after another."""
        of, carried = self._carries
        if of is not head:
            channel, index = head.where.channel, head.index
            found = self._carried.get(channel, index)
            if found is None:
                found = {}
                self._carried.put(channel, index, found)
            carried = found
            self._carries = (head, carried)
        return carried

    def _stored(self, event: CookieStored) -> Iterable[Event]:
        name, value = event.name, event.value
        is_persistent = event.expires_ns is not None
        if not names_session(name, value.value, http_only=event.http_only, is_persistent=is_persistent):
            return ()
        carried = self._carried_with(event)
        key = _id(name, value.value)
        known = self._ids.get(key)
        at_login = self._is_login(event)
        if known is not None or (carried is not None and carried.value.value == value.value):
            # The same ID once more: a longer life, nothing new. At a login it was kept.
            self._ids.put(key, known or _Issued(event.where.frames))
            return ()
        if at_login:
            self._touched.add(name)
        self._ids.put(key, _Issued(event.where.frames))
        old = event.old_value if event.old_value is not None else carried.value if carried is not None else None
        if old is None or not old.value:
            bits = entropy_bits(value.value)
            return (SessionIssued(event.where, event, name, value, known_name(name), bits),)
        before = self._ids.get(_id(name, old.value))
        old_frames = before.frames if before is not None else carried.frames if carried is not None else ()
        return (SessionChanged(event.where, event, name, old, value, old_frames, at_login),)

    def _deleted(self, event: CookieDeleted) -> Iterable[Event]:
        carried = self._carried_with(event)
        old = event.old_value if event.old_value is not None else carried.value if carried is not None else None
        if old is None:
            return ()  # nothing was there, as far as can be seen
        key = _id(event.name, old.value)
        if key not in self._ids and not known_name(event.name):
            return ()
        self._ids.pop(key, None)
        if self._is_login(event):
            self._touched.add(event.name)
        return (SessionEnded(event.where, event, event.name, old),)

    def _answered(self, event: ResponseHead) -> Iterable[Event]:
        if not (self._carried or self._login) or event.request is None or not is_final(event):
            return ()
        self._carries = (None, {})
        carried = self._carried.pop(event.request.where.channel, event.request.index)
        login, self._login = self._login, None
        if login is None or login.of is not event or not carried or event.status >= 400:
            return ()
        return [
            kept
            for name, one in carried.items()
            if name not in self._touched and (kept := self._kept(event, login, name, one)) is not None
        ]

    def _kept(self, event: ResponseHead, login: LoginSeen, name: bytes, one: _Carried) -> SessionKept | None:
        key = _id(name, one.value.value)
        issued = self._ids.get(key)
        if issued is None:
            issued = _Issued(one.frames)
            self._ids.put(key, issued)
        if issued.is_kept:
            return None
        issued.is_kept = True
        # That the login succeeded is no more than likely.
        where = event.where
        where = where._replace(basis=INFERRED) if where.basis == OBSERVED else where
        return SessionKept(where, event, name, one.value, login.request.where.frames)

    def _carried_with(self, event: CookieEvent) -> _Carried | None:
        """The ID of that name in the request that this Set-Cookie answers."""
        head = event.of
        if not isinstance(head, ResponseHead) or head.request is None:
            return None
        carried = self._carried.get(head.request.where.channel, head.request.index)
        return carried.get(event.name) if carried else None

    def _is_login(self, event: CookieEvent) -> bool:
        return self._login is not None and self._login.of is event.of
