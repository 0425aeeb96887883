"""WebSocket frames both ways, and the goodbye."""

from __future__ import annotations

import pytest

from inspect_cli.concepts.websocket import WebSocket, WebSocketClosing, WebSocketFrames
from inspect_cli.events.base import Event
from inspect_cli.events.capture import MalformedWebSocket
from inspect_cli.events.websocket import WebSocketEnd, WebSocketOpened
from tests.concepts.making import (
    C,
    S,
    close,
    codes,
    data_of,
    end,
    fin,
    frame,
    notes,
    request,
    response,
    rst,
    said,
    triples,
    where,
)

ASKED = request(4)
ANSWERED = response(6, ASKED)


def opened(channel: str = "tcp/0") -> WebSocketOpened:
    return WebSocketOpened(where(6, S, channel), ANSWERED, ASKED, b"", b"", b"", b"", b"")


def over(at: int, client: int | None = None, server: int | None = None, channel: str = "tcp/0") -> WebSocketEnd:
    return WebSocketEnd(where(at, None, channel), client, server, (), 1, 1)


def test_the_server_speaks_unasked() -> None:
    found = notes(WebSocket(), frame(8, S), frame(9, S))

    assert [("unasked", (8,), "observed")] == triples(found)
    assert {"from_client": 0, "from_server": 1} == data_of(found[0])


def test_an_echo_answers_each_message() -> None:
    found = notes(WebSocket(), frame(8, C), frame(9, S), frame(10, C), frame(11, S), frame(12, S), frame(13, C))

    assert [("both-ways", (8, 9), "observed"), ("unasked", (12,), "observed")] == triples(found)


def test_control_frames_are_no_messages_and_a_channel_ends() -> None:
    concept = WebSocket()

    assert [] == notes(concept, frame(8, S, opcode=9), frame(9, S, opcode=0), over(10))
    assert ["unasked"] == codes(concept, frame(12, S))


def test_masking_is_said_once_for_each_side() -> None:
    found = notes(WebSocketFrames(), frame(8, C), frame(9, S), frame(10, C), frame(11, S))

    assert [("masked", (8,), "observed"), ("unmasked", (9,), "observed")] == triples(found)
    assert {"fin": 1, "opcode": 1, "name": "text", "mask_key": b"\1\2\3\4"} == data_of(found[0])
    assert (
        "client frames are masked: key 01020304 is XORed over the payload (FIN 1, opcode 1 text)" == said(found[0])
    )  # fmt: skip


def test_a_reserved_opcode_is_left_to_the_parser() -> None:
    assert ["unmasked"] == codes(WebSocketFrames(), frame(8, S, opcode=11), frame(9, S, opcode=3))


def test_a_mask_on_the_wrong_side_is_left_to_the_parser() -> None:
    assert [] == notes(WebSocketFrames(), frame(8, C, masked=False), frame(9, S, masked=True))


def test_fragments_are_counted_at_the_last() -> None:
    found = notes(
        WebSocketFrames(),
        frame(8, S),
        frame(10, S, b"ab", fin=False),
        frame(11, S, b"", opcode=9),
        frame(12, S, b"cd", opcode=0, fin=False),
        frame(13, S, b"e", opcode=0),
        frame(14, S, b"x", opcode=0),
    )

    assert [
        ("unmasked", (8,), "observed"),
        ("first-fragment", (10,), "observed"),
        ("ping", (11,), "observed"),
        ("last-fragment", (10, 12, 13), "observed"),
    ] == triples(found)
    assert {"fragments": 3, "size": 5} == data_of(found[3])


def test_a_message_of_very_many_fragments_names_some_frames() -> None:
    events = [
        frame(1, S, b"a", opcode=2, fin=False),
        *[frame(at, S, b"a", opcode=0, fin=False) for at in range(2, 200)],
        frame(200, S, b"a", opcode=0),
    ]
    found = notes(WebSocketFrames(), *events)

    assert {"fragments": 200, "size": 200} == data_of(found[-1])
    assert 65 == len(found[-1].frames)


def test_compression_is_said_once_for_each_side() -> None:
    found = notes(
        WebSocketFrames(),
        frame(8, S, b"zz", compressed=True, inflated=b"hello"),
        frame(9, S, b"zz", compressed=True, inflated=b"hello"),
        frame(10, C, b"zz", compressed=True, fin=False),
        frame(11, C, b"yyy", opcode=0, compressed=True, inflated=b"hello hello"),
    )

    assert ["unmasked", "compressed", "masked", "first-fragment", "last-fragment", "compressed"] == [
        note.code.partition(".")[2] for note in found
    ]
    assert [{"size": 2, "inflated_size": 5}, {"size": 5, "inflated_size": 11}] == [
        data_of(note) for note in found if note.code == "websocket-frames.compressed"
    ]


def test_a_pong_answers_its_ping() -> None:
    found = notes(
        WebSocketFrames(),
        frame(8, S, b"1", opcode=9),
        frame(9, S, b"2", opcode=9),
        frame(12, C, b"2", opcode=10),
        frame(13, C, b"1", opcode=10),
        over(14),
    )

    assert [
        ("unmasked", (8,), "observed"),
        ("ping", (8,), "observed"),
        ("ping", (9,), "observed"),
        ("masked", (12,), "observed"),
        ("pong", (9, 12), "observed"),
        ("pong-unsolicited", (13,), "observed"),
    ] == triples(found)
    assert {"ping": (9,), "took_ns": 3_000_000} == data_of(found[4])


def test_a_pong_with_another_payload_says_so() -> None:
    found = notes(WebSocketFrames(), frame(8, S, b"1", opcode=9), frame(9, C, b"2", opcode=10))

    assert "no ping asked for this pong with this payload: allowed, a sign of life" == said(found[-1])


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        (over(20), [("ping-unanswered", (8,), "observed")]),
        (over(20, client=1000), []),
        (over(20, server=1000), []),
    ],
)
def test_a_ping_may_stay_unanswered(ending: WebSocketEnd, expected: list[tuple[str, tuple[int, ...], str]]) -> None:
    concept = WebSocketFrames()
    notes(concept, frame(8, S, opcode=9))

    assert expected == triples(notes(concept, ending))
    assert [] == notes(concept, ending)


@pytest.mark.parametrize(
    ("problem", "expected"),
    [("client-frame-unmasked", [1002]), ("text-invalid-utf8", [1007]), ("mask-key-zero", [])],
)
def test_a_broken_rule_fails_the_connection(problem: str, expected: list[int]) -> None:
    event = MalformedWebSocket(where(8), problem, "", b"", "RFC 6455 §5.1")

    assert expected == [data_of(note)["code"] for note in notes(WebSocketFrames(), event)]


def test_the_closing_handshake_and_then_the_server_ends_tcp() -> None:
    found = notes(
        WebSocketClosing(),
        opened(),
        close(10, C),
        close(11, S, answers=1000),
        close(12, S),
        over(13, 1000, 1000),
        fin(13, S),
        fin(14, C),
        end(15),
    )

    assert [
        ("begins", (10,), "observed"),
        ("answers", (10, 11), "observed"),
        ("server-ends-tcp", (10, 11, 13), "observed"),
    ] == triples(found)
    assert "the client begins to close, 1000: what was to be done is done" == said(found[0])


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([close(10, C), close(11, S, answers=1000), fin(12, C)], ["begins", "answers", "client-ends-tcp"]),
        ([close(10, C), close(11, S), fin(12, S)], ["begins", "crossed", "server-ends-tcp"]),
        ([close(10, C, 1001), close(11, S, 1000, answers=1001)], ["begins", "answers", "code-not-echoed"]),
        ([close(10, C, None), close(11, S, 1000, answers=-1)], ["begins", "without-code", "answers"]),
        ([close(10, C, 1000), close(11, S, None, answers=1000)], ["begins", "answers", "without-code"]),
        ([opened(), close(10, C), fin(12, C)], ["begins", "fin-before-answer"]),
        ([opened(), close(10, C), fin(12, S)], ["begins", "not-answered"]),
        ([opened(), fin(12, S, repeated=True), fin(12, S)], ["without-close"]),
        ([opened(), rst(12)], ["reset"]),
        ([close(10, C), close(11, S, answers=1000), rst(12)], ["begins", "answers", "reset-after"]),
        ([close(10, C), close(11, S, answers=1000), over(12)], ["begins", "answers"]),
        ([close(10, C), close(11, S, answers=1000), end(12, closed="open")], ["begins", "answers", "tcp-left-open"]),
        ([opened(), end(12, closed="open")], []),
        ([fin(10, S), rst(11), end(12)], []),
    ],
)
def test_an_end_has_its_manner(events: list[Event], expected: list[str]) -> None:
    assert expected == codes(WebSocketClosing(), *events)


@pytest.mark.parametrize(
    ("code", "expected"),
    [(1001, "1001"), (1016, "unassigned"), (3000, "registered"), (4999, "private"), (5000, "unassigned")],
)
def test_a_code_has_a_meaning_of_its_own_or_of_its_range(code: int, expected: str) -> None:
    assert expected == data_of(notes(WebSocketClosing(), close(10, C, code))[0])["meaning"]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], ["without-close"]),
        ([close(10, C, channel="socket/0")], ["begins", "not-answered"]),
        ([close(10, S, channel="socket/0")], ["begins", "not-answered"]),
        (
            [close(10, C, channel="socket/0"), close(11, S, answers=1000, channel="socket/0")],
            ["begins", "answers"],
        ),
    ],
)
def test_a_socket_tells_only_that_it_ended(events: list[Event], expected: list[str]) -> None:
    ending = over(20, channel="socket/0")

    assert expected == codes(WebSocketClosing(), opened("socket/0"), *events, ending, ending)
