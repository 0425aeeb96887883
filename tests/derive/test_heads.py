from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inspect_cli.derive.heads import (
    FieldLine,
    Recent,
    _joined,
    _lines,
    _who_asks,
    connection_of,
    field_lines,
    host_without_port,
    joined,
    read_lines,
    read_request,
    user_agent_of,
    where_of_line,
)
from inspect_cli.events.base import INFERRED
from inspect_cli.events.cookies import Asking, Step
from inspect_cli.events.http import RequestHead
from tests.derive.making import Talk


def asks(lines: str, *, is_tls: bool = False) -> tuple[Asking, str] | None:
    found = read_request(lines.replace("\n", "\r\n").encode() + b"\r\n\r\n", is_tls=is_tls)
    if found is None:
        return None
    assert Step("6265bis §5.2", "who-asks", "applied", found.who.found) == found.who
    return found.asking, found.who.found


ASSUMED = "same-site (assumed), top-level (assumed)"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("GET /x?y#z HTTP/1.1\nHost: A.test:80", (Asking("http", "a.test", "/x"), ASSUMED)),
        ("PUT http://u:p@b.test:8080?y HTTP/1.1\nHost: a.test", (Asking("http", "b.test", "/", "PUT"), ASSUMED)),
        ("OPTIONS * HTTP/1.1\nHost: a.test", (Asking("http", "a.test", "/", "OPTIONS"), ASSUMED)),
        ("GET /\xe9 odd HTTP/1.0", (Asking("http", "", "/\xc3\xa9 odd"), ASSUMED)),
        ("GET / HTTP/1.1\nHost: [::1]:80", (Asking("http", "::1", "/"), ASSUMED)),
        ("GET", (Asking("http", "", "/"), ASSUMED)),
    ],
)
def test_the_url_is_put_together_from_target_and_host(lines: str, expected: tuple[Asking, str]) -> None:
    """RFC 9112 §3.2, §3.3."""
    assert expected == asks(lines)


def test_inside_tls_the_scheme_is_https_and_an_upgrade_is_wss() -> None:
    assert (Asking("https", "a.test", "/"), ASSUMED) == asks("GET / HTTP/1.1\nHost: a.test", is_tls=True)
    expected = Asking("wss", "a.test", "/", top_level=False), "same-site (Origin), not top-level (Upgrade)"
    lines = "GET / HTTP/1.1\nHost: a.test\nUpgrade: websocket\nOrigin: https://www.a.test"
    assert expected == asks(lines, is_tls=True)


def test_a_connect_asks_for_no_resource() -> None:
    assert asks("CONNECT a.test:443 HTTP/1.1\nHost: a.test") is None


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: document", (False, True)),
        ("Sec-Fetch-Site: cross-site\nSec-Fetch-Mode: navigate\nSec-Fetch-Dest: iframe", (False, False)),
        ("Sec-Fetch-Site: same-origin\nSec-Fetch-Mode: cors\nReferer: http://b.test/", (True, False)),
        ("Sec-Fetch-Site: none", (True, True)),
        ("Origin: http://b.test\nReferer: http://a.test/", (False, False)),
        ("Origin: null\nReferer: http://www.a.test/x", (True, True)),
        ("Referer: http://b.test/\nAccept: text/html,*/*", (False, True)),
        ("Referer: https://a.test/\nAccept: image/png", (False, False)),
        ("Referer: garbage", (True, True)),
    ],
)
def test_who_asks_is_read_from_the_fields_that_tell(fields: str, expected: tuple[bool, bool]) -> None:
    """6265bis §5.2; Fetch Metadata, RFC 9110 §10.1.3 (Referer), RFC 6454 (Origin)."""
    found = asks("GET / HTTP/1.1\nHost: a.test\n" + fields)
    assert found is not None
    assert expected == (found[0].same_site, found[0].top_level)


def test_a_field_line_knows_its_bytes() -> None:
    head = b"GET / HTTP/1.1\r\nCookie: a=1\r\nX: y\r\nCOOKIE:b=2;\r\n c=3\r\n\r\n"
    expected = [FieldLine(16, 27, b"a=1"), FieldLine(35, 52, b"b=2; c=3")]
    assert expected == field_lines(head, b"cookie")
    assert [b"Cookie: a=1", b"COOKIE:b=2;\r\n c=3"] == [head[line.start : line.end] for line in expected]


def test_a_line_stands_where_its_head_stands() -> None:
    talk = Talk()
    talk.request("GET / HTTP/1.1")
    request = talk.request("GET / HTTP/1.1\nCookie: a=1")
    line = field_lines(request.head, b"cookie")[0]
    assert request.where._replace(start=34, end=45, basis=INFERRED) == where_of_line(request, line, INFERRED)
    nowhere = RequestHead(request.where._replace(start=-1, end=-1), request.head, 0)
    assert nowhere.where == where_of_line(nowhere, line, nowhere.where.basis)


def test_hosts_and_agents() -> None:
    hosts = [host_without_port(text) for text in (b"A.test:80", b"a.test:", b"[::1]:8", b"::1", b"a:b", b"")]
    assert ["a.test", "a.test", "::1", "::1", "a:b", ""] == hosts
    assert (b"curl/8", b"") == (user_agent_of(b"GET\r\nUser-Agent: curl/8\r\n"), user_agent_of(b"GET\r\n\r\n"))
    assert ["tcp/3", "tcp/3", "tcp/3"] == [connection_of(c) for c in ("tcp/3", "tcp/3/tls", "tcp/3/tls/h2/5")]


def test_a_recent_dict_forgets_the_oldest() -> None:
    recent: Recent[str, int] = Recent(2)
    for key in ("a", "b", "a", "c"):
        recent.put(key, 1)
    assert ["a", "c"] == list(recent)


LINES = st.lists(
    st.sampled_from(
        [b"Cookie", b"cookie", b"Set-Cookie", b":", b" a=1", b"\t", b" ", b"\r", b"\n", b"\r\n", b"Host", b"x"]
    ),
    max_size=30,
).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(LINES)
@example(b"Cookie:\n\n a=1")
@example(b"Cookie:\r\n\t\r\n a=1")
def test_field_lines_agree_with_the_head_itself(lines: bytes) -> None:
    head = b"GET / HTTP/1.1\r\n" + lines + b"\r\n\r\n"
    event = RequestHead(Talk().request("x").where, head, 0)
    found = field_lines(head, b"cookie")
    assert event.values(b"cookie") == [line.value for line in found]
    assert all(head[line.start : line.end].lower().startswith(b"cookie:") for line in found)


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=80), LINES, st.text("GET/:@?# .%[]*http", max_size=40).map(str.encode)))
def test_any_bytes_are_a_request_or_a_connect(head: bytes) -> None:
    found = read_request(head, is_tls=False)
    assert found is None or found.asking.path.startswith("/")
    read_request(b"GET / HTTP/1.1\nReferer: http://" + head, is_tls=True)


FIELDS = st.lists(
    st.sampled_from(
        [
            *(b"Cookie: a=1\r\n", b"cookie:b=2\n", b"COOKIE: c=3\r\n d=4\r\n", b"Cookie : x\r\n", b"x\r\n"),
            *(b"User-Agent: x\r\n", b" folded\r\n", b"\tUser-Agent: y\r\n", b"\r\n", b"\n", b"\r"),
            *(b"Host: a.test\r\n", b"Upgrade: websocket\r\n", b"Sec-Fetch-Site: cross-site\r\n"),
            *(b"Referer: https://b.test/\r\n", b"Origin: http://a.test\r\n"),
        ]
    ),
    max_size=10,
).map(b"".join)


@settings(max_examples=300, deadline=None)
@given(FIELDS)
@example(b"Cookie: a=1")
def test_cookie_fields_say_nothing_of_who_asks(rest: bytes) -> None:
    found = read_lines(rest)
    assert [line.value for line in found.cookies] == [line.value for line in field_lines(b"\n" + rest, b"cookie")]
    assert all(rest[line.start : line.end].lower().startswith(b"cookie:") for line in found.cookies)
    assert user_agent_of(b"\n" + rest) == found.user_agent
    assert _who_asks(rest, "http", b"") == _who_asks(found.others, "http", b"")
    assert found == _lines(rest)


def test_the_same_two_make_the_same_steps() -> None:
    who, steps = Step("", "who", "passed", ""), (Step("", "a", "passed", ""),)
    assert (who, *steps) == joined(who, steps)
    assert joined(who, steps) is joined(who, steps)
    for number in range(5000):
        joined(who, (Step("", str(number), "passed", ""),))
    assert len(_joined) <= 1024
