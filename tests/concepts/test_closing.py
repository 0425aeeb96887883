"""How connections end."""

from __future__ import annotations

import pytest

from inspect_cli.concepts.closing import FourWayClose, Reset
from inspect_cli.events.base import Event
from inspect_cli.events.tcp import AfterReset, IgnoredRst
from tests.concepts.making import (
    C,
    S,
    close_ack,
    codes,
    data_of,
    end,
    fin,
    notes,
    rst,
    said,
    syn,
    third,
    triples,
    where,
)


def test_four_segments_close_a_connection() -> None:
    found = notes(
        FourWayClose(),
        fin(10, C),
        close_ack(11, S, 10),
        fin(12, S, seq=2000, first=False, acks_fin=True),
        close_ack(13, C, 12, last=True),
        end(13, reason="fin"),
    )

    assert [("four-segments", (10, 11, 12, 13), "observed"), ("time-wait", (13,), "inferred")] == triples(found)
    assert "four-way close in 3.0 ms: client FIN #10, ACK #11; server FIN #12, ACK #13" == said(found[0])
    assert {"first": "client"} == data_of(found[1])


def test_ack_and_fin_in_one_make_three_segments() -> None:
    found = notes(
        FourWayClose(), fin(10, S), fin(11, C, first=False, acks_fin=True), close_ack(12, S, 11, last=True)
    )  # fmt: skip

    assert [("three-segments", (10, 11, 12), "observed"), ("time-wait", (12,), "inferred")] == triples(found)
    assert "close in three segments, 2.0 ms: server FIN #10; client ACK and FIN in one #11; ACK #12" == said(found[0])


def test_two_fins_that_cross_are_a_simultaneous_close() -> None:
    found = notes(
        FourWayClose(), fin(10, C), fin(11, S, first=False), close_ack(12, C, 11), close_ack(13, S, 10, last=True)
    )  # fmt: skip

    assert ["simultaneous", "time-wait-both"] == [note.code.partition(".")[2] for note in found]
    assert (10, 11, 13) == found[0].frames


def test_bytes_after_the_first_fin_are_a_half_close() -> None:
    found = notes(
        FourWayClose(),
        fin(10, C),
        close_ack(11, S, 10, seq=0xFFFFFFF0),
        fin(20, S, seq=0x10, size=4, first=False),
        close_ack(21, C, 20, last=True),
    )

    assert ["half-close", "time-wait"] == [note.code.partition(".")[2] for note in found]
    assert 36 == data_of(found[0])["bytes_after"]


def test_bytes_with_the_second_fin_are_a_half_close_too() -> None:
    found = notes(
        FourWayClose(), fin(10, C), fin(11, S, size=5, first=False, acks_fin=True), close_ack(12, C, 11, last=True)
    )  # fmt: skip

    assert ["half-close", 5] == [found[0].code.partition(".")[2], data_of(found[0])["bytes_after"]]


def test_a_sequence_number_that_goes_back_sends_nothing() -> None:
    found = notes(
        FourWayClose(),
        fin(10, C),
        close_ack(11, S, 10, seq=2000),
        fin(12, S, seq=1990, first=False),
        close_ack(13, C, 12, last=True),
    )

    assert "four-way-close.four-segments" == found[0].code


def test_an_ack_of_a_close_that_was_not_seen_says_nothing() -> None:
    assert [] == notes(FourWayClose(), close_ack(11, S, 10, last=True))
    assert [] == notes(FourWayClose(), fin(10, C), fin(10, C), close_ack(11, S, 10, last=True))


def test_a_fin_is_sent_again() -> None:
    assert ["fin-repeated"] == codes(FourWayClose(), fin(10, C), fin(15, C, repeated=True))


@pytest.mark.parametrize(
    ("closing", "expected"),
    [
        (end(30, closed="half-closed", fins=(10, None)), [("half-closed", (10,), "observed")]),
        (end(30, closed="half-closed", fins=(None, 11)), [("half-closed", (11,), "observed")]),
        (end(30, closed="open"), [("still-open", (), "observed")]),
        (end(30, closed="open", opened="mid-stream"), [("still-open", (), "observed")]),
        (end(30, closed="open", opened="syn-only"), []),
        (end(30, closed="rst"), []),
        (end(30, closed="half-closed", fins=(10, None), only="client"), []),
    ],
)
def test_what_never_came_is_said_at_the_end(closing: Event, expected: list[tuple[str, tuple[int, ...], str]]) -> None:
    assert expected == triples(notes(FourWayClose(), closing))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([syn(1), rst(2, refuses=True)], ("refused", (2,))),
        ([syn(1), rst(3, C)], ("before-open", (3,))),
        ([syn(1), third(3), rst(9)], ("abort", (9,))),
        ([rst(9, unread=12)], ("unread-data", (9,))),
        ([fin(8, S), rst(9, S)], ("own-fin", (8, 9))),
        ([fin(8, S), rst(9, S, flags="RST")], ("own-fin", (8, 9))),
        ([rst(9, S, flags="RST", unread=12)], ("half-open", (9,))),
        ([syn(1), IgnoredRst(*(where(2, S), "RST", 1, 1, 0, 0), opening=True)], ("not-of-this-syn", (2,))),
        ([syn(1), IgnoredRst(*(where(2, S), "RST", 1, 1, 0, 0), opening=False)], ("outside-window", (2,))),
        ([syn(1), third(3), rst(9, ahead=1460, unread=12)], ("ahead", (9,))),
        ([AfterReset(*(where(10, S), "ACK", 1, 1, 0, 20), 9)], ("not-its-own", (9, 10))),
        ([fin(8, C), rst(9, S)], ("abort", (9,))),
        ([fin(8, S), end(8), rst(9, S, after_close=True)], ("after-close", (9,))),
    ],
)
def test_a_reset_has_a_reason(events: list[Event], expected: tuple[str, tuple[int, ...]]) -> None:
    found = notes(Reset(), *events)

    assert [expected] == [(note.code.partition(".")[2], note.frames) for note in found]


def test_a_reset_says_by_whom() -> None:
    found = notes(Reset(), rst(9, C))

    assert {"by": "client", "other": "server"} == data_of(found[0])
    assert (
        'the client breaks the connection off: bytes on their way are lost, the server reads "connection reset"'
        == said(found[0])
    )  # fmt: skip
