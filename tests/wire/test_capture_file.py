from __future__ import annotations

import contextlib
import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.errors import EmptyInput, InputProblem, NotACapture
from inspect_cli.wire.capture_file import open_capture
from inspect_cli.wire.frames import Frames
from inspect_cli.wire.packets import Decoder
from tests.corpus import CORPUS, manifest, needs_corpus
from tests.wire.making import pcap, read

RECORDS = [(i, i, bytes([i]) * (i * 7 % 50)) for i in range(40)]
FILE = pcap(RECORDS)

NO_CAPTURE_OF_OURS = {
    "captures/gopacket__le-test202.pcapng": "tshark counts three custom blocks as frames; there are 8 packets",
}


def counted(path: Path, batch_bytes: int) -> dict[str, int]:
    counts = dict.fromkeys(["packets", "syn", "synack", "fin", "rst"], 0)
    with path.open("rb", buffering=0) as stream:
        reader = open_capture(stream, str(path), batch_bytes=batch_bytes)
        decoder = Decoder()
        for item in reader:
            if isinstance(item, Frames):
                packets = decoder.decode(item)
                flags = packets.flags
                counts["packets"] += len(item)
                counts["syn"] += int(np.count_nonzero((flags & 18) == 2))
                counts["synack"] += int(np.count_nonzero((flags & 18) == 18))
                counts["fin"] += int(np.count_nonzero(flags & 1))
                counts["rst"] += int(np.count_nonzero(flags & 4))
    assert (reader.complete, reader.error) == (True, None)
    return counts


@needs_corpus
@pytest.mark.parametrize("row", manifest(), ids=lambda row: row["path"].removeprefix("captures/"))
def test_flags_of_real_captures_are_those_of_the_manifest(row: dict[str, str]) -> None:
    small, large = (counted(CORPUS / row["path"], size) for size in (200, 8 << 20))
    assert small == large
    expected = {name: int(row[name]) for name in large}
    if row["path"] in NO_CAPTURE_OF_OURS:
        assert expected != large
    else:
        assert expected == large


@pytest.mark.parametrize("data", [b"\0", b"GET", b"GET / HTTP/1.1\r\n", gzip.compress(b"GET / HTTP/1.1\r\n")])
def test_what_is_no_capture_is_refused_with_its_first_bytes(data: bytes) -> None:
    with pytest.raises(NotACapture) as raised:
        read(data)
    plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    assert raised.value.data == {"path": "x", "first_bytes": plain[:16].hex(" ")}


@pytest.mark.parametrize("data", [b"", gzip.compress(b"")])
def test_nothing_is_no_capture(data: bytes) -> None:
    with pytest.raises(EmptyInput):
        read(data)


class Drops(io.RawIOBase):
    """A pipe that gives a few bytes at a time; after `fail` reads it breaks."""

    def __init__(self, data: bytes, size: int, fail: int = 1 << 60) -> None:
        super().__init__()
        self.data, self.size, self.fail = data, size, fail

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self.fail -= 1
        if self.fail < 0:
            raise OSError(5, "Input/output error")
        part = self.data[: min(self.size, len(buffer))]
        buffer[: len(part)] = part
        self.data = self.data[len(part) :]
        return len(part)


@given(st.integers(1, 100))
def test_a_pipe_gives_each_frame_as_soon_as_it_is_there(size: int) -> None:
    pipe = Drops(FILE, size)
    reader = open_capture(pipe, "-")  # type: ignore[arg-type]
    seen = 0
    for item in reader:
        assert isinstance(item, Frames)
        seen += len(item)
        passed = len(FILE) - len(pipe.data)
        assert seen == sum(24 + 16 * (i + 1) + sum(len(r[2]) for r in RECORDS[: i + 1]) <= passed for i in range(40))
    assert (seen, reader.complete) == (40, True)


def test_a_pipe_that_breaks_gives_what_came() -> None:
    found = read(b"", stream=Drops(FILE, 100, fail=5))
    assert found.reason == "read-failed"
    assert found.items == read(FILE).items[: len(found.items)]


def test_a_record_larger_than_a_batch_is_read_and_the_buffer_is_small_again() -> None:
    rows = [(1, 1, b"a"), (2, 2, bytes(100_000)), *[(3, 3, b"b" * 50)] * 1000]
    reader = open_capture(io.BytesIO(pcap(rows)), "x", batch_bytes=1000)
    sizes = [len(item.buffer) for item in reader if isinstance(item, Frames)]
    assert (sizes[0], max(sizes) < 300_000, sizes[-1]) == (1000, True, 1000)


def test_frame_numbers_begin_where_they_are_told_to() -> None:
    reader = open_capture(io.BytesIO(FILE), "x", first_number=100)
    assert [item.first_number for item in reader if isinstance(item, Frames)] == [100]
    assert reader.frames == 40


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([b"\xd4\xc3\xb2\xa1", b"\n\r\r\n", b"\x1f\x8b\x08\0", b""]), st.binary(max_size=200))
def test_no_bytes_break_the_reader(magic: bytes, data: bytes) -> None:
    with contextlib.suppress(InputProblem):
        read(magic + data, 64)
