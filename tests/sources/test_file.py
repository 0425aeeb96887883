from __future__ import annotations

import gzip
import io
import itertools
import os
import stat
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lz4 import frame as lz4

from inspect_cli.errors import (
    CaptureCutOff,
    EmptyInput,
    FileNotReadable,
    InspectError,
    NoCaptures,
    NoSuchFile,
    NotACapture,
)
from inspect_cli.events.capture import Names
from inspect_cli.events.summary import Capture, CaptureFile
from inspect_cli.sources.file import CaptureFiles
from inspect_cli.wire.frames import Frames
from tests.wire.making import Pcapng, pcap, plain

EARLY = pcap([(10, 0, b"a"), (30, 0, b"b")])
LATE = pcap([(20, 0, b"c")])


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "early.pcap").write_bytes(EARLY)
    (tmp_path / "late.pcap.gz").write_bytes(gzip.compress(LATE))
    (tmp_path / "none.pcap").write_bytes(pcap([]))
    (tmp_path / "text").write_text("no capture")
    (tmp_path / "empty").touch()
    (tmp_path / "below").mkdir()
    (tmp_path / "cut.pcap").write_bytes(EARLY[:-1])
    return tmp_path


def read(*paths: Path | str, batch_bytes: int = 1000) -> tuple[list[Any], CaptureFiles]:
    with CaptureFiles([str(path) for path in paths], batch_bytes) as source:
        items = plain(source.items())
    return items, source


def test_one_file_is_read_from_its_first_frame_to_its_last(files: Path) -> None:
    items, source = read(files / "early.pcap")
    assert [item[:3] for item in items] == [(1, 10 * 10**9, b"a"), (2, 30 * 10**9, b"b")]
    name = str(files / "early.pcap")
    assert source.capture == Capture("file", [CaptureFile(name, 1, 2)], [], 10 * 10**9, 30 * 10**9, True)
    assert (source.drops, source.error) == (0, None)


def test_files_come_in_order_of_their_first_frame_and_numbers_count_on(files: Path) -> None:
    items, source = read(files / "none.pcap", files / "late.pcap.gz", files / "early.pcap")
    assert [item[:3:2] for item in items] == [(1, b"a"), (2, b"b"), (3, b"c")]
    assert [(Path(f.name).name, f.first_frame, f.frames) for f in source.capture.files] == [
        ("early.pcap", 1, 2),
        ("late.pcap.gz", 3, 1),
        ("none.pcap", 4, 0),
    ]
    assert (source.capture.started_ns, source.capture.ended_ns) == (10 * 10**9, 30 * 10**9)
    assert (source.capture.complete, source.error) == (True, None)


def test_nothing_is_known_of_the_end_before_it(files: Path) -> None:
    with CaptureFiles([str(files / "early.pcap")]) as source:
        assert source.capture == Capture("file", [], [])


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("nowhere", NoSuchFile),
        ("text/inside", NoSuchFile),
        ("below", NoCaptures),
        ("text", NotACapture),
        ("empty", EmptyInput),
    ],
)
def test_what_cannot_be_read_is_said_before_anything_is_read(files: Path, name: str, error: type[InspectError]) -> None:
    path = str(files / name)
    with pytest.raises(error) as raised, CaptureFiles([path]):
        pass
    assert raised.value.data["path"] == path


def test_a_path_that_cannot_be_is_not_readable() -> None:
    with pytest.raises(FileNotReadable), CaptureFiles(["a\0b"]):
        pass


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_the_right_to_read_is_not_readable(files: Path) -> None:
    path = files / "early.pcap"
    path.chmod(0)
    with pytest.raises(FileNotReadable), CaptureFiles([str(path)]):
        pass


def test_a_file_that_open_refuses_is_not_readable(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **others: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(FileNotReadable) as raised, CaptureFiles([str(files / "early.pcap")]):
        pass
    assert raised.value.data["reason"] == "Permission denied"


def test_a_file_cut_off_gives_what_it_holds_and_an_error_for_the_end(files: Path) -> None:
    items, source = read(files / "cut.pcap")
    assert [item[0] for item in items] == [1]
    assert isinstance(source.error, CaptureCutOff)
    assert source.error.data["frame"] == 1
    assert source.capture.complete is False


def test_among_several_a_file_that_is_no_capture_is_left_out_and_told(files: Path) -> None:
    items, source = read(files / "text", files / "late.pcap.gz", files / "empty")
    assert [item[2] for item in items] == [b"c"]
    assert isinstance(source.error, NotACapture)
    assert source.capture.complete is False
    with pytest.raises(NotACapture):
        read(files / "text", files / "empty")
    with pytest.raises(NoSuchFile):
        read(files / "early.pcap", files / "nowhere")


def test_drops_and_interfaces_of_all_files_count(files: Path) -> None:
    p = Pcapng()
    for i, name in enumerate([b"eth0", b"lo"]):
        interfaces = p.idb(1, 0, (2, b"lo")) + p.idb(1, 0, (2, name))
        data = p.shb() + interfaces + p.epb(b"x", i, 1) + p.isb(1, (5, p.number(4)))
        (files / f"{i}.pcapng").write_bytes(data)
    with CaptureFiles([str(files / "0.pcapng"), str(files / "1.pcapng")]) as source:
        columns = [item.interface for item in source.items() if isinstance(item, Frames)]
    assert [column.tolist() for column in columns if column is not None] == [[1], [0]]
    assert (source.drops, source.capture.interfaces) == (8, ["lo", "eth0"])


class Stdin:
    """What stands in for standard input."""

    def __init__(self, buffer: BinaryIO) -> None:
        self.buffer = buffer


def pipe_of(data: bytes) -> BinaryIO:
    reading, writing = os.pipe()
    with open(writing, "wb") as out:
        out.write(data)
    return open(reading, "rb")


def test_standard_input_is_read_as_a_pipe(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pipe_of(gzip.compress(LATE)) as pipe:
        monkeypatch.setattr(sys, "stdin", Stdin(pipe))
        items, source = read("-")
    assert [item[2] for item in items] == [b"c"]
    assert source.capture.files == [CaptureFile("-", 1, 1)]


def test_standard_input_takes_its_place_among_files(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pipe_of(EARLY) as pipe:
        monkeypatch.setattr(sys, "stdin", Stdin(pipe))
        items, _ = read(files / "late.pcap.gz", "-")
    assert [item[2] for item in items] == [b"a", b"b", b"c"]


def test_standard_input_that_is_no_file_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Stdin(io.BytesIO(LATE)))
    assert [item[2] for item in read("-")[0]] == [b"c"]


def test_a_named_pipe_is_read_as_it_comes(files: Path) -> None:
    path = files / "pipe"
    os.mkfifo(path)
    assert stat.S_ISFIFO(path.stat().st_mode)
    seen = threading.Event()

    def write() -> None:
        with path.open("wb", buffering=0) as out:
            out.write(EARLY[:-17])
            seen.wait(10)
            out.write(EARLY[-17:])

    writer = threading.Thread(target=write)
    writer.start()
    numbers = []
    with CaptureFiles([str(path)]) as source:
        for item in source.items():
            assert isinstance(item, Frames)
            numbers.append(item.first_number)
            seen.set()  # the second frame is written only when the first one was given
    writer.join()
    assert numbers == [1, 2]


def test_what_a_pipe_gives_together_is_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pcap([(i, 0, bytes(100)) for i in range(300)])
    with pipe_of(data) as pipe:
        monkeypatch.setattr(sys, "stdin", Stdin(pipe))
        with CaptureFiles(["-"]) as source:
            sizes = [len(item) for item in source.items() if isinstance(item, Frames)]
    assert sizes == [300]


def test_more_than_a_pipe_holds_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pcap([(i, 0, bytes(1000)) for i in range(300)])
    reading, writing = os.pipe()

    def write() -> None:
        with open(writing, "wb") as out:
            out.write(data)

    writer = threading.Thread(target=write)
    writer.start()
    with open(reading, "rb") as pipe:
        monkeypatch.setattr(sys, "stdin", Stdin(pipe))
        items, source = read("-", batch_bytes=1 << 20)
    writer.join()
    assert (len(items), source.capture.complete) == (300, True)


def test_a_busy_pipe_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does one on a system that cannot wait for pipes."""

    def cannot_wait(*arguments: object) -> None:
        raise OSError(88, "Socket operation on non-socket")

    monkeypatch.setattr("inspect_cli.sources.pipes.PATIENCE_S", -1.0)
    with pipe_of(EARLY) as pipe:
        monkeypatch.setattr(sys, "stdin", Stdin(pipe))
        assert len(read("-")[0]) == 2
    monkeypatch.setattr("inspect_cli.sources.pipes.PATIENCE_S", 1.0)
    monkeypatch.setattr("inspect_cli.sources.pipes.select.select", cannot_wait)
    with pipe_of(EARLY) as pipe:
        monkeypatch.setattr(sys, "stdin", Stdin(pipe))
        assert len(read("-")[0]) == 2


def test_keys_and_calls_of_a_file_are_items_too(files: Path) -> None:
    """And a file of which the first block is no frame still has a first frame."""
    p = Pcapng()
    (files / "keys.pcapng").write_bytes(p.shb() + p.dsb(b"keys") + p.idb() + p.epb(b"k", 15_000_000))
    items, _ = read(files / "late.pcap.gz", files / "keys.pcapng")
    assert [getattr(items[0], "lines", None), *(item[2] for item in items[1:])] == [b"keys", b"k", b"c"]


def test_a_directory_means_the_captures_in_it_by_what_they_hold(files: Path) -> None:
    """Not the names, and not the directories below; what is no capture is counted."""
    (files / "below" / "more.pcap").write_bytes(LATE)
    (files / "readme.pcap").write_text("no capture either")
    (files / "packed.txt").write_bytes(lz4.compress(pcap([(15, 0, b"z")])))
    os.mkfifo(files / "pipe")
    (files / "link").symlink_to(files / "late.pcap.gz")
    items, source = read(files)
    assert [item[:3:2] for item in items] == list(enumerate([b"a", b"a", b"b", b"z", b"c", b"c"], 1))
    assert [Path(path).name for path in source.paths] == [
        "cut.pcap",
        "early.pcap",
        "packed.txt",
        "late.pcap.gz",
        "link",
        "none.pcap",
    ]
    assert source.skipped == {str(files): 3}
    assert (type(source.error), source.capture.complete) == (CaptureCutOff, False)


def test_directories_and_files_are_one_capture_in_order_of_time(files: Path) -> None:
    (files / "below" / "more.pcap").write_bytes(LATE)
    items, source = read(files / "below", files / "early.pcap")
    assert [item[:3:2] for item in items] == [(1, b"a"), (2, b"b"), (3, b"c")]
    assert (source.skipped, source.error, source.capture.complete) == ({}, None, True)


def test_a_directory_without_a_capture_among_others_is_told_at_the_end(files: Path) -> None:
    items, source = read(files / "below", files / "late.pcap.gz")
    assert [item[2] for item in items] == [b"c"]
    assert isinstance(source.error, NoCaptures)
    assert source.error.data == {"path": str(files / "below")}


def test_of_several_files_the_worst_is_told(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is 2, one that is cut off 4."""
    really_open = open

    def refuse(name: Any, *arguments: Any, **others: Any) -> Any:
        if str(name).endswith("early.pcap"):
            raise PermissionError(13, "Permission denied")
        return really_open(name, *arguments, **others)

    monkeypatch.setattr("builtins.open", refuse)
    items, source = read(files)
    assert [item[2] for item in items] == [b"a", b"c"]
    assert isinstance(source.error, CaptureCutOff)
    (files / "cut.pcap").unlink()
    assert isinstance(read(files)[1].error, FileNotReadable)


def test_progress_is_in_bytes_as_they_lie_on_the_disk(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [str(files / name) for name in ("late.pcap.gz", "early.pcap")]
    sizes = [os.path.getsize(name) for name in names]
    with CaptureFiles(names) as source:
        seen = [source.progress, *(source.progress for _ in source.items()), source.progress]
    whole = sum(sizes)
    assert seen == [(0, whole), (sizes[1], whole), (whole, whole), (whole, whole)]
    with pipe_of(EARLY) as pipe:
        monkeypatch.setattr(sys, "stdin", Stdin(pipe))
        with CaptureFiles(["-", names[0]]) as source:
            assert source.progress is None


def test_a_file_that_grows_is_read_on_and_a_record_half_written_waited_for(tmp_path: Path) -> None:
    """The writer writes the next piece only when what the last one completed was given."""
    path = tmp_path / "growing.pcap"
    pieces = [EARLY[:10], EARLY[10:41], EARLY[41:50], EARLY[50:]]
    path.touch()
    turn = threading.Semaphore(3)  # the first three pieces complete one frame

    def write() -> None:
        for piece in pieces:
            assert turn.acquire(timeout=20)
            with path.open("ab") as out:
                out.write(piece)

    writer = threading.Thread(target=write)
    writer.start()
    numbers = []
    with CaptureFiles([str(path)], follow=True) as source:
        for item in source.items():
            assert isinstance(item, Frames)
            numbers.append(item.first_number)
            turn.release()
            if len(numbers) == 2:
                path.write_bytes(b"")  # another file: the end
    writer.join()
    assert (numbers, source.capture.slow, source.progress) == ([1, 2], True, None)
    assert (source.capture.complete, source.error) == (True, None)


def test_of_several_files_the_last_is_the_one_that_grows(files: Path) -> None:
    names = [str(files / name) for name in ("late.pcap.gz", "early.pcap")]
    with CaptureFiles(names, follow=True) as source:
        items = source.items()
        assert [len(item) for item in (next(items), next(items)) if isinstance(item, Frames)] == [2, 1]
        (files / "late.pcap.gz").write_bytes(b"")
        assert next(items, None) is None


def test_what_was_not_read_to_its_end_is_not_complete(files: Path) -> None:
    with CaptureFiles([str(files / "early.pcap"), str(files / "late.pcap.gz")]) as source:
        next(source.items())
    assert source.capture.complete is False


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_cutting_and_packing_files_and_reading_them_in_pieces_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """One capture in pieces: cut between records, packed one way or the other, in any batches."""
    records = [(i, 0, bytes([i]) * (i * 37 % 200)) for i in range(30)]
    cuts = sorted(data.draw(st.sets(st.integers(1, 29), max_size=3)))
    folder = tmp_path_factory.mktemp("pieces")
    packers = [bytes, gzip.compress, lz4.compress]
    for start, end in itertools.pairwise([0, *cuts, 30]):
        pack = data.draw(st.sampled_from(packers))
        (folder / f"{99 - start}").write_bytes(pack(pcap(records[start:end])))
    items, source = read(folder, batch_bytes=data.draw(st.integers(64, 5000)))
    assert items == [(i + 1, s * 10**9, d, len(d), 1) for i, (s, _, d) in enumerate(records)]
    assert source.capture.complete is True


def test_names_at_the_end_of_a_file_come_first_and_once(tmp_path: Path) -> None:
    """Those in its middle come where they stand, and of a packed file all do: nobody looks ahead there."""
    p = Pcapng()
    middle, end = (p.nrb((1, bytes([10, 0, 0, n]) + b"n%d\0" % n)) for n in (1, 2))
    data = p.shb() + p.idb() + p.epb(b"a") + middle + p.epb(b"b") + end + p.isb(0)
    (tmp_path / "plain").write_bytes(data)
    (tmp_path / "packed").write_bytes(gzip.compress(data))
    first, last = Names((("10.0.0.1", "n1"),)), Names((("10.0.0.2", "n2"),))
    frames = [(1, 0, b"a", 1, 1), (2, 0, b"b", 1, 1)]

    assert read(tmp_path / "plain")[0] == [last, frames[0], first, frames[1]]
    assert read(tmp_path / "packed")[0] == [frames[0], first, frames[1], last]
