from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies.cookie import Cookie, Key
from inspect_cli.cookies.hosts import site_of
from inspect_cli.cookies.limits import remove_excess
from inspect_cli.cookies.profiles import RFC6265BIS, Profile
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.events.base import Secret

SMALL = Profile("small", True, False, None, 0, 3, 5)


def cookie(name: str, domain: str = "a.test", **facts: object) -> Cookie:
    return Cookie(name.encode(), Secret(b"1", "cookie"), domain, True, "/", **facts)  # type: ignore[arg-type]


def names(cookies: object) -> list[str]:
    return [c.name.decode() for c in cookies]  # type: ignore[attr-defined]


def filled(*cookies: Cookie) -> Shelves:
    shelves = Shelves()
    for one in cookies:
        shelves.insert(one)
    return shelves


def test_over_the_domains_bound_insecure_cookies_go_before_older_secure_ones() -> None:
    """6265bis §5.7 step 24, the order of eviction."""
    shelves = filled(
        cookie("old", secure=True, last_access_ns=1),
        cookie("plain", last_access_ns=3),
        cookie("plain-older", last_access_ns=2),
        cookie("new", last_access_ns=9),
    )
    assert ["plain-older"] == names(remove_excess(shelves, cookie("x"), SMALL, 9))
    shelves.insert(cookie("s2", secure=True, last_access_ns=10))
    shelves.insert(cookie("s3", secure=True, last_access_ns=11))
    assert ["plain", "new"] == names(remove_excess(shelves, cookie("x"), SMALL, 11))


def test_expired_cookies_go_first() -> None:
    shelves = filled(
        *(cookie(f"n{n}", last_access_ns=n) for n in range(3)), cookie("gone", expires_ns=5, last_access_ns=9)
    )
    assert ["gone"] == names(remove_excess(shelves, cookie("x"), SMALL, 6))


def test_over_the_whole_bound_the_oldest_access_goes() -> None:
    shelves = filled(*(cookie("n", f"{n}.test") for n in range(5)))
    first = shelves.find("0.test", (b"n", True, "/", ""))
    assert first is not None
    shelves.touch(first, 7)
    shelves.insert(cookie("n", "9.test"))
    assert ["1.test"] == [c.domain for c in remove_excess(shelves, cookie("n", "9.test"), SMALL, 9)]
    shelves.insert(cookie("n", "8.test", expires_ns=3))
    shelves.insert(cookie("n", "7.test"))
    assert ["8.test", "2.test"] == [c.domain for c in remove_excess(shelves, cookie("n", "7.test"), SMALL, 9)]


def test_a_cookie_that_is_gone_already_cannot_expire() -> None:
    gone = cookie("n", "gone.test", expires_ns=3)
    shelves = filled(gone, *(cookie("n", f"{n}.test") for n in range(6)))
    shelves.remove(gone)
    assert ["0.test"] == [c.domain for c in remove_excess(shelves, cookie("n", "5.test"), SMALL, 9)]


def test_a_replaced_cookie_keeps_its_place_among_equals() -> None:
    shelves = filled(cookie("a"), cookie("b"))
    again = cookie("a")
    shelves.insert(again)
    assert (1, 2) == (again.order, len(shelves))


def test_many_expiries_of_one_cookie_take_no_memory() -> None:
    shelves = Shelves()
    for number in range(1000):
        shelves.insert(cookie("a", expires_ns=number))
    assert len(shelves._expiring) < 100


ACTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 3), st.booleans(), st.integers(0, 9)), max_size=40
)


@settings(max_examples=80, deadline=None)
@given(ACTS)
def test_the_index_agrees_with_a_plain_list(acts: list[tuple[int, int, int, bool, int]]) -> None:
    shelves = Shelves()
    plain: dict[tuple[str, Key], Cookie] = {}
    for act, name, host, secure, expires in acts:
        domain = ("a.test", "x.a.test", "b.test", "test")[host]
        key = (domain, (b"%d" % name, True, "/", ""))
        if act == 0 and key in plain:
            shelves.remove(plain.pop(key))
        else:
            plain[key] = cookie(str(name), domain, secure=secure, expires_ns=expires or None)
            shelves.insert(plain[key])
            assert () == remove_excess(shelves, plain[key], RFC6265BIS, 0)
    assert sorted(map(id, shelves)) == sorted(map(id, plain.values()))
    assert shelves.size_bytes == sum(c.size_bytes for c in plain.values())
    of_site = [c for c in plain.values() if c.domain.endswith("a.test")]
    assert sorted(map(id, shelves.of_site("y.a.test"))) == sorted(map(id, of_site))
    for name in range(5):
        expected = any(c.secure and c.name == b"%d" % name and c.domain in ("b.test", "test") for c in plain.values())
        assert expected == shelves.has_secure_over(b"%d" % name, "b.test", "/")


HOSTS = ("a.test", "www.a.test", "b.test", "x.co.uk", "y.co.uk", "10.0.0.1")


@given(st.lists(st.tuples(st.sampled_from(HOSTS), st.sampled_from("ab"), st.sampled_from(("in", "out", "ask")))))
def test_cookies_of_a_site_are_found_whenever_they_are_asked_for(steps: list[tuple[str, str, str]]) -> None:
    shelves, held = Shelves(), dict[tuple[str, str], Cookie]()
    for host, name, what in steps:
        old = held.pop((host, name), None)
        if what == "in" or (what == "ask" and old is not None):
            held[host, name] = cookie(name, host)
            shelves.insert(held[host, name])
        elif old is not None:
            shelves.remove(old)
        if what == "ask":
            of_site = {key for key in held if site_of(key[0]) == site_of(host)}
            assert of_site == {(c.domain, c.name.decode()) for c in shelves.of_site(host)}
