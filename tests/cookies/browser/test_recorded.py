"""What a real Chromium decided, and what the profile `chromium` decides about the same."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import pytest

from inspect_cli.cookies import Jar, asking_for
from tests.cookies.browser.agreement import NOW_S, chromium_kept, differences, profile_keeps
from tests.cookies.browser.shapes import Case, filled, load, shortened, unfolded
from tests.cookies.browser.table import CASES

OTHERWISE: Final = {
    "later-session-ends-with-the-browser": "a story closes no browser; a jar does (end_session), and agrees: below",
}
"""Case: why the profile decides otherwise than Chromium did."""

KEPT_OTHERWISE: Final = {
    "attribute-max-age-last-is-bad": "in Chromium the last Max-Age wins, even unreadable; 6265bis §5.6.2 skips that",
    "attribute-date-last-is-bad": "in Chromium the last Expires wins, even unreadable; 6265bis §5.6.1 skips that",
    "attribute-date-three-digit-hour": "Chromium reads an hour of three digits; 6265bis §5.1.1 two",
    "attribute-date-five-digit-year": "Chromium reads a year of five digits; 6265bis §5.1.1 four",
}
"""Case: why the profile keeps something else than Chromium did."""

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


@pytest.mark.parametrize("group", sorted({case["group"] for case in TABLE["cases"] if "page" in case}))
def test_profile_keeps_what_chromium_kept(group: str) -> None:
    """Domain, path, flags and lifetime, of the first answer of each line."""
    some = [case for case in TABLE["cases"] if case["group"] == group and "page" in case]
    expected = {
        case["id"]: [chromium_kept(kept) for kept in unfolded(case)["steps"][0].get("store", [])] for case in some
    }
    actual = {case["id"]: profile_keeps(case) for case in some}
    same = [case for case in expected if case not in KEPT_OTHERWISE]
    assert [expected[case] for case in same] == [actual[case] for case in same]
    assert expected.keys() & KEPT_OTHERWISE.keys() == {case for case in expected if expected[case] != actual[case]}


def test_session_cookies_go_when_the_browser_is_closed() -> None:
    """The case that no story tells: a jar's end_session tells it."""
    case = next(case for case in TABLE["cases"] if case["id"] == "later-session-ends-with-the-browser")
    first, second = case["steps"]
    jar = Jar("chromium")
    asking = asking_for(first["url"])
    jar.store_all([line.encode() for line in first["set"]], asking, NOW_S * 10**9)
    jar.end_session()
    assert second["wire"][0]["cookie"] == [jar.header(asking_for(second["url"]), (NOW_S + 10) * 10**9).decode()]


def test_every_difference_is_of_a_case() -> None:
    assert set() == (OTHERWISE.keys() | KEPT_OTHERWISE.keys()) - {case.id for case in CASES}


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
