from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies import Cookie, Jar, SendDecision, asking_for
from inspect_cli.cookies.hosts import canonical_host, domain_matches
from inspect_cli.cookies.profiles import RFC6265BIS, Profile
from inspect_cli.cookies.send import MAX_WITHHELD, decide_send
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import Asking, Step
from tests.cookies.test_parse import LINES

NS = 1_000_000_000
NOW = 1_795_000_000 * NS


def cookie(**facts: object) -> Cookie:
    base: dict[str, object] = {"name": b"a", "value": Secret(b"1", "cookie"), "domain": "a.test"}
    return Cookie(**{**base, "host_only": True, "path": "/", **facts})  # type: ignore[arg-type]


def reasons(kept: Cookie, asking: Asking, now_ns: int = NOW) -> list[str]:
    jar = Jar()
    jar.add(kept)
    return [decision.reason for decision in jar.send(asking, now_ns)]


def test_a_sent_cookie_with_the_whole_way_there() -> None:
    jar = Jar()
    kept = cookie(domain="a.test", host_only=False, path="/shop", secure=True, http_only=True)
    jar.add(kept)
    step = "6265bis §5.8.3 step 3"
    expected = SendDecision(
        True,
        kept,
        "Sent",
        "6265bis §5.8.3",
        (
            Step("6265bis §5.7", "expired", "skipped", "session"),
            Step(step, "domain-match", "passed", "a.test"),
            Step(step, "path-match", "passed", "/shop"),
            Step(step, "secure", "passed", ""),
            Step(step, "http-only", "passed", "HTTP"),
            Step(step, "same-site", "passed", "same-site"),
            Step("6265bis §5.8.3 step 4", "order", "applied", ""),
        ),
    )
    assert [expected] == jar.send(asking_for("https://www.a.test/shop/x"), NOW)
    assert NOW == kept.last_access_ns


def cross(method: str = "GET", *, top_level: bool = True) -> Asking:
    return asking_for("https://a.test/", method, same_site=False, top_level=top_level)


@pytest.mark.parametrize(
    ("kept", "asking", "expected"),
    [
        (cookie(), asking_for("http://a.test/"), ["Sent"]),
        (cookie(expires_ns=NOW - 1), asking_for("http://a.test/"), ["Expired"]),
        (cookie(), asking_for("http://www.a.test/"), ["DomainMismatch"]),
        (cookie(domain="x.a.test", host_only=False), asking_for("http://y.a.test/"), ["DomainMismatch"]),
        (cookie(domain="b.test"), asking_for("http://a.test/"), []),
        (cookie(domain="co.uk", host_only=False), asking_for("http://a.co.uk/"), ["InvalidDomain"]),
        (cookie(path="/x"), asking_for("http://a.test/xy"), ["NotOnPath"]),
        (cookie(secure=True), asking_for("http://a.test/"), ["SecureOnly"]),
        (cookie(secure=True), asking_for("wss://a.test/"), ["Sent"]),
        (cookie(domain="localhost", secure=True), asking_for("http://localhost/"), ["SecureOnly"]),
        (cookie(same_site="strict"), cross(), ["SameSiteStrict"]),
        (cookie(same_site="lax"), cross(), ["Sent"]),
        (cookie(same_site="lax"), cross("POST"), ["SameSiteLax"]),
        (cookie(same_site="lax"), cross(top_level=False), ["SameSiteLax"]),
        (cookie(), cross("POST"), ["SameSiteUnspecifiedTreatedAsLax"]),
        (cookie(same_site="none", secure=True), cross("POST", top_level=False), ["Sent"]),
        (cookie(), asking_for("http://a..test/"), []),
    ],
)
def test_each_rule_keeps_its_cookies(kept: Cookie, asking: Asking, expected: list[str]) -> None:
    if expected == ["InvalidDomain"]:  # in a jar it stands on another site's shelf
        shelves = Shelves()
        shelves.insert(kept)
        assert expected == [d.reason for d in decide_send(shelves, RFC6265BIS, asking, NOW)]
    else:
        assert expected == reasons(kept, asking)


def test_a_profile_may_trust_loopback_and_let_young_cookies_be_posted() -> None:
    profile = Profile("own", True, True, None, 120, 50, 3000)
    shelves = Shelves()
    shelves.insert(cookie(domain="localhost", secure=True, creation_ns=NOW))
    asking = asking_for("http://localhost/", "POST", same_site=False)
    young = decide_send(shelves, profile, asking, NOW + 60 * NS)[0]
    old = decide_send(shelves, profile, asking, NOW + 121 * NS)[0]
    assert Step("6265bis §5.6.7.2", "same-site", "passed", "Lax-Allowing-Unsafe") in young.steps
    assert Step("6265bis §5.8.3 step 3", "secure", "passed", "loopback") in young.steps
    assert ("Sent", "SameSiteUnspecifiedTreatedAsLax") == (young.reason, old.reason)


def test_longer_paths_go_first_and_then_older_ones() -> None:
    """6265bis §5.8.3 step 4."""
    jar = Jar()
    asking = asking_for("http://a.test/x/y")
    for line in (b"a=1; Path=/", b"b=2; Path=/x", b"c=3; Path=/", b"d=4; Path=/x/y", b"=bare; Path=/", b"e=; Path=/"):
        jar.store(line, asking, NOW)
    jar.store(b"a=5; Path=/", asking, NOW + NS)
    assert b"d=4; b=2; a=5; c=3; bare; e=" == jar.header(asking, NOW + NS)


def test_an_expired_cookie_is_told_once() -> None:
    jar = Jar()
    jar.add(cookie(expires_ns=NOW))
    asking = asking_for("http://a.test/")
    assert ["Expired"] == [decision.reason for decision in jar.send(asking, NOW + 1)]
    assert [] == jar.send(asking, NOW + 1)


def test_only_so_many_withheld_cookies_are_told() -> None:
    jar = Jar()
    for number in range(40):
        for host in ("x.a.test", "y.a.test", "a.test"):
            jar.add(cookie(name=b"%d" % number, domain=host))
    decisions = jar.send(asking_for("http://a.test/"), NOW)
    assert (40, MAX_WITHHELD) == (sum(d.sent for d in decisions), sum(not d.sent for d in decisions))
    assert len(jar.send(asking_for("http://z.a.test/"), NOW)) == MAX_WITHHELD


HOSTS = st.sampled_from(
    ["a.test", "www.a.test", "x.www.a.test", "b.test", "test", "127.0.0.1", "1.2.3.4", "co.uk", "a.co.uk"]
)
DOMAINS = st.sampled_from(
    [b"", b"; Domain=a.test", b"; Domain=www.a.test", b"; Domain=test", b"; Domain=0.0.1", b"; Domain=co.uk"]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(HOSTS, LINES, DOMAINS), max_size=8), HOSTS)
def test_a_cookie_never_goes_to_a_host_that_it_does_not_match(
    stored: list[tuple[str, bytes, bytes]], target: str
) -> None:
    jar = Jar()
    for host, line, domain in stored:
        jar.store(b"n" + line + domain, asking_for(f"https://{host}/"), NOW)
    asking = asking_for(f"https://{target}/")
    decisions = jar.send(asking, NOW, steps=False)
    own = canonical_host(target)
    assert own is not None
    for decision in decisions:
        if decision.sent:
            kept = decision.cookie
            assert own == kept.domain if kept.host_only else domain_matches(own, kept.domain)
    sent = [decision.cookie for decision in decisions if decision.sent]
    pieces = [c.name + b"=" + c.value.value if c.name else c.value.value for c in sent]
    assert b"; ".join(pieces) == jar.header(asking, NOW)
    assert decisions == [*decisions[: len(sent)], *[d for d in decisions if not d.sent]]
