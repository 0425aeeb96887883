from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from inspect_cli.practice import Practice, running
from inspect_cli.practice.raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    TEXT,
    WEBSOCKET_BEHAVIOURS,
    accept_of,
    close_frame,
    frame,
    switching,
)
from tests.practice.raw_client import ACCEPT, KEY, connected, read_exactly, read_head, read_to_end, upgrade

MASK = b"\x37\xfa\x21\x3d"  # of RFC 6455 §5.7


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    with running() as practice:
        yield practice


def test_accept_is_that_of_the_rfcs_sample() -> None:
    assert ACCEPT == accept_of(KEY)


def test_frames_of_the_rfcs_examples() -> None:
    assert bytes.fromhex("810548656c6c6f") == frame(TEXT, b"Hello")
    assert bytes.fromhex("818537fa213d7f9f4d5158") == frame(TEXT, b"Hello", mask=MASK)
    assert bytes.fromhex("010348656c") == frame(TEXT, b"Hel", is_final=False)
    assert bytes.fromhex("890548656c6c6f") == frame(PING, b"Hello")
    assert bytes.fromhex("827e0100") + b"x" * 256 == frame(BINARY, b"x" * 256)
    assert bytes.fromhex("827f0000000000010000") + b"x" * 65_536 == frame(BINARY, b"x" * 65_536)


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from([TEXT, BINARY, CONTINUATION]),
    st.binary(max_size=300),
    st.booleans(),
    st.none() | st.binary(min_size=4, max_size=4),
)
def test_frames_are_those_that_websockets_reads(
    opcode: int, payload: bytes, is_final: bool, mask: bytes | None
) -> None:
    reader = StreamReader()
    reader.feed_data(frame(opcode, payload, is_final=is_final, mask=mask or b""))
    parser = Frame.parse(reader.read_exact, mask=mask is not None)
    with pytest.raises(StopIteration) as result:
        next(parser)

    assert Frame(Opcode(opcode), payload, is_final) == result.value.value


RIGHT = switching(ACCEPT)
BEHIND_THE_101 = {
    "/ws/push": frame(TEXT, b"unasked"),
    "/ws/ping": frame(PING, b"are you there?"),
    "/ws/pong": frame(0xA, b"by the way"),
    "/ws/fragmented": b"\x01\x03Hel" + b"\x89\x07between" + b"\x00\x03lo " + b"\x80\x05world",
    "/ws/masked": b"\x81\x86\x01\x02\x03\x04" + bytes(a ^ b for a, b in zip(b"masked", b"\1\2\3\4\1\2", strict=True)),
    "/ws/bad-utf8": b"\x81\x02\xff\xfe",
    "/ws/reserved-bit": b"\xa1\x04rsv2",
    "/ws/unknown-opcode": b"\x83\x01?",
    "/ws/long-ping": b"\x89\x7e\x00\x7e" + b"x" * 126,
    "/ws/close-no-code": b"\x88\x00",
    "/ws/close-bad-code": b"\x88\x0c\x03\xeenever sent",
}


@pytest.mark.parametrize("path", BEHIND_THE_101)
def test_frames_follow_the_101_then_an_echo(practice: Practice, path: str) -> None:
    expected = RIGHT + BEHIND_THE_101[path]
    with connected(practice.raw_url) as client:
        client.sendall(upgrade(path))
        assert expected == read_exactly(client, len(expected))
        client.sendall(
            frame(TEXT, b"and you?", mask=MASK) + frame(PING, b"p", mask=MASK) + frame(CLOSE, b"\x0f\xa1bye", mask=MASK)
        )

        assert (frame(TEXT, b"and you?") + frame(0xA, b"p") + frame(CLOSE, b"\x0f\xa1"), "fin") == read_to_end(client)


ANSWERS = {
    "/ws/wrong-accept": switching("ICX+Yqv66kxgM0FcWaLWlFLwTAI="),
    "/ws/no-accept": switching(""),
    "/ws/http10": switching(ACCEPT, version="HTTP/1.0"),
    "/ws/closed-in-101": RIGHT[:40],
    "/ws/200": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 21\r\nConnection: close\r\n\r\n"
    b"this is no WebSocket\n",
    "/ws/subprotocol": switching(ACCEPT, "Sec-WebSocket-Protocol: unasked"),
    "/ws/extension": switching(ACCEPT, "Sec-WebSocket-Extensions: x-unasked"),
    "/ws/fin": RIGHT + frame(TEXT, b"and gone"),
}


@pytest.mark.parametrize("path", ANSWERS)
def test_upgrade_is_answered_as_promised(practice: Practice, path: str) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(upgrade(path))
        client.shutdown(1)

        assert (ANSWERS[path], "fin") == read_to_end(client)


def test_every_behaviour_is_tested_here() -> None:
    assert {"/ws/reset", "/ws/close-unanswered"} == set(WEBSOCKET_BEHAVIOURS) - set(BEHIND_THE_101) - set(ANSWERS)


def test_reset_comes_after_the_first_frame(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(upgrade("/ws/reset"))
        assert RIGHT == read_head(client)
        client.sendall(frame(TEXT, b"x", mask=MASK))

        assert (b"", "rst") == read_to_end(client)


def test_close_stays_unanswered(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(upgrade("/ws/close-unanswered"))
        assert RIGHT == read_head(client)
        client.sendall(frame(CLOSE, b"\x03\xe8", mask=MASK))
        client.shutdown(1)

        assert (b"", "fin") == read_to_end(client)


def test_frame_larger_than_the_server_takes_ends_the_connection(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(upgrade("/ws/push") + b"\x82\xff" + b"\x7f" * 8)

        assert (RIGHT + BEHIND_THE_101["/ws/push"]) == read_to_end(client)[0]


def test_large_and_fragmented_messages_come_back_frame_by_frame(practice: Practice) -> None:
    sent = [(BINARY, b"x" * 70_000, False), (CONTINUATION, b"y" * 200, True)]
    expected = b"".join(frame(opcode, payload, is_final=is_final) for opcode, payload, is_final in sent)
    with connected(practice.raw_url) as client:
        client.sendall(upgrade("/ws/push"))
        read_exactly(client, len(RIGHT + BEHIND_THE_101["/ws/push"]))
        for opcode, payload, is_final in sent:
            client.sendall(frame(opcode, payload, is_final=is_final, mask=MASK))

        assert expected == read_exactly(client, len(expected))


def test_close_frame_carries_code_and_reason() -> None:
    assert b"\x88\x05\x03\xe8bye" == close_frame(1000, "bye")
