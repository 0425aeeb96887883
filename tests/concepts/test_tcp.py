"""Opening, and delivery that is checked."""

from __future__ import annotations

import pytest

from inspect_cli.concepts.tcp import Tcp, ThreeWayHandshake
from inspect_cli.events.base import Event
from inspect_cli.events.capture import Gap
from inspect_cli.events.tcp import (
    KeepAliveAck,
    LargeSegment,
    MidStream,
    OutOfOrder,
    Overlap,
    SeenTwice,
    TcpOptions,
    Urgent,
    WindowProbe,
    WindowUpdate,
    ZeroWindow,
)
from tests.concepts.making import (
    ALL,
    CLIENT,
    NONE,
    SERVER,
    C,
    S,
    again,
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
    assert {"attempt": 2, "waited_ns": 4_000_000, "since_ns": None, "grown": False} == data_of(found[0])


def test_a_syn_that_goes_unanswered_may_wait_longer_each_time() -> None:
    tries = syn(0), syn(1000, attempt=2), syn(2000, attempt=3), syn(4000, attempt=4)

    found = notes(ThreeWayHandshake(), *tries)

    assert [(2, None, False), (3, 1_000_000_000, False), (4, 2_000_000_000, True)] == [
        tuple(data_of(note)[key] for key in ("attempt", "since_ns", "grown")) for note in found
    ]
    assert "RFC 6298 §5" == found[1].reference


def test_a_server_may_split_its_answer_to_a_syn() -> None:
    found = notes(ThreeWayHandshake(), syn(1), syn(3, side=S), third(5, simultaneous=True, split=True))

    assert [("split", "notice")] == [(n.code.partition(".")[2], n.level) for n in found]


FAST = TcpOptions(1460, 7, sack_permitted=True, timestamps=True, fast_open=8)
ASKS = TcpOptions(1460, 7, sack_permitted=True, timestamps=True, fast_open=0)


def test_a_client_asks_for_a_fast_open_cookie_and_gets_one() -> None:
    opening = ThreeWayHandshake()

    assert ["fast-open-asked", "fast-open-cookie"] == codes(opening, syn(1, options=ASKS), syn_ack(2, options=FAST))


@pytest.mark.parametrize(
    ("options", "ack", "expected"),
    [
        (FAST, 121, ["fast-open", "syn-data-taken"]),
        (FAST, 101, ["fast-open", "syn-data-left"]),
        (ALL, 101, ["syn-data", "syn-data-left"]),
        (ASKS, 101, ["fast-open-asked", "syn-data", "syn-data-left"]),
    ],
)
def test_a_syn_may_carry_data(options: TcpOptions, ack: int, expected: list[str]) -> None:
    assert expected == codes(ThreeWayHandshake(), syn(1, options=options, size=20), syn_ack(2, ack=ack))


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
        (again(7), ("retransmission", (3, 7), "observed")),
        (again(7, original=None, differs=None), ("retransmission", (7,), "observed")),
        (again(7, differs=True, acknowledged=True), ("retransmission-differs", (3, 7), "observed")),
        (again(7, damaged=True, duplicate_acks=3), ("retransmission-damaged", (3, 7), "observed")),
        (again(7, acknowledged=True, last=True), ("retransmission-spurious", (3, 7), "observed")),
        (again(7, duplicate_acks=3), ("retransmission-fast", (3, 7), "observed")),
        (again(7, duplicate_acks=2, last=True), ("retransmission", (3, 7), "observed")),
        (again(7, last=True), ("retransmission-timer", (3, 7), "inferred")),
        (again(7, original=None, keep_alive=True), ("keep-alive", (7,), "observed")),
        (SeenTwice(*SEGMENT, 6, 5000, 1), ("seen-twice", (6, 7), "observed")),
        (SeenTwice(*SEGMENT, 6, 5000, None), ("seen-twice", (6, 7), "observed")),
        (KeepAliveAck(*SEGMENT, 6, 5000), ("keep-alive-answered", (6, 7), "observed")),
        (OutOfOrder(*SEGMENT, 0, 20, 100, 0, late=False), ("out-of-order", (7,), "observed")),
        (OutOfOrder(*SEGMENT, 0, 20, 100, 3, late=True), ("lost-before-capture", (7,), "inferred")),
        (Overlap(*SEGMENT, 0, 20, differs=False), ("overlap-same", (7,), "observed")),
        (Overlap(*SEGMENT, 0, 20, differs=True), ("overlap-differs", (7,), "observed")),
        (Overlap(*SEGMENT, 0, 20, differs=None), ("overlap-unknown", (7,), "observed")),
        (Gap(where(7), 1460, acknowledged=False, cut=False), ("gap", (7,), "not observable")),
        (Gap(where(7), 1460, acknowledged=True, cut=False), ("gap-acknowledged", (7,), "observed")),
        (Gap(where(7), 1460, acknowledged=False, cut=True), ("gap-cut", (7,), "observed")),
        (ZeroWindow(*SEGMENT), ("zero-window", (7,), "observed")),
        (WindowUpdate(*SEGMENT, 5, 2_000_000), ("window-update", (5, 7), "observed")),
        (WindowProbe(*SEGMENT, 5), ("window-probe", (5, 7), "observed")),
        (Urgent(*SEGMENT, 1), ("urgent", (7,), "observed")),
    ],
)
def test_delivery_is_checked(event: Event, expected: tuple[str, tuple[int, ...], str]) -> None:
    assert [expected] == triples(notes(Tcp(), event))


@pytest.mark.parametrize(("window", "closed"), [(0, True), (4096, False)])
def test_the_answer_to_a_window_probe_says_whether_there_is_room(window: int, closed: bool) -> None:
    asked, said = where(6), where(7)
    found = notes(
        Tcp(), WindowProbe(asked, "ACK", 1, 1, 1000, 0, 5), KeepAliveAck(said, "ACK", 1, 1, window, 0, 6, 5000)
    )

    assert [("window-probe", (5, 6), "observed"), ("window-probe-answered", (6, 7), "observed")] == triples(found)
    assert {"waited_ns": 5000, "closed": closed} == found[1].data


def test_what_is_sent_again_in_one_burst_is_told_once() -> None:
    burst = [again(7 + i, start=20 * i, duplicate_acks=3) for i in range(9)]

    found = notes(Tcp(), *burst, again(17, start=180, last=True), again(18, S, last=True), again(3000, last=True))

    assert [
        ("retransmission-fast", (3, 7), "observed"),
        ("retransmission-timer", (3, 17), "inferred"),
        ("retransmission-timer", (3, 18), "inferred"),
        ("retransmission-timer", (3, 3000), "inferred"),
    ] == triples(found)


def test_segments_larger_than_the_mss_are_explained_once() -> None:
    found = notes(Tcp(), LargeSegment(*SEGMENT[:5], 2920, 1460), LargeSegment(*SEGMENT[:5], 4380, 1460))

    assert [("large-segment", (7,), "inferred")] == triples(found)
    assert {"size": 2920, "mss": 1460} == data_of(found[0])


def test_a_capture_of_one_direction_says_so_and_does_not_miss_the_other() -> None:
    closing = end(9, opened="incomplete", closed="half-closed", fins=(8, None), only="client")

    found = notes(Tcp(), closing)

    assert [("one-direction", (), "not observable")] == triples(found)
    assert {"only": "client", "other": "server"} == data_of(found[0])
    assert [] == notes(ThreeWayHandshake(), closing)


def test_what_was_acknowledged_behind_the_last_byte_captured_is_said() -> None:
    found = notes(Tcp(), end(9, closed="open", unseen=(0, 1460)))

    assert [("end-not-captured", (), "inferred")] == triples(found)
    assert {"by": "server", "size": 1460} == data_of(found[0])


def test_a_segment_seen_twice_is_no_retransmission_and_says_how_far_it_came() -> None:
    twice = [note for hops in (2, None) for note in notes(Tcp(), SeenTwice(where(7, C), *SEGMENT[1:], 6, 5000, hops))]

    assert [
        "#6 once more, equal in every byte: sent once, captured twice (2 routers further on), no retransmission",
        "#6 once more, equal in every byte: sent once, captured twice, no retransmission",
    ] == [said(note) for note in twice]
