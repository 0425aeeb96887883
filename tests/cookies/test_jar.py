from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies import Cookie, Jar, asking_for
from inspect_cli.events.base import Secret
from inspect_cli.events.calls import GivenCookie
from inspect_cli.events.cookies import Asking

NS = 1_000_000_000
NOW = 1_795_000_000 * NS


def test_the_fifty_first_cookie_of_a_domain_pushes_out_the_one_sent_longest_ago() -> None:
    """6265bis §6.1, §5.7 step 24."""
    jar = Jar()
    asking = asking_for("http://a.test/")
    for number in range(50):
        jar.store(b"n%d=v; Path=/%d" % (number, number % 2), asking, NOW + number)
    jar.header(asking_for("http://a.test/0"), NOW + 100)
    decision = jar.store(b"last=v", asking, NOW + 200)
    assert [b"n1"] == [cookie.name for cookie in decision.evicted]
    assert decision.steps[-1].found == "1"
    assert len(jar) == 50


def test_three_thousand_cookies_are_the_most() -> None:
    jar = Jar()
    for number in range(3_001):
        jar.store(b"n=v", asking_for(f"http://h{number}.test/"), NOW + number, steps=False)
    assert len(jar) == 3_000
    assert b"" == jar.header(asking_for("http://h0.test/"), NOW)
    assert b"n=v" == jar.header(asking_for("http://h1.test/"), NOW)


def test_what_a_jar_holds_can_be_told_to_others() -> None:
    jar = Jar()
    for host in ("www.a.test", "b.test"):
        jar.store(b"n=v; Secure; HttpOnly; SameSite=Lax; Path=/x; Max-Age=9", asking_for(f"https://{host}/"), NOW)
    value = Secret(b"v", "cookie")
    expected = GivenCookie(b"n", value, "www.a.test", True, "/x", True, True, "lax", NOW + 9 * NS, by_hand=False)
    assert (expected,) == jar.given("a.test")
    assert 2 == len(jar.given())
    assert () == jar.given("a..test")


def test_a_cookie_is_found_by_exactly_what_makes_it_this_one() -> None:
    jar = Jar()
    cookie = Cookie(b"n", Secret(b"v", "cookie"), "a.test", False, "/")
    jar.add(cookie)
    assert jar.find(b"n", "a.test", "/", host_only=False) is cookie
    assert jar.find(b"n", "a.test", "/", host_only=True) is None
    assert (cookie,) == jar.cookies
    assert jar.size_bytes == cookie.size_bytes


def test_nothing_goes_to_a_host_without_a_canonical_name() -> None:
    assert b"" == Jar().header(asking_for("http://a..b/"), NOW)


def test_a_profile_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(KeyError):
        Jar("netscape")


def test_when_the_browser_closes_only_cookies_with_an_expiry_stay() -> None:
    """6265bis §5.7 step 6."""
    jar = Jar()
    asking = asking_for("https://a.test/")
    jar.store_all((b"session=1", b"long=2; Max-Age=60"), asking, NOW)
    assert [b"session"] == [cookie.name for cookie in jar.end_session()]
    assert b"long=2" == jar.header(asking, NOW)
    assert () == jar.end_session()


PATHS = ("/", "/a", "/a/b", "")
SETS = (
    b"x=1",
    b"x=2; Path=/a",
    b"y=1; Max-Age=2",
    b"y=; Max-Age=0",
    b"z=1; SameSite=None; Secure",
    b"w=1; Domain=a.test",
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from((*SETS, b"", b"")),
            st.sampled_from(("a.test", "b.a.test")),
            st.sampled_from(PATHS),
            st.sampled_from(("http", "https")),
            st.booleans(),
            st.integers(-1, 2),
        ),
        max_size=20,
    )
)
def test_what_was_decided_last_is_decided_again_only_where_it_is_right(
    asked: list[tuple[bytes, str, str, str, bool, int]],
) -> None:
    one, other = Jar(), Jar()
    now_ns = 1_795_250_000_000_000_000
    for line, host, path, scheme, near, seconds in asked:
        now_ns += seconds * 1_000_000_000
        asking = Asking(scheme, host, path, same_site=near)
        if line:
            one.store(line, asking, now_ns)
            other.store(line, asking, now_ns)
        else:
            other._last = None  # decides anew each time
        assert other.send(asking, now_ns) == one.send(asking, now_ns)
        assert list(other) == list(one)
