"""What two sides know of each other without looking at the clock."""

from __future__ import annotations

from inspect_cli.events.base import Side
from inspect_cli.protocols.talk import PATIENCE_BYTES, TwoSided, go_on_alone, is_out_of_patience, is_too_late
from inspect_cli.streams.channel import WAIT
from inspect_cli.streams.reader import DATA, Place, Reader


def reader_with(size: int, at: int = 1) -> Reader:
    reader = Reader("tcp/0", Side.SERVER)
    if size:
        reader.add(0, size, bytes(size), 0, at, at, at)
    return reader


def test_side_has_caught_up_when_it_waited_with_nothing_new() -> None:
    talk, reader = TwoSided(), reader_with(5)
    assert not talk.caught_up(Side.SERVER)
    talk.join(reader)
    assert not talk.caught_up(Side.SERVER)
    assert WAIT is talk.wait(reader)
    assert talk.caught_up(Side.SERVER)
    reader.add(5, 6, b"x", 0, 2, 2, 2)
    assert not talk.caught_up(Side.SERVER)
    talk.leave(reader, "opaque")
    assert talk.caught_up(Side.SERVER)
    assert ([False, True], [None, "opaque"]) == (talk.over, talk.went_to)


def test_what_comes_after_patience_ran_out_is_too_late() -> None:
    reader = reader_with(PATIENCE_BYTES, at=3)
    assert (False, False) == (is_out_of_patience(reader), is_too_late(reader, Place(9, DATA)))
    reader.add(PATIENCE_BYTES, PATIENCE_BYTES + 1, b"x", 0, 7, 7, 7)
    assert is_out_of_patience(reader)
    assert [False, False, True] == [is_too_late(reader, Place(at, DATA)) for at in (3, 7, 8)]
    go_on_alone(reader)
    assert Place(7, DATA) == reader.place
