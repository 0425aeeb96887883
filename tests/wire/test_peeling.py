from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from inspect_cli.wire.headers import UDP, VLAN_TAG
from inspect_cli.wire.peeling import HEADER_LENGTH, TRUNCATED, Cursor, Unread, distinct, gather


@given(st.binary(max_size=40), st.data())
def test_headers_are_gathered_anywhere_and_zeros_behind_the_end(buffer: bytes, data: st.DataObject) -> None:
    offsets = data.draw(st.lists(st.integers(0, len(buffer)), max_size=10))
    for header in (UDP, VLAN_TAG):
        found = gather(buffer, np.array(offsets, np.int64), header)
        width = header.itemsize
        assert found.tobytes() == b"".join(buffer[at : at + width].ljust(width, b"\0") for at in offsets)


def test_gathered_headers_are_copies() -> None:
    buffer = bytearray(b"\0\1\0\2")
    found = gather(buffer, np.array([0], np.int64), VLAN_TAG)
    buffer[1] = 9
    assert found["tag_control"].tolist() == [1]
    buffer += b"may grow: nothing holds it"


def cursor(at: list[int], end: list[int], wire_end: list[int]) -> Cursor:
    columns = (np.array(column, np.int64) for column in (range(len(at)), at, end, wire_end, at))
    return Cursor(*columns)


def test_rows_without_room_are_noted_and_the_others_go_on() -> None:
    """Outside IP, and where the capture cut them, truncated; inside IP a length was wrong."""
    unread = Unread(3)
    rows = cursor([0, 0, 0], [20, 19, 19], [20, 19, 25])
    assert unread.with_room(rows, 20, "IPv4").row.tolist() == [0]
    assert unread.reason.tolist() == [0, TRUNCATED, TRUNCATED]
    assert unread.with_room(rows, 20, "TCP").row.tolist() == [0]
    assert unread.reason.tolist() == [0, HEADER_LENGTH, TRUNCATED]


def test_a_part_keeps_the_rows_of_its_mask() -> None:
    rows = cursor([5, 6, 7], [9, 9, 9], [9, 9, 9])
    assert rows.where(np.array([True, True, True])) is rows
    assert rows.where(np.array([False, True, False])).at.tolist() == [6]


@given(st.lists(st.integers(0, 2**62), min_size=1))
def test_distinct_values_are_those_of_numpy(values: list[int]) -> None:
    column = np.array(values, np.int64)

    assert np.unique(column).tolist() == distinct(column).tolist()
