"""The lists of the room: which protocols there are, and which may follow which."""

from __future__ import annotations

from inspect_cli.protocols import PROTOCOLS, UPGRADES
from inspect_cli.protocols.upgrades import upgrade_to
from inspect_cli.streams.channel import Recognition


def test_every_upgrade_leads_to_a_protocol() -> None:
    names = [protocol.name for protocol in PROTOCOLS]

    assert ["http/1", "websocket", "socks", "opaque"] == names
    assert all(name in names for _, name in UPGRADES)


def test_last_protocol_takes_the_rest() -> None:
    assert Recognition.YES == PROTOCOLS[-1].looks_like(b"\x00", b"\x00")
    assert [Recognition.NO] * 3 == [
        protocol.looks_like(b"\x16\x03\x01", b"\x16\x03\x03") for protocol in PROTOCOLS[:-1]
    ]


def test_upgrade_is_known_by_its_first_token() -> None:
    assert "websocket" == upgrade_to(b"WebSocket")
    assert "websocket" == upgrade_to(b" websocket/13 , x")
    assert "opaque" == upgrade_to(b"h2c")
    assert "opaque" == upgrade_to(b"")
