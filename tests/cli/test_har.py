"""`replay session.har`, and whose rules decide."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_replay import entries, replay
from tests.sources.hars import CHROMIUM, FIREFOX, entry, har

CAPTURES = Path(__file__).parents[2] / "captures"


@pytest.fixture
def session(tmp_path: Path) -> str:
    path = tmp_path / "session.har"
    path.write_bytes(CHROMIUM)
    return str(path)


def test_the_first_line_says_that_there_are_no_packets(session: str) -> None:
    result = replay(session)

    assert 0 == result.exit_code
    first = result.stdout.partition("\n\n")[0]
    said = (
        f"{session}: a HAR, as a browser or a tool exports it. It holds no packets: heads are what it reports, "
        "written as HTTP/1.1, bodies are not shown, each row is marked `HAR`"
    )
    assert "".join(said.split()) == "".join(first.split())  # however long the path, wherever lines are broken
    assert "    0.000    HAR  GET /login?next=%2F ---" in result.stdout
    assert [
        "2 WebSocket messages not shown: a HAR has messages, not the frames that carried them",
        "1 entry not shown: answered from a cache or a service worker, blocked, or not HTTP",
    ] == result.stderr.splitlines()


def test_everything_is_reported_and_nothing_is_counted(session: str) -> None:
    lines = [json.loads(line) for line in replay(session, "--format", "ndjson").stdout.splitlines()]
    summary = lines[-1]

    assert ("reported", "reported") == (lines[0]["source"], summary["capture"]["source"])
    assert {"reported"} == {row["basis"] for row in lines if row["type"] == "entry"}
    counts = {name: value for name, value in summary["summary"].items() if isinstance(value, int)}
    assert {0} == set(counts.values())
    assert {} == summary["summary"]["problems"]


def test_a_har_is_read_from_standard_input_packed_or_not(session: str) -> None:
    expected = entries(replay(session, "--format", "ndjson"))

    assert 13 == len([row for row in expected if row["layer"] != "session"])
    for given in (CHROMIUM, gzip.compress(CHROMIUM)):
        assert expected == entries(replay("-", "--format", "ndjson", given=given))


def test_another_process_shows_the_same(session: str) -> None:
    form = ("--format", "ndjson", "--quiet", "--lang", "en")

    command = [sys.executable, "-m", "inspect_cli", "replay", session, *form, "--workers", "2"]
    apart = subprocess.run(command, capture_output=True, check=True, timeout=60)

    assert replay(session, *form, "--workers", "1").stdout_bytes == apart.stdout


def test_a_broken_har_is_one_sentence_and_what_was_read_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "cut.har"
    path.write_bytes(FIREFOX[:-6])
    result = replay(str(path))

    assert 4 == result.exit_code
    assert "POST /buy" in result.stdout
    assert (
        f"inspect-cli: {path} is no whole HAR: its JSON is broken or ends early; 1 entry was read"
        == (result.stderr.splitlines()[0])
    )


def test_a_har_without_any_cookie_asks_how_it_was_exported(tmp_path: Path) -> None:
    path = tmp_path / "x.har"
    path.write_bytes(har(entry("http://a.test/")))

    assert [
        "no Cookie and no Set-Cookie in it: was it exported without sensitive data? Chromium offers an export with them"
    ] == replay(str(path)).stderr.splitlines()


def test_packets_of_a_har_cannot_be_written(session: str, tmp_path: Path) -> None:
    result = replay(session, "-w", str(tmp_path / "out.pcapng"))

    assert (2, "") == (result.exit_code, result.stdout)
    assert f"-w writes packets, and a HAR ({session}) has none" in result.stderr
    assert not (tmp_path / "out.pcapng").exists()


def test_as_decides_as_that_client_whatever_a_context_says(session: str) -> None:
    def decided(name: str) -> list[str]:
        rows = entries(replay(session, "--format", "ndjson", "--as", name, "-Y", "name == seen"))
        return [str(row["kind"]) for row in rows]

    assert [["cookie-refused"], ["cookie-refused"], ["cookie-stored"], ["cookie-stored"]] == [
        decided(name) for name in ("rfc6265bis", "chromium", "safari", "Curl")
    ]


def test_as_decides_for_a_recorded_run_of_ours_too() -> None:
    capture = str(CAPTURES / "cookies-attributes.pcapng")

    def kinds(*options: str) -> set[str]:
        return {
            str(row["kind"]) for row in entries(replay(capture, "--format", "ndjson", "-Y", "name == secure", *options))
        }

    assert [{"cookie-refused"}, {"cookie-refused"}] == [kinds(), kinds("--as", "safari")]
    assert "cookie-stored" in kinds("--as", "chromium")


def test_as_knows_six_clients() -> None:
    result = replay(str(CAPTURES / "http-keep-alive.pcapng"), "--as", "netscape")

    assert 2 == result.exit_code
    assert "'netscape' is not one of rfc6265bis, chromium, firefox, safari, curl, python." in result.stderr
