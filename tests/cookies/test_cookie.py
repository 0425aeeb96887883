from __future__ import annotations

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.events.base import Secret


def test_a_cookie_is_expired_behind_its_expiry_not_at_it() -> None:
    cookie = Cookie(b"a", Secret(b"b", "cookie"), "a.test", True, "/", expires_ns=10)
    assert [False, False, True] == [cookie.is_expired(now) for now in (9, 10, 11)]
    assert not Cookie(b"a", Secret(b"b", "cookie"), "a.test", True, "/").is_expired(1 << 62)


def test_times_and_tags_do_not_make_another_cookie() -> None:
    one = Cookie(b"a", Secret(b"b", "cookie"), "a.test", True, "/", creation_ns=1, tag="x")
    other = Cookie(b"a", Secret(b"b", "cookie"), "a.test", True, "/", creation_ns=2)
    assert one == other
    assert (b"a", True, "/", "") == one.key
