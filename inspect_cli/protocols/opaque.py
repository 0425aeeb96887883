"""Bytes that no protocol of ours claims: read, counted by the connection, forgotten."""

from __future__ import annotations

from inspect_cli.streams.channel import WAIT_BYTES, Parser, Protocol, Recognition, Report, Talk
from inspect_cli.streams.reader import Reader


def looks_like(client_head: bytes, server_head: bytes) -> Recognition:
    """Everything is opaque to who knows nothing: this row stands last in PROTOCOLS."""
    return Recognition.YES


def unread(reader: Reader, talk: Talk, report: Report) -> Parser:
    """Let the bytes of one side go by."""
    while True:
        reader.skip(reader.unread_bytes)
        if reader.at_end:
            return None
        yield WAIT_BYTES


def make_talk(carry: object) -> Talk:
    """Opaque sides have nothing to tell each other."""
    return Talk()


OPAQUE = Protocol("opaque", looks_like, unread, unread, make_talk)
