from __future__ import annotations

import pytest

from inspect_cli.practice import sessions
from inspect_cli.practice.sessions import Session, SessionStore


def test_session_is_found_by_its_id_and_by_nothing_else() -> None:
    store = SessionStore()
    session = store.begin()

    assert session is store.find(session.id)
    assert None is store.find("") is store.find(session.id.upper() + "0")


def test_ids_are_128_bits_in_hex_and_never_the_same() -> None:
    store = SessionStore()
    ids = {store.begin().id for _ in range(100)}

    assert 100 == len(ids)
    assert {32} == {len(bytes.fromhex(one)) * 2 for one in ids}


def test_login_moves_the_session_to_a_new_id() -> None:
    store = SessionStore()
    anonymous = store.begin()
    anonymous.cart.append("pear")
    named = store.log_in(anonymous, "alice")

    assert Session(named.id, "alice", ["pear"]) == store.find(named.id)
    assert None is store.find(anonymous.id)


def test_session_that_ended_is_gone_and_may_end_twice() -> None:
    store = SessionStore()
    session = store.begin()
    store.end(session)
    store.end(session)

    assert 0 == len(store)


def test_store_keeps_those_used_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 2)
    store = SessionStore()
    first, second = store.begin(), store.begin()
    store.find(first.id)
    third = store.begin()

    assert [first, None, third] == [store.find(session.id) for session in (first, second, third)]
