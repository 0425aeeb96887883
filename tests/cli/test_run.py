"""The one loop: what is read is shown and written, whatever ends the reading."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inspect_cli.cli.run import run
from inspect_cli.cli.tellers import Here
from inspect_cli.errors import CaptureCutOff, CheckFailed, InspectError, NothingDecodable
from inspect_cli.events.base import Item
from inspect_cli.events.summary import Capture
from inspect_cli.render.json import NdjsonRenderer
from inspect_cli.render.redact import Redactor
from inspect_cli.render.rows import RowMaker
from inspect_cli.sources.file import CaptureFiles
from inspect_cli.texts import Words
from inspect_cli.timeline import Timeline
from tests.cli.exchange import EXCHANGE, frame, pcap

ROOT = Path(__file__).parents[2]
NOT_FOUND = frame(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 24, 501, 133, from_client=False)


class Kept:
    """What -w gets."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.drops = -1

    def write(self, item: Item) -> None:
        self.items.append(item)

    def close(self, drops: int) -> None:
        self.drops = drops


def told(path: Path, data: bytes, **options: Any) -> tuple[list[dict[str, Any]], int | InspectError]:
    """What was shown of a capture, and the exit code or the problem."""
    path.write_bytes(data)
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    renderer = NdjsonRenderer(out, RowMaker(Words("en"), Redactor("none")))
    end: int | InspectError
    try:
        with CaptureFiles([str(path)]) as source:
            end = run(source, Here(Timeline(strict=True), renderer), **options)
    except InspectError as problem:
        end = problem
    out.seek(0)
    return [json.loads(line) for line in out], end


def kinds(rows: list[dict[str, Any]]) -> list[str]:
    return [row["kind"] if row["type"] == "entry" else row["type"] for row in rows]


def test_a_capture_is_told_from_its_begin_to_its_summary(tmp_path: Path) -> None:
    rows, end = told(tmp_path / "a.pcap", EXCHANGE)

    assert (kinds(rows)[0], kinds(rows)[-1], end) == ("capture", "summary", 0)
    assert {"syn", "syn-ack", "request", "response"} <= set(kinds(rows))
    assert rows[-1]["capture"]["complete"] is True


def test_what_was_read_is_shown_before_the_problem(tmp_path: Path) -> None:
    rows, end = told(tmp_path / "a.pcap", EXCHANGE[:-10])

    assert isinstance(end, CaptureCutOff)
    assert "request" in kinds(rows)
    assert rows[-1]["capture"]["complete"] is False


def test_a_capture_without_a_frame_is_no_problem(tmp_path: Path) -> None:
    rows, end = told(tmp_path / "a.pcap", pcap())

    assert (kinds(rows), end) == (["capture", "summary"], 0)


def test_a_capture_of_which_nothing_could_be_decoded(tmp_path: Path) -> None:
    rows, end = told(tmp_path / "a.pcap", pcap(b"x" * 60, b"y" * 60, link_type=147))

    assert isinstance(end, NothingDecodable)
    assert end.data == {"path": str(tmp_path / "a.pcap"), "frames": 2, "reason": "link-type"}
    assert rows[-1]["summary"]["undecoded_packets"] == 2


def test_a_final_status_fails_only_if_that_was_asked_for(tmp_path: Path) -> None:
    data = EXCHANGE + pcap(NOT_FOUND)[24:]

    assert told(tmp_path / "a.pcap", data)[1] == 0
    assert told(tmp_path / "a.pcap", EXCHANGE, fail=True)[1] == 0


def test_fail_takes_the_last_final_response(tmp_path: Path) -> None:
    request = b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
    data = pcap(
        frame(b"", 2, 100, 0, from_client=True),
        frame(b"", 18, 500, 101, from_client=False),
        frame(request, 24, 101, 501, from_client=True),
        frame(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 24, 501, 133, from_client=False),
    )
    end = told(tmp_path / "a.pcap", data, fail=True)[1]

    assert isinstance(end, CheckFailed)
    assert end.data == {"what": "HTTP 404"}


def test_every_item_is_written_and_the_file_closed(tmp_path: Path) -> None:
    kept = Kept()
    told(tmp_path / "a.pcap", EXCHANGE, writer=kept)

    assert (len(kept.items), kept.drops) == (1, 0)


def test_the_capture_is_told_before_the_first_row(tmp_path: Path) -> None:
    seen: list[Capture] = []
    told(tmp_path / "a.pcap", EXCHANGE, begun=seen.append)

    assert [capture.source for capture in seen] == ["file"]


class Interrupted(CaptureFiles):
    """A source whose reading Ctrl-C ends after the first item."""

    def items(self) -> Iterator[Item]:
        yield from super().items()
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("the signal comes first")


def test_ctrl_c_ends_the_reading_and_not_the_showing(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(EXCHANGE)
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    before = signal.getsignal(signal.SIGINT)
    with Interrupted([str(path)]) as source:
        code = run(source, Here(Timeline(strict=True), NdjsonRenderer(out, RowMaker(Words("en"), Redactor("none")))))
    out.seek(0)
    rows = [json.loads(line) for line in out]

    assert (code, signal.getsignal(signal.SIGINT)) == (130, before)
    assert (kinds(rows)[-1], "response" in kinds(rows)) == ("summary", True)


def test_ctrl_c_while_a_row_is_made_lets_it_be_finished(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(EXCHANGE)
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")

    class Interrupting(Kept):
        def write(self, item: Item) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            super().write(item)

    kept = Interrupting()
    renderer = NdjsonRenderer(out, RowMaker(Words("en"), Redactor("none")))
    with CaptureFiles([str(path)]) as source:
        code = run(source, Here(Timeline(strict=True), renderer), kept)

    assert (code, len(kept.items), kept.drops) == (130, 1, 0)


def command(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "inspect_cli", *arguments]
    return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_a_pipe_that_is_still_open_is_told_up_to_ctrl_c() -> None:
    with command("replay", "-", "--format", "ndjson", stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(EXCHANGE)
        process.stdin.flush()
        lines = []
        for line in process.stdout:
            lines.append(json.loads(line))
            if lines[-1].get("kind") == "response":
                break
        process.send_signal(signal.SIGINT)
        rest = [json.loads(line) for line in process.stdout]
        process.stdin.close()

        assert (process.wait(20), process.stderr.read() if process.stderr else b"") == (130, b"")
    assert rest[-1]["type"] == "summary"


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="this system has no SIGPIPE")
def test_a_reader_who_goes_away_ends_it_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "long.pcap"
    path.write_bytes(pcap(*[frame(b"", 2, n, 0, from_client=True) for n in range(20_000)]))
    with command("replay", str(path), "--format", "ndjson") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()

        assert (process.wait(60), process.stderr.read() if process.stderr else b"") == (-signal.SIGPIPE, b"")
