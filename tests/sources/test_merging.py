from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.events.base import Item
from inspect_cli.events.calls import Secrets
from inspect_cli.sources.merging import Merger
from inspect_cli.wire.frames import Frames
from inspect_cli.wire.gathering import Captured


def frame(time_ns: int, data: bytes = b"frame") -> Captured:
    return Captured(time_ns, data, len(data) + 1, 1, 0)


def order(items: list[Item]) -> list[object]:
    """Frame numbers with their times, and the lines of what was told."""
    found: list[object] = []
    for item in items:
        if isinstance(item, Frames):
            found += [(item.first_number + i, int(item.time_ns[i])) for i in range(len(item))]
        elif isinstance(item, Secrets):
            found.append(item.lines)
    return found


def test_a_call_goes_before_the_first_frame_that_is_later() -> None:
    merger = Merger()
    merger.add([frame(10), frame(20), frame(30)], [(5, Secrets(b"a")), (20, Secrets(b"b")), (40, Secrets(b"c"))])
    assert order(list(merger.until(None))) == [b"a", (1, 10), (2, 20), b"b", (3, 30), b"c"]


def test_frames_keep_their_order_even_if_their_times_go_back() -> None:
    merger = Merger()
    merger.add([frame(10), frame(5), frame(20)], [(7, Secrets(b"a"))])
    assert order(list(merger.until(None))) == [b"a", (1, 10), (2, 5), (3, 20)]


def test_nothing_behind_the_horizon_is_given_yet() -> None:
    merger = Merger()
    merger.add([frame(10), frame(20)], [(15, Secrets(b"a"))])
    assert order(list(merger.until(12))) == [(1, 10)]
    merger.add([], [(16, Secrets(b"b"))])
    assert order(list(merger.until(17))) == [b"a", b"b"]
    assert order(list(merger.until(None))) == [(2, 20)]


def test_a_batch_holds_what_was_captured() -> None:
    merger = Merger()
    merger.add([frame(10, b"one"), frame(11, b"three")], [])
    (batch,) = merger.until(None)
    assert isinstance(batch, Frames)
    assert [bytes(batch.buffer[o : o + s]) for o, s in zip(batch.offset, batch.size, strict=True)] == [b"one", b"three"]
    assert batch.original_size.tolist() == [4, 6]
    assert batch.link_type.tolist() == [1, 1]
    assert batch.interface is not None
    assert batch.interface.tolist() == [0, 0]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 50), max_size=20),
    st.lists(st.integers(0, 50), max_size=20).map(sorted),
    st.lists(st.integers(0, 60), max_size=5).map(sorted),
)
def test_the_order_does_not_depend_on_when_it_was_asked_for(
    frames: list[int], told: list[int], horizons: list[int]
) -> None:
    whole, parts = Merger(), Merger()
    items = [(time, Secrets(b"%d" % i)) for i, time in enumerate(told)]
    for merger in (whole, parts):
        merger.add([frame(time) for time in frames], items)
    found: list[object] = []
    for horizon in horizons:
        found += order(list(parts.until(horizon)))
    assert found + order(list(parts.until(None))) == order(list(whole.until(None)))
