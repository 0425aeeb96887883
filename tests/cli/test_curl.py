"""curl's command lines as requests."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cli import cli, options
from inspect_cli.cli.curl import HTTP, WEBSOCKET, basic, checked_url, cookie_files, jar_from, resolved, steps_of
from inspect_cli.cookies import asking
from inspect_cli.cookies.profiles import RFC6265BIS
from inspect_cli.errors import BadUrl, InspectError, NoSuchFile, NotSupported, UsageProblem
from inspect_cli.sources.client import ELSEWHERE, RequestStep


def parts(*arguments: str) -> list[dict[str, Any]]:
    command = cli.get_command(click.Context(cli), "cookie-trace")
    assert command is not None
    found: list[dict[str, Any]] = command.make_context("cookie-trace", list(arguments)).params["parts"]
    return found


def steps(*arguments: str) -> list[RequestStep]:
    return steps_of(parts(*arguments))


def step(*arguments: str) -> RequestStep:
    (one,) = steps(*arguments)
    return one


FORM = ("Content-Type", "application/x-www-form-urlencoded")

CHROME = """
'http://127.0.0.1:8000/login' -X 'POST'
  -H 'Accept: text/html,application/xhtml+xml;q=0.9' -H 'Accept-Encoding: gzip, deflate, br, zstd'
  -H 'Content-Type: application/x-www-form-urlencoded' -b 'theme=dark; sid=5f1c9a'
  -H 'Origin: http://127.0.0.1:8000' -H 'sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"'
  --data-raw 'user=mina&note=it%27s' --compressed --insecure
"""

FIREFOX = """
'http://127.0.0.1:8000/account?a=1&b=2' --compressed -H 'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0)'
  -H 'Accept-Language: ko,en-US;q=0.7,en;q=0.3' -H 'Cookie: theme=dark; sid=5f1c9a' -H 'Priority: u=0, i' --location
"""


def test_a_line_copied_from_chrome() -> None:
    got = step(*shlex.split(CHROME))

    assert got == RequestStep(
        method="POST",
        url="http://127.0.0.1:8000/login",
        headers=(
            ("Accept", "text/html,application/xhtml+xml;q=0.9"),
            ("Accept-Encoding", "gzip, deflate, br, zstd"),
            FORM,
            ("Origin", "http://127.0.0.1:8000"),
            ("sec-ch-ua", '"Chromium";v="142", "Not_A Brand";v="99"'),
        ),
        body=b"user=mina&note=it%27s",
        cookies_by_hand="theme=dark; sid=5f1c9a",
    )


def test_a_line_copied_from_firefox() -> None:
    got = step(*shlex.split(FIREFOX))

    assert got == RequestStep(
        method="GET",
        url="http://127.0.0.1:8000/account?a=1&b=2",
        headers=(
            ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0)"),
            ("Accept-Language", "ko,en-US;q=0.7,en;q=0.3"),
            ("Priority", "u=0, i"),
        ),
        cookies_by_hand="theme=dark; sid=5f1c9a",
        follow=True,
    )


def test_data_make_a_post_with_a_form() -> None:
    got = step("http://a/", "-d", "a=1", "-d", "b=2")

    assert got == RequestStep("POST", "http://a/", (FORM,), b"a=1&b=2")


def test_get_puts_the_data_into_the_query() -> None:
    got = step("http://a/?x=1", "-G", "-d", "a=1", "--data-urlencode", "b=c d")

    assert got == RequestStep("GET", "http://a/?x=1&a=1&b=c%20d")


def test_a_form_is_multipart() -> None:
    got = step("http://a/", "-F", "a=1")

    assert got.method == "POST"
    assert got.body is not None
    name, value = got.headers[0]
    assert (name, value.partition("=")[0]) == ("Content-Type", "multipart/form-data; boundary")
    assert got.body.startswith(b"--" + value.partition("=")[2].encode() + b"\r\n")


def test_who_asks() -> None:
    got = step("http://a/", "--cross-site", "--fetch", "--max-redirs", "3", "-I")

    assert got == RequestStep("HEAD", "http://a/", via="fetch", page=ELSEWHERE, max_redirects=3)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ("navigate", None, None)),
        (["--site"], ("navigate", None, None)),
        (["--fetch"], ("fetch", None, None)),
        (["--cross-site"], ("link", ELSEWHERE, None)),
        (["--cross-site", "--navigate"], ("link", ELSEWHERE, None)),
        (["--from", "b.test/page"], ("link", "http://b.test/page", None)),
        (["--from", "https://b.test", "--fetch"], ("fetch", "https://b.test", None)),
        (["--via", "post"], ("post", None, None)),
        (["--via", "img", "--from", "b.test", "--top", "c.test"], ("img", "http://b.test", "http://c.test")),
        (["--via", "iframe", "--cross-site"], ("iframe", ELSEWHERE, None)),
    ],
)
def test_the_page_that_asks_and_how(arguments: list[str], expected: tuple[str, str | None, str | None]) -> None:
    got = step("http://a/", *arguments)

    assert expected == (got.via, got.page, got.top)


def test_a_form_posts_without_data_too() -> None:
    assert ["POST", "POST", "GET", "PUT"] == [
        step("http://a/", *more).method
        for more in (["--via", "post"], ["-d", "a=1"], ["--via", "link"], ["--via", "post", "-X", "PUT"])
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--from", "b.test", "--site"], {"problem": "from-and-site"}),
        (["--from", "b.test", "--cross-site"], {"problem": "from-and-site"}),
        (["--via", "img", "--navigate"], {"problem": "via-and-navigate"}),
        (["--top", "b.test"], {"problem": "top-of-navigation"}),
        (["--top", "b.test", "--via", "post"], {"problem": "top-of-navigation"}),
        (["--from", "ftp://b.test"], {"url": "ftp://b.test", "problem": "scheme"}),
        (["--fetch", "--top", "http://"], {"url": "http://", "problem": "no-host"}),
    ],
)
def test_who_asks_is_said_in_one_way(arguments: list[str], expected: dict[str, str]) -> None:
    with pytest.raises(UsageProblem) as problem:
        steps("http://a/", *arguments)
    assert expected == problem.value.data


def test_profiles_and_ways_are_those_of_the_engine() -> None:
    assert RFC6265BIS.name == options.USUAL_CLIENT
    assert set(options.VIAS) == set(asking.VIAS) - {"redirect", "js"}


def test_header_lines_as_curl_reads_them(tmp_path: Path) -> None:
    file = tmp_path / "headers"
    file.write_text("X-From: file\n\nX-More: 1\r\n")

    got = step("http://a/", "-H", "Accept:", "-H", "X-Empty;", "-H", f"@{file}", "-H", "X-A:  b ").headers

    assert got == (("Accept", ""), ("X-Empty;", ""), ("X-From", "file"), ("X-More", "1"), ("X-A", "b"))


def test_short_options_for_fields_give_way_to_a_header_line() -> None:
    got = step("http://a/", "-A", "me", "-e", "http://b/", "-u", "mina:pw", "-H", "user-agent: you").headers

    assert got == (("user-agent", "you"), ("Authorization", "Basic bWluYTpwdw=="), ("Referer", "http://b/"))


def test_a_login_inside_the_url_is_sent_as_a_field() -> None:
    got = step("http://mina:p%40ss@a:8080/x")

    assert (got.url, got.headers) == ("http://a:8080/x", (("Authorization", basic("mina:p@ss")),))


def test_cookies_by_hand_come_from_all_options_in_order() -> None:
    got = step("http://a/", "-b", "a=1;", "-b", "b=2; c=3", "-H", "Cookie: d=4")

    assert got.cookies_by_hand == "a=1; b=2; c=3; d=4"


def test_a_path_after_then_stands_on_the_part_before() -> None:
    got = steps("http://a:1/x/y?q", "--then", "/z", "--then", "http://b/")

    assert [s.url for s in got] == ["http://a:1/x/y?q", "http://a:1/z", "http://b/"]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("example.com", "http://example.com"),
        ("localhost:8080/x", "http://localhost:8080/x"),
        ("//example.com/x", "http://example.com/x"),
        ("HTTP://Example.com/", "http://Example.com/"),
        ("[::1]:8080", "http://[::1]:8080"),
        ("https://a/", "https://a/"),
    ],
)
def test_urls_as_curl_guesses_them(text: str, url: str) -> None:
    assert checked_url(text, HTTP) == (url, "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("http://", "no-host"),
        ("http:///path", "no-host"),
        ("http:/path", "no-host"),
        ("", "no-host"),
        ("ftp://a/", "scheme"),
        ("ws://a/", "scheme"),
        ("mailto:a@b", "scheme"),
        ("http://a:99999/", "port"),
        ("http://a:x/", "port"),
        ("http://a:0/", "port"),
        ("http://[::zz]/", "no-host"),
        ("http://a b/", "characters"),
        ("http://a/\r\nX: y", "characters"),
    ],
)
def test_what_is_no_url_to_request(text: str, problem: str) -> None:
    with pytest.raises(BadUrl) as caught:
        checked_url(text, HTTP)

    assert (caught.value.data["problem"], caught.value.exit_code) == (problem, 2)


def test_websocket_urls_have_schemes_of_their_own() -> None:
    assert checked_url("a:1/x", WEBSOCKET) == ("ws://a:1/x", "")
    with pytest.raises(BadUrl):
        checked_url("http://a/", WEBSOCKET)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_url_or_a_problem(text: str) -> None:
    try:
        url, _ = checked_url(text, HTTP)
    except BadUrl:
        return
    assert url.partition("://")[0] in HTTP


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=4), st.lists(st.text(max_size=12), max_size=2), st.text(max_size=5))
def test_any_header_line_and_cookie_is_sent_whole_or_refused(lines: list[str], cookies: list[str], method: str) -> None:
    arguments = [f"-H{line}" for line in lines if line[:1] not in ("@", "")]
    try:
        got = step("http://a/", *arguments, *[f"-b{c}" for c in cookies if c], f"-X{method or 'GET'}")
    except (InspectError, click.UsageError):
        return
    for name, value in got.headers:
        assert not any(c in name + value for c in "\r\n\0")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["-H", "no colon"], "header"),
        (["-H", "bad name: x"], "header"),
        (["-H", "A: x\r\nB: y"], "control-character"),
        (["-A", "x\ny"], "control-character"),
        (["-X", "A B"], "method"),
        (["-I", "-d", "x"], "head-with-body"),
        (["-F", "a=1", "-d", "x"], "form-and-data"),
    ],
)
def test_what_makes_no_request(arguments: list[str], problem: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        step("http://a/", *arguments)

    assert caught.value.data["problem"] == problem


@pytest.mark.parametrize(
    ("arguments", "what"),
    [(["-e", "http://b/;auto"], "--referer ;auto"), (["-H", ":authority: a"], ":authority")],
)
def test_values_that_are_not_spoken_are_refused_by_name(arguments: list[str], what: str) -> None:
    with pytest.raises(NotSupported) as caught:
        step("http://a/", *arguments)

    assert caught.value.data == {"what": what}


def test_resolve_lines() -> None:
    assert resolved("Example.com:80:127.0.0.1") == (("example.com", 80), "127.0.0.1")
    assert resolved("+a:443:[::1]") == (("a", 443), "::1")
    with pytest.raises(NotSupported):
        resolved("a:80:1.1.1.1,2.2.2.2")
    with pytest.raises(UsageProblem):
        resolved("a")


def test_a_jar_file_is_what_holds_no_equals_sign(tmp_path: Path) -> None:
    file = tmp_path / "jar.txt"
    file.write_text("# Netscape HTTP Cookie File\n#HttpOnly_a.example\tFALSE\t/\tFALSE\t0\tsid\t1=2\n")

    files = cookie_files(parts("http://a/", "-b", "a=1", "-b", str(file), "-b", ""))
    jar = jar_from(files, None)

    assert files == [str(file)]
    assert [(c.name, c.value.value, c.domain, c.http_only) for c in jar.cookies] == [
        (b"sid", b"1=2", "a.example", True)
    ]


def test_a_jar_that_is_yet_to_be_written_may_be_missing(tmp_path: Path) -> None:
    path = str(tmp_path / "new.txt")

    assert jar_from([path], path).cookies == ()
    with pytest.raises(NoSuchFile):
        jar_from([path], None)
