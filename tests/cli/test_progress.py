from __future__ import annotations

import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from inspect_cli.cli.progress import Progress
from inspect_cli.texts import Words
from tests.cli.exchange import EXCHANGE, pcap

ROOT = Path(__file__).parents[2]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Work:
    """A reading of 1000 bytes, a clock, and a terminal."""

    def __init__(self) -> None:
        self.done, self.now = 0, 100.0
        self.terminal = Terminal()

    def measure(self) -> tuple[int, int]:
        return self.done, 1000

    def clock(self) -> float:
        return self.now

    def progress(self, lang: str = "en", *, quiet: bool = False) -> Progress:
        return Progress(self.terminal, self.measure, Words(lang), self.clock, quiet=quiet)


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_progress_is_a_line_that_is_drawn_over_and_gone_at_the_end() -> None:
    work = Work()
    with work.progress() as progress:
        for done, passed_s in ((10, 0.5), (250, 1.5), (300, 1.6), (500, 2.5), (1000, 5.0)):
            work.done, work.now = done, 100.0 + passed_s
            progress.step(done * 10)
    first = "reading: 25 % (250 bytes of 1,000 bytes), 2,500 packets, 4 seconds left"
    second = "reading: 50 % (500 bytes of 1,000 bytes), 5,000 packets, 2 seconds left"
    assert work.terminal.getvalue() == f"\r{first}\r{second}\r{' ' * len(second)}\r"


def test_a_shorter_line_leaves_nothing_of_a_longer_one() -> None:
    work = Work()
    progress = work.progress("ko")
    for done in (100, 990):
        work.done, work.now = done, work.now + 60
        progress.step(1)
    first = "읽는 중: 10 % (1,000바이트 중 100바이트), 패킷 1개, 9분 남음"
    second = "읽는 중: 99 % (1,000바이트 중 990바이트), 패킷 1개, 2초 남음"
    assert work.terminal.getvalue() == f"\r{first}\r{second}"
    work.done, work.now = 999, work.now + 60
    progress.step(1)
    progress.clear()
    assert work.terminal.getvalue().endswith("\r" + " " * 60 + "\r")


def test_a_line_fits_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    work = Work()
    progress = work.progress("ko")
    work.done, work.now = 100, 110.0
    progress.step(1)
    assert work.terminal.getvalue() == "\r읽는 중: 10 % (1,00"


def test_there_is_none_where_it_is_short_or_quiet_or_no_terminal_or_a_pipe() -> None:
    work = Work()
    plain = io.StringIO()
    progresses = [
        work.progress(quiet=True),
        Progress(work.terminal, lambda: None, Words("en"), work.clock),
        Progress(plain, work.measure, Words("en"), work.clock),
    ]
    work.done, work.now = 500, 110.0
    for progress in progresses:
        progress.step(1)
    short = work.progress()
    work.now += 0.9
    short.step(1)
    assert (work.terminal.getvalue(), plain.getvalue()) == ("", "")
    assert progresses[0].above(work.terminal) is work.terminal


def test_rows_on_the_same_terminal_take_the_place_of_the_line() -> None:
    """As nobody reads it, it is one file: what was written stands in its order."""
    reading, writing = os.openpty()
    out = open(writing, "w", closefd=False)  # noqa: SIM115
    work = Work()
    progress = work.progress()
    above = progress.above(out)
    assert above.isatty()
    work.done, work.now = 500, 110.0
    progress.step(1)
    line = work.terminal.getvalue()
    above.write("row\n")
    assert work.terminal.getvalue() == line
    above.flush()
    assert work.terminal.getvalue() == line + "\r" + " " * (len(line) - 1) + "\r"
    assert os.read(reading, 100) == b"row\r\n"
    for number in (reading, writing):
        os.close(number)


def seen_on_a_terminal(arguments: list[str], *, also_stdout: bool) -> tuple[bytes, bytes]:
    """What a replay writes to a terminal as stderr, and to a pipe as stdout (or to the terminal too)."""
    program = (
        "import inspect_cli.cli.progress as p; p.LONG_S = p.STEP_S = -1.0\n"
        f"from inspect_cli.cli import cli; cli.main({arguments!r})"
    )
    ours, theirs = pty.openpty()
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm", "NO_COLOR": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=theirs if also_stdout else subprocess.PIPE,
        stderr=theirs,
        env=environment,
        cwd=ROOT,
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                more = os.read(ours, 4096)
            except OSError:  # Linux: nobody has the other end open any more
                break
            if not more:
                break
            shown += more
        out = process.stdout.read() if process.stdout else b""
    os.close(ours)
    return shown, out


def test_a_replay_shows_its_progress_on_a_terminal_and_clears_it(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("a.pcap", "b.pcap")]
    for name in names:
        Path(name).write_bytes(EXCHANGE)
    size = len(EXCHANGE)
    shown, out = seen_on_a_terminal(["replay", "--format", "ndjson", *names], also_stdout=False)
    line = f"reading: 50 % ({size} bytes of {2 * size} bytes), 4 packets, 2 seconds left".encode()
    assert shown == b"\r" + line + b"\r" + b" " * len(line) + b"\r"
    assert out.splitlines()[-1].startswith(b'{"type":"summary"')
    both, _ = seen_on_a_terminal(["replay", "--summary", *names], also_stdout=True)
    assert both.startswith(shown + names[0].encode())
    assert both.count(b"\r") == both.count(b"\n") + 3


def test_a_small_file_has_no_progress(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap())
    assert seen_on_a_terminal(["replay", "--format", "ndjson", str(path)], also_stdout=False)[0] == b""
