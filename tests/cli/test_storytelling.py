"""`cookie why --batch`: JSON lines in, JSON lines out."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from inspect_cli.cli import cli, storytelling
from inspect_cli.cli.storytelling import Line, read_lines
from inspect_cli.cookies.stories import tell

NOW = 1_795_000_000
LOGIN = {"url": "https://shop.test/login", "set_cookie": ["sid=secret; Secure", "b=2; Domain=test"]}
CART = {"url": "https://shop.test/cart", "via": "fetch", "from": "https://news.test/"}
STORY = {"steps": [LOGIN, {"url": "https://shop.test/"}, CART]}


def batch(text: str | bytes, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["cookie", "why", "--batch", "-", "--at", str(NOW), *arguments], input=text)


def answers(text: str | bytes, *arguments: str) -> list[Any]:
    return [json.loads(line) for line in batch(text, *arguments).stdout.splitlines()]


@pytest.mark.parametrize("profile", ["rfc6265bis", "chromium", "python"])
def test_each_line_is_a_story_told_for_one_client(profile: str) -> None:
    expected = tell(STORY, profile, now_ns=NOW * 10**9)
    line = json.dumps(STORY) + "\n"

    assert [expected] * 3 == answers(line * 3, "--as", profile)


def test_without_a_client_it_is_the_specification() -> None:
    assert [tell(STORY, "rfc6265bis", now_ns=NOW * 10**9)] == answers(json.dumps(STORY))


def test_third_parties_are_blocked_where_that_is_asked() -> None:
    framed = {"url": "https://ads.test/", "via": "iframe", "set_cookie": ["a=1; Secure; SameSite=None"]}
    story = json.dumps({"steps": [{"url": "https://shop.test/"}, framed]})
    stored = [answers(story, "--as", "chromium", *more)[0]["steps"][1]["set"] for more in ([], ["--block-third-party"])]

    assert [True, False] == [one[0]["stored"] for one in stored]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_line_that_is_no_story_keeps_its_place_and_the_rest_is_told(lang: str) -> None:
    good = json.dumps(STORY)
    lines = [
        good,
        "no json",
        "[1]",
        '{"steps": [{}]}',
        "",
        good,
        '{"steps": "\\ud800"}',
        "\x1b[31m",
        b"\xff".decode("latin-1"),
    ]
    got = batch("\n".join(lines), "--lang", lang)
    told = [json.loads(line) for line in got.stdout.splitlines()]

    assert [False, True, True, True, False, True, True, True] == ["error" in one for one in told]
    assert 2 == got.exit_code
    said = got.stderr.splitlines()
    numbers = ["2", "3", "4", "7", "8", "9"]
    assert len(numbers) == len(said)
    assert all(
        f"line {n}: " in line if lang == "en" else f"{n}번 줄: " in line for n, line in zip(numbers, said, strict=True)
    )
    assert "\x1b" not in got.output


def test_quiet_says_nothing_on_stderr() -> None:
    got = batch("no json\n", "-q")

    assert (2, "", [{"error": "no JSON object"}]) == (
        got.exit_code,
        got.stderr,
        [json.loads(line) for line in got.stdout.splitlines()],
    )


def test_nothing_in_is_nothing_out() -> None:
    assert [("", 0)] * 2 == [(got.stdout, got.exit_code) for got in (batch(""), batch("\n\r\n \n"))]


def test_answers_hold_nothing_that_a_terminal_obeys() -> None:
    story = {"steps": [{"url": "https://shop.test/", "set_cookie": ["a=\u202e\x9b31m\x1b[2J", "b=\u3164\u200b"]}]}
    got = batch(json.dumps(story), "--as", "python")

    assert [] == [char for char in got.stdout if ord(char) < 32 and char != "\n"]
    assert {"\x9b", "\u202e", "\u200b", "\x7f"}.isdisjoint(got.stdout)
    assert tell(story, "python", now_ns=NOW * 10**9) == json.loads(got.stdout)


def test_a_file_of_answers_is_redacted_unless_secrets_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "answers"
    texts = []
    for more in ([], ["--show-secrets"]):
        assert batch(json.dumps(STORY) + "\n", "-o", str(path), *more).exit_code == 0
        texts.append(path.read_text())
    told = json.loads(texts[0])["steps"]

    assert ["secret" in text for text in texts] == [False, True]
    assert ("sid=<cookie 1>; Secure", "<cookie 1>") == (told[0]["set"][0]["line"], told[0]["set"][0]["value"])
    assert "sid=<cookie 1>" == told[1]["cookie"]


def test_a_file_is_read_as_a_pipe_is(tmp_path: Path) -> None:
    path = tmp_path / "stories.jsonl"
    text = (json.dumps(STORY) + "\n") * 5
    path.write_text(text)
    got = CliRunner().invoke(cli, ["cookie", "why", "--batch", str(path), "--at", str(NOW)])

    assert batch(text).stdout == got.stdout


def test_whoever_asks_through_a_pipe_gets_each_answer_at_once() -> None:
    command = [sys.executable, "-m", "inspect_cli", "cookie", "why", "--batch", "-", "--as", "chromium"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(3):
            process.stdin.write(json.dumps(STORY).encode() + b"\n")
            # Blocks for ever if the answer waits for more questions.
            assert json.loads(process.stdout.readline())["steps"][1]["cookie"] == "sid=secret"
        process.stdin.close()
        assert process.wait(20) == 0


class Slow(io.RawIOBase):
    """A pipe that gives what was written, piece by piece."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = [piece for piece in pieces if piece]

    def read1(self, size: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


@given(st.lists(st.sampled_from([b"a", b"\n", b"bc\n", b"\r\n", b" "]), max_size=20))
def test_lines_are_the_same_however_they_come(pieces: list[bytes]) -> None:
    found = [line for some in read_lines(Slow(pieces)) for line in some]  # type: ignore[arg-type]
    lines = enumerate(b"".join(pieces).split(b"\n"), 1)

    assert [Line(number, text) for number, text in lines if text.strip()] == found


def test_a_line_that_never_ends_is_no_story_and_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storytelling, "MOST_BYTES", 10)
    pieces = [b"x" * 8, b"y" * 8, b"z" * 30, b"\nabc\n", b"w" * 12]
    found = [line for some in read_lines(Slow(pieces)) for line in some]  # type: ignore[arg-type]

    assert [Line(1, None), Line(2, b"abc"), Line(3, None)] == found
