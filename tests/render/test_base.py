from __future__ import annotations

import io

import pytest

from inspect_cli.events.summary import Capture, CaptureFile
from inspect_cli.render.base import Sink, comes_slowly


@pytest.mark.parametrize(
    ("capture", "expected"),
    [
        (Capture("live", [], []), True),
        (Capture("reported", [], []), True),
        (Capture("file", [CaptureFile("-", 1, 0)], []), True),
        (Capture("file", [CaptureFile("pipe", 1, 0)], [], slow=True), True),
        (Capture("file", [CaptureFile("a.pcap", 1, 0)], []), False),
    ],
)
def test_live_captures_and_pipes_come_slowly(capture: Capture, expected: bool) -> None:
    assert expected is comes_slowly(capture)


def test_json_is_utf8_whatever_the_terminal_speaks() -> None:
    raw = io.BytesIO()
    sink = Sink(io.TextIOWrapper(raw, encoding="latin-1"))
    sink.write("쿠키".encode())
    sink.flush()
    assert "쿠키".encode() == raw.getvalue()


def test_text_that_the_terminal_lacks_is_escaped() -> None:
    raw = io.BytesIO()
    sink = Sink(io.TextIOWrapper(raw, encoding="latin-1"))
    sink.say("é 쿠")
    sink.flush()
    assert b"\xe9 \\ucfe0" == raw.getvalue()


def test_what_was_written_before_stands_before() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="utf-8")
    out.write("first ")
    sink = Sink(out)
    sink.flushes = True
    sink.say("second ")
    sink.write(b"third")
    assert b"first second third" == raw.getvalue()


def test_stream_without_bytes_beneath_takes_text() -> None:
    out = io.StringIO()
    sink = Sink(out)
    sink.say("쿠키 ")
    sink.write("쿠키".encode())
    assert "쿠키 쿠키" == out.getvalue()
