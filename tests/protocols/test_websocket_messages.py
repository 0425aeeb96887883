"""Messages over their frames: text, compression, bounds."""

from __future__ import annotations

import zlib

import pytest

from inspect_cli.protocols.websocket_messages import (
    INFLATED_BYTES,
    TEXT_BYTES,
    Deflate,
    Inflater,
    Message,
    read_extensions,
)


def deflate(text: bytes) -> bytes:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (stream.compress(text) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", (None, False)),
        (b"permessage-deflate", (Deflate(), False)),
        (b"Permessage-Deflate; client_max_window_bits=15", (Deflate(), False)),
        (b"permessage-deflate ;Server_no_context_takeover", (Deflate(True, False), False)),
        (b"permessage-deflate; client_no_context_takeover; server_no_context_takeover", (Deflate(False, False), False)),
        (b"x-webkit-deflate-frame, permessage-deflate", (Deflate(), True)),
        (b",;,", (None, False)),
    ],
)
def test_extensions_are_read_from_the_answer(value: bytes, expected: tuple[Deflate | None, bool]) -> None:
    assert expected == read_extensions(value)


def test_examples_of_the_rfc_inflate_to_hello() -> None:
    """RFC 7692 §7.2.3.1 to §7.2.3.5."""
    inflater = Inflater(keeps_context=True)
    for data in (b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"\xf2\x00\x11\x00\x00"):
        message = Message(1, inflater, compressed=True)
        assert ([], [], b"Hello") == (message.feed_frame(data), message.finish(), message.inflated)
    for data in (b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"):
        message = Message(1, Inflater(keeps_context=True), compressed=True)
        assert ([], [], b"Hello") == (message.feed_frame(data), message.finish(), message.inflated)


def test_inflated_text_is_kept_up_to_its_bound() -> None:
    message = Message(2, Inflater(keeps_context=True), compressed=True)
    message.feed_frame(deflate(b"a" * (INFLATED_BYTES + 10)))

    assert [] == message.finish()
    assert b"a" * INFLATED_BYTES == message.inflated


def test_too_much_is_lost_and_stays_lost_with_its_context() -> None:
    inflater = Inflater(keeps_context=True)
    message = Message(2, inflater, compressed=True)
    message.feed_frame(deflate(b"a" * (TEXT_BYTES + 1)))
    message.finish()

    assert inflater.is_lost
    assert Message(1, inflater, compressed=True).inflated is None


def test_fresh_context_forgets_what_was_lost() -> None:
    inflater = Inflater(keeps_context=False)
    message = Message(2, inflater, compressed=True)
    message.lose()
    message.finish()

    assert not inflater.is_lost


def test_text_is_checked_over_all_its_pieces_and_said_once() -> None:
    message = Message(1, None, compressed=False)

    found = [message.feed_text(piece) for piece in (b"\xed\x95", b"\x9c", b"\xff", b"\xff")]
    assert [[], [], ["text-invalid-utf8"], []] == found
    assert [] == message.finish()


def test_text_beyond_its_bound_is_not_checked() -> None:
    message = Message(1, None, compressed=False)
    message.feed_text(b"a" * TEXT_BYTES)

    assert ([], []) == (message.feed_text(b"\xff"), message.finish())


def test_compressed_text_of_unknown_compression_is_left_alone() -> None:
    message = Message(1, None, compressed=True)

    assert (False, False, None) == (message.is_checked, message.is_inflated, message.inflated)
