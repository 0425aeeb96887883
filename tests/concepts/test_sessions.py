"""Session IDs and logins."""

from __future__ import annotations

import pytest

from inspect_cli.concepts.sessions import SessionId, SessionLogin
from inspect_cli.events.base import Event, Secret
from inspect_cli.events.cookies import (
    LoginSeen,
    SessionChanged,
    SessionEnded,
    SessionIssued,
    SessionKept,
    SessionReturned,
)
from tests.concepts.making import codes, data_of, deleted, notes, request, response, said, sent, stored, triples

ASKED = request(4, "POST /login HTTP/1.1")
ANSWERED = response(6, ASKED)
ID = Secret(b"5f1c9a0b" * 4, "cookie")
OLD = Secret(b"old", "cookie")


def issued(known_name: str = "", bits: int = 128, value: Secret = ID) -> SessionIssued:
    of = stored(ANSWERED)
    return SessionIssued(of.where, of, b"sid", value, known_name, bits)


def returned(*, first: bool) -> SessionReturned:
    of = sent(request(8))
    return SessionReturned(of.where, of, b"sid", ID, (6,), first=first)


def changed(*, at_login: bool) -> SessionChanged:
    of = stored(ANSWERED)
    return SessionChanged(of.where, of, b"sid", OLD, ID, (2,), at_login=at_login)


LOGIN = LoginSeen(ANSWERED.where, ANSWERED, ASKED, (b"user", b"password"), issued=True)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (issued("Java servlet"), ["known-name"]),
        (issued(), ["by-its-look"]),
        (issued("PHP", 16), ["known-name", "guessable"]),
        (issued("Flask", 16, Secret(b"eyJ.x.y", "cookie")), ["holds-state"]),
        (issued("Flask", 128), ["known-name"]),
        (issued("Rails", 900, Secret(b"aGV--c2ln", "cookie")), ["holds-state"]),
        (returned(first=True), ["returned"]),
        (returned(first=False), []),
        (changed(at_login=False), ["renewed"]),
        (changed(at_login=True), []),
    ],
)
def test_a_session_id_is_followed(event: Event, expected: list[str]) -> None:
    assert expected == codes(SessionId(), event)


def test_an_id_is_concluded_from_name_or_look() -> None:
    found = notes(SessionId(), issued("Java servlet"), returned(first=True))

    assert [("known-name", (6,), "inferred"), ("returned", (6, 8), "inferred")] == triples(found)
    assert {"name": b"sid", "known_name": "Java servlet", "entropy_bits": 128} == data_of(found[0])


def test_a_login_hands_out_an_id() -> None:
    found = notes(SessionLogin(), LOGIN, issued())

    assert [("issued", (4, 6), "inferred")] == triples(found)
    assert "login #4: credentials checked, session made, its ID sid handed out" == said(found[0])


def test_an_id_without_a_login_is_no_login() -> None:
    other = LoginSeen(ANSWERED.where, response(9, ASKED), ASKED, (), issued=False)

    assert [] == notes(SessionLogin(), issued())
    assert [] == notes(SessionLogin(), other, issued())


def test_the_id_changes_at_the_login() -> None:
    found = notes(SessionLogin(), LOGIN, changed(at_login=True), changed(at_login=False))

    assert [("changed", (2, 4, 6), "inferred")] == triples(found)
    assert {"name": b"sid", "login": (4,), "old_frames": (2,)} == data_of(found[0])


def test_the_id_of_before_goes_on() -> None:
    found = notes(SessionLogin(), SessionKept(ANSWERED.where, ANSWERED, b"sid", ID, (4,)))

    assert [("kept", (4, 6), "observed")] == triples(found)
    assert "warning" == found[0].level


def test_a_logout_is_seen_at_the_client_only() -> None:
    of = deleted(ANSWERED)

    assert [("logout", (6,), "not observable")] == triples(
        notes(SessionLogin(), SessionEnded(of.where, of, b"sid", ID))
    )
