"""The whole journey: a request is made, its packets are captured, told, written, and replayed to the same rows."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inspect_cli.practice import Practice, running
from inspect_cli.sources.rights import may_capture, namespace_possible

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def captures() -> None:
    """Packets can be had here, if need be in a namespace."""
    if may_capture() and namespace_possible():
        pytest.skip("this process may not capture, and the kernel gives it no namespace")


@pytest.fixture(scope="module")
def site() -> Iterator[Practice]:
    with running() as practice:
        yield practice


def inspect(*arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inspect_cli", *arguments],
        cwd=ROOT,
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "100"},
    )


def document(*arguments: str) -> dict[str, Any]:
    done = inspect(*arguments, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.sniff
@pytest.mark.usefixtures("captures")
@pytest.mark.parametrize(
    ("arguments", "look"),
    [
        (["cookie-trace"], []),
        (["cookie-trace"], ["-v"]),
        (["cookie-trace", "--as", "chromium"], []),
        (["cookie-trace", "--as", "curl"], []),
        (["cookie-trace", "--as", "python"], []),
        (["ws-handshake", "--ping"], []),
        (["ws-handshake", "--as", "firefox", "--from", "https://elsewhere.test"], []),
    ],
)
def test_a_replay_of_what_was_written_tells_the_same(arguments: list[str], look: list[str], tmp_path: Path) -> None:
    path = tmp_path / "run.pcapng"
    live = document(*arguments, *look, "-w", str(path))
    replayed = document("replay", str(path), *look)

    for part in ("entries", "connections", "summary"):
        assert live[part] == replayed[part]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.sniff
def test_a_restart_takes_the_session_cookies_and_the_file_of_the_run_says_so(site: Practice, tmp_path: Path) -> None:
    if may_capture():
        pytest.skip("this process may not capture")
    path, jar = str(tmp_path / "run.pcapng"), tmp_path / "jar"
    jar.write_text(f"{netscape_line('old', 0)}{netscape_line('kept', 4_000_000_000)}", encoding="utf-8")
    url = site.http_url
    live = document("cookie-trace", url, "-b", str(jar), "--then", f"{url}/shop", "--restart", "-w", path)
    replayed = document("replay", path)

    for part in ("entries", "connections", "summary"):
        assert live[part] == replayed[part]
    (row,) = [entry for entry in live["entries"] if entry["kind"] == "client-restarted"]
    assert row["fields"] == {"jar": "jar", "gone": ["old", "sid"], "kept": ["kept", "theme"]}
    assert (row["basis"], row["frames"]) == ("reported", [])
    assert ["session-cookie.gone", "persistent-cookie.stayed"] == [note["code"] for note in row["annotations"]]
    sent = [e["fields"]["name"] for e in live["entries"] if e["kind"] == "cookie-sent"]
    assert sent == ["old", "kept", "kept", "theme"]
    assert [c["closed"] for c in live["connections"]] == ["fin", "fin"]


@pytest.mark.parametrize(
    ("more", "sent", "rows"),
    [([], ["old", "kept"], []), (["-j"], ["kept"], [{"jar": "jar", "gone": ["old"], "kept": ["kept"]}])],
)
def test_session_cookies_of_a_file_are_junk_with_j(
    site: Practice, tmp_path: Path, more: list[str], sent: list[str], rows: list[dict[str, Any]]
) -> None:
    jar = tmp_path / "jar"
    jar.write_text(f"{netscape_line('old', 0)}{netscape_line('kept', 4_000_000_000)}", encoding="utf-8")
    told = document("cookie-trace", f"{site.http_url}/cookies", "-b", str(jar), "-q", "--sniff", "never", *more)

    assert sent == [e["fields"]["name"] for e in told["entries"] if e["kind"] == "cookie-sent"]
    assert rows == [e["fields"] for e in told["entries"] if e["kind"] == "client-restarted"]


def netscape_line(name: str, expires: int) -> str:
    return f"127.0.0.1\tFALSE\t/\tFALSE\t{expires}\t{name}\t1\n"


@pytest.mark.parametrize(
    ("profile", "stored"),
    [
        ("rfc6265bis", False),  # loopback is no secure scheme to the draft
        ("chromium", True),
        ("curl", True),
    ],
)
def test_a_secure_cookie_from_plain_loopback_is_kept_as_the_client_would(
    site: Practice, profile: str, stored: bool
) -> None:
    told = document("cookie-trace", f"{site.http_url}/cookies/all", "--as", profile, "-q", "--sniff", "never")
    kinds = {e["fields"]["name"]: e["kind"] for e in told["entries"] if e["layer"] == "cookie"}

    assert ("cookie-stored" if stored else "cookie-refused") == kinds["secure"]


@pytest.mark.sniff
@pytest.mark.usefixtures("captures")
def test_the_tour_shows_a_whole_connection_and_its_cookies() -> None:
    told = document("cookie-trace")
    summary = told["summary"]

    assert summary["handshakes_complete"] >= 1
    assert summary["set_cookie"] >= 1
    assert summary["cookie"] >= 1
    assert {connection["closed"] for connection in told["connections"]} == {"fin"}
    assert {"cookie-stored", "cookie-sent", "cookie-withheld", "session-issued"} <= {e["kind"] for e in told["entries"]}


@pytest.mark.sniff
@pytest.mark.usefixtures("captures")
def test_the_websocket_tour_is_opened_used_and_closed() -> None:
    told = document("ws-handshake", "--ping", "--send", "안녕")
    frames = told["summary"]["websocket_frames"]

    assert told["summary"]["websocket_handshakes"] == 1
    assert (frames["text"], frames["ping"], frames["pong"], frames["close"]) == (2, 1, 1, 2)
    assert [connection["closed"] for connection in told["connections"]] == ["fin"]


@pytest.mark.parametrize("command", ["cookie-trace", "ws-handshake"])
def test_without_packets_nothing_is_observed(command: str) -> None:
    done = inspect(command, "--sniff", "never", "--format", "json", "--lang", "en")
    told = json.loads(done.stdout)

    assert (done.returncode, done.stderr.startswith("--sniff never")) == (0, True)
    assert told["capture"]["source"] == "reported"
    assert "observed" not in {entry["basis"] for entry in told["entries"]}
    assert told["entries"]
    assert inspect(command, "--sniff", "never", "-q").stderr == ""


@pytest.mark.sniff
def test_where_no_interface_of_that_name_is_the_sockets_tell_and_it_is_said(site: Practice) -> None:
    done = inspect("cookie-trace", f"{site.http_url}/close", "-i", "no-such-if0", "--lang", "en")

    assert (done.returncode, done.stdout.splitlines()[0][:21]) == (0, "No packets were seen:")
    assert "no such interface" in done.stderr
    assert inspect("cookie-trace", f"{site.http_url}/close", "-i", "no-such-if0", "-q").stderr == ""


def test_parts_share_one_jar_and_it_can_be_kept(site: Practice, tmp_path: Path) -> None:
    jar = tmp_path / "jar.txt"
    line = ["cookie-trace", f"{site.http_url}/", "--then", "/login", "-d", "name=alice&password=wrong", "-L"]
    told = document(*line, "-c", str(jar), "-s")
    cookies = [line.split("\t")[5] for line in jar.read_text().splitlines() if line.count("\t") == 6]

    assert sorted(cookies) == ["sid", "theme"]
    assert stat.S_IMODE(jar.stat().st_mode) == 0o600
    assert [e["fields"]["target"] for e in told["entries"] if e["kind"] == "request"][:2] == ["/", "/login"]

    again = document("cookie-trace", f"{site.http_url}/account", "-b", str(jar), "-s")
    sent = [entry for entry in again["entries"] if entry["kind"] == "cookie-sent"]
    assert sorted(entry["fields"]["name"] for entry in sent) == ["sid", "theme"]


def test_a_file_to_share_holds_no_secret_unless_asked(site: Practice, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    line = [
        "cookie-trace",
        f"{site.http_url}/",
        "-b",
        "token=s3cr3t-s3cr3t",
        "--format",
        "json",
        "-o",
        str(report),
        "-s",
    ]

    assert inspect(*line).stdout == ""
    assert "s3cr3t" not in report.read_text()
    assert inspect(*line, "--show-secrets").returncode == 0
    assert "s3cr3t" in report.read_text()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


@pytest.mark.parametrize(("asked", "in_stdout", "in_file"), [([], False, False), (["--show-secrets"], True, True)])
def test_credentials_are_shown_only_where_asked(
    site: Practice, tmp_path: Path, asked: list[str], in_stdout: bool, in_file: bool
) -> None:
    report = tmp_path / "report.txt"
    login = "YWxpY2U6czNjcjN0"  # alice:s3cr3t
    line = ["cookie-trace", f"{site.http_url}/cookies", "-u", "alice:s3cr3t", "-b", "a=shown", "-s", *asked]
    told = document(*line)["entries"]
    written = inspect(*line, "--format", "ndjson", "-o", str(report))

    assert (written.returncode, written.stdout) == (0, "")
    assert (login in json.dumps(told), login in report.read_text()) == (in_stdout, in_file)
    assert "a=shown" in json.dumps(told)
    assert ("a=shown" in report.read_text()) is in_file
    assert "a=shown" not in json.dumps(document(*line, "--redact"))


@pytest.mark.sniff
def test_lines_of_standard_input_are_messages(site: Practice) -> None:
    done = inspect(
        "ws-handshake", f"{site.ws_url}/ws/echo", "--send", "-", "--format", "json", "-s", given="one\ntwo\n"
    )

    assert json.loads(done.stdout)["summary"]["websocket_frames"]["text"] == 4


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal there")
def test_serve_tells_its_urls_and_ends_with_ctrl_c() -> None:
    line = [sys.executable, "-m", "inspect_cli", "serve", "--lang", "en"]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        urls = [process.stdout.readline().split()[0].partition("127.0.0.1")[0] for _ in range(3)]
        process.stderr.readline()
        process.send_signal(signal.SIGINT)

        assert (urls, process.wait(20)) == (["http://", "ws://", "http://"], 0)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is no signal there")
def test_ctrl_c_shows_what_was_seen_so_far() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/slow"
        line = [sys.executable, "-m", "inspect_cli", "cookie-trace", url, "--format", "json", "-s"]
        with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=20)

    told = json.loads(out)
    assert (process.returncode, err, told["capture"]["complete"]) == (130, "", False)
    assert [e["fields"]["target"] for e in told["entries"] if e["kind"] == "request"] == ["/slow"]
