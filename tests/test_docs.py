"""What docs/ says is what the code does. `pytest --update-golden` rewrites the made parts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inspect_cli.cli.reference import rules
from tests.render import contract

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "inspect_cli" / "render" / "schema.json"
PAGE = ROOT / "docs" / "json.md"
CHECKS = ROOT / "docs" / "checks.md"
MADE = "<!-- made from the code by tests/test_docs.py -->\n"


def test_schema_ships_as_the_code_has_it(request: pytest.FixtureRequest) -> None:
    expected = json.dumps(contract.schema(), indent=1) + "\n"
    if request.config.getoption("--update-golden"):
        SCHEMA.write_text(expected, encoding="utf-8")
    assert expected == SCHEMA.read_text(encoding="utf-8")


def test_page_of_the_json_contract_lists_the_fields_of_every_kind(request: pytest.FixtureRequest) -> None:
    written, made, _ = PAGE.read_text(encoding="utf-8").partition(MADE)
    assert made
    expected = f"{written}{MADE}\n{contract.tables()}"
    if request.config.getoption("--update-golden"):
        PAGE.write_text(expected, encoding="utf-8")
    assert expected == PAGE.read_text(encoding="utf-8")


def test_page_of_the_checks_has_every_rule(request: pytest.FixtureRequest) -> None:
    written, made, _ = CHECKS.read_text(encoding="utf-8").partition(MADE)
    assert made
    expected = f"{written}{MADE}\n{rules()}"
    if request.config.getoption("--update-golden"):
        CHECKS.write_text(expected, encoding="utf-8")
    assert expected == CHECKS.read_text(encoding="utf-8")


def test_readme_opens_with_a_real_screen() -> None:
    root = Path(__file__).parent.parent
    screen = (root / "README.md").read_text(encoding="utf-8").split("```\n")[1]

    assert screen in (root / "tests" / "golden" / "http-redirect-cookie.en.80.txt").read_text(encoding="utf-8")


def test_readme_shows_a_real_answer_of_cookie_why() -> None:
    screen = (ROOT / "tests" / "cli" / "screens" / "none-without-secure.en.80.txt").read_text(encoding="utf-8")

    assert f"```\n{screen}```\n" in (ROOT / "README.md").read_text(encoding="utf-8")
