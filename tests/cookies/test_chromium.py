"""The chromium profile against what a real one decided: whole, with its reasons."""

from __future__ import annotations

from typing import Any

from inspect_cli.cookies import Jar, asking_from
from inspect_cli.cookies.stories import octets_of, tell
from tests.cookies.corpus import NS, load
from tests.cookies.recorded import LONGEST, START, decided_by, store_of, story_of

NO_REASON = {
    "syntax-04": ("", "NoCookieContent"),
    "syntax-13": ("=foo=bar", "NamelessEquals"),
    "attr-50": ("a=1; Partitioned", "PartitionedNeedsSecure"),
}
"""Chromium drops these without a word (a README beside the record says so); here each has its reason."""


def cases() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = load("chromium/decisions.json")["cases"]
    return found


def told_about(case: dict[str, Any]) -> list[dict[str, Any]]:
    blocked = "3pc-blocked" in case["group"]
    steps = tell(story_of(case), "chromium", block_third_party=blocked, now_ns=START * NS)["steps"]
    told: list[dict[str, Any]] = []
    for step, expected in zip(steps, decided_by(case), strict=True):
        one = {"cookie": step["cookie"]}
        one["withheld"] = sorted((c["name"], c["path"], tuple(c["reasons"])) for c in step["withheld"])
        one["refused"] = {
            line["line"]: line["reasons"]
            for line in step["set"]
            if line["reasons"] not in ([], ["Expired"])
            and (line["line"], *line["reasons"]) != NO_REASON.get(case["id"])
        }
        told.append({key: one[key] for key in expected})
    return told


def test_each_recorded_case_is_decided_the_same_with_the_same_reasons() -> None:
    found = cases()
    assert len(found) == 182
    differ = [case["id"] for case in found if decided_by(case) != told_about(case)]
    assert [] == differ


def test_what_a_recorded_chromium_drops_without_a_reason_is_dropped_here_with_one() -> None:
    by_id = {case["id"]: case for case in cases()}
    for name, (line, reason) in NO_REASON.items():
        assert line in by_id[name]["steps"][0]["set"]
        assert () == tuple(by_id[name]["steps"][0].get("blocked", ()))
        (said,) = tell(story_of(by_id[name]), "chromium", now_ns=0)["steps"][0]["set"]
        assert (False, [reason]) == (said["stored"], said["reasons"])


def stored(jar: Jar) -> list[tuple[Any, ...]]:
    return sorted(
        (
            c.name.decode("utf-8", "ignore")[:LONGEST],
            c.value.value.decode()[:LONGEST],
            len(c.name) + len(c.value.value),
            c.domain if c.host_only else "." + c.domain,
            c.path,
            c.secure,
            c.http_only,
            c.same_site,
            None if c.expires_ns is None else c.expires_ns // NS - START,
            c.partition,
        )
        for c in jar
    )


def near(seconds: int | None, other: int | None) -> bool:
    return seconds is other if seconds is None or other is None else abs(seconds - other) <= 60


def test_each_recorded_cookie_is_kept_with_the_same_attributes() -> None:
    """The store after the first response of each case; lifetimes to a minute, as the record took one."""
    checked = 0
    for case in cases():
        step = case["steps"][0]
        if len(step["wire"]) > 1:
            continue
        jar = Jar("chromium")
        lines = [octets_of(line) for line in step.get("set", ())]
        jar.store_all(lines, asking_from(step["url"], step["via"]), START * NS)
        expected, actual = store_of(step), stored(jar)
        assert [one[:8] + one[9:] for one in expected] == [one[:8] + one[9:] for one in actual], case["id"]
        assert all(near(one[8], other[8]) for one, other in zip(expected, actual, strict=True)), case["id"]
        checked += len(expected)
    assert checked > 200
