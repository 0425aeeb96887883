"""`replay`: which rows are shown, and when a large capture is told by an overview."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from inspect_cli.cli import cli
from inspect_cli.render.overview import MOST_CONNECTIONS
from tests.cli.exchange import EXCHANGE, datagram, frame, pcap

CAPTURES = Path(__file__).parents[2] / "captures"


def replay(*arguments: str, given: bytes | None = None) -> Result:
    return CliRunner().invoke(cli, ["replay", "--lang", "en", *arguments], input=given, env={"COLUMNS": "80"})


def entries(result: Result) -> list[dict[str, object]]:
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    return [row for row in rows if row["type"] == "entry"]


def test_filter_asks_how_a_connection_will_end() -> None:
    files = [str(CAPTURES / f"{name}.pcapng") for name in ("tcp-reset", "ws-close-code")]
    resets = entries(replay(*files, "--format", "ndjson", "-Y", "closed == rst"))
    syns = entries(replay(*files, "--format", "ndjson", "-Y", "closed != rst and syn"))
    everything = entries(replay(*files, "--format", "ndjson"))
    reset = {row["channel"] for row in resets}
    assert [row for row in everything if row["channel"] in reset] == resets
    assert [row for row in everything if row["kind"] == "syn" and row["channel"] not in reset] == syns
    assert syns


def test_standard_input_cannot_be_asked_how_a_connection_will_end() -> None:
    result = replay("-", "-Y", "closed == rst", given=EXCHANGE)
    assert (2, "") == (result.exit_code, result.stdout)
    assert "not of standard input or a pipe" in result.stderr


def test_filter_that_is_wrong_shows_nothing_and_says_where(tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(EXCHANGE)
    result = replay(str(tmp_path / "a.pcap"), "-Y", "kind == requst")
    assert (2, "") == (result.exit_code, result.stdout)
    assert [
        "inspect-cli: -Y: kind is never requst",
        "  kind == requst",
        "          ^",
        "  near: request, rst, socks-request",
    ] == result.stderr.splitlines()


def many(tmp_path: Path) -> str:
    """A capture of one connection more than are shown row by row."""
    syns = []
    for n in range(MOST_CONNECTIONS + 1):
        data = bytearray(frame(b"", 2, 100, 0, from_client=True))
        data[14 + 20 : 14 + 22] = (20_000 + n).to_bytes(2, "big")
        syns.append(bytes(data))
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap(*syns))
    return str(path)


def test_large_capture_is_an_overview_unless_rows_are_asked_for(tmp_path: Path) -> None:
    path = many(tmp_path)
    overview = replay(path).stdout
    assert "too many to read. To go on:" in overview
    assert "SYN --" not in overview
    for asked in (["--all"], ["-Y", "syn"], ["--connection", "7"]):
        rows = replay(path, *asked).stdout
        assert "too many to read" not in rows
        assert "SYN --" in rows
    assert MOST_CONNECTIONS + 1 == len(entries(replay(path, "--format", "ndjson", "-Y", "syn")))


def test_rows_of_a_pipe_are_shown_as_they_come_however_many(tmp_path: Path) -> None:
    assert "SYN --" in replay("-", given=Path(many(tmp_path)).read_bytes()).stdout


def test_hosts_are_named_as_dns_answers_do_unless_n_is_given(tmp_path: Path) -> None:
    question = b"\x00\x01\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04shop\x07example\x00\x00\x01\x00\x01"
    said = question[:2] + b"\x81\x80\x00\x01\x00\x01" + question[8:] + b"\xc0\x0c\x00\x01\x00\x01" + bytes(4)
    frames = [
        datagram(question, 4000, 53),
        datagram(said + b"\x00\x04\x0a\x00\x00\x02", 53, 4000),
        frame(b"", 2, 100, 0, from_client=True),
    ]
    (tmp_path / "a.pcap").write_bytes(pcap(*frames))

    def named(*options: str) -> list[str]:
        return [line.strip() for line in replay(str(tmp_path / "a.pcap"), *options).stdout.splitlines()]

    assert [line.split("  ")[-1] for line in named() if "(DNS #2)" in line] == ["shop.example (DNS #2)"]
    assert [line for line in named("-n") if "(DNS #2)" in line] == []
    assert "10.0.0.2" in named("-n")  # the answer itself stays
