"""-b and -c beside curl: each reads what the other wrote, and sends the same."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from inspect_cli.practice import Practice, running

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")

EXPORTED = """\
# Netscape HTTP Cookie File
# https://curl.haxx.se/rfc/cookie_spec.html
# This is a generated file! Do not edit.

127.0.0.1\tFALSE\t/\tFALSE\t4000000000\tnext\tv
#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t0\tsid\t5f=1c
127.0.0.1\tFALSE\t/shop\tFALSE\t4000000000\tcart\t1
127.0.0.1\tFALSE\t/\tFALSE\t1000000000\tover\t1
.127.0.0.1\tTRUE\t/\tTRUE\t4000000000\tsecure\t1
"""
"""As the extensions of browsers write one."""


@pytest.fixture(scope="module")
def site() -> Iterator[Practice]:
    with running() as practice:
        yield practice


def curl(*arguments: str) -> None:
    subprocess.run(["curl", "-sS", "-o", "/dev/null", *arguments], check=True, timeout=30)


def inspect(*arguments: str) -> list[tuple[str, str]]:
    """The cookies that a run of ours sends, as its rows say."""
    command = [sys.executable, "-m", "inspect_cli", "cookie-trace", *arguments]
    options = ["--sniff", "never", "-q", "--format", "json", "--show-secrets"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=60, check=True)
    rows = json.loads(done.stdout)["entries"]
    return [(row["fields"]["name"], row["fields"]["value"]) for row in rows if row["kind"] == "cookie-sent"]


def sent(site: Practice) -> list[tuple[str, str]]:
    """The cookies of the last request that the server's sockets received."""
    lines = list(site.log)[-1].received.split(b"\r\n")
    fields = [line[8:].decode() for line in lines if line.lower().startswith(b"cookie: ")]
    return [(name, value) for name, _, value in (pair.partition("=") for pair in fields[-1].split("; "))]


def test_what_curl_wrote_is_sent_as_curl_would(site: Practice, tmp_path: Path) -> None:
    jar, url = str(tmp_path / "jar"), f"{site.http_url}/shop"
    curl("-c", jar, f"{site.http_url}/", "--next", "-s", "-b", jar, "-c", jar, "-o", "/dev/null", url)
    ours = inspect(url, "-b", jar, "--as", "curl")
    curl("-b", jar, url)

    assert sorted(ours) == sorted(sent(site))
    assert {"theme", "sid", "cart"} == {name for name, _ in ours}


def test_what_we_wrote_is_sent_by_curl_as_we_would(site: Practice, tmp_path: Path) -> None:
    jar, url = str(tmp_path / "jar"), f"{site.http_url}/shop"
    inspect(f"{site.http_url}/", "--then", url, "-c", jar, "--as", "curl")
    ours = inspect(url, "-b", jar, "--as", "curl")
    curl("-b", jar, url)

    assert sorted(ours) == sorted(sent(site))
    assert {"theme", "sid", "cart"} == {name for name, _ in ours}


def test_what_a_browser_exported_is_sent_as_curl_would(site: Practice, tmp_path: Path) -> None:
    jar, url = tmp_path / "jar", f"{site.http_url}/shop"
    jar.write_text(EXPORTED, encoding="utf-8")
    ours = inspect(url, "-b", str(jar), "--as", "curl")
    curl("-b", str(jar), url)

    assert sorted(ours) == sorted(sent(site))
    assert {("next", "v"), ("sid", "5f=1c"), ("cart", "1")} <= set(ours)


def test_junk_session_cookies_leaves_out_what_curl_leaves_out(site: Practice, tmp_path: Path) -> None:
    jar, url = tmp_path / "jar", f"{site.http_url}/shop"
    jar.write_text(EXPORTED, encoding="utf-8")
    ours = inspect(url, "-b", str(jar), "-j", "--as", "curl")
    curl("-b", str(jar), "-j", url)

    assert sorted(ours) == sorted(sent(site))
    assert "sid" not in dict(ours)


def test_a_file_that_went_through_us_is_the_same_to_curl(site: Practice, tmp_path: Path) -> None:
    """curl reads what we wrote of its own file, and writes the same cookies again."""
    first, second, third = (str(tmp_path / name) for name in ("first", "second", "third"))
    curl("-c", first, f"{site.http_url}/cookies/all")
    inspect(f"{site.http_url}/cookies", "-b", first, "-c", second, "--as", "curl")
    curl("-b", second, "-c", third, f"{site.http_url}/cookies")

    assert cookies_in(first) == cookies_in(second) == cookies_in(third)
    assert "#HttpOnly_127.0.0.1" in {line.split("\t")[0] for line in cookies_in(second)}


def cookies_in(path: str) -> list[str]:
    """Its rows; older curls write the slash behind a folder, which they do not compare (`/a/` for `/a`)."""
    rows = [line.split("\t") for line in Path(path).read_text(encoding="utf-8").splitlines() if "\t" in line]
    return sorted("\t".join([*row[:2], row[2].rstrip("/") or "/", *row[3:]]) for row in rows)
