"""How many cookies each client keeps, and which ones go."""

from __future__ import annotations

import pytest

from inspect_cli.cookies import Cookie, Jar, asking_for, asking_from
from inspect_cli.cookies.limits import remove_excess
from inspect_cli.cookies.profiles import CHROMIUM
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.events.base import Secret

NS = 1_000_000_000
NOW = 1_795_000_000 * NS
DAY = 86_400 * NS


def filled(profile: str, count: int, attributes: bytes = b"") -> Jar:
    """A jar with so many cookies of one site, of several hosts, each a second younger."""
    jar = Jar(profile)
    for number in range(count):
        asking = asking_for(f"https://h{number % 3}.a.test/")
        jar.store(b"n%d=1%b" % (number, attributes), asking, NOW + number * NS, steps=False)
    return jar


@pytest.mark.parametrize(
    ("profile", "bound", "left"), [("rfc6265bis", 150, 150), ("chromium", 180, 150), ("firefox", 180, 151)]
)
def test_a_site_with_one_cookie_too_many_is_cut_back(profile: str, bound: int, left: int) -> None:
    """6265bis §6.1 counts the cookies of a domain, browsers those of a site, and then they go further down."""
    assert bound == len(filled(profile, bound))
    jar = filled(profile, bound + 1)
    assert left == len(jar)
    if left < bound:
        assert b"n%d" % bound in {cookie.name for cookie in jar}
        assert {b"n%d" % number for number in range(bound + 1 - left, bound + 1)} == {cookie.name for cookie in jar}


def test_cookies_that_are_not_secure_go_first() -> None:
    jar = filled("chromium", 100, b"; Secure")
    asking = asking_for("https://h0.a.test/")
    gone = [jar.store(b"p%d=1" % number, asking, NOW + DAY + number, steps=False).evicted for number in range(81)]
    assert [()] * 80 == gone[:80]
    assert [b"p%d" % number for number in range(31)] == [cookie.name for cookie in gone[80]]


def test_low_priority_goes_before_all_others_and_each_priority_keeps_its_quota() -> None:
    """Chromium's own: 30 of low, 50 of medium, 70 of high are spared while others can go."""
    jar = filled("chromium", 100)
    asking = asking_for("https://h0.a.test/")
    for number in range(40):
        jar.store(b"low%d=1; Priority=LOW" % number, asking, NOW + DAY + number, steps=False)
    for number in range(40):
        jar.store(b"high%d=1; Priority=high" % number, asking, NOW + DAY + 99 + number, steps=False)
    gone = [cookie.name for cookie in jar.store(b"last=1", asking, NOW + 2 * DAY, steps=False).evicted]
    assert [b"low%d" % number for number in range(10)] == gone[:10]
    assert [b"n%d" % number for number in range(21)] == gone[10:]


def test_other_clients_do_not_know_priority() -> None:
    jar = filled("firefox", 179)
    own = asking_for("https://h0.a.test/")
    jar.store(b"low=1; Priority=Low", own, NOW + DAY, steps=False)
    assert b"low" not in [cookie.name for cookie in jar.store(b"last=1", own, NOW + DAY, steps=False).evicted]


def test_safari_says_of_no_limit_what_it_is() -> None:
    assert 500 == len(filled("safari", 500))


@pytest.mark.parametrize(("age_ns", "left"), [(31 * DAY, 3000), (29 * DAY, 3301)])
def test_chromium_spares_what_was_used_in_the_last_thirty_days(age_ns: int, left: int) -> None:
    shelves = Shelves()
    for number in range(3301):
        shelves.insert(Cookie(b"n", Secret(b"1", "cookie"), f"s{number}.test", True, "/", last_access_ns=NOW + number))
    last = Cookie(b"n", Secret(b"1", "cookie"), "s3300.test", True, "/", last_access_ns=NOW)
    gone = remove_excess(shelves, last, CHROMIUM, NOW + age_ns)
    assert (left, 3301 - left) == (len(shelves), len(gone))
    assert [f"s{number}.test" for number in range(len(gone))] == [cookie.domain for cookie in gone]


FRAME = asking_from("https://w.test/", "iframe", page="https://a.test/")
OTHER = asking_from("https://w.test/", "iframe", page="https://b.test/")
PARTITIONED = b"; Secure; SameSite=None; Partitioned"


def test_a_partition_holds_180_cookies_of_a_site() -> None:
    jar = Jar("chromium")
    for number in range(180):
        assert () == jar.store(b"n%d=1" % number + PARTITIONED, FRAME, NOW + number).evicted
    jar.store(b"other=1" + PARTITIONED, OTHER, NOW)
    assert [b"n0"] == [c.name for c in jar.store(b"last=1" + PARTITIONED, FRAME, NOW + 999).evicted]


def test_a_partition_holds_10240_bytes_of_a_site() -> None:
    jar = Jar("chromium")
    for number in range(3):
        assert () == jar.store(b"n%d=%b" % (number, b"v" * 3000) + PARTITIONED, FRAME, NOW + number).evicted
    decision = jar.store(b"last=%b" % (b"v" * 4000) + PARTITIONED, FRAME, NOW + 9)
    assert [b"n0"] == [cookie.name for cookie in decision.evicted]
    assert "1" == decision.steps[-1].found


def test_expired_cookies_of_a_partition_go_before_others() -> None:
    jar = Jar("chromium")
    jar.store(b"short=%b; Max-Age=5" % (b"v" * 4000) + PARTITIONED, FRAME, NOW + NS)
    jar.store(b"old=%b" % (b"v" * 4000) + PARTITIONED, FRAME, NOW)
    decision = jar.store(b"new=%b" % (b"v" * 4000) + PARTITIONED, FRAME, NOW + 60 * NS)
    assert [b"short"] == [cookie.name for cookie in decision.evicted]


def test_partitioned_cookies_do_not_count_among_the_sites_own() -> None:
    jar = filled("chromium", 180)
    own = asking_for("https://h0.a.test/")
    assert () == jar.store(b"p=1" + PARTITIONED, own, NOW).evicted
    assert 31 == len(jar.store(b"one-more=1", own, NOW + 999 * NS).evicted)
    assert 151 == len(jar)
