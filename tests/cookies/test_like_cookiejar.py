"""The profile `python` decides as the http.cookiejar of the Python that runs this."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from inspect_cli.cookies import Jar, asking_for
from tests.cookies.corpus import NS, load
from tests.cookies.oracles import lines as made
from tests.cookies.oracles.cookiejar import Kept, Oracle

NOW_S = 1_795_000_000
SITE = "http://home.example.org:8888"


def kept(jar: Jar, now_ns: int) -> set[Kept]:
    return {
        (
            cookie.name,
            None if cookie.bare else cookie.value.value,
            cookie.domain,
            cookie.host_only,
            cookie.path,
            cookie.secure,
            None if cookie.expires_ns is None else cookie.expires_ns // NS,
        )
        for cookie in jar
        if not cookie.is_expired(now_ns - jar.profile.expiry_margin_ns)
    }


def agree(steps: Sequence[tuple[str, Sequence[bytes]]], now_s: int = NOW_S) -> None:
    """Each step sends, then takes an answer: the Cookie field and the jar are the same."""
    jar, oracle = Jar("python"), Oracle()
    for number, (url, lines) in enumerate(steps):
        moment_s = now_s + number * 1.25
        moment_ns = now_s * NS + number * 5 * NS // 4
        assert (url, oracle.header(url, moment_s)) == (url, jar.header(asking_for(url), moment_ns))
        oracle.store(url, lines, moment_s)
        jar.store_all(lines, asking_for(url), moment_ns)
        assert (lines, oracle.kept(moment_s)) == (lines, kept(jar, moment_ns))


@pytest.mark.parametrize(("suite", "now_s"), [("http-state", 1_300_000_000), ("tough-cookie", NOW_S)])
def test_cases_of_the_http_state_working_group(suite: str, now_s: int) -> None:
    for case in load(f"{suite}/parser.json"):
        page = f"{SITE}/cookie-parser?{case['test'].lower()}"
        to = case.get("sent-to", "/cookie-parser-result")
        to = SITE + to if to.startswith("/") else to
        agree([(page, [line.encode() for line in case["received"]]), (to, ())], now_s)


def test_cases_of_web_platform_tests() -> None:
    page = "http://web-platform.test/cookies/resources/cookie.py"
    for case in load("wpt/http-cookie-tests.json"):
        lines = [line.encode() for line in case["set_cookie"]]
        if not any(octet in line for line in lines for octet in b"\r\n"):
            agree([(page, lines), (page, ())])


def test_lines_of_the_recorded_chromium() -> None:
    steps = [step for case in load("chromium/decisions.json")["cases"] for step in case["steps"]]
    asked = 0
    for step in steps:
        if len(step.get("set", ())) >= 100:
            continue  # http.client gives up: no head of more than 99 fields
        lines = [line.encode("latin-1") for line in step.get("set", ())]
        if lines and not any(octet in line for line in lines for octet in b"\0\r\n"):
            agree([(step["url"], lines), (step["url"], ())])
            asked += 1
    assert asked > 150


@given(made.stories)
@settings(max_examples=600, deadline=None, derandomize=True)
def test_made_stories(steps: list[tuple[str, list[bytes]]]) -> None:
    agree(steps)


@pytest.mark.parametrize(
    ("line", "reason", "reference"),
    [
        (b"", "NoCookieContent", "http.cookiejar parse_ns_headers"),
        (b"=1", "NoName", "http.cookiejar parse_ns_headers"),
        (b"a=1; Path", "InvalidAttribute", "http.cookiejar _normalized_cookie_tuples"),
        (b"a=1; Max-Age=x", "InvalidAttribute", "http.cookiejar _normalized_cookie_tuples"),
        (b"a=1; Max-Age", "ClientFailure", "http.cookiejar make_cookies"),
        (b"a=1; Expires=Wed, 01 Jxx 2031 00:00:00 GMT", "ClientFailure", "http.cookiejar make_cookies"),
        (b"a=1; Version=2", "UnknownVersion", "http.cookiejar set_ok_version"),
        (b"a=1; Domain=com", "InvalidDomain", "http.cookiejar set_ok_domain"),
        (b"a=1; Domain=other.test", "InvalidDomain", "http.cookiejar set_ok_domain"),
        (b"a=1; Port=8080", "PortMismatch", "http.cookiejar set_ok_port"),
        (b"a=1; Max-Age=0", "Expired", "6265bis §5.7 step 24"),
    ],
)
def test_a_refused_line_ends_with_the_step_that_failed(line: bytes, reason: str, reference: str) -> None:
    decision = Jar("python").store(line, asking_for("http://www.example.com/"), NOW_S * NS)
    assert (reason, reference) == (decision.reason, decision.reference)
    assert (reference, reason == "Expired") == (decision.steps[-1].clause, decision.steps[-1].outcome != "failed")
    assert all(step.outcome != "failed" for step in decision.steps[:-1])


def test_a_line_that_it_fails_on_takes_all_cookies_of_the_response() -> None:
    lines = [b"a=1", b"b=2; Max-Age", b"c=3"]
    found = Jar("python").store_all(lines, asking_for("http://www.example.com/"), NOW_S * NS)
    assert ["ClientFailure"] * 3 == [decision.reason for decision in found]


def test_any_host_may_delete_a_cookie_of_any_other() -> None:
    agree([
        ("http://www.example.com/", [b"a=1; Domain=example.com"]),
        ("http://evil.test/", [b"a=0; Domain=example.com; Max-Age=0"]),
        ("http://www.example.com/", ()),
    ])  # fmt: skip


def test_a_host_only_cookie_goes_to_hosts_below() -> None:
    jar = Jar("python")
    jar.store(b"a=1", asking_for("http://example.com/"), NOW_S * NS)
    assert b"a=1" == jar.header(asking_for("http://www.example.com/"), NOW_S * NS)


def test_a_public_suffix_with_a_dot_may_have_cookies() -> None:
    jar = Jar("python")
    jar.store(b"a=1; Domain=co.uk", asking_for("http://one.co.uk/"), NOW_S * NS)
    assert b"a=1" == jar.header(asking_for("http://two.co.uk/"), NOW_S * NS)


def test_a_port_is_not_known_here_and_counts_as_80() -> None:
    """Where it differs from http.cookiejar: the request's port is no part of what is asked."""
    oracle, jar = Oracle(), Jar("python")
    url = "http://www.example.com:8080/"
    oracle.store(url, [b"a=1; Port=8080"], NOW_S)
    jar.store(b"a=1; Port=8080", asking_for(url), NOW_S * NS)
    assert (1, 0) == (len(oracle.kept(NOW_S)), len(jar))
