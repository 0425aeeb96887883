"""What a real Chromium decided, and what the profile `chromium` decides about the same."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import pytest

from tests.cookies.browser.agreement import differences
from tests.cookies.browser.shapes import Case, filled, load, shortened, unfolded
from tests.cookies.browser.table import CASES

OTHERWISE: Final[dict[str, str]] = {}
"""Case: why the profile decides otherwise than Chromium did."""

TABLE: Final = load()
GROUPS: Final = sorted({case["group"] for case in TABLE["cases"]})


def test_table_holds_the_cases_of_today() -> None:
    assert [case.id for case in CASES] == [case["id"] for case in TABLE["cases"]]
    assert len(CASES) == len({case.id for case in CASES})
    assert [_asked(case) for case in CASES] == [_recorded(case) for case in TABLE["cases"]]


def _asked(case: Case) -> list[Any]:
    return [case.group, case.blocked, case.page, *([step.url, step.via, list(step.lines)] for step in case.steps)]


def _recorded(case: dict[str, Any]) -> list[Any]:
    lines = (step.get("set", step.get("document_cookie_set", [])) for step in case["steps"])
    return [
        case["group"],
        case.get("blocked", False),
        case.get("page", ""),
        *([step["url"], step["via"], list(set_)] for step, set_ in zip(case["steps"], lines, strict=True)),
    ]


def test_table_has_lines_and_situations_enough() -> None:
    lines = {line for case in CASES for step in case.steps for line in step.lines}
    groups = Counter(case.group for case in CASES)
    assert len(lines) >= 150
    assert groups["send"] + groups["set"] + groups["frame"] + groups["later"] >= 60


@pytest.mark.parametrize("group", GROUPS)
def test_profile_decides_as_chromium_did(group: str) -> None:
    expected = {case["id"] for case in TABLE["cases"] if case["group"] == group} & OTHERWISE.keys()
    found = {case["id"]: differences(case) for case in TABLE["cases"] if case["group"] == group}
    assert [] == [
        sentence for case, some in found.items() if case not in OTHERWISE for sentence in (case, *some) if some
    ]
    assert expected == {case for case, some in found.items() if some}


def test_every_difference_is_of_a_case() -> None:
    assert set() == OTHERWISE.keys() - {case.id for case in CASES}


def test_lines_of_the_table_mean_the_same_on_any_day() -> None:
    assert b"a=1; Expires=Sun, 15 Nov 2026 00:00:00 GMT" == filled(
        "a=1; Expires={-1d|%a, %d %b %Y %H:%M:%S GMT}", 1_794_787_200
    )
    assert b"n=vvvv\xe9" == filled("n={v*4}\xe9", 0)


def test_long_values_are_stored_shortened() -> None:
    assert "n={v*4096}" == shortened("n=" + "v" * 4096)
    assert [{"a": "x" * 40}] == unfolded([{"a": shortened("x" * 40)}])


def test_differences_are_found() -> None:
    """The comparison itself: a table that says otherwise is not agreed with."""
    case = next(case for case in TABLE["cases"] if case["id"] == "send-fetch-from-other")
    assert [] == differences(case)
    step = case["steps"][2]
    other = case | {"steps": [*case["steps"][:2], step | {"wire": [step["wire"][0] | {"cookie": ["st=1"]}]}]}
    assert ["step 3, Cookie: Chromium 'st=1', chromium 'no=1'"] == differences(other)
