"""A connection that has hardly begun is not waited for as long as one that was open."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from inspect_cli.events.base import Event
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import Connection, ConnectionEnd
from inspect_cli.protocols.opaque import OPAQUE
from inspect_cli.streams.channel import Report
from inspect_cli.streams.connections import LOOK_EVERY_FRAMES
from inspect_cli.streams.distinct import Distinct
from inspect_cli.streams.tracker import Tracker
from tests.streams.segments import ACK, PSH, START_NS, SYN, Seg, frames_of

SECOND = 10**9
NEVER_ANSWERED, STRAY, OPENED = 41000, 42000, 43000


def seen(beside: dict[int, Seg], looks: int) -> tuple[list[Event], list[Connection]]:
    """Events and rows of an open connection that goes on over so many looks; others send after these looks."""
    handshake = [
        Seg(0, SYN, 1, port=OPENED),
        Seg(1, SYN | ACK, 5, 2, port=OPENED),
        Seg(0, ACK, 2, 6, port=OPENED),
    ]
    tracker = Tracker([OPAQUE], Report(Tally()), strict=True)
    events: list[Event] = []
    rows: list[Connection] = []
    seq = 2
    for look in range(looks + 1):
        # The frames between are as if they had been of no connection.
        segments = handshake.copy() if not look else []
        segments += [Seg(0, ACK | PSH, seq + i, 6, b"x", port=OPENED) for i in range(3)]
        segments += [beside[look]] if look in beside else []
        seq += 3
        frames = frames_of(segments, 1 if not look else look * LOOK_EVERY_FRAMES - 1)
        frames.time_ns = np.full(len(segments), START_NS + look * SECOND, np.int64)
        for found, gone in tracker.feed(frames):
            events += found
            rows += gone
    return events, rows


@pytest.mark.parametrize(
    ("begun", "opened"),
    [(Seg(0, SYN, 7, port=NEVER_ANSWERED), "syn-only"), (Seg(0, ACK, 7, 9, b"?", port=STRAY), "mid-stream")],
)
def test_what_has_hardly_begun_is_let_go_at_the_third_look(begun: Seg, opened: str) -> None:
    assert ([], []) == _ends(*seen({0: begun}, 2))
    ends, rows = _ends(*seen({0: begun}, 3))

    assert [("forsaken", 3 * LOOK_EVERY_FRAMES)] == ends
    assert [(f"10.0.0.1:{begun.port}", opened, "open", 1)] == rows


def test_a_syn_that_is_sent_again_is_waited_for_anew() -> None:
    syn = Seg(0, SYN, 7, port=NEVER_ANSWERED)
    assert ([], []) == _ends(*seen({0: syn, 1: syn}, 3))
    ends, rows = _ends(*seen({0: syn, 1: syn}, 4))

    assert [("forsaken", 4 * LOOK_EVERY_FRAMES)] == ends
    assert [(f"10.0.0.1:{NEVER_ANSWERED}", "syn-only", "open", 2)] == rows


def test_an_answered_connection_is_waited_for_much_longer() -> None:
    answered = {0: Seg(0, SYN, 7, port=STRAY), 1: Seg(1, SYN | ACK, 8, 8, port=STRAY)}
    assert ([], []) == _ends(*seen(answered, 5))


def _ends(events: list[Event], rows: list[Connection]) -> tuple[list[tuple[str, int]], list[tuple[str, str, str, int]]]:
    ends = [(event.reason, event.where.at) for event in events if isinstance(event, ConnectionEnd)]
    return ends, [(row.client, row.opened, row.closed, row.frames) for row in rows]


@given(st.lists(st.lists(st.integers(0, 9) | st.integers(0, 2**64 - 1))))
def test_different_hashes_are_counted_once(batches: list[list[int]]) -> None:
    distinct = Distinct()
    for batch in batches:
        distinct.add(np.array(batch, np.uint64))
    assert len({value for batch in batches for value in batch}) == len(distinct)
