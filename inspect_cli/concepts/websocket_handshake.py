"""The opening handshake: every rule of an upgrade that its two heads show."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.memory import Recent, brief, connection_of
from inspect_cli.events.base import Annotation, Event, Level
from inspect_cli.events.http import MessageHead, RequestHead, ResponseHead
from inspect_cli.events.tcp import ConnectionEnd

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_SHOWN = 8
"""Subprotocols or extensions that an annotation names."""


def accept_for(key: bytes) -> bytes:
    """What Sec-WebSocket-Accept must be for this key (§4.2.2 step 5.4)."""
    return base64.b64encode(hashlib.sha1(key + _GUID).digest())  # the RFC's choice of hash


def _listed(head: MessageHead, name: bytes) -> list[bytes]:
    """Items of a comma list over all fields of that name, trimmed, without empty ones."""
    return [item for value in head.values(name) for part in value.split(b",") if (item := part.strip())]


def _lower(items: Iterable[bytes]) -> list[bytes]:
    return [item.lower() for item in items]


def _is_upgrade(head: MessageHead) -> bool:
    return b"websocket" in head.head.lower() and b"websocket" in _lower(_listed(head, b"upgrade"))


def _is_key(key: bytes) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (ValueError, binascii.Error):
        return False


@dataclass(slots=True)
class _Asked:
    request: RequestHead
    key: bytes
    subprotocols: list[bytes]
    extensions: list[bytes]
    """Names of those offered, lower case."""
    version: bytes
    broken: list[str]
    """Errors of the request."""


class WebSocketHandshake(Concept):
    """GET with Upgrade, 101 with Accept, each rule of it; or how it was refused."""

    id = "websocket-handshake"
    reference = "RFC 6455 §4.1"
    watches = (RequestHead, ResponseHead, ConnectionEnd)
    codes = (
        "websocket-handshake.asked",
        "websocket-handshake.method-not-get",
        "websocket-handshake.http-version-too-old",
        "websocket-handshake.host-missing",
        "websocket-handshake.upgrade-missing",
        "websocket-handshake.connection-upgrade-missing",
        "websocket-handshake.key-missing",
        "websocket-handshake.key-not-16-bytes",
        "websocket-handshake.key-reused",
        "websocket-handshake.version-missing",
        "websocket-handshake.version-not-13",
        "websocket-handshake.subprotocol-offer-malformed",
        "websocket-handshake.subprotocol-offer-duplicate",
        "websocket-handshake.origin",
        "websocket-handshake.origin-missing",
        "websocket-handshake.cookies",
        "websocket-handshake.accepted",
        "websocket-handshake.accept-missing",
        "websocket-handshake.accept-mismatch",
        "websocket-handshake.upgrade-wrong",
        "websocket-handshake.connection-wrong",
        "websocket-handshake.subprotocol",
        "websocket-handshake.subprotocol-not-offered",
        "websocket-handshake.subprotocol-many",
        "websocket-handshake.subprotocol-none",
        "websocket-handshake.extension",
        "websocket-handshake.extension-not-offered",
        "websocket-handshake.bad-request-accepted",
        "websocket-handshake.refused",
        "websocket-handshake.refused-200",
        "websocket-handshake.refused-redirect",
        "websocket-handshake.refused-400",
        "websocket-handshake.refused-401",
        "websocket-handshake.refused-403",
        "websocket-handshake.refused-404",
        "websocket-handshake.refused-426",
        "websocket-handshake.426-without-upgrade",
        "websocket-handshake.version-list-missing",
        "websocket-handshake.unanswered",
    )

    def __init__(self) -> None:
        self._asked: Recent[str, _Asked] = Recent(4096)
        self._keys: Recent[bytes, tuple[int, ...]] = Recent(4096)

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Annotation]]]:
        return {
            RequestHead: self._requested,
            ResponseHead: self._answered,
            ConnectionEnd: self._ended,
        }

    def _requested(self, event: RequestHead) -> Iterable[Annotation]:
        head = event.head.lower()
        if b"websocket" in head and (b"\nsec-websocket-" in head or _is_upgrade(event)):
            return self._request(event)
        return ()

    def _answered(self, event: ResponseHead) -> Iterable[Annotation]:
        if not self._asked:
            return ()
        channel = connection_of(event.where.channel)
        asked = self._asked.get(channel)
        if asked is None:
            return ()
        status = event.status
        if not asked.request.is_same(event.request) or (100 <= status < 200 and status != 101):
            return ()
        del self._asked[channel]
        return self._accepted(event, asked) if status == 101 else self._refused(event, asked, status)

    def _ended(self, event: ConnectionEnd) -> Iterable[Annotation]:
        asked = self._asked.pop(connection_of(event.where.channel), None)
        if asked is None:
            return ()
        return (self.note(event, "unanswered", frames=asked.request.where.frames, level="warning"),)

    # -- the request (§4.1, second list) ---------------------------------------------------

    def _request(self, event: RequestHead) -> Iterable[Annotation]:
        keys = event.values(b"sec-websocket-key")
        versions = event.values(b"sec-websocket-version")
        offered = _listed(event, b"sec-websocket-protocol")
        extensions = [item.split(b";")[0].strip().lower() for item in _listed(event, b"sec-websocket-extensions")]
        key, version = keys[0] if keys else b"", versions[0] if versions else b""
        broken = list(self._broken(event, key, version, offered))
        self._asked[connection_of(event.where.channel)] = _Asked(event, key, offered, extensions, version, broken)
        for name in broken:
            got = {"version-not-13": version, "method-not-get": event.method, "key-not-16-bytes": key}.get(name, b"")
            yield self._rule(event, name, "error", got=got)
        if not broken:
            yield self.note(
                event, "asked", key=key, offered=tuple(offered[:_SHOWN]), extensions=tuple(extensions[:_SHOWN])
            )
        if key:
            before = self._keys.get(brief(key))
            if before is not None:
                frames = before + event.where.frames
                yield self.note(event, "key-reused", frames=frames, level="warning", before=before)
            else:
                self._keys[brief(key)] = event.where.frames
        yield from self._who(event)

    @staticmethod
    def _broken(event: RequestHead, key: bytes, version: bytes, offered: list[bytes]) -> Iterable[str]:
        if event.method != b"GET":
            yield "method-not-get"  # req 2
        if event.version in (b"", b"HTTP/1.0", b"HTTP/0.9"):
            yield "http-version-too-old"  # req 2
        if not event.host:
            yield "host-missing"  # req 4
        if b"websocket" not in _lower(_listed(event, b"upgrade")):
            yield "upgrade-missing"  # req 5
        if b"upgrade" not in _lower(_listed(event, b"connection")):
            yield "connection-upgrade-missing"  # req 6
        if not key:
            yield "key-missing"  # req 7
        elif not _is_key(key):
            yield "key-not-16-bytes"
        if not version:
            yield "version-missing"  # req 9
        elif version != b"13":
            yield "version-not-13"
        if any(not _TOKEN.match(item) for item in offered):
            yield "subprotocol-offer-malformed"  # req 10
        if len(set(offered)) < len(offered):
            yield "subprotocol-offer-duplicate"

    def _who(self, event: RequestHead) -> Iterable[Annotation]:
        origin = event.values(b"origin")
        cookies = bool(event.values(b"cookie"))
        reference = "RFC 6455 §10.2"
        if origin:
            yield self.note(event, "origin", reference=reference, origin=origin[0], host=event.host)
        elif cookies:
            yield self.note(event, "origin-missing", reference=reference, level="notice")
        if cookies:
            yield self.note(event, "cookies", reference=reference)

    # -- the answer (§4.1, third list; §4.2.2) ---------------------------------------------

    def _accepted(self, event: ResponseHead, asked: _Asked) -> Iterable[Annotation]:
        frames = asked.request.where.frames + event.where.frames
        accepts = event.values(b"sec-websocket-accept")
        accept, expected = accepts[0] if accepts else b"", accept_for(asked.key)
        if not accept:
            yield self._rule(event, "accept-missing", "error", got=b"")
        elif not asked.key or accept != expected:
            yield self.note(
                event, "accept-mismatch", frames=frames, level="error", key=asked.key, accept=accept, expected=expected
            )
        else:
            reference = "RFC 6455 §4.2.2"
            yield self.note(event, "accepted", frames=frames, reference=reference, key=asked.key, accept=accept)
        upgrade = _lower(_listed(event, b"upgrade"))
        if upgrade != [b"websocket"]:
            yield self._rule(event, "upgrade-wrong", "error", got=b", ".join(upgrade[:_SHOWN]))  # resp 2
        connection = _lower(_listed(event, b"connection"))
        if b"upgrade" not in connection:
            yield self._rule(event, "connection-wrong", "error", got=b", ".join(connection[:_SHOWN]))  # resp 3
        yield from self._agreed(event, asked)
        if asked.broken:
            yield self.note(event, "bad-request-accepted", frames=frames, reference="RFC 6455 §4.2.1", level="error")

    def _agreed(self, event: ResponseHead, asked: _Asked) -> Iterable[Annotation]:
        chosen = _listed(event, b"sec-websocket-protocol")
        offered = tuple(asked.subprotocols[:_SHOWN])
        if len(chosen) > 1:
            yield self._rule(event, "subprotocol-many", "error", got=b", ".join(chosen[:_SHOWN]))
        elif chosen and chosen[0] not in asked.subprotocols:
            yield self.note(event, "subprotocol-not-offered", level="error", got=chosen[0], offered=offered)
        elif chosen:
            yield self.note(event, "subprotocol", got=chosen[0], offered=offered)
        elif asked.subprotocols:
            yield self.note(event, "subprotocol-none", level="notice", offered=offered)
        for item in _listed(event, b"sec-websocket-extensions")[:_SHOWN]:
            name = item.split(b";")[0].strip()
            if name.lower() in asked.extensions:
                yield self.note(event, "extension", reference="RFC 6455 §9.1", got=item)
            else:
                yield self._rule(event, "extension-not-offered", "error", got=name)  # resp 5

    def _refused(self, event: ResponseHead, asked: _Asked, status: int) -> Iterable[Annotation]:
        frames = asked.request.where.frames + event.where.frames
        what = "refused"
        if status in (200, 400, 401, 403, 404, 426):
            what = f"refused-{status}"
        elif 300 <= status < 400:
            what = "refused-redirect"
        # Refusing is a server's right: no rule is broken.
        yield self.note(event, what, frames=frames, level="notice", status=status, reason=event.reason)
        if status == 426 and not event.values(b"upgrade"):
            yield self.note(event, "426-without-upgrade", reference="RFC 9110 §7.8", level="error")
        wrong_version = asked.version not in (b"", b"13") and status in (400, 426)
        if wrong_version and not event.values(b"sec-websocket-version"):
            yield self.note(event, "version-list-missing", reference="RFC 6455 §4.4", level="error")

    def _rule(self, event: Event, what: str, level: Level, *, got: bytes) -> Annotation:
        return self.note(event, what, level=level, got=got)
