"""WebSocket frames, from the 101 to the end of the channel (RFC 6455, RFC 7692)."""

from __future__ import annotations

import zlib

import pytest

from inspect_cli.events.base import OBSERVED, Side, Where
from inspect_cli.events.capture import MalformedWebSocket
from inspect_cli.events.websocket import WebSocketClose, WebSocketEnd, WebSocketFrame
from inspect_cli.protocols.http1 import HTTP1
from inspect_cli.protocols.websocket import KEPT_BYTES, unmask
from inspect_cli.protocols.websocket_rules import PROBLEMS
from tests.protocols.conversation import CLIENT, SERVER, C, S, Said, brief, check_batches, kinds, lost, read, talk
from tests.protocols.frames import KEY, close, frame, masked

ASK = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
DEFLATE = SWITCH[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
FRESH = SWITCH[:-2] + b"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n\r\n"
START = len(SWITCH)


def opened(*said: Said, switch: bytes = SWITCH) -> tuple[Said, ...]:
    return C(ASK), S(switch), *said


def rows(*said: Said, switch: bytes = SWITCH) -> list[tuple[object, ...]]:
    """What follows the handshake, its end apart."""
    events = talk(HTTP1, *opened(*said, switch=switch), ordered=True)
    return [row for row in brief(events)[4:] if row[0] != "websocket-end"]


def problems(*said: Said, switch: bytes = SWITCH) -> list[str]:
    return [str(row[1]) for row in rows(*said, switch=switch) if row[0] == "malformed-websocket"]


def test_frames_follow_a_101_on_both_sides() -> None:
    said = opened(C(masked(1, b"hello")), S(frame(2, b"\x00\x01")), C(masked(9, b"?")), S(frame(10, b"?")))
    run = read(HTTP1, said)

    assert [
        ("websocket-frame", CLIENT, "text", b"hello"),
        ("websocket-frame", SERVER, "binary", b"\x00\x01"),
        ("websocket-frame", CLIENT, "ping", b"?"),
        ("malformed-websocket", "mask-key-repeated"),
        ("websocket-frame", SERVER, "pong", b"?"),
    ] == rows(*said[2:])
    assert ["http/1", "websocket"] == run.names
    tally = run.report.tally
    assert (1, 1, 1, 1, 1) == (
        tally.websocket_handshakes,
        *(tally.websocket_frames[name] for name in ("text", "binary", "ping", "pong")),
    )


def test_frame_is_a_whole_event_with_its_place() -> None:
    event = read(HTTP1, opened(C(masked(1, b"hi")), S(frame(1, b"hi", fin=False)))).events[4]

    where = Where(3, 3000, "tcp/0", Side.CLIENT, (3,), len(ASK), len(ASK) + 8, OBSERVED)
    assert WebSocketFrame(where, 1, True, 0, True, KEY, 2, b"hi", 1, False, None) == event


def test_first_frame_in_the_segment_of_the_101() -> None:
    events = talk(HTTP1, C(ASK), S(SWITCH + frame(1, b"welcome")))

    assert [("websocket-frame", SERVER, "text", b"welcome")] == kinds(events, "websocket-frame")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 4095, 4096, 4097, 65_535, 65_536, 200_000])
def test_payload_of_any_size_is_unmasked_and_kept_in_part(size: int) -> None:
    payload = bytes(range(251)) * (size // 251 + 1)
    frames = [*opened(), *C(masked(2, payload[:size])).cut(range(0, size, 1460)), C(masked(1, b"next", b"abcd"))]
    check_batches(HTTP1, frames)
    found = [event for event in read(HTTP1, frames).events if isinstance(event, WebSocketFrame)]

    assert [(size, payload[:size][:KEPT_BYTES]), (4, b"next")] == [(event.size, event.payload) for event in found]


def test_frames_of_a_long_frame_are_those_of_its_beginning_and_its_end() -> None:
    pieces = C(masked(2, bytes(20_000))).cut(range(0, 20_000, 1_000))
    found = read(HTTP1, [*opened(), *pieces]).events[4]

    assert (3, 4, 5, 6, 7, 22) == found.where.frames


def test_fragments_belong_to_the_message_of_the_first() -> None:
    said = S(frame(1, b"a", fin=False)), S(frame(9)), S(frame(0, b"b", fin=False)), S(frame(0, b"c"))
    events = talk(HTTP1, *opened(*said), ordered=True)
    found = [event for event in events if isinstance(event, WebSocketFrame)]

    assert [(1, 1, False), (9, 9, True), (0, 1, False), (0, 1, True)] == [
        (event.opcode, event.first_opcode, event.fin) for event in found
    ]
    assert [] == kinds(events, "malformed-websocket")


@pytest.mark.parametrize(
    ("side", "data", "expected"),
    [
        (CLIENT, frame(1, b"a"), ["client-frame-unmasked"]),
        (SERVER, masked(1, b"a"), ["server-frame-masked"]),
        (CLIENT, masked(1, b"a", b"\0\0\0\0"), ["mask-key-zero"]),
        (CLIENT, masked(1, b"a") * 2, ["mask-key-repeated"]),
        (SERVER, frame(1, b"a", rsv=4), ["rsv-without-extension"]),
        (SERVER, frame(1, b"a", rsv=1), ["rsv-without-extension"]),
        (SERVER, frame(3, b"a"), ["reserved-opcode"]),
        (SERVER, frame(11, b"a"), ["reserved-opcode"]),
        (SERVER, frame(1, b"a", form=16), ["length-not-minimal"]),
        (SERVER, frame(2, b"a" * 200, form=64), ["length-not-minimal"]),
        (SERVER, frame(2, b"abc", form=64, size=(1 << 63) + 3), ["length-top-bit"]),
        (SERVER, frame(9, b"a" * 126), ["control-too-long"]),
        (SERVER, frame(9, b"a", fin=False), ["control-fragmented"]),
        (SERVER, frame(0, b"a"), ["continuation-without-start"]),
        (SERVER, frame(1, b"a", fin=False) + frame(1, b"b"), ["message-inside-message"]),
        (SERVER, frame(1, b"\xff"), ["text-invalid-utf8"]),
        (SERVER, frame(1, b"\xed\xa0\x80"), ["text-invalid-utf8"]),
        (SERVER, frame(1, b"\xe2\x82"), ["text-invalid-utf8"]),
        (SERVER, frame(1, b"\xe2\x82", fin=False) + frame(0, b"\xac"), []),
        (SERVER, frame(1, b"\xe2\x82", fin=False) + frame(0, b"a"), ["text-invalid-utf8"]),
        (SERVER, frame(2, b"\xff"), []),
        (SERVER, frame(8, b"a"), ["close-body-one-byte"]),
        (SERVER, frame(8, close(999)), ["close-code-out-of-range"]),
        (SERVER, frame(8, close(5000)), ["close-code-out-of-range"]),
        (SERVER, frame(8, close(1005)), ["close-code-reserved"]),
        (SERVER, frame(8, close(1016)), ["close-code-unassigned"]),
        (SERVER, frame(8, close(2999)), ["close-code-unassigned"]),
        (SERVER, frame(8, close(1010)), ["code-1010-from-server"]),
        (CLIENT, masked(8, close(1010)), []),
        (SERVER, frame(8, close(3000)), []),
        (SERVER, frame(8, close(1000, b"\xff")), ["close-reason-invalid-utf8"]),
        (SERVER, frame(8, close()) + frame(1, b"a"), ["data-after-close"]),
        (SERVER, frame(8, close()) + frame(9), []),
        (SERVER, frame(1, b"a", fin=False) + frame(8, close()), ["message-unfinished"]),
        (SERVER, frame(1, b"a", fin=False), ["message-unfinished"]),
    ],
)
def test_each_violation_has_its_word_and_the_walk_goes_on(side: Side, data: bytes, expected: list[str]) -> None:
    more = frame(10, b"on", key=b"" if side is SERVER else b"wxyz")
    found = rows(Said(side, data + more, len(data + more)))

    assert expected == [row[1] for row in found if row[0] == "malformed-websocket"]
    assert ("websocket-frame", side, "pong", b"on") in found


def test_violation_tells_what_was_expected_and_where() -> None:
    events = talk(HTTP1, *opened(S(frame(8, close(1005)))), ordered=True)
    found = [event for event in events if isinstance(event, MalformedWebSocket)]

    where = Where(3, 3000, "tcp/0", Side.SERVER, (3,), START, START + 4, OBSERVED)
    expected, reference = PROBLEMS["close-code-reserved"]
    assert [MalformedWebSocket(where, "close-code-reserved", expected, b"1005", reference)] == found


def test_close_that_answers_names_the_code_it_answers() -> None:
    said = C(masked(8, close(1001, b"bye"))), S(frame(8, close(1001)))

    assert [
        ("websocket-close", CLIENT, 1001, b"bye", None),
        ("websocket-close", SERVER, 1001, b"", 1001),
    ] == rows(*said)


def test_close_that_comes_first_answers_nothing_whoever_is_read_first() -> None:
    said = S(frame(1, b"x")), S(frame(8, b"")), C(masked(1, b"late")), C(masked(8, close(), b"abcd"))

    assert [
        ("websocket-close", SERVER, None, b"", None),
        ("websocket-close", CLIENT, 1000, b"", -1),
    ] == [row for row in rows(*said) if row[0] == "websocket-close"]


def test_second_close_answers_nothing() -> None:
    said = S(frame(8, close(1000))), C(masked(8, close(1000))), S(frame(8, close(1001)))

    assert [None, 1000, None] == [row[4] for row in rows(*said)]


def test_close_is_a_whole_event() -> None:
    event = read(HTTP1, opened(S(frame(8, close(1000, b"bye"))))).events[4]

    where = Where(3, 3000, "tcp/0", Side.SERVER, (3,), START, START + 7, OBSERVED)
    payload = b"\x03\xe8bye"
    assert WebSocketClose(where, 8, True, 0, False, b"", 5, payload, 8, False, None, 1000, b"bye", None) == event


def test_end_of_the_channel_tells_both_closes_and_all_frames() -> None:
    said = opened(C(masked(1, b"a")), C(masked(8, close(1001), b"abcd")), S(frame(8)))
    talk(HTTP1, *said, ordered=True)

    where = Where(6, 6000, "tcp/0", None, (), -1, -1, OBSERVED)
    assert WebSocketEnd(where, 1001, -1, (4, 5), 2, 1) == read(HTTP1, said).events[-1]


def test_end_without_close() -> None:
    events = talk(HTTP1, *opened(S(frame(1, b"a"))))

    assert [("websocket-end", None, None, 0, 1)] == kinds(events, "websocket-end")


def test_frame_that_the_end_cuts_is_truncated() -> None:
    assert [("truncated-websocket", "frame-cut", 4, 7)] == rows(S(frame(2, b"hello")[:4]))
    assert [("truncated-websocket", "frame-cut", 1, None)] == rows(S(frame(2, b"hello")[:1]))
    assert [("truncated-websocket", "frame-cut", 3, None)] == rows(S(frame(2, b"a" * 300)[:3]))


def test_hole_inside_a_payload_is_skipped() -> None:
    """The length proves where the next frame begins; the text cannot be checked any more."""
    whole = frame(1, b"\xe2" * 100)
    found = rows(S(whole[:20]), lost(SERVER, 60), S(whole[80:] + frame(1, b"next")))

    assert [
        ("websocket-frame", SERVER, "text", b"\xe2" * 18),
        ("websocket-frame", SERVER, "text", b"next"),
    ] == [row for row in found if row[0] == "websocket-frame"]


def test_hole_between_frames_makes_the_rest_unreadable() -> None:
    assert [
        ("websocket-frame", SERVER, "text", b"a"),
        ("truncated-websocket", "frame-cut", 0, None),
    ] == rows(S(frame(1, b"a")), lost(SERVER, 10), S(frame(1, b"b")))


def test_hole_on_one_side_leaves_the_other_alone() -> None:
    said = lost(SERVER, 10), S(b"\x81"), C(masked(1, b"a")), C(masked(8, close(), b"abcd"))

    assert [
        ("truncated-websocket", "frame-cut", 0, None),
        ("websocket-frame", CLIENT, "text", b"a"),
        ("websocket-close", CLIENT, 1000, b"", None),
    ] == rows(*said)


def deflated(text: bytes, stream: zlib._Compress) -> bytes:
    return (stream.compress(text) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflated(*said: Said, switch: bytes = DEFLATE) -> list[tuple[bool, bytes | None]]:
    events = talk(HTTP1, *opened(*said, switch=switch), ordered=True)
    return [(event.compressed, event.inflated) for event in events if isinstance(event, WebSocketFrame)]


def test_compressed_messages_share_their_context() -> None:
    """RFC 7692 §7.2.3: the second of two equal messages is shorter."""
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    first, second = deflated(b"Hello, hello", stream), deflated(b"Hello, hello", stream)

    assert len(second) < len(first)
    said = S(frame(1, first, rsv=4)), S(frame(1, second, rsv=4)), S(frame(1, b"plain"))
    assert [(True, b"Hello, hello"), (True, b"Hello, hello"), (False, None)] == inflated(*said)
    assert [] == problems(*said, switch=DEFLATE)


def test_compressed_message_in_fragments_is_told_on_its_last() -> None:
    data = deflated(b"Hello, hello", zlib.compressobj(9, zlib.DEFLATED, -15))
    said = S(frame(1, data[:3], rsv=4, fin=False)), S(frame(0, data[3:6], fin=False)), S(frame(0, data[6:]))

    assert [(True, None), (True, None), (True, b"Hello, hello")] == inflated(*said)


def test_message_that_was_not_followed_spoils_those_behind_it() -> None:
    stream = zlib.compressobj(9, zlib.DEFLATED, -15)
    one, two = frame(1, deflated(b"Hello, hello", stream), rsv=4), frame(1, deflated(b"Hello, hello", stream), rsv=4)
    said = S(one[:4]), lost(SERVER, 3), S(one[7:] + two)

    assert [(True, None), (True, None)] == inflated(*said)
    assert [] == problems(*said, switch=DEFLATE)


def test_message_behind_a_hole_is_read_without_takeover() -> None:
    one, two = (
        frame(1, deflated(text, zlib.compressobj(9, zlib.DEFLATED, -15)), rsv=4) for text in (b"first", b"second")
    )

    assert [(True, None), (True, b"second")] == inflated(S(one[:4]), lost(SERVER, 3), S(one[7:] + two), switch=FRESH)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (frame(1, b"\xff\xff\xff", rsv=4), ["deflate-broken"]),
        (frame(9, b"", rsv=4), ["deflate-rsv1-on-control"]),
        (frame(1, b"a", fin=False) + frame(0, b"b", rsv=4), ["deflate-rsv1-on-continuation"]),
        (frame(1, b"a", rsv=2), ["rsv-without-extension"]),
        (frame(1, deflated(b"\xff", zlib.compressobj(9, zlib.DEFLATED, -15)), rsv=4), ["text-invalid-utf8"]),
    ],
)
def test_each_violation_of_deflate_has_its_word(data: bytes, expected: list[str]) -> None:
    assert expected == problems(S(data), switch=DEFLATE)


def test_bomb_is_not_followed() -> None:
    """Gigabytes out of kilobytes: 64 KiB of it are kept, and no more is inflated than 1 MiB."""
    data = deflated(b"a" * 20_000_000, zlib.compressobj(9, zlib.DEFLATED, -15))
    events = read(HTTP1, opened(S(frame(1, data, rsv=4)), switch=DEFLATE)).events
    found = [event for event in events if isinstance(event, WebSocketFrame)]

    assert [b"a" * 65_536] == [event.inflated for event in found]


def test_unknown_extensions_may_use_any_bit() -> None:
    switch = SWITCH[:-2] + b"Sec-WebSocket-Extensions: x-own; a=b\r\n\r\n"

    assert [] == problems(S(frame(1, b"\xff", rsv=7)), switch=switch)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 699, 700, 701, 702, 703, 5000])
@pytest.mark.parametrize("offset", [0, 1, 2, 3, 6])
def test_unmasking_is_xor_with_the_key_by_position(size: int, offset: int) -> None:
    data = bytes(i % 256 for i in range(size))

    assert bytes(byte ^ KEY[(i + offset) % 4] for i, byte in enumerate(data)) == unmask(data, KEY, offset)
    assert data == unmask(data, b"", offset)
