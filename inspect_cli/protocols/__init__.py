"""Bytes to events: one parser for each side of a protocol.

Knows: grammars, and how to go on where they are broken.
Does not know: packets, sockets, what an event means, or who wants to know.
Hands on: events with the place in the stream that shows them.
"""

from __future__ import annotations

from typing import Final

from inspect_cli.protocols.http1 import HTTP1
from inspect_cli.protocols.opaque import OPAQUE
from inspect_cli.protocols.socks import SOCKS
from inspect_cli.protocols.upgrades import UPGRADES
from inspect_cli.protocols.websocket import WEBSOCKET
from inspect_cli.streams.channel import Protocol

PROTOCOLS: Final[tuple[Protocol, ...]] = (HTTP1, WEBSOCKET, SOCKS, OPAQUE)
"""The first that says YES reads a channel; the last one takes everything."""

__all__ = ["PROTOCOLS", "UPGRADES"]
