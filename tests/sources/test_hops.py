from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.errors import BadUrl
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import Asking
from inspect_cli.sources.client import RequestStep
from inspect_cli.sources.hops import (
    Hop,
    absolute,
    asking_of,
    checked,
    concerning,
    cookie_value,
    cookies_by_hand,
    first_hop,
    header_lines,
    origin_of,
    redirected,
)

POST = first_hop(
    RequestStep(
        "POST",
        "http://a.test/login",
        (("Content-Type", "text/plain"), ("Authorization", "Basic eA=="), ("X-Kept", "1")),
        b"user=x",
        cookies_by_hand="sid=1",
    )
)


@pytest.mark.parametrize(
    ("method", "status", "expected"),
    [
        ("POST", 301, ("GET", None)),
        ("POST", 302, ("GET", None)),
        ("POST", 303, ("GET", None)),
        ("POST", 307, ("POST", b"user=x")),
        ("POST", 308, ("POST", b"user=x")),
        ("PUT", 302, ("PUT", b"user=x")),
        ("PUT", 303, ("GET", None)),
        ("HEAD", 303, ("HEAD", b"user=x")),
    ],
)
def test_a_redirect_rewrites_the_method_as_browsers_do(
    method: str, status: int, expected: tuple[str, bytes | None]
) -> None:
    """RFC 9110 §15.4.2-4, §15.4.8-9."""
    hop = redirected(first_hop(RequestStep(method, "http://a.test/", (), b"user=x")), status, "/next")
    assert (hop.method, hop.body) == expected


def test_a_body_that_is_gone_takes_its_fields_along() -> None:
    hop = redirected(POST, 302, "/account")
    assert hop.headers == (("Authorization", "Basic eA=="), ("X-Kept", "1"))
    assert (hop.url, hop.by_hand) == ("http://a.test/account", "sid=1")


@pytest.mark.parametrize("location", ["http://b.test/", "https://a.test/", "http://a.test:81/", "//b.test/x"])
def test_credentials_do_not_leave_their_origin(location: str) -> None:
    hop = redirected(POST, 307, location)
    assert hop.headers == (("Content-Type", "text/plain"), ("X-Kept", "1"))
    assert hop.by_hand == ""


def test_a_fetch_that_is_redirected_to_another_site_is_cross_site() -> None:
    """6265bis §5.2; a navigation that somebody typed stays same-site at every hop."""
    fetch = first_hop(RequestStep("GET", "http://a.test/", via="fetch"))
    typed = first_hop(RequestStep("GET", "http://a.test/"))
    assert is_same_site(redirected(fetch, 302, "http://b.test/")) is False
    assert is_same_site(redirected(fetch, 302, "/here")) is True
    assert is_same_site(redirected(typed, 302, "http://b.test/")) is True


def test_a_redirect_keeps_who_asked() -> None:
    """What Chromium does: the hosts in between decide nothing, the page that began it does."""
    link = first_hop(RequestStep("GET", "http://b.test/", via="link", page="http://a.test/page"))
    back = redirected(link, 302, "http://a.test/back")
    on = redirected(link, 302, "http://c.test/on")

    assert [False, True, False] == [is_same_site(hop) for hop in (link, back, on)]
    assert Asking("http", "a.test", "/back", same_domain=True) == asking_of(back, back.url)
    secure = redirected(link, 302, "https://a.test/")
    assert Asking("https", "a.test", "/", same_site=False, same_domain=True) == asking_of(secure, secure.url)


def test_a_picture_in_a_frame_is_asked_for_by_the_page_and_the_one_around() -> None:
    step = RequestStep("GET", "http://a.test/i.png", via="img", page="http://a.test/", top="http://top.test/")
    hop = first_hop(step)
    expected = Asking("http", "a.test", "/i.png", "GET", False, False, False, "http://top.test")

    assert expected == asking_of(hop, hop.url)


@pytest.mark.parametrize("wrong", ["nonsense", "mailto:kim@a.test", "http://"])
def test_a_page_that_is_no_url_is_said(wrong: str) -> None:
    hop = first_hop(RequestStep("GET", "http://a.test/", via="link", page=wrong))
    with pytest.raises(BadUrl):
        asking_of(hop, hop.url)


def is_same_site(hop: Hop) -> bool:
    return asking_of(hop, hop.url).same_site


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("x", "http://a.test/dir/x"),
        ("/x", "http://a.test/x"),
        ("?q", "http://a.test/dir/page?q"),
        ("//b.test/x", "http://b.test/x"),
        (" /x ", "http://a.test/x"),
    ],
)
def test_a_location_is_resolved_against_its_page(location: str, expected: str) -> None:
    assert absolute("http://a.test/dir/page", location) == expected


@pytest.mark.parametrize("location", ["ftp://a.test/", "http://[", "http://a.test:99999/", "javascript:x"])
def test_a_location_that_leads_nowhere_is_said(location: str) -> None:
    with pytest.raises(BadUrl):
        absolute("http://a.test/", location)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("a.test", "no-scheme"),
        ("", "no-scheme"),
        ("gopher://a.test/", "scheme"),
        ("http://", "no-host"),
        ("http:///path", "no-host"),
        ("http://:80/", "no-host"),
        ("http://a.test:x/", "port"),
        ("http://a.test:0/", "port"),
        ("http://a.test:65536/", "port"),
        ("http://[::1/", "not-a-url"),
        ("http://a.test/a b", "not-a-url"),
    ],
)
def test_a_url_that_cannot_be_requested_has_one_clear_problem(url: str, problem: str) -> None:
    with pytest.raises(BadUrl) as raised:
        checked(url, ("http", "https"))
    assert raised.value.data == {"url": url, "problem": problem}


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_no_text_raises_anything_but_bad_url(text: str) -> None:
    for url in (text, f"http://{text}"):
        try:
            origin_of(checked(url, ("http",)))
        except BadUrl:
            continue


def test_a_fragment_is_not_requested() -> None:
    assert checked("http://a.test/x#here", ("http",)) == "http://a.test/x"


def test_header_options_replace_take_away_and_empty_as_in_curl() -> None:
    given_ = (("accept", ""), ("user-agent", "me"), ("X-Empty;", ""), ("X-Two", "1"), ("X-Two", "2"), ("Cookie", "a=b"))
    defaults = (("Host", "a.test"), ("User-Agent", "inspect-cli"), ("Accept", "*/*"))
    assert header_lines(given_, defaults) == [
        ("Host", "a.test"),
        ("user-agent", "me"),
        ("X-Empty", ""),
        ("X-Two", "1"),
        ("X-Two", "2"),
    ]


def test_cookies_by_hand_come_from_both_options() -> None:
    hop = first_hop(RequestStep("GET", "http://a.test/", (("Cookie", "b=2; "),), cookies_by_hand="a=1;"))
    assert hop.by_hand == "a=1; b=2"
    found = [(cookie.name, cookie.value, cookie.by_hand) for cookie in cookies_by_hand(hop.by_hand)]
    assert found == [(b"a", Secret(b"1", "cookie"), True), (b"b", Secret(b"2", "cookie"), True)]


def test_the_jar_comes_before_the_hand() -> None:
    assert cookie_value(b"a=1", "b=2") == b"a=1; b=2"
    assert cookie_value(b"", "b=2") == b"b=2"
    assert cookie_value(b"", "") == b""


def test_only_cookies_of_the_site_concern_a_request() -> None:
    given_ = [*cookies_by_hand("a=1")] * 3
    domains = ["shop.example.com", "example.com", "example.org"]
    cookies = [
        type(c)(*(d if f == "domain" else getattr(c, f) for f in c.__slots__))
        for c, d in zip(given_, domains, strict=True)
    ]
    assert [cookie.domain for cookie in concerning(cookies, "www.example.com")] == ["shop.example.com", "example.com"]
