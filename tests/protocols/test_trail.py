"""Frames noted step by step are those of the whole."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.events.base import Side
from inspect_cli.protocols.trail import Trail
from inspect_cli.streams.reader import Reader


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5), st.integers(0, 9)), min_size=1, max_size=9), st.integers(0, 20))
def test_steps_give_what_the_whole_gives(pieces: list[tuple[int, int]], start: int) -> None:
    whole, pieced, trail = Reader("tcp/0", Side.CLIENT), Reader("tcp/0", Side.CLIENT), Trail()
    end = 0
    for size, frame in pieces:
        for reader in (whole, pieced):
            reader.add(end, end + size, bytes(size), 0, frame, 1, frame * 10)
        pieced.skip(size)
        trail.add(pieced, end, end + size)
        pieced.keep()
        end += size
    whole.skip(end)
    start = min(start, end - 1)

    expected, actual = whole.where(start, end), trail.where(pieced, start, end)
    assert expected.frames == actual.frames
    assert not expected.frames or expected == actual
