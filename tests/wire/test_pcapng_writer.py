from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.events.base import Item, Side
from inspect_cli.events.calls import Call, Reported, Secrets
from inspect_cli.events.capture import Names
from inspect_cli.wire.frames import Frames
from inspect_cli.wire.pcapng_writer import MAX_WAITING_BYTES, PcapngWriter
from tests.wire.making import Read, batch, plain, read
from tests.wire.test_notes import CALL, ITEMS

FRAME = bytes.fromhex("02000000000102000000000208004500001c00000000401166cf7f0000017f0000010035003500080000")


def written(*items: Item, names: list[str] | None = None, drops: int = 0) -> bytes:
    out = io.BytesIO()
    writer = PcapngWriter(out, names or [])
    for item in items:
        writer.write(item)
    writer.close(drops)
    return out.getvalue()


@st.composite
def batches(draw: st.DrawFn) -> Frames:
    frames = batch(draw(st.lists(st.binary(max_size=30), min_size=1, max_size=4)))
    count = len(frames)
    frames.time_ns = np.array(draw(st.lists(st.integers(0, 9 * 10**18), min_size=count, max_size=count)), np.int64)
    frames.link_type = np.array(
        draw(st.lists(st.sampled_from([1, 101, 113]), min_size=count, max_size=count)), np.int64
    )
    frames.original_size = frames.size + draw(st.integers(0, 70_000))
    if draw(st.booleans()):
        frames.comments = {1: ("a comment", "한국어")}
    return frames


HOST = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
NAMES = st.lists(st.tuples(st.ip_addresses().map(str), HOST), min_size=1, max_size=4).map(lambda n: Names(tuple(n)))


def numbered(items: list[Item]) -> list[Item]:
    """The items with frame numbers that count on from batch to batch."""
    number = 1
    for item in items:
        if isinstance(item, Frames):
            item.comments = dict(zip([number], item.comments.values(), strict=False))
            item.first_number = number
            number += len(item)
    return items


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.one_of(batches(), ITEMS, NAMES, st.binary(max_size=50).map(Secrets)), max_size=6),
    st.integers(64, 400),
    st.integers(0, 10),
)
def test_a_written_file_gives_the_same_items_in_the_same_order(items: list[Item], batch_bytes: int, drops: int) -> None:
    numbered(items)
    expected = Read(plain(items), None, True, drops, ["lo"])
    found = read(written(*items, names=["lo"], drops=drops), batch_bytes)
    assert found == expected


def test_frames_keep_the_names_of_their_interfaces() -> None:
    frames = batch([b"a", b"b", b"c", b"d"])
    frames.interface = np.array([1, 0, -1, 1], np.int64)
    found = read(written(frames, names=["lo", "eth0"]))
    assert found.interfaces == ["eth0", "lo"]
    assert len(found.rows) == 4


def test_a_list_of_interfaces_may_grow_while_frames_come() -> None:
    names: list[str] = []
    out = io.BytesIO()
    writer = PcapngWriter(out, names)
    names.append("wlan0")
    writer.write(batch([b"a"]))
    writer.close()
    assert read(out.getvalue()).interfaces == ["wlan0"]


def test_reported_bytes_are_no_packets_and_are_not_written() -> None:
    assert written(Reported(1, 0, Side.CLIENT, b"x", False, "c", "s")) == written()


def test_many_calls_without_a_frame_do_not_make_one_block_of_them() -> None:
    calls = [Call(i, "recv", 3, "returned", "", "", "x" * 60_000, "") for i in range(60)]
    data = written(*calls)
    assert read(data).items == calls
    assert data.count((5).to_bytes(4, "little") + b"\0\0") <= len(data) // MAX_WAITING_BYTES + 10
    assert max(block_sizes(data)) < MAX_WAITING_BYTES + 200_000


def block_sizes(data: bytes) -> list[int]:
    sizes, at = [], 0
    while at < len(data):
        sizes.append(int.from_bytes(data[at + 4 : at + 8], "little"))
        at += sizes[-1]
    return sizes


def test_a_comment_longer_than_an_option_is_cut_between_characters() -> None:
    frames = batch([b"a"])
    frames.comments = {1: ("x" + "é" * 40_000,)}
    (_, (_, _, (comment,))) = read(written(frames)).items
    assert comment == "x" + "é" * 32_767


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_tshark_reads_times_names_comments_and_drops(tmp_path: Path) -> None:
    frames = batch([FRAME, FRAME])
    frames.time_ns = np.array([1_790_000_000_123_456_789, 1_790_000_000_123_456_790], np.int64)
    path = tmp_path / "written.pcapng"
    path.write_bytes(written(Secrets(b"CLIENT_RANDOM 00 11\n"), CALL, frames, CALL, names=["lo"], drops=7))

    def fields(*names: str) -> list[list[str]]:
        options = [part for name in names for part in ("-e", name)]
        done: Any = subprocess.run(
            ["tshark", "-n", "-r", path, "-T", "fields", *options],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return [line.split("\t") for line in done.stdout.splitlines()]

    rows = fields("frame.time_epoch", "frame.interface_name", "udp.srcport", "frame.comment")
    assert [row[:3] for row in rows] == [
        ["1790000000.123456789", "lo", "53"],
        ["1790000000.123456790", "lo", "53"],
    ]
    assert rows[0][3].startswith('inspect-cli/1 {"call"')
