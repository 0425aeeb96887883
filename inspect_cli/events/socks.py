"""What a client and a SOCKS proxy agree on before the bytes that the proxy passes on."""

from __future__ import annotations

from typing import ClassVar

from inspect_cli.events.base import Event, Layer, noun


@noun
class SocksRequest(Event):
    """A client asks a SOCKS proxy for a connection (RFC 1928 §4; SOCKS 4 and 4a have no RFC)."""

    kind: ClassVar[str] = "socks-request"
    layer: ClassVar[Layer] = "tcp"
    shown: ClassVar[tuple[str, ...]] = ("version", "command", "host", "port", "login")

    version: int
    """4 or 5."""
    command: int
    """1 CONNECT, 2 BIND, 3 UDP ASSOCIATE."""
    host: bytes
    """A name, or an address as text."""
    port: int
    login: bool
    """The client gave a user name (RFC 1929, or the user field of SOCKS 4)."""


@noun
class SocksReply(Event):
    """What the proxy answers (RFC 1928 §6); after a success it passes bytes on."""

    kind: ClassVar[str] = "socks-reply"
    layer: ClassVar[Layer] = "tcp"
    shown: ClassVar[tuple[str, ...]] = ("version", "reply")

    version: int
    reply: str
    """`succeeded`, `not-allowed`, ..., `reply-NN` for what has no name."""
