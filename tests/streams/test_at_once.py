"""What a batch applies at once is what its packets give one by one."""

from __future__ import annotations

import random
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from inspect_cli.events.base import Event
from inspect_cli.events.capture import Gap
from inspect_cli.events.tcp import Connection, ConnectionEnd
from inspect_cli.streams.channel import Recognition
from tests.streams.segments import ACK, FIN, RST, Seg, Talk
from tests.streams.traffic import WORDS, Hole, Word, disturbed, read, traffic

SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=4)
QUIET: frozenset[type[Event]] = frozenset({Word, Hole, Gap, ConnectionEnd})
"""Nobody asks for segments, but for all that is known of a connection at its end."""


def _both_seen(client: bytes, server: bytes) -> Recognition:
    return Recognition.YES if client and server else Recognition.MORE


SLOW_WORDS = replace(WORDS, looks_like=_both_seen)
"""Recognised late: when both sides have spoken."""


@settings(max_examples=200, deadline=None)
@given(traffic(), SIZES, st.booleans())
def test_where_nobody_asks_for_segments_bytes_places_and_ends_are_the_same(
    segments: list[Seg], sizes: list[int], late: bool
) -> None:
    protocol = SLOW_WORDS if late else WORDS
    slow = read(segments, wanted=QUIET, protocol=protocol, at_once=False)

    assert slow == read(segments, wanted=QUIET, protocol=protocol)
    assert slow == read(segments, sizes, wanted=QUIET, protocol=protocol)


@settings(max_examples=150, deadline=None)
@given(traffic(), SIZES, st.integers(0, 2))
def test_connections_that_nobody_reads_are_born_counted_and_replaced_the_same(
    segments: list[Seg], sizes: list[int], only: int
) -> None:
    numbers: list[list[int]] = [[], [], []]
    slow = read(segments, only=only, picked=numbers[0].extend, at_once=False)

    assert slow == read(segments, only=only, picked=numbers[1].extend)
    assert slow == read(segments, sizes, only=only, picked=numbers[2].extend)
    assert numbers[0] == numbers[1] == numbers[2]


@settings(max_examples=100, deadline=None)
@given(traffic(), SIZES)
def test_late_recognition_tells_the_same(segments: list[Seg], sizes: list[int]) -> None:
    slow = read(segments, protocol=SLOW_WORDS, at_once=False)

    assert slow == read(segments, protocol=SLOW_WORDS)
    assert slow == read(segments, sizes, protocol=SLOW_WORDS)


@pytest.mark.parametrize("seed", range(8))
def test_a_conversation_with_a_few_disturbances_is_the_same(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(50):
        segments = disturbed(dice)
        protocol = dice.choice([WORDS, SLOW_WORDS])
        for wanted in (QUIET, None):
            slow = read(segments, wanted=wanted, protocol=protocol, at_once=False)
            assert slow == read(segments, wanted=wanted, protocol=protocol)
            assert slow == read(segments, [dice.randint(1, 90)], wanted=wanted, protocol=protocol)
        assert read(segments, only=1, at_once=False) == read(segments, only=1)


def test_fins_that_cross_are_closed_by_both_where_nobody_asks_for_them() -> None:
    talk = Talk().open().say(0, b"ping").say(1, b"pong")
    c, s = talk.seq(0), talk.seq(1)
    talk.segments += [Seg(0, FIN | ACK, c, s), Seg(1, FIN | ACK, s, c), Seg(0, ACK, c + 1, s + 1)]
    talk.segments += [Seg(1, ACK, s + 1, c + 1)]

    found, _ = read(talk.segments, wanted=QUIET)

    end = next(event for event in found if isinstance(event, ConnectionEnd))
    assert ("fin", "fin", "both", (6, 7), (9, 8)) == (
        end.reason,
        end.closed,
        end.closed_first,
        end.fin_frames,
        end.fin_ack_frames,
    )


def test_a_fin_before_the_first_bytes_ends_its_side_before_they_are_recognised() -> None:
    talk = Talk().open().say(0, b"", FIN | ACK).acks(1).say(1, b"pong").close(1)

    for protocol in (WORDS, SLOW_WORDS):
        slow = read(talk.segments, wanted=QUIET, protocol=protocol, at_once=False)
        assert slow == read(talk.segments, wanted=QUIET, protocol=protocol)


def test_a_reset_ends_what_was_applied_at_once_before_it() -> None:
    talk = Talk().open().say(0, b"ping").acks(1)
    talk.segments.append(Seg(0, RST | ACK, talk.seq(0), talk.seq(1)))

    found, _ = read(talk.segments, wanted=QUIET)

    row = found[-1]
    assert isinstance(row, Connection)
    assert ("handshake", "rst", 6, 4) == (row.opened, row.closed, row.frames, row.bytes_client)
