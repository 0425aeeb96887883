"""Which holes a cookie leaves open."""

from __future__ import annotations

import pytest

from inspect_cli.concepts.cookie_security import CookieSecurity, readable_as
from inspect_cli.events.base import REPORTED, Secret
from inspect_cli.events.cookies import SessionChanged, SessionIssued
from tests.concepts.making import codes, data_of, notes, request, response, said, sent, stored, triples

ASKED = request(4)
PLAIN = response(6, ASKED)
SECRET = response(6, ASKED, channel="tcp/0/tls")
DAY_NS = 86_400_000_000_000


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"5f1c9a0b5f1c9a0b5f1c9a0b5f1c9a0b", ""),
        (b"dark", ""),
        (b"", ""),
        (b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJraW0ifQ.c2ln", "jwt"),
        (b'{"user":1}', "json"),
        (b"eyJ1c2VyIjoia2ltIiwiYWRtaW4iOnRydWV9", "base64-json"),
        (b"kim%40example.com", "email"),
        (b"kim@example.com", "email"),
        (b"user=kim&role=admin", "fields"),
        (b"%7B%22a%22%3A1%7D", "fields"),
        (b"A" * 17, ""),
        (b"A" * 1_000_000, ""),
        (b"\xff\xfe" * 20, ""),
    ],
)
def test_a_value_may_be_readable(value: bytes, expected: str) -> None:
    assert expected == readable_as(value)


def test_a_bare_cookie_on_plain_http_leaves_all_open() -> None:
    found = notes(CookieSecurity(), stored(PLAIN), stored(PLAIN))

    assert [("no-secure", (6,), "observed"), ("no-httponly", (6,), "observed"), ("no-samesite", (6,), "observed")] == (
        triples(found)
    )
    assert ["warning", "notice", "notice"] == [note.level for note in found]
    assert "no Secure, plain http: anyone on the path can read sid" == said(found[0])


def test_a_cookie_without_secure_over_tls_would_go_in_the_clear() -> None:
    found = notes(CookieSecurity(), stored(SECRET, http_only=True, same_site="lax"))

    assert ["no Secure: sid would go over plain http too"] == [said(note) for note in found]


def test_a_cookie_well_made_leaves_nothing_open() -> None:
    cookie = stored(SECRET, b"__Host-sid", secure=True, http_only=True, same_site="strict")

    assert [("prefix", (6,), "observed")] == triples(notes(CookieSecurity(), cookie))


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        (stored(SECRET, secure=True, http_only=True, same_site="none"), ["samesite-none"]),
        (stored(SECRET, secure=True, http_only=True, same_site="lax", host_only=False), ["broad-domain"]),
        (stored(SECRET, secure=True, http_only=True, same_site="lax", expires_ns=400 * DAY_NS), ["long-lifetime"]),
        (stored(SECRET, secure=True, http_only=True, same_site="lax", expires_ns=30 * DAY_NS), []),
        (stored(SECRET, b"u", b"a@b.kr", secure=True, http_only=True, same_site="lax"), ["readable-value"]),
        (stored(SECRET, b"u", b"x" * 2047, secure=True, http_only=True, same_site="lax"), []),
        (stored(SECRET, b"u", b"x" * 2048, secure=True, http_only=True, same_site="lax"), ["large"]),
        (stored(SECRET, b"__secure-u", secure=True, http_only=True, same_site="lax"), ["prefix"]),
    ],
)
def test_each_hole_has_its_name(cookie: object, expected: list[str]) -> None:
    assert expected == codes(CookieSecurity(), cookie)  # type: ignore[arg-type]


def test_no_value_is_told() -> None:
    found = notes(CookieSecurity(), stored(PLAIN, b"u", b"kim@example.com"))

    assert not any(b"kim@example.com" in data_of(note).values() for note in found)


def test_a_cookie_sent_in_the_clear_is_said_once_where_its_setting_was_not_seen() -> None:
    events = (sent(ASKED, origin="unknown"), sent(ASKED, origin="unknown"), sent(ASKED))

    assert [("clear-text", (4,), "observed")] == triples(notes(CookieSecurity(), *events))


def test_what_a_socket_told_may_have_been_secret() -> None:
    asked = request(0, channel="socket/0", basis=REPORTED)

    assert [] == notes(CookieSecurity(), sent(asked, origin="unknown"))
    assert [] == notes(CookieSecurity(), sent(request(4, channel="tcp/0/tls"), origin="unknown"))


@pytest.mark.parametrize(
    ("name", "secure", "expected"),
    [
        (b"sid", True, ["no-prefix"]),
        (b"sid", False, []),  # it has a greater hole
        (b"__Host-sid", True, []),
        (b"__secure-sid", True, []),
        (b"__Http-sid", True, []),
    ],
)
def test_a_session_id_without_a_prefix_can_be_planted(name: bytes, secure: bool, expected: list[str]) -> None:
    of = stored(SECRET, name, b"5f1c9a0b5f1c9a0b", secure=secure)
    issued = SessionIssued(of.where, of, name, of.value, "", 64)
    changed = SessionChanged(of.where, of, name, Secret(b"old", "cookie"), of.value, (4,), at_login=True)

    assert expected == codes(CookieSecurity(), issued, changed, issued)
