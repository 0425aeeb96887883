from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies.profiles import PROFILES
from inspect_cli.cookies.stories import BadStory, tell

NOW = 1_795_000_000_000_000_000


def told(*steps: dict[str, Any], profile: str = "chromium", **more: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tell({"steps": list(steps)}, profile, now_ns=NOW, **more)["steps"]
    return found


def test_a_story_tells_what_goes_what_stays_and_what_is_kept() -> None:
    lines = ["a=1; SameSite=Strict", "b=2; Path=/x", "c=3; SameSite=None"]
    steps = told({"url": "https://a.test/", "set_cookie": lines}, {"url": "https://a.test/y", "via": "link"})
    assert [
        {
            "cookie": None,
            "withheld": [],
            "set": [
                {"line": lines[0], "stored": True, "name": "a", "value": "1", "reasons": []},
                {"line": lines[1], "stored": True, "name": "b", "value": "2", "reasons": []},
                {"line": lines[2], "stored": False, "name": "c", "value": "3", "reasons": ["SameSiteNoneInsecure"]},
            ],
        },
        {"cookie": "a=1", "withheld": [{"name": "b", "path": "/x", "reasons": ["NotOnPath"]}], "set": []},
    ] == steps


def test_the_page_is_what_the_steps_before_left_open() -> None:
    steps = told(
        {"url": "https://a.test/", "set_cookie": ["st=1; SameSite=Strict", "lx=1; SameSite=Lax"]},
        {"url": "https://b.test/", "via": "navigate"},
        {"url": "https://a.test/img", "via": "img"},
        {"url": "https://a.test/page", "via": "link"},
        {"url": "https://a.test/img", "via": "img"},
        {"url": "https://a.test/img", "via": "img", "from": "https://b.test/"},
        {"url": "https://a.test/img", "via": "img", "from": "https://a.test/", "top": "https://b.test/"},
    )
    assert [None, None, None, "lx=1", "st=1; lx=1", None, None] == [step["cookie"] for step in steps]


def test_a_redirect_is_asked_by_whoever_asked_first() -> None:
    """As the recorded Chromium: no host in between counts."""
    steps = told(
        {"url": "https://a.test/", "set_cookie": ["st=1; SameSite=Strict"]},
        {"url": "https://b.test/go", "via": "link"},
        {"url": "https://a.test/land", "via": "redirect"},
        {"url": "https://b.test/", "via": "navigate"},
        {"url": "https://b.test/go", "via": "link"},
        {"url": "https://a.test/land", "via": "redirect"},
        {"url": "https://a.test/more", "via": "fetch"},
    )
    assert "st=1" == steps[2]["cookie"]
    assert (None, "st=1") == (steps[5]["cookie"], steps[6]["cookie"])


def test_a_post_is_answered_by_a_get_unless_the_redirect_says_otherwise() -> None:
    lax = {"url": "https://a.test/", "set_cookie": ["lx=1; SameSite=Lax"]}
    page, post = {"url": "https://b.test/"}, {"url": "https://b.test/form", "via": "post"}
    get = told(lax, page, post, {"url": "https://a.test/", "via": "redirect"})
    kept = told(lax, page, post, {"url": "https://a.test/", "via": "redirect", "method": "post"})
    assert ("lx=1", None) == (get[3]["cookie"], kept[3]["cookie"])


def test_a_script_neither_reads_nor_writes_what_is_http_only() -> None:
    """6265bis §5.7 steps 15 and 23.2, §5.8.3."""
    steps = told(
        {"url": "https://a.test/", "set_cookie": ["h=1; HttpOnly", "v=1"]},
        {"url": "https://a.test/", "via": "js", "set_cookie": ["h=2", "v=2", "n=3; HttpOnly"]},
        {"url": "https://a.test/"},
    )
    assert [{"name": "h", "path": "/", "reasons": ["HttpOnlyFromScript"]}] == steps[1]["withheld"]
    assert [["OverwriteHttpOnly"], [], ["HttpOnlyFromScript"]] == [line["reasons"] for line in steps[1]["set"]]
    assert ["v=1", "h=1; v=2"] == [step["cookie"] for step in steps[1:]]


def test_partitioned_cookies_live_under_the_page_that_they_were_set_in() -> None:
    line = "p=1; Secure; SameSite=None; Partitioned"
    frame = {"url": "https://w.test/", "via": "iframe"}
    steps = told(
        {"url": "https://a.test/"},
        {**frame, "set_cookie": [line]},
        frame,
        {"url": "https://b.test/"},
        frame,
        {"url": "https://w.test/"},
        block_third_party=True,
    )
    assert [None, None, "p=1", None, None, None] == [step["cookie"] for step in steps]
    assert [] == steps[4]["withheld"]


def test_a_site_inside_another_one_inside_its_own_page_has_a_partition_of_its_own() -> None:
    line = "p=1; Secure; SameSite=None; Partitioned"
    inner = {"url": "https://a.test/", "via": "fetch", "from": "https://w.test/", "top": "https://a.test/"}
    steps = told({"url": "https://a.test/", "set_cookie": [line]}, inner, {"url": "https://a.test/x", "via": "fetch"})
    assert [None, None, "p=1"] == [step["cookie"] for step in steps]


def test_blocked_third_parties_are_told_with_all_their_reasons() -> None:
    steps = told(
        {"url": "https://a.test/", "set_cookie": ["a=1"]},
        {"url": "https://b.test/"},
        {"url": "https://a.test/", "via": "fetch", "set_cookie": ["b=1; SameSite=None; Secure"]},
        block_third_party=True,
    )
    reasons = ["SchemefulSameSiteUnspecifiedTreatedAsLax", "UserPreferences"]
    assert [{"name": "a", "path": "/", "reasons": reasons}] == steps[2]["withheld"]
    assert ["UserPreferences"] == steps[2]["set"][0]["reasons"]


def test_time_goes_on_by_a_second_a_step_unless_it_is_told() -> None:
    page = {"url": "https://a.test/"}
    steps = told({**page, "set_cookie": ["a=1; Max-Age=2"]}, page, page, page)
    assert [None, "a=1", "a=1", None] == [step["cookie"] for step in steps]
    later = told({**page, "at": 100, "set_cookie": ["a=1; Max-Age=2"]}, {**page, "at": 101.5}, {**page, "at": 103})
    assert [None, "a=1", None] == [step["cookie"] for step in later]


def test_a_deleted_cookie_is_not_stored_because_it_expired() -> None:
    assert ["Expired"] == told({"url": "https://a.test/", "set_cookie": ["a=; Max-Age=0"]})[0]["set"][0]["reasons"]


@pytest.mark.parametrize("value", ["caf\xc3\xa9", "\xff", "\u2603", "\xe9\u2603", "\ud800", "\U0001f36a"])
def test_what_is_sent_has_the_form_that_was_written(value: str) -> None:
    steps = told(
        {"url": "https://a.test/d/x", "set_cookie": [f"{value}={value}; Path=/d"]}, {"url": "https://a.test/d"}
    )
    assert (value, value) == (steps[0]["set"][0]["name"], steps[0]["set"][0]["value"])
    assert f"{value}={value}" == steps[1]["cookie"]


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        (None, 'a story is an object with a list of "steps"'),
        ([], 'a story is an object with a list of "steps"'),
        ({}, 'a story is an object with a list of "steps"'),
        ({"steps": {}}, 'a story is an object with a list of "steps"'),
        ({"steps": [1]}, "step 1: a step is an object"),
        ({"steps": [{}]}, "step 1: url is missing"),
        ({"steps": [{"url": "https://a.test/"}, {"url": 5}]}, "step 2: url is a string or null"),
        ({"steps": [{"url": "a.test"}]}, "step 1: no URL with a scheme and a host where one is needed"),
        ({"steps": [{"url": "http://["}]}, "step 1: no URL with a scheme and a host where one is needed"),
        ({"steps": [{"url": "https://a.test/", "set-cookie": []}]}, "step 1: unknown key 'set-cookie'"),
        (
            {"steps": [{"url": "https://a.test/", "set_cookie": "a=1"}]},
            "step 1: set_cookie is a list of strings or null",
        ),
        ({"steps": [{"url": "https://a.test/", "at": True}]}, "step 1: at is a time in Unix seconds or null"),
        ({"steps": [{"url": "https://a.test/", "at": float("nan")}]}, "step 1: at is a time in Unix seconds or null"),
        (
            {"steps": [{"url": "https://a.test/", "via": "teleport"}]},
            "step 1: via is one of navigate, link, redirect, post, fetch, img, iframe, js",
        ),
        (
            {"steps": [{"url": "https://a.test/", "via": "fetch", "from": "x"}]},
            "step 1: no URL with a scheme and a host where one is needed",
        ),
    ],
)
def test_what_is_no_story_says_what_is_wrong_and_where(story: Any, expected: str) -> None:
    with pytest.raises(BadStory) as caught:
        tell(story, "rfc6265bis", now_ns=NOW)
    assert expected == str(caught.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
URLS = st.sampled_from(("https://a.test/x", "http://b.a.test", "https://localhost/", "wss://[::1]/")) | st.text().map(
    lambda text: "https://" + text
)
LINES = st.text(st.characters(exclude_categories=()), max_size=30) | st.sampled_from(
    ("a=1; Secure; Partitioned", "__Host-a=1; Secure; Path=/", "b=2; Domain=a.test; Max-Age=1", "c; SameSite=None")
)
STEPS = st.fixed_dictionaries(
    {"url": URLS},
    optional={
        "via": st.sampled_from(("navigate", "link", "redirect", "post", "fetch", "img", "iframe", "js")),
        "from": st.none() | URLS,
        "top": st.none() | URLS,
        "method": st.none() | st.text(max_size=4),
        "set_cookie": st.none() | st.lists(LINES, max_size=3),
        "at": st.none() | st.floats(0, 1e10) | st.integers(),
    },
)


@settings(max_examples=150, deadline=None)
@given(
    JSON | st.fixed_dictionaries({"steps": st.lists(STEPS | JSON, max_size=5)}),
    st.sampled_from(list(PROFILES)),
    st.booleans(),
)
def test_any_json_is_a_story_or_a_bad_one(story: Any, profile: str, blocked: bool) -> None:
    try:
        found = tell(story, profile, block_third_party=blocked, now_ns=NOW)
    except BadStory:
        return
    assert len(found["steps"]) == len(story["steps"])
    assert found == json.loads(json.dumps(found))
