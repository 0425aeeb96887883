"""Requests with credentials that were answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from inspect_cli.cookies.parse import parse_set_cookie
from inspect_cli.derive.base import Deriver
from inspect_cli.derive.heads import field_lines, is_final
from inspect_cli.derive.session_ids import names_session
from inspect_cli.derive.waiting import Waiting
from inspect_cli.events.base import Event, Secret
from inspect_cli.events.cookies import LoginSeen
from inspect_cli.events.http import RequestForm, ResponseHead
from inspect_cli.events.tcp import ConnectionEnd

_MAX_OPEN = 4_096
_CARD = (b"card", b"cvc", b"cvv")


class Logins(Deriver):
    """LoginSeen for the answer to a form with a password, or to a request with Authorization."""

    watches = (RequestForm, ResponseHead, ConnectionEnd)
    makes = (LoginSeen,)

    def __init__(self) -> None:
        self._forms: Waiting[tuple[bytes, ...]] = Waiting(_MAX_OPEN)

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Event]]]:
        return {RequestForm: self._form, ResponseHead: self._answered, ConnectionEnd: self._over}

    def _form(self, event: RequestForm) -> Iterable[Event]:
        if any(_is_password(name, value) for name, value in event.form):
            names = tuple([name for name, _ in event.form])
            self._forms.put(event.of.where.channel, event.of.index, names, sum(map(len, names)))
        return ()

    def _answered(self, event: ResponseHead) -> Iterable[Event]:
        request = event.request
        if request is None or not is_final(event):
            return ()
        names = self._forms.pop(request.where.channel, request.index) if self._forms else None
        if names is None and b"\nauthorization:" not in request.head.lower():
            return ()
        return (LoginSeen(event.where, event, request, names or (), _hands_out_id(event)),)

    def _over(self, event: ConnectionEnd) -> Iterable[Event]:
        self._forms.over(event.where.channel)
        return ()


def _is_password(name: bytes, value: bytes | Secret) -> bool:
    if not isinstance(value, Secret) or value.kind != "password":
        return False
    lowered = name.lower()
    return not any(word in lowered for word in _CARD)


def _hands_out_id(response: ResponseHead) -> bool:
    for line in field_lines(response.head, b"set-cookie"):
        cookie = parse_set_cookie(line.value)
        if cookie is None or (cookie.max_age is not None and cookie.max_age <= 0):
            continue
        is_persistent = cookie.max_age is not None or cookie.expires_ns is not None
        if names_session(cookie.name, cookie.value.value, http_only=cookie.http_only, is_persistent=is_persistent):
            return True
    return False
