"""Our own captures: what each must show, held against its facts, tshark and golden files."""

from __future__ import annotations

import json
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from inspect_cli.events.base import Entry
from inspect_cli.events.capture import HostsNamed
from tests.reading import read, shown

CAPTURES = Path(__file__).parent.parent / "captures"
GOLDEN = Path(__file__).parent / "golden"
ALL = sorted(CAPTURES.glob("*.pcapng"))
FORMS = [("text", lang, width) for lang in ("en", "ko") for width in (80, 100)] + [
    ("ndjson", "en", 80),
    ("ndjson", "ko", 80),
]
needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def facts(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.with_suffix(".facts").read_text())


def objects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shown(path, "ndjson", "en").splitlines()]


def test_there_are_captures_and_each_has_its_facts_and_its_row_in_the_readme() -> None:
    readme = (CAPTURES / "README.md").read_text()

    assert len(ALL) >= 12
    assert [] == [p.name for p in ALL if not p.with_suffix(".facts").exists() or f"`{p.stem}`" not in readme]


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.stem)
def test_counts_are_those_that_were_written_down(path: Path) -> None:
    _, tally = read(path)
    said = facts(path)["summary"]
    frames = {key: value for key, value in tally.websocket_frames.items() if value}

    assert said == {key: frames if key == "websocket_frames" else getattr(tally, key) for key in said}


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.stem)
def test_rows_say_what_was_written_down_in_that_order(path: Path) -> None:
    rows = [o for o in objects(path) if o["type"] == "entry"]
    at = 0
    for kind, text in facts(path)["rows"]:
        found = next((i for i in range(at, len(rows)) if rows[i]["kind"] == kind and text in rows[i]["text"]), None)
        assert found is not None, f"no {kind!r} row that says {text!r} behind row {at}"
        at = found + 1


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.stem)
def test_annotations_are_those_that_were_written_down(path: Path) -> None:
    rows, _ = read(path)
    codes = {a.code for row in rows if isinstance(row, Entry) for a in row.annotations}

    assert [] == [code for code in facts(path)["annotations"] if code not in codes]
    assert [] == [code for code in facts(path).get("not", []) if code in codes]


@needs_tshark
@pytest.mark.parametrize("path", ALL, ids=lambda p: p.stem)
def test_tshark_reads_the_file_and_counts_the_same(path: Path) -> None:
    _, tally = read(path)

    def count(what: str, field: str = "frame.number") -> int:
        command = ["tshark", "-n", "-r", str(path), "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", what]
        command += ["-T", "fields", "-e", field, "-E", "aggregator=\x1f"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return sum(len(line.split("\x1f")) for line in done.stdout.split("\n") if line)

    listing = ["tshark", "-n", "-r", str(path), "-Y", "tcp", "-T", "fields", "-e", "tcp.stream"]
    streams = set(subprocess.run(listing, capture_output=True, text=True, check=True).stdout.splitlines())
    theirs = {
        "packets": count("frame"),
        "connections": len(streams),
        "syn": count("tcp.flags.syn==1 && tcp.flags.ack==0"),
        "syn_ack": count("tcp.flags.syn==1 && tcp.flags.ack==1"),
        "fin": count("tcp.flags.fin==1"),
        "rst": count("tcp.flags.reset==1"),
        "http_requests": count("http.request", "http.request.method"),
        "http_responses": count("http.response", "http.response.code"),
        "set_cookie": count("http.set_cookie", "http.set_cookie"),
        "cookie": count("http.cookie", "http.cookie"),
    }
    ours = {key: getattr(tally, key) for key in theirs}
    assert theirs | facts(path).get("tshark", {}) == ours


@pytest.mark.parametrize("form", FORMS, ids=lambda f: "-".join(map(str, f)))
@pytest.mark.parametrize("path", ALL, ids=lambda p: p.stem)
def test_what_replay_prints_is_golden(path: Path, form: tuple[str, str, int], request: pytest.FixtureRequest) -> None:
    kind, lang, width = form
    ending = f"{lang}.{width}.txt" if kind == "text" else f"{lang}.ndjson"
    golden = GOLDEN / f"{path.stem}.{ending}"
    printed = shown(path, kind, lang, width)
    if request.config.getoption("--update-golden"):
        golden.write_text(printed, encoding="utf-8")

    assert golden.read_text(encoding="utf-8") == printed


def test_no_golden_file_is_left_over() -> None:
    stems = {p.stem for p in ALL}

    assert [] == [g.name for g in GOLDEN.iterdir() if g.name.split(".")[0] not in stems]


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.stem)
def test_rows_are_the_same_for_every_batch_size(path: Path) -> None:
    whole = read(path)

    assert whole == read(path, batch_bytes=300)
    assert whole == read(path, at_once=False)


def test_one_connection_alone_has_the_names_and_not_the_rows_of_dns() -> None:
    path = CAPTURES / "udp-dns.pcapng"
    rows, tally = read(path, connection=0)
    whole, _ = read(path)
    picked = [row for row in whole if isinstance(row, Entry) and row.event.where.channel.startswith("tcp/")]

    assert [row.pairs for row in rows if isinstance(row, HostsNamed)] == [(("127.0.0.2", b"www.shop.example"),)]
    assert [row.event for row in rows if isinstance(row, Entry)] == [row.event for row in picked]
    assert next(row.number for row in rows if isinstance(row, Entry)) == 1
    assert tally.udp_conversations == 1
    assert [] == [row for row in read(path, connection=0, names=False)[0] if isinstance(row, HostsNamed)]
    assert rows == read(path, connection=0, batch_bytes=300)[0]


@pytest.mark.parametrize("path", ALL, ids=lambda p: p.stem)
def test_a_summary_equals_the_summary_of_a_full_run(path: Path) -> None:
    _, full = read(path)
    _, alone = read(path, summary_only=True)
    full.concepts = None

    assert full == alone
