"""Events to annotations: what was seen means this concept.

Knows: the meaning of events, the clause that says so, and the evidence for it.
Does not know: bytes, parsers, other concepts' annotations, or the words (texts has them).
Hands on: annotations with a stable code and the data that fills its words.

`CONCEPTS` is the order in which they see an event, and so that of its annotations: from the
connection up to what travels on it. A new concept is a class, a line here, texts in both
languages and a test. State is kept per connection, let go at its end, and bounded.
"""

from __future__ import annotations

from typing import Final

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.closing import FourWayClose, Reset
from inspect_cli.concepts.cookie_clients import CookieClients
from inspect_cli.concepts.cookie_security import CookieSecurity
from inspect_cli.concepts.cookies import Cookie, CookieAttributes, CookieFlow, PersistentCookie, SessionCookie
from inspect_cli.concepts.http import Connectionless, Stateless
from inspect_cli.concepts.same_site import SameSite
from inspect_cli.concepts.sessions import SessionId, SessionLogin
from inspect_cli.concepts.sockets import OsiLayers, SocketVsPort
from inspect_cli.concepts.tcp import Tcp, ThreeWayHandshake
from inspect_cli.concepts.udp import Udp
from inspect_cli.concepts.websocket import WebSocket, WebSocketClosing, WebSocketFrames
from inspect_cli.concepts.websocket_handshake import WebSocketHandshake

__all__ = ["CONCEPTS", "Concept"]

CONCEPTS: Final[tuple[type[Concept], ...]] = (
    ThreeWayHandshake,
    SocketVsPort,
    OsiLayers,
    Tcp,
    Udp,
    Stateless,
    Connectionless,
    SameSite,
    CookieFlow,
    Cookie,
    SessionCookie,
    PersistentCookie,
    CookieAttributes,
    CookieSecurity,
    CookieClients,
    SessionId,
    SessionLogin,
    WebSocketHandshake,
    WebSocket,
    WebSocketFrames,
    WebSocketClosing,
    FourWayClose,
    Reset,
)
