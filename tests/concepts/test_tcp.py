"""Opening, and delivery that is checked."""

from __future__ import annotations

import pytest

from inspect_cli.concepts.tcp import Tcp, ThreeWayHandshake
from inspect_cli.events.base import Event
from inspect_cli.events.capture import Gap
from inspect_cli.events.tcp import MidStream, OutOfOrder, Overlap, Retransmission, ZeroWindow
from tests.concepts.making import (
    ALL,
    CLIENT,
    NONE,
    SERVER,
    S,
    codes,
    data_of,
    end,
    notes,
    rst,
    said,
    syn,
    syn_ack,
    third,
    triples,
    where,
)


def test_three_segments_open_a_connection() -> None:
    found = notes(ThreeWayHandshake(), syn(1), syn_ack(2), third(3), end(9))

    assert [("complete", (1, 2, 3), "observed")] == triples(found)
    assert {
        "syn_frame": 1,
        "syn_ack_frame": 2,
        "ack_frame": (3,),
        "rtt_ns": 2_000_000,
        "mss_client": 1460,
        "mss_server": 1460,
        "agreed": ("SACK", "window scale", "timestamps"),
    } == data_of(found[0])
    assert (
        "three-way handshake: open 2.0 ms after the SYN; both agreed on SACK, window scale, timestamps"
        == said(found[0])
    )  # fmt: skip


def test_an_option_counts_if_both_sides_offer_it() -> None:
    found = notes(ThreeWayHandshake(), syn(1, options=ALL), syn_ack(2, options=NONE), third(3))

    assert () == data_of(found[0])["agreed"]
    assert "three-way handshake: open 2.0 ms after the SYN" == said(found[0])


def test_a_handshake_whose_syn_was_forgotten_is_still_one() -> None:
    assert ["complete"] == codes(ThreeWayHandshake(), third(3))


def test_both_sides_may_send_a_syn() -> None:
    assert ["simultaneous"] == codes(ThreeWayHandshake(), syn(1), syn(2, side=S), third(4, simultaneous=True))


def test_a_syn_is_sent_again() -> None:
    found = notes(ThreeWayHandshake(), syn(1), syn(5, attempt=2))

    assert [("syn-repeated", (1, 5), "observed")] == triples(found)
    assert {"attempt": 2, "waited_ns": 4_000_000} == data_of(found[0])


def test_a_syn_ack_is_sent_again() -> None:
    assert ["syn-ack-repeated"] == codes(ThreeWayHandshake(), syn(1), syn_ack(2), syn_ack(5, attempt=2))


def test_a_syn_ack_may_answer_another_syn() -> None:
    found = notes(ThreeWayHandshake(), syn(1), syn_ack(2, ack=7, acks_syn=False))

    assert [("wrong-ack", (2,), "observed")] == triples(found)
    assert {"expected": 101, "got": 7} == data_of(found[0])


def test_the_number_that_is_due_is_that_of_the_last_syn() -> None:
    found = notes(
        ThreeWayHandshake(), syn(1), syn(5, attempt=2, seq=0xFFFFFFFF), syn_ack(6, ack=7, acks_syn=False)
    )  # fmt: skip

    assert {"expected": 0, "got": 7} == data_of(found[1])


def test_nothing_is_said_of_a_syn_ack_whose_syn_was_not_captured() -> None:
    assert [] == notes(ThreeWayHandshake(), syn_ack(2, acks_syn=False))


def test_a_reset_refuses() -> None:
    found = notes(ThreeWayHandshake(), syn(1), rst(2, refuses=True), end(2, opened="refused", closed="rst"))

    assert [("refused", (2,), "observed")] == triples(found)


def test_a_reset_later_on_is_none_of_the_handshakes_business() -> None:
    assert [] == notes(ThreeWayHandshake(), rst(9))


@pytest.mark.parametrize(
    ("closing", "expected"),
    [
        (end(9, opened="syn-only", closed="open", syns=(1, 5)), ("unanswered", (1, 5), "observed")),
        (end(9, opened="incomplete", closed="open"), ("incomplete", (1,), "observed")),
    ],
)
def test_what_never_came_is_said_at_the_end(closing: Event, expected: tuple[str, tuple[int, ...], str]) -> None:
    assert [expected] == triples(notes(ThreeWayHandshake(), closing))


def test_a_connection_that_began_before_the_capture_has_no_handshake_to_see() -> None:
    begun = MidStream(where(3), CLIENT, SERVER)

    assert [("before-capture", (), "not observable")] == triples(
        notes(ThreeWayHandshake(), begun, end(9, opened="mid-stream", syns=()))
    )


SEGMENT = (where(7), "ACK", 1, 1, 1000, 20)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (Retransmission(*SEGMENT, 0, 20, 3, keep_alive=False), ("retransmission", (3, 7), "observed")),
        (Retransmission(*SEGMENT, 0, 20, None, keep_alive=False), ("retransmission", (7,), "observed")),
        (Retransmission(*SEGMENT, 0, 1, None, keep_alive=True), ("keep-alive", (7,), "observed")),
        (OutOfOrder(*SEGMENT, 0, 20), ("out-of-order", (7,), "observed")),
        (Overlap(*SEGMENT, 0, 20, differs=False), ("overlap-same", (7,), "observed")),
        (Overlap(*SEGMENT, 0, 20, differs=True), ("overlap-differs", (7,), "observed")),
        (Overlap(*SEGMENT, 0, 20, differs=None), ("overlap-unknown", (7,), "observed")),
        (Gap(where(7), 1460), ("gap", (7,), "not observable")),
        (ZeroWindow(*SEGMENT), ("zero-window", (7,), "observed")),
    ],
)
def test_delivery_is_checked(event: Event, expected: tuple[str, tuple[int, ...], str]) -> None:
    assert [expected] == triples(notes(Tcp(), event))
