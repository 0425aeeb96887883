"""What nobody knows is read and forgotten."""

from __future__ import annotations

from inspect_cli.protocols.opaque import OPAQUE
from inspect_cli.streams.channel import Recognition
from tests.protocols.conversation import CLIENT, C, S, lost, read, talk


def test_opaque_takes_everything_and_says_nothing() -> None:
    said = C(b"\x00\x01"), S(b"\xff" * 100), lost(CLIENT, 5), C(b"GET / HTTP/1.1\r\n\r\n")
    run = read(OPAQUE, said)

    assert Recognition.YES == OPAQUE.looks_like(b"", b"")
    assert [] == talk(OPAQUE, *said)
    assert [0, 0] == [reader.unread_bytes for reader in run.readers]
