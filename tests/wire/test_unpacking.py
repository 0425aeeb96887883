from __future__ import annotations

import gzip
import io
import random
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lz4 import frame as lz4

from inspect_cli.errors import CaptureCutOff
from inspect_cli.wire.unpacking import Unpacked
from tests.wire.making import pcap, read

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zstd": zstd.compress,
    "lz4": lz4.compress,
}
NAMES = st.sampled_from(sorted(PACKERS))
RECORDS = [(i, i, bytes([i]) * (i * 7 % 50)) for i in range(40)]
FILE = pcap(RECORDS)
NOISE = random.Random(1)
NOISY = pcap([(1, 1, NOISE.randbytes(5000)) for _ in range(20)])
SKIPPABLE = struct.pack("<II", 0x184D2A53, 5) + b"12345"


class Slow(io.RawIOBase):
    """A pipe that gives at most `size` bytes at once."""

    def __init__(self, data: bytes, size: int) -> None:
        super().__init__()
        self.data, self.size = data, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        part = self.data[: min(self.size, len(buffer))]
        buffer[: len(part)] = part
        self.data = self.data[len(part) :]
        return len(part)


def unpacked(data: bytes, free_bytes: int = 1 << 20, at_once: int = 1 << 30) -> tuple[bytes, str]:
    """All that comes out, and why it ended early."""
    stream: Any = Slow(data, at_once)
    source = Unpacked(stream)
    room = bytearray(free_bytes)
    parts = []
    while size := source.read_into(memoryview(room)):
        parts.append(bytes(room[:size]))
    return b"".join(parts), source.problem


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(NAMES, st.binary(max_size=300), st.booleans())), st.integers(1, 400), st.integers(1, 99))
def test_frames_of_any_kind_behind_each_other_are_one_capture(
    parts: list[tuple[str, bytes, bool]], free_bytes: int, at_once: int
) -> None:
    """However little is read or wanted at a time."""
    data = b"".join((SKIPPABLE if skip else b"") + PACKERS[name](part) for name, part, skip in parts)
    assert unpacked(data, free_bytes, at_once) == (b"".join(part for _, part, _ in parts), "")


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("batch_bytes", [64, 1000, 8 << 20])
def test_a_packed_capture_reads_like_a_plain_one(name: str, batch_bytes: int) -> None:
    pack = PACKERS[name]
    assert read(pack(FILE), batch_bytes) == read(FILE)
    half = len(FILE) // 2
    assert read(pack(FILE[:half]) + pack(FILE[half:]), batch_bytes) == read(FILE)


@settings(max_examples=100, deadline=None)
@given(NAMES, st.data())
def test_a_packed_capture_cut_anywhere_gives_what_is_before_the_cut(name: str, data: st.DataObject) -> None:
    whole = PACKERS[name](FILE)
    size = data.draw(st.integers(4, len(whole) - 1))
    try:
        found = read(whole[:size], 300)
        reason, items = found.reason, found.items
    except CaptureCutOff as problem:  # too little came out to know what it is
        reason, items = str(problem.data["reason"]), []
    assert (reason, items) == (f"{name}-cut-off", read(FILE).items[: len(items)])


def test_a_cut_that_leaves_less_than_a_magic_number_is_a_cut() -> None:
    stored = zlib.compressobj(0, wbits=31)
    whole = stored.compress(FILE) + stored.flush()
    for size in range(10, 10 + 5 + 4):  # a header, the head of a stored block, its first bytes
        with pytest.raises(CaptureCutOff) as raised:
            read(whole[:size])
        assert raised.value.data["reason"] == "gzip-cut-off"
    assert read(whole[: 10 + 5 + 4]).reason == "gzip-cut-off"


@pytest.mark.parametrize("name", PACKERS)
def test_frames_before_a_cut_are_all_kept(name: str) -> None:
    pack = PACKERS[name]
    whole = pack(NOISY)
    assert unpacked(pack(FILE) + whole[:-1])[0][: len(FILE)] == FILE
    assert unpacked(pack(FILE) + whole[: len(whole) // 2])[1] == f"{name}-cut-off"
    assert unpacked(pack(FILE) + whole[:3])[1] == f"{name}-cut-off"


@pytest.mark.parametrize(("name", "kept"), [("gzip", 11), ("zstd", 20), ("lz4", 20)])
def test_broken_bytes_end_the_capture_behind_what_was_good(name: str, kept: int) -> None:
    pack = PACKERS[name]
    broken = bytearray(pack(NOISY))
    if name == "gzip":
        broken[60_000:60_010] = bytes(10)
        found = read(bytes(broken), 1000)
    else:  # their blocks are as large as this capture: the second frame is broken
        found = read(bytes(broken) + pack(b"") + broken[:6] + b"\xff" * 50, 1000)
    assert (found.reason, len(found.rows) >= kept) == (f"{name}-broken", True)


@pytest.mark.parametrize("name", PACKERS)
def test_what_follows_a_frame_and_is_none_breaks_the_file(name: str) -> None:
    assert unpacked(PACKERS[name](FILE) + b"what?") == (FILE, f"{name}-broken")


def test_zeros_behind_a_gzip_file_fill_up_a_tape() -> None:
    packed = PACKERS["gzip"](FILE)
    assert unpacked(packed + bytes(70_000) + packed + bytes(1)) == (FILE * 2, "")
    assert unpacked(PACKERS["lz4"](FILE) + bytes(8)) == (FILE, "lz4-broken")


def test_a_skippable_frame_may_be_cut_off_too() -> None:
    for size in range(4, len(SKIPPABLE)):
        assert unpacked(SKIPPABLE[:size]) == (b"", "zstd-cut-off")


@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_takes_no_more_memory_than_a_batch(name: str) -> None:
    source = Unpacked(io.BytesIO(PACKERS[name](bytes(50 << 20))))
    room = bytearray(1 << 20)
    sizes = []
    while size := source.read_into(memoryview(room)):
        sizes.append(size)
    assert (sum(sizes), max(sizes), source.problem) == (50 << 20, 1 << 20, "")


@pytest.mark.parametrize("name", PACKERS)
def test_what_a_slow_pipe_gave_is_not_held_back(name: str) -> None:
    """A frame for each record, and the pipe asked once for each of them."""
    parts = [pcap([RECORDS[5]]), *(pcap([r])[24:] for r in RECORDS[6:20])]
    packed = [PACKERS[name](part) for part in parts]

    class Pipe(io.RawIOBase):
        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
            size = min(len(buffer), len(packed[0]) if packed else 0)
            buffer[:size] = packed[0][:size] if packed else b""
            if packed:
                packed[0] = packed[0][size:]
            if packed and not packed[0]:
                del packed[0]
            return size

    pipe: Any = Pipe()
    source = Unpacked(pipe)
    room = memoryview(bytearray(1 << 20))
    for i, part in enumerate(parts):
        got = 0
        while got < len(part):
            got += source.read_into(room[got:])
        assert (bytes(room[:got]), len(packed)) == (part, len(parts) - i - 1)
    assert source.read_into(room) == 0


@settings(max_examples=150, deadline=None)
@given(NAMES, st.data())
def test_no_damage_breaks_the_reader(name: str, data: st.DataObject) -> None:
    whole = PACKERS[name](FILE)
    at = data.draw(st.integers(0, len(whole)))
    noise = data.draw(st.binary(max_size=20))
    source, problem = unpacked(whole[:at] + noise + whole[at + len(noise) :], 100)
    assert len(source) <= 4 << 20
    assert problem.removeprefix(name) in ("", "-broken", "-cut-off", "zstd-broken", "zstd-cut-off")


@pytest.mark.parametrize("packed", [False, True])
def test_no_library_of_packing_is_loaded_for_a_plain_file(packed: bool) -> None:
    program = (
        "import sys, io, inspect_cli.wire.unpacking as u\n"
        "source = u.Unpacked(io.BytesIO(sys.stdin.buffer.read())); source.read_into(memoryview(bytearray(99)))\n"
        "print(sorted({'lz4', 'backports', 'compression'} & set(sys.modules)))"
    )
    data = PACKERS["lz4"](FILE) if packed else FILE
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=True)
    assert done.stdout.decode().strip() == ("['lz4']" if packed else "[]")
