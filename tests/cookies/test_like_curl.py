"""The profile `curl` decides as libcurl, run over loopback; the curl of this machine may be an older one."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given, settings

from inspect_cli.cookies import Jar, asking_for
from inspect_cli.cookies.profiles import PROFILES
from tests.cookies.corpus import NS, load
from tests.cookies.oracles import lines as made
from tests.cookies.oracles.curl import Kept, Libcurl, Server, program, run

SITE = "http://home.example.org"
PAGE = "http://www.example.com/dir/page"
NOW_NS = 1_795_000_000 * NS
Steps = Sequence[tuple[str, Sequence[bytes]]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as found:
        yield found


@pytest.fixture(scope="module")
def libcurl(server: Server) -> Iterator[Libcurl]:
    pytest.importorskip("pycurl", reason="no pycurl, in which a new libcurl is")
    found = Libcurl(server)
    yield found
    found.close()


def test_the_profile_names_the_version_that_it_is_compared_with(libcurl: Libcurl) -> None:
    assert PROFILES["curl"].measured_on == libcurl.version


def kept(jar: Jar) -> set[Kept]:
    return {
        Kept(
            cookie.name,
            cookie.value.value,
            cookie.domain,
            cookie.host_only,
            cookie.path,
            cookie.secure,
            cookie.http_only,
            0 if cookie.expires_ns is None else cookie.expires_ns // NS,
        )
        for cookie in jar
    }


def are_one(ours: set[Kept], curls: set[Kept]) -> bool:
    """Equal, but that curl's clock may be a second ahead (and a capped expiry in the next minute)."""
    one = {row._replace(expires_s=0): row.expires_s for row in ours}
    other = {row._replace(expires_s=0): row.expires_s for row in curls}
    return one.keys() == other.keys() and all(
        abs(one[row] - other[row]) in (0, 1, 60) and bool(one[row]) == bool(other[row]) for row in one
    )


def agree(libcurl: Libcurl, steps: Steps, rows: Sequence[str] = ()) -> Jar:
    """Each step sends, then takes an answer: the Cookie field and the jar are the same."""
    libcurl.clear()
    jar = Jar("curl")
    for asked, lines in steps:
        url = asked.replace("https:", "http:")  # the server speaks no TLS
        now_ns = time.time_ns()
        assert (url, libcurl.ask(url, lines)) == (url, jar.header(asking_for(url), now_ns))
        jar.store_all(lines, asking_for(url), now_ns)
        live = {row for row in libcurl.kept() if row.expires_s == 0 or row.expires_s >= now_ns // NS}
        assert are_one(kept(jar), live), (lines, kept(jar) ^ live)
    return jar


def suite_steps(case: dict[str, str]) -> Steps:
    to = case.get("sent-to", "/cookie-parser-result")
    lines = [line.encode() for line in case["received"]]
    page = f"{SITE}/cookie-parser?{case['test'].lower()}"
    return [(page, lines), ((SITE + to if to.startswith("/") else to.replace(":8888", "")), ())]


def wpt_steps(case: dict[str, str]) -> Steps:
    page = "http://web-platform.test/cookies/resources/cookie.py"
    return [(page, [line.encode() for line in case["set_cookie"]]), (page, ())]


def is_a_line(line: bytes) -> bool:
    """CR, LF and NUL end curl's transfer, not the line."""
    return not any(octet in line for octet in b"\0\r\n")


def test_cases_of_the_http_state_working_group(libcurl: Libcurl) -> None:
    for case in load("tough-cookie/parser.json"):
        agree(libcurl, suite_steps(case))


def test_cases_of_web_platform_tests(libcurl: Libcurl) -> None:
    for case in load("wpt/http-cookie-tests.json"):
        if all(is_a_line(line) for _, lines in wpt_steps(case) for line in lines):
            agree(libcurl, wpt_steps(case))


def test_lines_of_the_recorded_chromium(libcurl: Libcurl) -> None:
    steps = [step for case in load("chromium/decisions.json")["cases"] for step in case["steps"]]
    asked = 0
    for step in steps:
        lines = [line.encode("latin-1") for line in step.get("set", ())]
        if lines and all(is_a_line(line) for line in lines):
            agree(libcurl, [(step["url"], lines), (step["url"], ())])
            asked += 1
    assert asked > 150


@given(steps=made.stories)
@settings(max_examples=250, deadline=None, derandomize=True)
def test_made_stories(libcurl: Libcurl, steps: list[tuple[str, list[bytes]]]) -> None:
    agree(libcurl, steps)


@given(date=made.dates)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_made_dates(libcurl: Libcurl, date: bytes) -> None:
    agree(libcurl, [(PAGE, [b"a=1; Expires=" + date])])


@pytest.mark.parametrize("size", range(4990, 5003))
def test_length_of_a_line(libcurl: Libcurl, size: int) -> None:
    line = b"a=1; Domain=example.com; x="
    assert int(size <= 4997) == len(agree(libcurl, [(PAGE, [line + b"y" * (size - len(line))])]))


@pytest.mark.parametrize(("name", "value"), [(1, 4094), (1, 4095), (4094, 1), (4095, 1), (2048, 2048), (2048, 2049)])
def test_length_of_name_and_value(libcurl: Libcurl, name: int, value: int) -> None:
    agree(libcurl, [(PAGE, [b"n" * name + b"=" + b"v" * value])])


def many(count: int, attributes: bytes = b"") -> list[bytes]:
    return [b"c%d=1%b" % (number, attributes) for number in range(count)]


@pytest.mark.parametrize(
    "lines",
    [
        many(60),
        [*many(45, b"; Max-Age=0"), *many(60)],
        [*many(45, b"; Domain=com"), *many(60)],
        [*many(45, b"; Secure"), *many(60)],
        [*[b"c0=1"] * 45, *many(60)],
    ],
)
def test_fifty_cookies_are_kept_of_one_response(libcurl: Libcurl, lines: list[bytes]) -> None:
    agree(libcurl, [(PAGE, lines)])


def test_the_oldest_150_cookies_go_with_one_request(libcurl: Libcurl) -> None:
    answers = [
        (PAGE, [b"c%d=1; Path=/" % number for number in range(start, start + 40)]) for start in range(0, 160, 40)
    ]
    agree(libcurl, [*answers, (PAGE, [b"c3=2; Path=/"]), (PAGE, ())])
    jar = Jar("curl")
    for _, lines in answers:
        jar.store_all(lines, asking_for(PAGE), NOW_NS)
    withheld = [decision for decision in jar.send(asking_for(PAGE), NOW_NS) if not decision.sent]
    assert [("TooManyCookies", b"c%d" % n) for n in reversed(range(150, 160))] == [
        (one.reason, one.cookie.name) for one in withheld
    ]


@pytest.mark.parametrize("last", range(165, 182))
def test_a_cookie_field_has_at_most_8189_octets(libcurl: Libcurl, last: int) -> None:
    agree(libcurl, [(PAGE, [b"aaa=" + b"x" * 4000, b"bb=" + b"x" * 4000, b"c=" + b"x" * last, b"d=1"]), (PAGE, ())])


def test_a_secure_cookie_is_not_overlaid_over_http(libcurl: Libcurl) -> None:
    """Where the domains match either way and the new path begins with the first segment of the old one."""
    secure = b"a=1; Secure; Path=/dir/sub"
    paths = (b"/dir/sub", b"/dir", b"/dirt", b"/DIR", b"/", b"/dir/sub/below")
    domains = (b"", b"; Domain=example.com", b"; Domain=www.example.com")
    hosts = ("www.example.com", "example.com", "b.example.com", "a.www.example.com")
    for path, domain, host, name in product(paths, domains, hosts, (b"a", b"A")):
        line, url = name + b"=2; Path=" + path + domain, f"http://{host}/dir/page"
        jar = Jar("curl")
        jar.store(secure, asking_for(PAGE.replace("http:", "https:")), NOW_NS)
        jar.store(line, asking_for(url), NOW_NS)
        libcurl.clear()
        libcurl.add("www.example.com\tFALSE\t/dir/sub\tTRUE\t0\ta\t1")
        libcurl.ask(url, [line])
        assert (url, line, kept(jar)) == (url, line, set(libcurl.kept()))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "NoCookieContent"),
        (b"a", "NoName"),
        (b"=1", "NoName"),
        (b"a=1; x=2\t3", "DisallowedCharacter"),
        (b"a=" + b"v" * 4096, "NameValuePairExceedsMaxSize"),
        (b"a=1; x=" + b"y" * 5000, "LineTooLong"),
        (b"a=1; Secure", "SecureOnly"),
        (b"a=1; Domain=other.test", "InvalidDomain"),
        (b"a=1; Domain=com", "InvalidDomain"),
        (b"__Host-a=1", "InvalidPrefix"),
    ],
)
def test_a_refused_line_ends_with_the_step_that_failed(line: bytes, reason: str) -> None:
    decision = Jar("curl").store(line, asking_for(PAGE), NOW_NS)
    assert (reason, "curl", "failed") == (decision.reason, decision.reference, decision.steps[-1].outcome)
    assert all(step.outcome != "failed" for step in decision.steps[:-1])


OLD = (8, 0)
_WITH_VALUE = "curl 7.88: `Secure=x` is not Secure; 8.23: it is"
_TAB = "curl 7.88: a TAB ends a name, so that it has no `=`; 8.23: it is trimmed"
OLD_OTHERWISE = {
    "ATTRIBUTE0005": _WITH_VALUE,
    "ATTRIBUTE0007": _WITH_VALUE,
    "VALUE0006": _TAB,
    "Set cookie ignoring whitespace surrounding value and characters after first semicolon": _TAB,
}


def test_curl_of_this_machine_sends_what_the_profile_sends(server: Server) -> None:
    found = program()
    if found is None:
        pytest.skip("no curl on this machine")
    path, version = found
    cases = {case["test"]: suite_steps(case) for case in load("tough-cookie/parser.json")}
    cases |= {case["name"]: wpt_steps(case) for case in load("wpt/http-cookie-tests.json")}
    others = []
    for name, steps in cases.items():
        if not all(is_a_line(line) for _, lines in steps for line in lines):
            continue
        jar = Jar("curl")
        now_ns = time.time_ns()
        for url, lines in steps:
            sent = jar.header(asking_for(url), now_ns)
            jar.store_all(lines, asking_for(url), now_ns)
        if run(path, server, steps)[-1] != sent:
            others.append(name)
    assert sorted(OLD_OTHERWISE if version < OLD else ()) == sorted(others)
