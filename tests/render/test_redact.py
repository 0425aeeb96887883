from __future__ import annotations

import pytest

from inspect_cli.events.base import Secret
from inspect_cli.render import redact
from inspect_cli.render.redact import Redactor, policy_for


def test_same_secret_gets_the_same_token_numbered_by_first_appearance() -> None:
    redactor = Redactor("all")
    seen = [redactor.shown(Secret(value, "cookie")) for value in (b"a", b"b", b"a")]
    assert [b"<cookie 1>", b"<cookie 2>", b"<cookie 1>"] == seen


def test_each_kind_of_secret_is_numbered_for_itself() -> None:
    redactor = Redactor("all")
    seen = [redactor.shown(Secret(b"a", kind)) for kind in ("cookie", "password", "authorization")]
    assert [b"<cookie 1>", b"<password 1>", b"<authorization 1>"] == seen


def test_cookie_field_keeps_names_and_its_values_have_the_tokens_of_the_jar() -> None:
    redactor = Redactor("all")
    assert b"<cookie 1>" == redactor.shown(Secret(b"5f1c", "cookie"))
    field = Secret(b"sid=5f1c; theme = dark ;flag;empty=", "cookie", "pairs")
    assert b"sid=<cookie 1>; theme = <cookie 2> ;<cookie 3>;empty=" == redactor.shown(field)


def test_set_cookie_field_keeps_its_attributes() -> None:
    field = Secret(b"sid=5f1c; Path=/; HttpOnly", "cookie", "set-cookie")
    assert b"sid=<cookie 1>; Path=/; HttpOnly" == Redactor("all").shown(field)


def test_nameless_set_cookie_is_secret_up_to_the_semicolon() -> None:
    assert b"<cookie 1>; Secure" == Redactor("all").shown(Secret(b"5f1c; Secure", "cookie", "set-cookie"))


@pytest.mark.parametrize(
    ("value", "expected"), [(b"Basic dTpw", b"Basic <authorization 1>"), (b"secret", b"<authorization 1>")]
)
def test_authorization_keeps_its_scheme_alone(value: bytes, expected: bytes) -> None:
    assert expected == Redactor("credentials").shown(Secret(value, "authorization", "scheme"))


def test_terminal_hides_credentials_and_shows_cookies() -> None:
    redactor = Redactor("credentials")
    shown = [redactor.shown(Secret(b"x", kind)) for kind in ("cookie", "token", "password", "authorization")]
    assert [b"x", b"x", b"<password 1>", b"<authorization 1>"] == shown


def test_show_secrets_shows_all() -> None:
    assert b"x" == Redactor("none").shown(Secret(b"x", "password"))


def test_empty_secret_tells_that_it_is_empty() -> None:
    assert b"" == Redactor("all").shown(Secret(b"", "password"))


def test_long_secrets_are_told_apart_without_being_kept() -> None:
    redactor = Redactor("all")
    long = b"x" * 4096
    shown = [redactor.shown(Secret(value, "cookie")) for value in (long, long + b"y", long)]
    assert [b"<cookie 1>", b"<cookie 2>", b"<cookie 1>"] == shown
    assert all(len(value) < 100 for _, value in redactor._tokens)


def test_memory_is_bounded_when_every_secret_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "REMEMBERED", 2)
    redactor = Redactor("all")
    shown = [redactor.shown(Secret(b"%d" % n, "cookie")) for n in (1, 2, 3, 1)]
    assert [b"<cookie 1>", b"<cookie 2>", b"<cookie>", b"<cookie 1>"] == shown


def test_files_are_redacted_and_the_terminal_is_not() -> None:
    policies = [
        policy_for(to_file=False),
        policy_for(to_file=True),
        policy_for(to_file=False, redact=True),
        policy_for(to_file=True, show_secrets=True),
        policy_for(to_file=False, show_secrets=True),
    ]
    assert ["credentials", "all", "all", "none", "none"] == policies
