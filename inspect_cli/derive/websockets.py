"""A 101 with `Upgrade: websocket` opens a WebSocket."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

from inspect_cli.derive.base import Deriver
from inspect_cli.derive.heads import is_101
from inspect_cli.events.base import Event
from inspect_cli.events.http import MessageHead, ResponseHead
from inspect_cli.events.websocket import WebSocketOpened

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3


def accept_of(key: bytes) -> bytes:
    """What Sec-WebSocket-Accept must be for this key (RFC 6455 §4.2.2 step 5.4); b"" for no key."""
    return base64.b64encode(hashlib.sha1(key + _GUID).digest()) if key else b""


def _first(head: MessageHead, name: bytes) -> bytes:
    values = head.values(name)
    return values[0] if values else b""


def _upgrades_to_websocket(head: MessageHead) -> bool:
    """RFC 6455 §4.1: the token, in any case, alone or in a list."""
    if b"websocket" not in head.head.lower():
        return False
    return any(
        token.strip(b" \t").lower() == b"websocket" for value in head.values(b"upgrade") for token in value.split(b",")
    )


class WebSockets(Deriver):
    """WebSocketOpened, whether or not the accept is right: that is for a concept to say."""

    watches = (ResponseHead,)
    makes = (WebSocketOpened,)

    def see(self, event: Event) -> Iterable[Event]:
        if not isinstance(event, ResponseHead) or (not is_101(event)):
            return ()
        if not _upgrades_to_websocket(event):
            return ()
        key = _first(event.request, b"sec-websocket-key") if event.request is not None else b""
        return (
            WebSocketOpened(
                event.where,
                event,
                event.request,
                key,
                _first(event, b"sec-websocket-accept"),
                accept_of(key),
                _first(event, b"sec-websocket-protocol"),
                b", ".join(event.values(b"sec-websocket-extensions")),
            ),
        )
