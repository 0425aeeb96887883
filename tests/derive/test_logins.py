from __future__ import annotations

from inspect_cli.derive.logins import Logins
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import LoginSeen
from tests.derive.making import House, Talk

ASK = "POST /login HTTP/1.1\nHost: a.test"
PASSWORD = Secret(b"hunter2", "password")


def test_a_form_with_a_password_is_a_login_once_it_is_answered() -> None:
    talk, house = Talk(), House(Logins)
    request = talk.request(ASK)
    form = talk.form(request, (b"user", b"me"), (b"password", PASSWORD))
    interim = talk.response(request, "HTTP/1.1 100 Continue")
    response = talk.response(request, "HTTP/1.1 302 Found\nSet-Cookie: sid=5; HttpOnly")
    expected = LoginSeen(response.where, response, request, (b"user", b"password"), True)
    assert [expected] == house.see(request, form, interim, response)
    assert [] == house.see(talk.response(request, "HTTP/1.1 200 OK"))


def test_a_token_or_a_card_is_no_password() -> None:
    talk, house = Talk(), House(Logins)
    request = talk.request(ASK)
    form = talk.form(request, (b"csrf", Secret(b"x", "token")), (b"card_cvc", Secret(b"1", "password")), (b"pass", b""))
    assert [] == house.see(request, form, talk.response(request, "HTTP/1.1 200 OK"))


def test_authorization_is_a_login_too_and_a_deleted_id_is_not_issued() -> None:
    talk, house = Talk(), House(Logins)
    request = talk.request("GET / HTTP/1.1\nHost: a.test\nAuthorization: Basic eDp5")
    lines = "HTTP/1.1 200 OK\nSet-Cookie: sid=5; Max-Age=0\nSet-Cookie: theme=dark\nSet-Cookie: sid=\x01"
    response = talk.response(request, lines)
    assert [LoginSeen(response.where, response, request, (), False)] == house.see(response)


def test_without_its_request_an_answer_is_no_login() -> None:
    assert [] == House(Logins).see(Talk().response(None, "HTTP/1.1 200 OK\nSet-Cookie: sid=5"))
