"""`replay` as a command: many files, directories, pipes and files that are being written."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from lz4 import frame as lz4

from inspect_cli.cli import cli
from inspect_cli.events.calls import Call, Secrets
from inspect_cli.events.capture import Names
from inspect_cli.wire.notes import write_note
from tests.cli.exchange import EXCHANGE
from tests.wire.making import Pcapng, pcap, read

ROOT = Path(__file__).parents[2]
HEADER, RECORDS = EXCHANGE[:24], EXCHANGE[24:]


def rows(*arguments: str) -> list[dict[str, Any]]:
    """All lines of ndjson but what names the files."""
    done = CliRunner().invoke(cli, ["replay", "--format", "ndjson", *arguments])
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for line in lines:
        if "capture" in line:
            del line["capture"]["files"]
    return lines


@pytest.mark.parametrize("name", ["http-login-logout", "ws-fragmented", "tcp-reset"])
def test_cuts_and_packing_never_change_entries_or_the_summary(name: str, tmp_path: Path) -> None:
    """Connections go on across files; frame numbers count on."""
    frames = read((ROOT / "captures" / f"{name}.pcapng").read_bytes()).rows
    records = [(row[1] // 10**9, row[1] % 10**9, row[2]) for row in frames]
    nanoseconds, link = "4d3cb2a1", frames[0][4]
    whole = tmp_path / "whole.pcap"
    whole.write_bytes(pcap(records, nanoseconds, link))
    expected = rows(str(whole), "-v")
    summary = rows(str(whole), "--summary")
    packers: list[Callable[[bytes], bytes]] = [bytes, gzip.compress, lz4.compress]

    @settings(max_examples=8, deadline=None)
    @given(st.integers(1, len(records) - 1), st.sampled_from(packers), st.sampled_from(packers))
    def holds(cut: int, pack: Callable[[bytes], bytes], pack_next: Callable[[bytes], bytes]) -> None:
        folder = tmp_path / "pieces"
        folder.mkdir(exist_ok=True)
        # The order of names is not that of the times.
        (folder / "b").write_bytes(pack(pcap(records[:cut], nanoseconds, link)))
        (folder / "a").write_bytes(pack_next(pcap(records[cut:], nanoseconds, link)))
        assert rows(str(folder), "-v") == expected
        assert rows(str(folder / "a"), str(folder / "b"), "--summary") == summary

    holds()


def test_what_is_no_capture_in_a_directory_is_a_hint(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(EXCHANGE)
    (tmp_path / "notes.txt").write_text("hello")
    for options, said in (
        ([], f"1 file in {tmp_path} skipped: no captures\n"),
        (["--lang", "ko"], f"{tmp_path}에서 캡처가 아닌 파일 1개를 건너뜀\n"),
        (["-q"], ""),
    ):
        done = CliRunner().invoke(cli, ["replay", str(tmp_path), "--summary", *options])
        assert (done.exit_code, done.stderr) == (0, said)


def test_a_directory_without_a_capture_is_unreadable_input(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    done = CliRunner().invoke(cli, ["replay", str(tmp_path), "--lang", "en"])
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr.startswith(f"inspect-cli: {tmp_path}: no file in this directory is a capture\n")


def test_the_output_may_not_be_a_file_of_the_directory_that_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(EXCHANGE)
    done = CliRunner().invoke(cli, ["replay", str(tmp_path), "-o", str(tmp_path / "a.pcap")])
    assert (done.exit_code, (tmp_path / "a.pcap").read_bytes()) == (2, EXCHANGE)


@pytest.mark.parametrize("pack", [gzip.compress, lz4.compress])
def test_packed_standard_input_that_ends_early_shows_what_came(pack: Callable[[bytes], bytes]) -> None:
    data = pack(EXCHANGE)[:-3]
    done = CliRunner().invoke(cli, ["replay", "-", "--format", "ndjson", "--lang", "en"], input=data)
    last = json.loads(done.stdout.splitlines()[-1])
    name = "gzip" if pack is gzip.compress else "lz4"
    assert (done.exit_code, last["capture"]["complete"]) == (4, False)
    assert f"its {name} data ends early" in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("inspect-cli: ")]) == 1


def test_comments_of_sections_and_interfaces_are_rows_of_their_own(tmp_path: Path) -> None:
    p = Pcapng()
    path = tmp_path / "a.pcapng"
    blocks = p.shb((1, b"why")) + p.idb(1, 0, (2, b"eth0"), (1, b"where")) + p.nrb((1, bytes(4) + b"x"))
    path.write_bytes(blocks + b"".join(p.epb(data, 7) for _, _, data, _, _ in read(EXCHANGE).rows))
    told = [row for row in rows(str(path)) if row.get("kind") == "comment"]
    assert [(row["number"], row["frames"], row["time_ns"], row["fields"]) for row in told] == [
        (1, [], 7000, {"comment": "why", "about": "section", "name": ""}),
        (2, [], 7000, {"comment": "where", "about": "interface", "name": "eth0"}),
    ]
    for lang, texts in (
        ("en", ["comment of the section: why", "comment of the interface eth0: where"]),
        ("ko", ["주석 (섹션): why", "주석 (인터페이스) eth0: where"]),
    ):
        assert [r["text"] for r in rows(str(path), "--lang", lang) if r.get("kind") == "comment"] == texts
    assert rows(str(path), "--summary")[-1]["summary"] == {**rows(str(path))[-1]["summary"], "concepts": None}


CAPTURES = sorted((ROOT / "captures").glob("*.pcapng"))


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_a_capture_written_anew_shows_the_same_rows(capture: Path, tmp_path: Path) -> None:
    """Numbers and all: frames, calls, contexts; nobody else may read the file."""
    out = tmp_path / "out.pcapng"
    assert rows(str(capture), "-v", "-w", str(out)) == rows(str(out), "-v")
    assert out.stat().st_mode & 0o777 == 0o600


def test_everything_in_files_of_any_kind_is_written(tmp_path: Path) -> None:
    """Comments, names and drops too; a directory becomes one file."""
    p = Pcapng()
    blocks = p.shb((1, b"why")) + p.idb(1, 0, (2, b"eth0"), (1, b"where")) + p.nrb((1, bytes(4) + b"x"))
    blocks += b"".join(p.epb(data, 7, 0, None, (1, b"what")) for _, _, data, _, _ in read(EXCHANGE).rows)
    blocks += p.dsb(b"CLIENT_RANDOM 1 2\n") + p.isb(0, (5, p.number(9)))
    (tmp_path / "one").write_bytes(gzip.compress(blocks))
    (tmp_path / "two").write_bytes(EXCHANGE)
    out = tmp_path / "out.pcapng"
    expected = rows(str(tmp_path), "-w", str(out))
    again = rows(str(out))
    assert again == expected
    assert again[-1]["summary"]["capture_drops"] == 9
    written = read(out.read_bytes())
    assert Secrets(b"CLIENT_RANDOM 1 2\n") in written.items
    assert Names((("0.0.0.0", "x"),)) in written.items


def of_port(port: int, seq: int) -> list[bytes]:
    """EXCHANGE's frames from another port and from another sequence number on."""
    made = []
    for _, _, data, _, _ in read(EXCHANGE).rows:
        frame = bytearray(data)
        at = 34 if frame[34:36] != b"\0\x50" else 36
        frame[at : at + 2] = port.to_bytes(2, "big")
        for place in (38, 42):
            number = int.from_bytes(frame[place : place + 4], "big")
            frame[place : place + 4] = (number + seq if number else 0).to_bytes(4, "big")
        made.append(bytes(frame))
    return made


@pytest.mark.parametrize(("options", "is_named"), [([], True), (["-n"], False)])
def test_hosts_have_names_where_one_connection_is_shown_alone(options: list[str], is_named: bool) -> None:
    path = ROOT / "captures" / "udp-dns.pcapng"
    done = CliRunner().invoke(cli, ["replay", str(path), "--connection", "0", *options])

    assert done.exit_code == 0
    assert ("www.shop.example (DNS #2)" in done.stdout) is is_named
    assert "UDP datagram" not in done.stdout


@pytest.mark.parametrize("options", [[], ["--summary"]])
def test_one_connection_is_cut_out_of_a_capture(options: list[str], tmp_path: Path) -> None:
    """Connection 2 has the ports of connection 0, and its frames stand among others'."""
    p = Pcapng()
    first, other, again = of_port(50000, 0), of_port(50001, 0), of_port(50000, 90_000)
    mixed = [*first, *(frame for pair in zip(other, again, strict=True) for frame in pair)]
    note = write_note(Call(1000, "connect", 3, "begun", "", "10.0.0.2:80", "", ""))[0].encode()
    blocks = p.shb() + p.idb() + p.dsb(b"CLIENT_RANDOM 1 2\n")
    for i, frame in enumerate(mixed):
        blocks += p.epb(frame, i + 1, 0, None, *([(1, note)] if i == 4 else []), (1, b"n%d" % i))
    path, out = tmp_path / "mixed.pcapng", tmp_path / "cut.pcapng"
    path.write_bytes(blocks)
    for number, frames in ((0, first), (1, other), (2, again)):
        places = [mixed.index(frame) for frame in frames]
        shown = rows(str(path), "--connection", str(number), "-w", str(out), *options)
        written = read(out.read_bytes())
        assert [(row[1], row[2]) for row in written.rows] == [((i + 1) * 1000, mixed[i]) for i in places]
        texts = [item[2] for item in written.items if isinstance(item, tuple) and item[0] == "comment"]
        assert texts == [(f"n{i}",) for i in places]
        others = [item for item in written.items if not isinstance(item, tuple)]
        assert [type(item) for item in others] == [Secrets, Call]
        if not options:
            assert of_channel(rows(str(out)), 0) == of_channel(shown, number)


def of_channel(shown: list[dict[str, Any]], number: int) -> list[tuple[Any, ...]]:
    """What a connection's rows say, numbers apart, and apart from when it was given up."""
    mine = [row for row in shown if row["type"] == "entry" and row["channel"] == f"tcp/{number}" and row["frames"]]
    assert len(mine) >= 5
    without_frames = [{k: v for k, v in row["fields"].items() if "frame" not in k} for row in mine]
    return [(row["kind"], row["time_ns"], fields) for row, fields in zip(mine, without_frames, strict=True)]


def test_what_is_written_is_neither_the_input_nor_a_second_thing_on_stdout(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(EXCHANGE)
    for arguments in ([str(path), "-w", str(path)], [str(tmp_path), "-w", str(path)], [str(path), "-w", "-"]):
        done = CliRunner().invoke(cli, ["replay", *arguments, "--lang", "en"])
        assert (done.exit_code, done.stdout, path.read_bytes()) == (2, "", EXCHANGE)
    done = CliRunner().invoke(cli, ["replay", str(path), "-w", "-", "-o", str(tmp_path / "out")])
    assert (done.exit_code, read(done.stdout_bytes).rows) == (0, read(EXCHANGE).rows)


def running(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "inspect_cli", "replay", *arguments]
    return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def records() -> list[bytes]:
    """The records of EXCHANGE one by one."""
    parts, at = [], 0
    while at < len(RECORDS):
        size = 16 + int.from_bytes(RECORDS[at + 8 : at + 12], "little")
        parts.append(RECORDS[at : at + size])
        at += size
    return parts


def kinds_until(stream: Any, frame: int) -> list[str]:
    """Kinds of the entries up to one that this frame shows."""
    kinds: list[str] = []
    for line in stream:
        row = json.loads(line)
        if row["type"] == "entry":
            kinds.append(row["kind"])
            if frame in row["frames"]:
                return kinds
    raise AssertionError(kinds)


@pytest.mark.parametrize("packed", [False, True])
def test_rows_of_a_pipe_appear_as_its_packets_arrive(packed: bool) -> None:
    """The next packet is written only when the row of the last one was read."""
    pack: Callable[[bytes], bytes] = lz4.compress if packed else bytes
    with running("-", "--format", "ndjson", stdin=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        process.stdin.write(pack(HEADER))
        seen = []
        for number, record in enumerate(records(), 1):
            process.stdin.write(pack(record))
            seen.append(kinds_until(process.stdout, number)[-1])
        process.stdin.close()
        assert process.wait(20) == 0
    assert seen == ["syn", "syn-ack", "handshake-ack", "response"]


def test_a_file_is_followed_as_it_grows_until_ctrl_c(tmp_path: Path) -> None:
    path = tmp_path / "growing.pcap"
    path.write_bytes(HEADER)
    first, second, *rest = records()
    with running(str(path), "--follow", "--format", "ndjson", bufsize=0) as process, path.open("ab", 0) as out:
        assert process.stdout is not None
        assert process.stderr is not None
        out.write(first + second[:20])
        assert kinds_until(process.stdout, 1) == ["syn"]
        out.write(second[20:])
        assert kinds_until(process.stdout, 2) == ["syn-ack"]
        out.write(b"".join(rest)[:-1])
        assert kinds_until(process.stdout, 3) == ["handshake-ack"]
        process.send_signal(signal.SIGINT)
        last = json.loads(process.stdout.readlines()[-1])
        assert (process.wait(20), process.stderr.read()) == (130, b"")
    assert (last["capture"]["complete"], last["summary"]["packets"]) == (False, 3)


def test_a_named_pipe_shows_its_rows_at_once_too(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    seen = threading.Event()

    def write() -> None:
        with path.open("wb", 0) as out:
            out.write(HEADER + records()[0])
            seen.wait(20)

    writer = threading.Thread(target=write)
    writer.start()
    with running(str(path), "--format", "ndjson", bufsize=0) as process:
        assert kinds_until(process.stdout, 1) == ["syn"]
        seen.set()
        assert process.wait(20) == 0
    writer.join()


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="this system has no SIGPIPE")
@pytest.mark.parametrize("form", ["text", "ndjson", "json"])
def test_a_reader_who_leaves_a_pipe_that_goes_on_ends_it_without_a_word(form: str) -> None:
    with running("-", "--format", form, stdin=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(HEADER + records()[0])
        process.stdout.read(1)
        process.stdout.close()
        process.stdin.write(b"".join(records()[1:]))
        process.stdin.close()
        assert (process.wait(20), process.stderr.read()) == (-signal.SIGPIPE, b"")
