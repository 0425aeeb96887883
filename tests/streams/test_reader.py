"""One side as ordered bytes, whatever the pieces it came in."""

from __future__ import annotations

import re

import hypothesis.strategies as st
from hypothesis import given, settings

from inspect_cli.events.base import Side, Where
from inspect_cli.streams.reader import CLOSING, DATA, ENDED, Missing, Place, Reader

LINE_END = re.compile(rb"\n")


def reader_of(*pieces: bytes | int) -> Reader:
    """Pieces of bytes, and holes as their sizes; frame 10 carries the first, 11 the next."""
    reader = Reader("tcp/0", Side.CLIENT)
    start = 0
    for i, piece in enumerate(pieces):
        size = piece if isinstance(piece, int) else len(piece)
        buffer = None if isinstance(piece, int) else bytearray(b"??" + piece)
        frame = 0 if isinstance(piece, int) else 10 + i
        reader.add(start, start + size, buffer, 2, frame, 10 + i, 1000 * (10 + i))
        start += size
    return reader


def read(reader: Reader, size: int) -> bytes | Missing:
    """The next bytes, consumed if they are there."""
    found = reader.look(size)
    if isinstance(found, bytes):
        reader.skip(size)
    return found


def test_bytes_are_read_over_the_borders_of_frames() -> None:
    reader = reader_of(b"GET /", b" HTTP", b"/1.1\n...")

    line = reader.read_until(LINE_END, 100)

    assert b"GET / HTTP/1.1\n" == line
    assert Where(12, 12000, "tcp/0", Side.CLIENT, (10, 11, 12), 0, 15) == reader.where(0, 15)
    assert Where(12, 10000, "tcp/0", Side.CLIENT, (10,), 0, 3) == reader.where(0, 3)


def test_too_few_bytes_are_no_bytes_and_nothing_is_consumed() -> None:
    reader = reader_of(b"abc")

    assert (Missing.BYTES, Missing.BYTES, 0) == (
        read(reader, 4),
        reader.read_until(LINE_END, 9),
        reader.position,
    )
    reader.finish(Place(20, ENDED), 20000)
    assert (Missing.END, Missing.END, b"abc") == (
        read(reader, 4),
        reader.read_until(LINE_END, 9),
        reader.peek(9),
    )


def test_a_hole_stops_a_read_and_is_skipped_by_size() -> None:
    reader = reader_of(b"ab", 5, b"cd")

    assert (b"ab", Missing.GAP, 5) == (read(reader, 2), read(reader, 1), reader.gap_bytes)
    assert (5, b"cd", 5) == (reader.skip(5), read(reader, 2), reader.skipped_gaps(0, 9))
    assert (0, 1, 0) == (reader.gap_bytes, len(reader.where(2, 9).frames), reader.unread_bytes)


def test_what_follows_from_an_end_or_a_hole_is_known_no_sooner() -> None:
    ended = reader_of(b"ab")
    ended.finish(Place(30, ENDED), 30000)
    read(ended, 3)
    holed = reader_of(b"ab", 5, b"cd")
    read(holed, 3)

    assert (Place(30, ENDED), Place(11, DATA)) == (ended.place, holed.place)


def test_a_place_waits_for_what_was_heeded_and_never_goes_back() -> None:
    reader = reader_of(b"ab", b"cd")
    reader.heed(Place(10, CLOSING))
    first = reader.place
    read(reader, 1)

    assert (Place(10, CLOSING + 1), Place(10, CLOSING + 1)) == (first, reader.place)
    read(reader, 2)
    assert Place(11, DATA) == reader.place


def test_kept_bytes_outlive_the_buffer_they_came_in() -> None:
    buffer = bytearray(b"abcdef")
    reader = Reader("tcp/0", Side.SERVER)
    reader.extend([0, 3], [3, 6], buffer, [0, 3], [4, 5], [4, 5], [40, 50])
    read(reader, 2)
    reader.keep()
    buffer[:] = b"XXXXXX"

    assert (b"cdef", (4, 5)) == (read(reader, 4), reader.where(2, 6).frames)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.binary(min_size=1, max_size=6), st.integers(1, 4)), max_size=8), st.data())
def test_any_reads_over_any_pieces_give_the_same_bytes(pieces: list[bytes | int], data: st.DataObject) -> None:
    whole = b"".join(p if isinstance(p, bytes) else b"\xff" * p for p in pieces)
    holes = set()
    at = 0
    for piece in pieces:
        size = piece if isinstance(piece, int) else len(piece)
        if isinstance(piece, int):
            holes.update(range(at, at + size))
        at += size
    reader = reader_of(*pieces)
    while reader.unread_bytes:
        start = reader.position
        size = data.draw(st.integers(1, 7))
        found = read(reader, size)
        if isinstance(found, bytes):
            assert whole[start : start + size] == found
            assert not holes & set(range(start, start + size))
        else:
            assert (Missing.GAP if holes & set(range(start, start + size)) else Missing.BYTES) == found
            reader.skip(1)
        if data.draw(st.booleans()):
            reader.keep()


def test_asking_about_a_hole_does_not_hide_what_stands_before_it() -> None:
    reader = reader_of(b"abcde", 10)
    reader.skip(3)

    assert Missing.GAP is reader.look(4)
    assert b"de" == read(reader, 2)


def test_place_of_an_unread_byte_can_be_asked_without_reaching_it() -> None:
    reader = reader_of(b"abc", 2, b"de")

    assert [10, 11, 12, None] == [reader.at_of(offset) for offset in (2, 3, 6, 7)]
    assert Place(0, 0) == reader.place
