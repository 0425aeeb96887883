from __future__ import annotations

from inspect_cli.events.base import INFERRED, REPORTED, Event, Secret
from inspect_cli.events.cookies import (
    CookieDeleted,
    CookieSent,
    CookieStored,
    LoginSeen,
    SessionChanged,
    SessionEnded,
    SessionIssued,
    SessionKept,
    SessionReturned,
)
from inspect_cli.events.http import RequestHead, ResponseHead
from tests.derive.making import House, Talk, of_kind

ASK = "GET / HTTP/1.1\nHost: a.test"
OLD, NEW = Secret(b"aaaa", "cookie"), Secret(b"bbbb", "cookie")
PASSWORD = (b"password", Secret(b"hunter2", "password"))
KINDS = (SessionIssued, SessionReturned, SessionChanged, SessionKept, SessionEnded)


def sessions(found: list[Event]) -> list[Event]:
    return [event for event in found if isinstance(event, KINDS)]


def ask(talk: Talk, cookie: str = "") -> RequestHead:
    return talk.request(ASK + (f"\nCookie: {cookie}" if cookie else ""))


def answer(talk: Talk, request: RequestHead, *lines: str, status: int = 200) -> ResponseHead:
    return talk.response(request, "\n".join((f"HTTP/1.1 {status} Well", *(f"Set-Cookie: {line}" for line in lines))))


def test_an_id_is_issued_once_and_its_return_is_counted() -> None:
    talk, house = Talk(), House()
    request = ask(talk)
    response = answer(talk, request, "sid=aaaa; Path=/")
    found = house.see(request, response)
    (stored,) = of_kind(found, CookieStored)
    assert [SessionIssued(stored.where, stored, b"sid", OLD, "common name", 16)] == sessions(found)
    for first in (True, False):
        again = ask(talk, "sid=aaaa")
        found = house.see(again)
        (sent,) = of_kind(found, CookieSent)
        assert [SessionReturned(sent.where, sent, b"sid", OLD, response.where.frames, first)] == sessions(found)
    assert [] == sessions(house.see(answer(talk, again, "sid=aaaa; Path=/; Max-Age=60")))


def test_a_value_of_unknown_name_is_an_id_by_its_look() -> None:
    talk, house = Talk(), House()
    request = ask(talk)
    found = house.see(request, answer(talk, request, "x=5f1c9a7be0d4123398fe2a", "theme=dark"))
    assert [("", 88)] == [(e.known_name, e.entropy_bits) for e in of_kind(found, SessionIssued)]


def test_an_id_changes_at_login() -> None:
    talk, house = Talk(), House()
    request = ask(talk)
    first = answer(talk, request, "sid=aaaa; Path=/")
    house.see(request, first)
    login = ask(talk, "sid=aaaa")
    response = answer(talk, login, "sid=bbbb; Path=/")
    found = house.see(login, talk.form(login, PASSWORD), response)
    (stored,) = of_kind(found, CookieStored)
    changed = SessionChanged(stored.where, stored, b"sid", OLD, NEW, first.where.frames, True)
    assert [changed] == of_kind(found, SessionChanged)
    assert [] == of_kind(found, SessionKept)
    # The login is said before what follows from its response.
    kinds = [type(event) for event in found]
    assert kinds.index(LoginSeen) < kinds.index(CookieStored) < kinds.index(SessionChanged)


def test_an_id_from_before_the_capture_changes_too() -> None:
    talk, house = Talk(), House()
    request = ask(talk, "JSESSIONID=aaaa")
    found = house.see(request, answer(talk, request, "JSESSIONID=bbbb; Path=/"))
    assert [(OLD, NEW, request.where.frames, False)] == [
        (e.old, e.new, e.old_frames, e.at_login) for e in of_kind(found, SessionChanged)
    ]


def test_the_same_id_once_more_is_nothing_new() -> None:
    talk, house = Talk(), House()
    request = ask(talk, "sid=aaaa")
    assert [] == sessions(house.see(request, answer(talk, request, "sid=aaaa; Path=/")))


def test_an_id_that_goes_on_over_a_login_is_said_once() -> None:
    """6265bis §8.4: session fixation."""
    talk, house = Talk(), House()
    login = ask(talk, "sid=aaaa; theme=x")
    response = answer(talk, login, "theme=y", status=302)
    found = house.see(login, talk.form(login, PASSWORD), response)
    where = response.where._replace(basis=INFERRED)
    assert [SessionKept(where, response, b"sid", OLD, login.where.frames)] == of_kind(found, SessionKept)
    again = ask(talk, "sid=aaaa")
    assert [] == of_kind(house.see(again, talk.form(again, PASSWORD), answer(talk, again)), SessionKept)


def test_a_refused_login_keeps_its_id_rightly() -> None:
    talk, house = Talk(), House()
    login = ask(talk, "sid=aaaa")
    found = house.see(login, talk.form(login, PASSWORD), answer(talk, login, status=401))
    assert [] == sessions(found)


def test_what_a_socket_told_stays_reported() -> None:
    talk, house = Talk(), House()
    login = ask(talk, "sid=aaaa")
    response = answer(talk, login)
    response = ResponseHead(response.where._replace(basis=REPORTED), response.head, 0, login)
    (kept,) = of_kind(house.see(login, talk.form(login, PASSWORD), response), SessionKept)
    assert kept.where == response.where


def test_a_deleted_id_ends_the_session_and_at_a_login_was_not_kept() -> None:
    talk, house = Talk(), House()
    request = ask(talk)
    house.see(request, answer(talk, request, "sid=aaaa; Path=/"))
    logout = ask(talk, "sid=aaaa")
    found = house.see(logout, talk.form(logout, PASSWORD), answer(talk, logout, "sid=; Path=/; Max-Age=0"))
    (deleted,) = of_kind(found, CookieDeleted)
    assert [SessionEnded(deleted.where, deleted, b"sid", OLD)] == of_kind(found, SessionEnded)
    assert [] == of_kind(found, SessionKept)


def test_a_session_from_before_the_capture_ends_too_and_one_that_never_was_does_not() -> None:
    talk, house = Talk(), House()
    logout = ask(talk, "PHPSESSID=aaaa; theme=x")
    lines = ("PHPSESSID=; Max-Age=0", "sid=; Max-Age=0", "theme=; Max-Age=0")
    found = house.see(logout, answer(talk, logout, *lines))
    assert [(b"PHPSESSID", OLD)] == [(e.name, e.value) for e in of_kind(found, SessionEnded)]


def test_a_theme_that_is_deleted_ends_no_session() -> None:
    talk, house = Talk(), House()
    request = ask(talk)
    found = house.see(request, answer(talk, request, "theme=x"), answer(talk, request, "theme=; Max-Age=0"))
    assert [] == sessions(found)


def test_two_ids_of_one_request_are_both_carried() -> None:
    talk, house = Talk(), House()
    login = ask(talk, "sid=aaaa; PHPSESSID=bbbb")
    found = house.see(login, talk.form(login, PASSWORD), answer(talk, login))
    assert [b"sid", b"PHPSESSID"] == [e.name for e in of_kind(found, SessionKept)]


def test_a_long_value_is_remembered_by_its_digest() -> None:
    talk, house = Talk(), House()
    value = "5f1c9a7b" * 50
    request = ask(talk)
    house.see(request, answer(talk, request, f"sid={value}; Path=/"))
    assert [True] == [e.first for e in of_kind(house.see(ask(talk, f"sid={value}")), SessionReturned)]


def test_an_answer_without_its_request_is_followed_as_far_as_it_goes() -> None:
    talk, house = Talk(), House()
    house.see(talk.syn(), ask(talk, "sid=aaaa"))
    found = house.see(talk.response(None, "HTTP/1.1 200 OK\nSet-Cookie: sid=bbbb"))
    assert [NEW] == [e.value for e in of_kind(found, SessionIssued)]
