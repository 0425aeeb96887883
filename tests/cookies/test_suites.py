"""The conformance suites, whole: what the draft decides otherwise is listed here by name."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

import pytest

from inspect_cli.cookies import Jar, asking_for
from inspect_cli.cookies.dates import parse_date
from inspect_cli.cookies.hosts import canonical_host, registrable_domain
from tests.cookies.corpus import COOKIES, NS, load

NAMELESS = "6265bis §5.6 step 3: without '=' the name is empty and the cookie is kept (RFC 6265 dropped it)"
EMPTY_NAME = "6265bis §5.6 step 3: '=value' is a nameless cookie (RFC 6265 dropped it)"
HTTP_STATE_OTHERWISE = {
    "0004": (NAMELESS, "foo"),
    "0021": (EMPTY_NAME, "a=b; x; c=d"),
    "0023": (NAMELESS, "foo"),
    "0026": (NAMELESS, "foo"),
    "0027": (NAMELESS, "bar"),
    "0028": (NAMELESS, "foo"),
    "CHROMIUM0009": (NAMELESS, "BLAHHH"),
    "CHROMIUM0010": (NAMELESS, '"BLA\\"HHH"'),
    "MOZILLA0012": (NAMELESS, 'test="fubar! = foo; five'),
    "MOZILLA0015": (NAMELESS, "seven"),
    "MOZILLA0016": (EMPTY_NAME, "eight"),
    "MOZILLA0017": (EMPTY_NAME, "eight; test=six"),
    "NAME0023": (NAMELESS, "foo"),
    "NAME0025": (EMPTY_NAME, "==a=bar"),
    "NAME0028": (EMPTY_NAME, "a"),
    "NAME0031": (NAMELESS, '"foo'),
    "NAME0032": (NAMELESS, '"foo\\"bar'),
    "NAME0033": (NAMELESS, "aaa"),
    "OPTIONAL_DOMAIN0042": (
        "6265bis §5.6.3, §5.7 step 7: the last Domain is empty, so it is host-only",
        "foo=bar",
    ),
}

BROWSERS_OTHERWISE = {
    ("chromium", "NAME0025"): (
        "Chromium refuses a nameless cookie with '=' in its value: it would come back named",
        "",
    ),
}
SUITE_PROFILES = ("rfc6265bis", "chromium", "firefox", "safari")

DISABLED = {"disabled-chromium0020": "switched off in the suite itself"}

WPT_OTHERWISE = {
    "Set cookie but ignore value after LF": (
        "RFC 9112 §5: a LF ends the field line, so no value holds one; as a value 6265bis §5.6 step 1 drops it",
        "",
    ),
}
CUTS_AT_LF = ("chromium", "firefox")
"""The clients that are known to read a line as far as its first LF."""


def pairs(sent: list[dict[str, str]]) -> str:
    return "; ".join(f"{pair['name']}={pair['value']}" if pair["name"] else pair["value"] for pair in sent)


@pytest.mark.parametrize("profile", SUITE_PROFILES)
@pytest.mark.parametrize(("suite", "now_s"), [("http-state", 1_300_000_000), ("tough-cookie", 1_795_000_000)])
def test_parser_cases_of_the_http_state_working_group(suite: str, now_s: int, profile: str) -> None:
    expected: dict[str, str] = {}
    actual: dict[str, str] = {}
    for case in load(f"{suite}/parser.json"):
        name = case["test"]
        jar = Jar(profile)
        page = asking_for("http://home.example.org:8888/cookie-parser?" + name.lower())
        for line in case["received"]:
            jar.store(line.encode(), page, now_s * NS)
        to = case.get("sent-to", "/cookie-parser-result")
        if to.startswith("/"):
            to = "http://home.example.org:8888" + to
        actual[name] = jar.header(asking_for(to), now_s * NS).decode()
        expected[name] = HTTP_STATE_OTHERWISE[name][1] if name in HTTP_STATE_OTHERWISE else pairs(case["sent"])
        assert (name in HTTP_STATE_OTHERWISE) == (expected[name] != pairs(case["sent"]))
        expected[name] = BROWSERS_OTHERWISE.get((profile, name), ("", expected[name]))[1]
    assert len(expected) == 150
    assert expected == actual


def test_raw_parser_cases_send_the_bytes_that_are_expected() -> None:
    folder = COOKIES / "http-state" / "parser"
    if not folder.is_dir():
        pytest.skip("no corpus folder http-state/parser: set INSPECT_CLI_CORPUS")
    run = 0
    for path in sorted(folder.glob("*-test")):
        name = path.name.removesuffix("-test")
        known = {key.lower(): value for key, value in HTTP_STATE_OTHERWISE.items()}.get(name.replace("-", "_"))
        jar = Jar()
        to = "http://home.example.org:8888/cookie-parser-result"
        for line in path.read_bytes().split(b"\n"):
            field, _, value = line.rstrip(b"\r").partition(b":")
            if field.lower() == b"set-cookie":
                jar.store(
                    value.strip(b" \t"),
                    asking_for("http://home.example.org:8888/cookie-parser"),
                    1_300_000_000 * NS,
                )
            elif field.lower() == b"location":
                where = value.strip().decode()
                to = where if where.startswith("http") else "http://home.example.org:8888" + where
        if name in DISABLED:
            continue
        sent = (folder / f"{name}-expected").read_bytes().strip().removeprefix(b"Cookie: ")
        expected = sent if known is None else known[1].encode()
        assert (name, expected) == (
            name,
            jar.header(asking_for(to), 1_300_000_000 * NS),
        )
        run += 1
    assert run == len(list(folder.glob("*-test"))) - len(DISABLED)


@pytest.mark.parametrize("profile", SUITE_PROFILES)
def test_http_cases_of_web_platform_tests(profile: str) -> None:
    page = asking_for("http://web-platform.test/cookies/resources/cookie.py")
    cases = load("wpt/http-cookie-tests.json")
    assert len(cases) == 59
    for case in cases:
        jar = Jar(profile)
        for line in case["set_cookie"]:
            jar.store(line.encode(), page, 1_795_000_000 * NS)
        expected = case["expected_cookie_header"]
        if profile not in CUTS_AT_LF:
            expected = WPT_OTHERWISE.get(case["name"], ("", expected))[1]
        assert (case["name"], expected) == (
            case["name"],
            jar.header(page, 1_795_000_000 * NS).decode(),
        )


@pytest.mark.parametrize("suite", ["http-state", "tough-cookie"])
@pytest.mark.parametrize("name", ["examples", "bsd-examples"])
def test_dates_of_the_suites(suite: str, name: str) -> None:
    for case in load(f"{suite}/dates/{name}.json"):
        expected = case["expected"]
        if expected is not None:
            expected = int(parsedate_to_datetime(expected).timestamp()) * NS
        assert (case["test"], expected) == (
            case["test"],
            parse_date(case["test"].encode()),
        )


def test_registrable_domains_of_the_public_suffix_list() -> None:
    for case in load("publicsuffix/test_psl.json"):
        host = canonical_host(case["input"])
        expected = case["registrable"] and canonical_host(case["registrable"])
        assert (case["input"], expected) == (
            case["input"],
            registrable_domain(host) if host else None,
        )


def test_the_lists_of_exceptions_name_cases_that_exist() -> None:
    names = {case["test"] for case in load("http-state/parser.json")}
    assert set(HTTP_STATE_OTHERWISE) <= names
    assert {name for _, name in BROWSERS_OTHERWISE} <= names
    assert set(WPT_OTHERWISE) <= {case["name"] for case in load("wpt/http-cookie-tests.json")}
