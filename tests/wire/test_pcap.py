from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.making import pcap, read

RECORDS = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 999_999), st.binary(max_size=90)), max_size=8)
FILE = pcap([(1, 2, b"one"), (3, 4, b"three"), (5, 6, b"")])


@pytest.mark.parametrize("magic", ["d4c3b2a1", "a1b2c3d4", "34cdb2a1", "a1b2cd34"])
def test_microseconds_of_either_byte_order_are_read(magic: str) -> None:
    expected = [(1, 1_000_002_000, b"one", 3, 1), (2, 3_000_004_000, b"three", 5, 1)]
    assert read(pcap([(1, 2, b"one"), (3, 4, b"three")], magic)).items == expected


@pytest.mark.parametrize("magic", ["4d3cb2a1", "a1b23c4d"])
def test_nanoseconds_of_either_byte_order_are_read(magic: str) -> None:
    assert read(pcap([(1_790_000_000, 999_999_999, b"x")], magic, 113)).items == [
        (1, 1_790_000_000_999_999_999, b"x", 1, 113)
    ]


@given(RECORDS, st.integers(0, 300))
def test_the_size_of_a_batch_changes_nothing(records: list[tuple[int, int, bytes]], batch_bytes: int) -> None:
    data = pcap(records)
    expected = [(i + 1, s * 10**9 + f * 1000, d, len(d), 1) for i, (s, f, d) in enumerate(records)]
    found = read(data, batch_bytes)
    assert (found.items, found.complete, found.error) == (expected, True, None)


@pytest.mark.parametrize("size", range(24, len(FILE)))
def test_a_file_cut_anywhere_gives_the_frames_before_the_cut(size: int) -> None:
    found = read(FILE[:size], 64)
    starts = [24, 24 + 16 + 3, 24 + 32 + 8, len(FILE)]
    whole = max(i for i, start in enumerate(starts) if start <= size)
    assert found.items == read(FILE).items[:whole]
    if size in starts:
        assert found.complete
    else:
        assert found.error is not None
        assert found.error.data == {"path": "x", "byte": starts[whole], "frame": whole, "reason": "ends-inside-record"}
        assert not found.complete


@pytest.mark.parametrize("size", range(4, 24))
def test_a_file_that_ends_in_its_header_is_cut_off(size: int) -> None:
    found = read(FILE[:size])
    assert (found.items, found.reason) == ([], "ends-inside-header")


@pytest.mark.parametrize("size", [262_145, 2**31, 2**32 - 1])
def test_an_impossible_length_ends_the_file_and_allocates_nothing(size: int) -> None:
    data = pcap([(1, 2, b"one")]) + struct.pack("<IIII", 1, 1, size, size) + b"rest"
    found = read(data, 100)
    assert (len(found.rows), found.reason) == (1, "impossible-length")
    assert found.error is not None
    assert found.error.data["byte"] == 24 + 16 + 3


def test_a_record_may_be_as_long_as_the_snap_length_of_its_file() -> None:
    data = pcap([(1, 2, bytes(300_000))], snap=400_000)
    assert [row[3] for row in read(data, 1000).rows] == [300_000]


def test_flags_above_the_link_type_are_no_link_type() -> None:
    """Frame check sequence length and its flag (draft-ietf-opsawg-pcap §4)."""
    assert read(pcap([(1, 2, b"x")], link_type=0x4400_0001)).rows[0][4] == 1


@given(st.binary(max_size=300), st.integers(64, 300))
def test_no_bytes_break_the_reader(data: bytes, batch_bytes: int) -> None:
    read(FILE[:24] + data, batch_bytes)
