"""Protocols on UDP, by port; apart from the others, as a capture without UDP needs none of them."""

from __future__ import annotations

from typing import Final

from inspect_cli.protocols.dns import DNS
from inspect_cli.streams.udp import DatagramProtocol

DATAGRAMS: Final[tuple[DatagramProtocol, ...]] = (DNS,)
