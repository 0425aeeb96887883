"""Times and spans as they are written on the command line."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from inspect_cli.cli import cli
from inspect_cli.cli.cookie_options import Span, moment_ns
from tests.cli.test_cli import python

NS = 10**9


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1795000000", 1_795_000_000 * NS),
        ("1795000000.5", 1_795_000_000_500_000_000),
        ("-1", -NS),
        ("2026-11-24T12:00:00Z", 1_795_521_600 * NS),
        ("2026-11-24T21:00:00+09:00", 1_795_521_600 * NS),
        ("2026-11-24 12:00", 1_795_521_600 * NS),
        ("2026-11-24", 1_795_478_400 * NS),
        ("", None),
        ("now", None),
        ("9" * 30, None),
        ("10000-01-01", None),
    ],
)
def test_a_moment_is_iso_or_unix_seconds(text: str, expected: int | None) -> None:
    assert expected == moment_ns(text)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("2m", 120), ("3h", 10_800), ("4d", 345_600)])
def test_a_span_is_a_number_and_its_unit(text: str, seconds: int) -> None:
    assert seconds * NS == Span().convert(text, None, None)


@pytest.mark.parametrize("command", ["why --as f", "why a=1 --send-to https://a.test --as f"])
def test_a_shell_completes_profiles(command: str) -> None:
    words = f"inspect-cli cookie {command}"
    got = python(
        "-m",
        "inspect_cli",
        _INSPECT_CLI_COMPLETE="bash_complete",
        COMP_WORDS=words,
        COMP_CWORD=str(len(words.split()) - 1),
    )

    assert (got.stdout.split(), got.stderr) == (["plain,firefox"], "")


def test_a_shell_completes_what_is_not_there_yet() -> None:
    got = python(
        "-m",
        "inspect_cli",
        _INSPECT_CLI_COMPLETE="bash_complete",
        COMP_WORDS="inspect-cli cookie why --via ",
        COMP_CWORD="4",
    )

    assert got.stdout.split()[:2] == ["plain,navigate", "plain,link"]


def test_the_group_lists_its_commands() -> None:
    got = CliRunner().invoke(cli, ["cookie", "--help"])

    assert (got.exit_code, [word in got.stdout for word in ("why", "jar")]) == (0, [True, True])
