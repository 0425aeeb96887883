"""The command line as a whole: what it loads, what it documents, how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from inspect_cli import __version__
from inspect_cli.cli import COMMANDS, cli
from inspect_cli.cli.curl_names import is_curls
from inspect_cli.cli.reference import page
from inspect_cli.texts import LANGUAGES, Words
from tests.cli.exchange import EXCHANGE

ROOT = Path(__file__).parents[2]
HEAVY = {"scapy", "httpx", "httpcore", "websockets", "numpy", "rich", "starlette", "hypercorn", "orjson", "asyncio"}


def python(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", **environ}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, env=environment, timeout=60, check=False
    )


def command(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


@pytest.mark.parametrize("arguments", [["--help"], ["cookie-trace", "--help"], ["--version"], ["completion", "zsh"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys, json\nfrom inspect_cli.cli import cli\n"
        f"try: cli.main({arguments!r})\nexcept SystemExit: print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    loaded = {name.partition(".")[0] for name in json.loads(python("-c", code).stderr)}

    assert loaded & HEAVY == set()


def test_a_replay_into_a_pipe_loads_only_what_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "a.pcap"
    path.write_bytes(EXCHANGE)
    code = (
        "import sys, json\nfrom inspect_cli.cli import cli\n"
        f"try: cli.main(['replay', {str(path)!r}])\n"
        "except SystemExit: print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    loaded = {name.partition(".")[0] for name in json.loads(python("-c", code).stderr)}

    assert loaded & (HEAVY - {"numpy"}) == set()


def test_python_m_is_the_command_line() -> None:
    got = python("-m", "inspect_cli", "--version")

    assert (got.returncode, got.stdout) == (0, f"inspect-cli {__version__}\n")


def test_the_reference_is_what_help_says() -> None:
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    assert command(name).get_short_help_str()
    for parameter in command(name).params:
        assert not isinstance(parameter, click.Option) or parameter.help or parameter.name == "format", parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_one_letter_has_one_meaning_inside_a_command(name: str) -> None:
    letters = [o for p in command(name).params for o in (*p.opts, *p.secondary_opts) if o.startswith("-")]

    assert len(letters) == len(set(letters))


def test_what_request_commands_speak_is_not_refused() -> None:
    spoken = {o for p in command("cookie-trace").params for o in p.opts if o.startswith("--")}

    assert {"--data-raw", "--compressed", "--location", "--cookie-jar"} <= {o for o in spoken if is_curls(o)}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str) -> None:
    got = CliRunner().invoke(cli, ["completion", shell])

    assert (got.exit_code, "_INSPECT_CLI_COMPLETE" in got.stdout) == (0, True)


def test_completion_completes_commands_and_options() -> None:
    got = python(
        "-m",
        "inspect_cli",
        _INSPECT_CLI_COMPLETE="bash_complete",
        COMP_WORDS="inspect-cli cookie-trace --data-",
        COMP_CWORD="2",
    )

    assert got.stdout.split() == ["plain,--data-raw", "plain,--data-binary", "plain,--data-urlencode"]


def test_both_languages_hold_the_same_sentences_of_the_commands() -> None:
    keys = [[k for k in sorted(Words(lang).all_keys()) if k.startswith("cli.")] for lang in LANGUAGES]

    assert keys[0] == keys[1]
    assert keys[0]


def test_an_unknown_command_is_a_usage_error() -> None:
    got = CliRunner().invoke(cli, ["nonsense"])

    assert (got.exit_code, "nonsense" in got.stderr) == (2, True)


def test_a_fault_of_ours_is_one_line_with_what_to_report(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**options: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(command("doctor"), "callback", fails)
    got = CliRunner().invoke(cli, ["doctor", "--lang", "en"])

    assert got.exit_code == 1
    assert got.stderr.startswith("inspect-cli: this program failed (RuntimeError: boom)")
    assert "`inspect-cli doctor --lang en --debug`" in got.stderr
    assert "Traceback" not in got.output


def test_debug_shows_the_fault_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**options: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(command("doctor"), "callback", fails)
    got = CliRunner().invoke(cli, ["doctor", "--debug"])

    assert isinstance(got.exception, RuntimeError)
