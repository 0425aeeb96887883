"""What holds for any line, host and client."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies import Cookie, Jar, SendDecision, StoreDecision, netscape
from inspect_cli.cookies.hosts import domain_matches
from inspect_cli.cookies.names import host_of
from inspect_cli.cookies.outgoing import serialize
from inspect_cli.cookies.profiles import PROFILES
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import Asking
from tests.cookies.test_parse import LINES

NS = 1_000_000_000
NOW = 1_795_000_000 * NS

HOSTS = st.sampled_from(
    (
        "a.test",
        "www.a.test",
        "x.www.a.test",
        "b.test",
        "test",
        "localhost",
        "127.0.0.1",
        "::1",
        "co.uk",
        "a.co.uk",
        "a..b",
    )
)
PATHS = st.sampled_from(("/", "/d", "/d/e", "/d/", "", "*", "/\xe9"))
ASKINGS = st.builds(
    Asking,
    st.sampled_from(("http", "https", "ws", "wss")),
    HOSTS,
    PATHS,
    st.sampled_from(("GET", "POST", "QUERY", "odd")),
    st.booleans(),
    st.booleans(),
    st.none() | st.booleans(),
    st.sampled_from(("", "https://a.test", "http://b.test")),
    st.booleans(),
)
NAMES = st.sampled_from((b"a", b"b", b"", b"__Host-a", b"__secure-a", b"__Host-Http-a", b"\xff"))
ATTRIBUTES = st.sampled_from(
    (
        *(b"; Domain=a.test", b"; Domain=test", b"; Domain=.", b"; Domain=co.uk", b"; Domain=0.0.1"),
        *(b"; Secure", b"; HttpOnly", b"; Path=/", b"; Path=/d", b"; SameSite=None", b"; SameSite=Strict"),
        *(b"; Partitioned", b"; Max-Age=1", b"; Max-Age=0", b"; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        *(b"\r", b"\t", b"; Priority=Low"),
    )
)
WRITTEN = st.builds(
    lambda name, value, attributes: name + b"=" + value + b"".join(attributes),
    NAMES,
    st.sampled_from((b"1", b"2", b"", b"x=y")),
    st.lists(ATTRIBUTES, max_size=4),
)
ACTS = st.lists(st.tuples(ASKINGS, WRITTEN | LINES, st.integers(0, 3)), max_size=12)
EVERY_PROFILE = pytest.mark.parametrize("profile", list(PROFILES))


def fits(host: str, cookie: Cookie, profile: str) -> bool:
    if profile == "python":  # it compares text, and takes a host's own cookies for those below it too
        return f".{host}".endswith(f".{cookie.domain}")
    return host == cookie.domain if cookie.host_only else domain_matches(host, cookie.domain)


@EVERY_PROFILE
@settings(max_examples=30, deadline=None)
@given(acts=ACTS, blocked=st.booleans())
def test_a_cookie_never_goes_to_a_host_that_it_does_not_match(
    profile: str, acts: list[tuple[Asking, bytes, int]], blocked: bool
) -> None:
    jar = Jar(profile, block_third_party=blocked)
    now_ns = NOW
    for asking, line, seconds in acts:
        now_ns += seconds * NS
        decisions = jar.send(asking, now_ns, steps=False)
        own = host_of(asking.host, PROFILES[profile])
        for decision in decisions:
            if decision.sent:
                cookie = decision.cookie
                assert own is not None
                assert fits(own, cookie, profile)
                assert not cookie.is_expired(now_ns)
                assert not (cookie.http_only and asking.by_script)
        jar.store(line, asking, now_ns)


@EVERY_PROFILE
@settings(max_examples=30, deadline=None)
@given(acts=ACTS)
def test_the_order_of_the_header_is_stable(profile: str, acts: list[tuple[Asking, bytes, int]]) -> None:
    """The cookies that go stand alike whoever asks, and whatever was sent before."""
    jar = Jar(profile)
    for asking, line, _ in acts:
        jar.store(line, asking, NOW)
        first = jar.header(asking, NOW)
        assert first == jar.header(asking, NOW)
        sent = [decision.cookie for decision in jar.send(asking, NOW, steps=False) if decision.sent]
        assert first == serialize(sent)


def silent(decision: StoreDecision) -> StoreDecision:
    return replace(decision, steps=())


def unsaid(decisions: list[SendDecision]) -> list[SendDecision]:
    return [replace(decision, steps=()) for decision in decisions]


@EVERY_PROFILE
@settings(max_examples=30, deadline=None)
@given(acts=ACTS, blocked=st.booleans())
def test_any_bytes_give_a_decision_the_same_with_steps_and_without(
    profile: str, acts: list[tuple[Asking, bytes, int]], blocked: bool
) -> None:
    told, quick = Jar(profile, block_third_party=blocked), Jar(profile, block_third_party=blocked)
    now_ns = NOW
    for asking, line, seconds in acts * 2:
        now_ns += seconds * NS
        decision = told.store(line, asking, now_ns)
        assert decision.reason
        assert decision.reference in {step.clause for step in decision.steps}
        assert not (decision.stored and decision.deleted)
        assert silent(decision) == quick.store(line, asking, now_ns, steps=False)
        assert unsaid(told.send(asking, now_ns)) == quick.send(asking, now_ns, steps=False)
        assert told.cookies == quick.cookies
        assert told.size_bytes == sum(cookie.size_bytes for cookie in told)


OCTETS = st.binary(max_size=12).filter(lambda b: not set(b) & set(b"\t\n\r\x0b\x0c\x1c\x1d\x1e\x85"))
KEPT = st.builds(
    Cookie,
    OCTETS.filter(lambda name: b"\xc2\x85" not in name and b"\xe2\x80" not in name),
    OCTETS.map(lambda value: Secret(value, "cookie")),
    st.sampled_from(("a.test", "www.a.test", "127.0.0.1", "::1")),
    st.booleans(),
    st.sampled_from(("/", "/d", "/\xc3\xa9", "/a b")),
    st.booleans(),
    st.booleans(),
    expires_ns=st.none() | st.integers(1, 1 << 33).map(lambda s: s * NS),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(KEPT, max_size=6))
def test_a_jar_written_and_read_back_is_equal(cookies: list[Cookie]) -> None:
    assert cookies == netscape.read(netscape.write(cookies))
