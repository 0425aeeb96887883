"""Where the output goes, and what decides about colour and width."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from inspect_cli.cli.output import open_output, refuse_same_file, wants_color, width_of, writing
from inspect_cli.errors import OutputNotWritable, UsageProblem


@pytest.mark.parametrize(
    ("choice", "environ", "is_terminal", "color"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, False, True),
        ("never", {"CLICOLOR_FORCE": "1"}, True, False),
        ("auto", {"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, True, False),
        ("auto", {"NO_COLOR": ""}, True, True),
        ("auto", {"CLICOLOR_FORCE": "1", "CLICOLOR": "0", "TERM": "dumb"}, False, True),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "0"}, False, False),
        ("auto", {"CLICOLOR": "0"}, True, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {"TERM": "xterm"}, True, True),
    ],
)
def test_the_first_that_speaks_decides_about_colour(
    choice: str, environ: dict[str, str], is_terminal: bool, color: bool
) -> None:
    assert wants_color(choice, environ, is_terminal) is color


@pytest.mark.parametrize(("columns", "width"), [("100", 100), ("", 80), ("x", 80), ("0", 80), ("\u0663", 80)])
def test_columns_decide_about_the_width_of_a_pipe(columns: str, width: int) -> None:
    assert width_of({"COLUMNS": columns}, False) == width


def test_a_private_file_is_nobody_elses_even_if_it_was_there(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("x" * 100)
    old.chmod(0o644)
    for path in (old, tmp_path / "new"):
        with open_output(str(path), "w", private=True) as file:
            file.write("secret")

        assert (stat.S_IMODE(path.stat().st_mode), path.read_text()) == (0o600, "secret")


def test_a_file_to_share_has_the_usual_mode(tmp_path: Path) -> None:
    path = tmp_path / "report"
    mask = os.umask(0o022)
    try:
        open_output(str(path), "wb", private=False).close()
    finally:
        os.umask(mask)

    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("name", ["", "no/such/directory/file"])
def test_what_cannot_be_written_is_said(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputNotWritable) as caught:
        open_output(str(tmp_path / name), "w", private=False)

    assert caught.value.data["path"] == str(tmp_path / name)


def test_a_full_disk_is_said() -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OutputNotWritable), writing("/dev/full"), open("/dev/full", "wb", buffering=0) as file:
        file.write(b"x")


def test_a_reader_who_went_away_is_no_problem_of_the_file() -> None:
    with pytest.raises(BrokenPipeError), writing("-"):
        raise BrokenPipeError


def test_the_input_is_not_written_over(tmp_path: Path) -> None:
    path, link = tmp_path / "a", tmp_path / "b"
    path.write_text("")
    link.symlink_to(path)

    with pytest.raises(UsageProblem):
        refuse_same_file(str(link), [str(path)])
    refuse_same_file(str(tmp_path / "c"), [str(path), "-"])
    refuse_same_file(None, [str(path)])
