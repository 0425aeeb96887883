"""Urlencoded forms."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.events.base import Secret
from inspect_cli.protocols.forms import FORM_FIELDS, is_form, read_form


def test_form_is_known_by_its_content_type() -> None:
    head = b"POST / HTTP/1.1\r\nContent-TYPE: application/x-www-form-urlencoded%s\r\n\r\n"

    assert is_form(head % b"")
    assert is_form(head % b" ; charset=UTF-8")
    assert not is_form(head % b"2")
    assert not is_form(b"POST / HTTP/1.1\r\nContent-Type: text/plain\r\n\r\n")


def test_names_and_values_are_decoded_in_order() -> None:
    assert ((b"a b", b"&"), (b"a b", b""), (b"", b"c"), (b"\xff", b"%zz")) == read_form(b"a+b=%26&a%20b&&=c&%ff=%zz")


def test_values_of_passwords_and_tokens_are_secrets() -> None:
    names = {b"Password": "password", b"user_pwd": "password", b"passphrase": "password", b"PIN": "password"} | {
        b"csrfmiddlewaretoken": "token", b"otp": "token", b"api_key": "token", b"sid": "token",
    }  # fmt: skip

    for name, kind in names.items():
        assert ((name, Secret(b"x", kind)),) == read_form(name + b"=x")
    assert ((b"user", b"x"), (b"city", b"y")) == read_form(b"user=x&city=y")


def test_fields_are_bounded() -> None:
    assert FORM_FIELDS == len(read_form(b"a&" * 5000))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_form(body: bytes) -> None:
    assert len(read_form(body)) <= body.count(b"&") + 1
