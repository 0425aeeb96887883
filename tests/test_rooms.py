"""The house is as docs/architecture.md draws it."""

from __future__ import annotations

import ast
import configparser
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "inspect_cli"
ROOMS = sorted(path.parent for path in PACKAGE.glob("*/__init__.py"))
FILES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 400


def test_every_import_goes_downstream_and_every_third_party_has_one_door(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename=str(ROOT / "setup.cfg"), no_cache=True)

    assert EXIT_STATUS_SUCCESS == status, capsys.readouterr().out


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_room_says_what_it_knows_and_hands_on(room: Path) -> None:
    docstring = ast.get_docstring(ast.parse((room / "__init__.py").read_text("utf-8"))) or ""
    lines = docstring.splitlines()
    missing = [
        beginning
        for beginning in ("Knows: ", "Does not know: ", "Hands on: ")
        if not any(line.startswith(beginning) for line in lines)
    ]

    assert [] == missing


def test_every_folder_with_python_is_a_room() -> None:
    folders = {path.parent for path in FILES}

    assert folders == {PACKAGE, *ROOMS}


def test_every_file_can_be_read_in_one_sitting() -> None:
    lines = {str(path.relative_to(PACKAGE)): path.read_text("utf-8").count("\n") for path in FILES}

    assert {} == {name: count for name, count in lines.items() if count > MAX_LINES}


def test_no_file_is_called_utils() -> None:
    assert [] == [path for path in FILES if path.stem in ("utils", "util", "helpers", "misc", "common")]


def test_every_contract_of_setup_cfg_says_what_it_holds() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", "utf-8")
    contracts = [section for section in config.sections() if section.startswith("importlinter:contract:")]

    assert [] == [section for section in contracts if not config[section].get("name")]
    doors = {section.removeprefix("importlinter:contract:door-") for section in contracts if ":door-" in section}
    wanted = {line.partition(">=")[0] for line in config["options"]["install_requires"].split("\n") if line}
    # starlette and hypercorn share a door
    assert wanted - {"starlette", "hypercorn"} | {"practice"} == doors
