from __future__ import annotations

import gzip
import http.client
import re
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import pytest

import inspect_cli.practice
from inspect_cli.practice import TOUR, WS_TOUR, Practice, running
from inspect_cli.practice.raw import RAW_ROUTES
from inspect_cli.practice.site import ROUTES


@pytest.fixture(scope="module")
def practice() -> Iterator[Practice]:
    with running() as practice:
        yield practice


class Browser:
    """One keep-alive connection, and cookies sent back to every path."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
        self.cookies: dict[str, str] = {}

    def ask(
        self, method: str, path: str, form: tuple[tuple[str, str], ...] = (), **fields: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, urlencode(form) if form else None, headers)
        response = self.connection.getresponse()
        for line in response.headers.get_all("set-cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return response, response.read()


@pytest.fixture
def browser(practice: Practice) -> Iterator[Browser]:
    browser = Browser(practice.http_url)
    yield browser
    browser.connection.close()


def log_in(browser: Browser) -> None:
    browser.ask("POST", "/login", (("name", "alice"), ("password", "practice")))


def test_front_page_lists_every_route_of_both_servers(browser: Browser) -> None:
    _, body = browser.ask("GET", "/")

    missing = [path for _, path, _ in ROUTES + RAW_ROUTES if path not in body.decode()]
    assert [] == missing


def test_room_docstring_names_every_route() -> None:
    assert inspect_cli.practice.__doc__ is not None
    named = set(re.findall(r"`(/[^`]*)`", inspect_cli.practice.__doc__))

    assert {path for _, path, _ in ROUTES + RAW_ROUTES} == named


def test_front_page_hands_out_a_persistent_theme_and_a_session_once(browser: Browser) -> None:
    first, _ = browser.ask("GET", "/")
    lines = first.headers.get_all("set-cookie")
    again, _ = browser.ask("GET", "/")

    assert lines is not None
    assert "theme=light; Path=/; Max-Age=2592000; SameSite=Lax" == lines[0]
    assert re.fullmatch(r"sid=[0-9a-f]{32}; Path=/; HttpOnly; SameSite=Lax", lines[1])
    assert again.headers.get_all("set-cookie") is None


def test_session_id_changes_at_login_and_the_old_one_is_worth_nothing(browser: Browser) -> None:
    browser.ask("GET", "/")
    anonymous = browser.cookies["sid"]
    response, _ = browser.ask("POST", "/login", (("name", "alice"), ("password", "practice")))
    _, account = browser.ask("GET", "/account")
    named = browser.cookies["sid"]
    browser.cookies["sid"] = anonymous
    refused, _ = browser.ask("GET", "/account")

    assert (303, "/account") == (response.status, response.headers["location"])
    assert named != anonymous
    assert b"Account of alice" in account
    assert 401 == refused.status


def test_login_keeps_the_cart_of_the_anonymous_session(browser: Browser) -> None:
    browser.ask("POST", "/shop/cart", (("item", "pear"),))
    log_in(browser)
    _, shop = browser.ask("GET", "/shop")

    assert b"<li>pear</li>" in shop


def test_logout_drops_the_session_in_the_server_too(browser: Browser) -> None:
    log_in(browser)
    session_id = browser.cookies["sid"]
    response, _ = browser.ask("POST", "/logout")
    browser.cookies["sid"] = session_id
    refused, _ = browser.ask("GET", "/account")

    assert "sid=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax" == response.headers["set-cookie"]
    assert 401 == refused.status


def test_wrong_password_is_refused_without_a_session(browser: Browser) -> None:
    response, _ = browser.ask("POST", "/login", (("name", "alice"), ("password", "guess")))

    assert (403, None) == (response.status, response.headers.get("set-cookie"))


def test_login_form_of_a_megabyte_is_refused(browser: Browser) -> None:
    response, _ = browser.ask("POST", "/login", (("name", "a" * 1_000_000), ("password", "practice")))

    assert 403 == response.status


def test_name_in_the_account_is_escaped(browser: Browser) -> None:
    browser.ask("POST", "/login", (("name", "<script>"), ("password", "practice")))
    _, account = browser.ask("GET", "/account")

    assert b"&lt;script&gt;" in account
    assert b"<script>" not in account


def test_cart_cookie_is_for_the_shop_alone(browser: Browser) -> None:
    shop, _ = browser.ask("GET", "/shop")
    added, _ = browser.ask("POST", "/shop/cart", (("item", "apple"),))
    unknown, _ = browser.ask("POST", "/shop/cart", (("item", "a car"),))

    assert "cart=0; Path=/shop; SameSite=Lax" == shop.headers["set-cookie"]
    assert "cart=1; Path=/shop; SameSite=Lax" in (added.headers.get_all("set-cookie") or [])
    assert 404 == unknown.status


def test_cart_page_says_whether_the_cookie_came(browser: Browser) -> None:
    _, without = browser.ask("GET", "/cart")
    browser.cookies["cart"] = "1"
    _, with_it = browser.ask("GET", "/cart")

    assert b"did not come" in without
    assert b"did come" in with_it


def test_theme_is_chosen_for_thirty_days(browser: Browser) -> None:
    dark, _ = browser.ask("GET", "/theme/dark")
    pink, _ = browser.ask("GET", "/theme/pink")

    assert "theme=dark; Path=/; Max-Age=2592000; SameSite=Lax" == dark.headers["set-cookie"]
    assert 404 == pink.status


def test_cookies_page_shows_what_came(browser: Browser) -> None:
    _, none = browser.ask("GET", "/cookies")
    browser.cookies = {"a": "1", "b": "<2>"}
    _, two = browser.ask("GET", "/cookies")

    assert b"None." in none
    assert b"<li>a=1</li><li>b=&lt;2&gt;</li>" in two


def test_every_attribute_of_a_cookie_is_handed_out(browser: Browser) -> None:
    response, _ = browser.ask("GET", "/cookies/all")
    lines = response.headers.get_all("set-cookie") or []
    seen = {part.partition("=")[0].strip() for line in lines for part in line.split(";")[1:]}

    assert 15 == len(lines)
    expected = {"Expires", "Max-Age", "Domain", "Path", "Secure", "HttpOnly", "SameSite", "Partitioned", "Colour"}
    assert expected == seen
    assert "domain=1; Domain=127.0.0.1" in lines


def test_bad_practice_hands_out_an_oversized_and_a_nameless_cookie(browser: Browser) -> None:
    response, _ = browser.ask("GET", "/cookies/bad")
    lines = response.headers.get_all("set-cookie") or []

    assert 11 == len(lines)
    assert max(len(line) for line in lines) > 4096
    assert "=nameless" in lines


def test_redirect_carries_a_cookie_that_the_target_sees(browser: Browser) -> None:
    hop, _ = browser.ask("GET", "/redirect")
    _, target = browser.ask("GET", hop.headers["location"])
    loop, _ = browser.ask("GET", "/redirect/loop")

    assert (302, "hop=1; Path=/redirect; SameSite=Lax") == (hop.status, hop.headers["set-cookie"])
    assert b"came along" in target
    assert (302, "/redirect/loop") == (loop.status, loop.headers["location"])


def test_close_ends_the_connection_after_the_response(browser: Browser) -> None:
    response, _ = browser.ask("GET", "/close")

    assert "close" == response.headers["connection"]
    assert browser.connection.sock is None


@pytest.mark.parametrize(
    ("accept", "coding"),
    [("gzip", "gzip"), ("br, gzip;q=0.5", "gzip"), ("*", "gzip"), ("gzip;q=0", None), ("identity", None)],
)
def test_gzip_only_for_those_who_accept_it(browser: Browser, accept: str, coding: str | None) -> None:
    response, body = browser.ask("GET", "/gzip", Accept_Encoding=accept)

    assert coding == response.headers.get("content-encoding")
    assert (gzip.decompress(body) if coding else body).startswith(b"line 1\nline 2\n")


def test_chunked_body_has_no_length(browser: Browser) -> None:
    response, body = browser.ask("GET", "/chunked")

    assert ("chunked", None) == (response.headers["transfer-encoding"], response.headers.get("content-length"))
    assert b"one\ntwo\nthree\n" == body


@pytest.mark.parametrize("code", [200, 204, 301, 304, 401, 404, 418, 500, 503, 599])
def test_status_is_the_one_asked_for(browser: Browser, code: int) -> None:
    response, body = browser.ask("GET", f"/status/{code}")

    assert code == response.status
    assert (b"" if code in (204, 304) else b"%d\n" % code) == body


def test_status_outside_the_final_ones_is_a_bad_request(browser: Browser) -> None:
    assert [400, 400] == [browser.ask("GET", f"/status/{code}")[0].status for code in (101, 600)]


def test_slow_answer_comes_after_its_time(browser: Browser) -> None:
    _, body = browser.ask("GET", "/slow?ms=1")

    assert b"after 1 ms\n" == body


@pytest.mark.parametrize("count", [0, 1, 17, 100_000])
def test_size_is_the_one_asked_for(browser: Browser, count: int) -> None:
    response, body = browser.ask("GET", f"/size/{count}")

    assert (count, str(count)) == (len(body), response.headers["content-length"])


def test_body_larger_than_echo_takes_is_refused(browser: Browser) -> None:
    browser.connection.request("POST", "/echo", b"x" * ((16 << 20) + 1))

    assert 413 == browser.connection.getresponse().status


def test_login_form_is_a_form(browser: Browser) -> None:
    _, body = browser.ask("GET", "/login")

    assert b'<form method="post" action="/login">' in body


def test_size_has_an_upper_limit(browser: Browser) -> None:
    assert 400 == browser.ask("GET", "/size/99999999")[0].status


def test_echo_gives_the_body_back(browser: Browser) -> None:
    _, body = browser.ask("POST", "/echo", (("a", "1"),))

    assert b"a=1" == body


def test_head_has_the_fields_of_get_and_no_body(browser: Browser) -> None:
    response, body = browser.ask("HEAD", "/size/17")

    assert (200, "17", b"") == (response.status, response.headers["content-length"], body)


def test_unknown_path_and_wrong_method_are_told_apart(browser: Browser) -> None:
    assert [404, 405] == [browser.ask("GET", path)[0].status for path in ("/nowhere", "/logout")]


def test_chat_page_opens_its_websocket(browser: Browser) -> None:
    _, body = browser.ask("GET", "/chat")

    assert b"/ws/chat" in body


def test_tour_shows_the_whole_life_of_a_session(browser: Browser) -> None:
    seen = []
    for step in TOUR:
        response, _ = browser.ask(step.method, step.path, step.form)
        names = [line.partition("=")[0] for line in response.headers.get_all("set-cookie") or []]
        seen.append((step.path, response.status, names))

    expected = [
        ("/", 200, ["theme", "sid"]),
        ("/shop", 200, ["cart"]),
        ("/login", 303, ["sid"]),
        ("/account", 200, []),
        ("/logout", 303, ["sid"]),
    ]
    assert expected == seen
    assert len(WS_TOUR) >= 2


def test_pipelined_requests_are_answered_in_order(practice: Practice, browser: Browser) -> None:
    browser.connection.connect()
    browser.connection.sock.sendall(b"GET /size/3 HTTP/1.1\r\nHost: x\r\n\r\nGET /close HTTP/1.1\r\nHost: x\r\n\r\n")
    with browser.connection.sock.makefile("rb") as stream:
        whole = stream.read()

    assert 2 == whole.count(b"HTTP/1.1 200")
    assert whole.index(b"012HTTP/1.1") < whole.index(b"The server closes")
