"""Rows shown by a process beside the one that reads: the same rows, and the same ends."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.exchange import datagram, pcap
from tests.corpus import CORPUS, manifest, needs_corpus
from tests.wire.making import Pcapng

CAPTURES = Path(__file__).parents[2] / "captures"
REPLAY = [sys.executable, "-m", "inspect_cli", "replay"]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def replay(*arguments: str) -> tuple[int, bytes, bytes]:
    done = subprocess.run([*REPLAY, *arguments], capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--format", "ndjson"],
        ["--format", "json", "--redact"],
        ["--lang", "ko", "-v"],
        ["-Y", "closed == fin and level >= notice"],
        ["--connection", "0"],
        ["--connection", "99"],
        ["-Y", "there is no such"],
        ["-o", "/nowhere/at/all"],
    ],
    ids=" ".join,
)
def test_rows_and_ends_are_those_of_one_process(options: list[str]) -> None:
    path = str(CAPTURES / "http-login-logout.pcapng")
    assert replay(path, *options) == replay(path, *options, "--workers", "2")


@needs_corpus
@pytest.mark.parametrize("row", manifest()[::3], ids=lambda row: Path(row["path"]).name)
def test_captures_of_others_are_told_alike(row: dict[str, str]) -> None:
    path = str(CORPUS / row["path"])
    assert replay(path, "--format", "ndjson") == replay(path, "--format", "ndjson", "--workers", "2")


@needs_corpus
@pytest.mark.parametrize("row", manifest()[1::3], ids=lambda row: Path(row["path"]).name)
def test_captures_of_others_are_filtered_alike(row: dict[str, str]) -> None:
    path = str(CORPUS / row["path"])
    shows_all = [path, "--format", "ndjson", "-Y", "number > 0"]  # what follows from events is found beside, too
    assert replay(*shows_all) == replay(*shows_all, "--workers", "2")


def test_several_files_are_told_alike() -> None:
    paths = [str(CAPTURES / name) for name in ("ws-echo.pcapng", "http-ipv6.pcapng")]
    assert replay(*paths) == replay(*paths, "--workers", "2")


def test_names_that_the_file_gives_are_told_alike(tmp_path: Path) -> None:
    path = tmp_path / "named.pcapng"
    name = Pcapng().nrb((1, bytes([192, 0, 2, 2]) + b"shop.example\0"))
    path.write_bytes((CAPTURES / "tcp-loss.pcapng").read_bytes() + name)
    code, shown, said = replay(str(path), "--workers", "2")
    assert (code, b"shop.example (file)" in shown) == (0, True)
    assert (code, shown, said) == replay(str(path))
    assert b"shop.example" not in replay(str(path), "--workers", "2", "-n")[1]


def test_a_damaged_file_is_told_alike(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcapng"
    path.write_bytes((CAPTURES / "ws-echo.pcapng").read_bytes()[:3000])
    code, shown, said = replay(str(path), "--workers", "2")
    assert 4 == code
    assert (code, shown, said) == replay(str(path))


def test_a_reader_who_goes_away_ends_both_without_a_word() -> None:
    command = [*REPLAY, str(CAPTURES / "http-login-logout.pcapng"), "--format", "ndjson", "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"" == process.stderr.read()
        assert -signal.SIGPIPE == process.wait(timeout=30)


def test_a_disk_that_is_full_is_said() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    path = str(CAPTURES / "http-login-logout.pcapng")
    ends = []
    for workers in "12":
        with open("/dev/full", "wb") as full:
            command = [*REPLAY, path, "--format", "ndjson", "--workers", workers]
            done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
        ends.append((done.returncode, done.stderr))
    assert 2 == ends[0][0]
    assert ends[0] == ends[1]


def test_datagrams_are_told_alike(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(pcap(*(datagram(b"hello", 4000 + n % 3, 9000) for n in range(9))))
    one, two = (replay(str(path), "--format", "ndjson", "--workers", workers) for workers in "12")

    assert one == two
    assert one[1].count(b'"udp-conversation"') == one[1].count(b'"udp-end"') == 3


def test_words_that_do_not_fit_the_disk_are_no_fault_of_ours() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "inspect_cli", "explain", "cookie", "--lang", "en"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    said = "inspect-cli: - cannot be written: No space left on device"
    assert (2, said) == (done.returncode, done.stderr.splitlines()[0])


@pytest.mark.parametrize("command", [["explain", "cookie"], ["--help"], ["explain", "--lang", "ko"]])
def test_a_closed_stdout_is_told_in_one_sentence(command: list[str]) -> None:
    line = f"exec {shlex.join([sys.executable, '-m', 'inspect_cli', *command])} >&-"
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "Bad file descriptor" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_of_stderr_who_has_gone_changes_no_exit_code() -> None:
    command = [sys.executable, "-m", "inspect_cli", "replay", "no such file"]
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as gone:
        done = subprocess.run(command, stderr=gone, stdout=subprocess.PIPE, timeout=60, check=False)

    assert (2, b"") == (done.returncode, done.stdout)
