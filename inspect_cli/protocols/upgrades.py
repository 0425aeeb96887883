"""What may follow a 101 (RFC 9110 §7.8): upgrade token to the name of a protocol here."""

from __future__ import annotations

from typing import Final

UPGRADES: Final[tuple[tuple[bytes, str], ...]] = ((b"websocket", "websocket"),)
"""Rows (token in lower case, name in PROTOCOLS). Whatever is not listed goes on as opaque."""


def upgrade_to(tokens: bytes) -> str:
    """Name of the protocol that the Upgrade field value of a 101 leads to."""
    token = tokens.split(b",", 1)[0].partition(b"/")[0].strip(b" \t").lower()
    return dict(UPGRADES).get(token, "opaque")
