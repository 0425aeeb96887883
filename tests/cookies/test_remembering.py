"""What is remembered changes nothing: each decision is the one that is made afresh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies import Jar, SendDecision, StoreDecision, store
from inspect_cli.cookies.hosts import canonical_host, domain_matches, is_ip, is_public_suffix, registrable_domain
from inspect_cli.cookies.settled import Settled, key_of
from inspect_cli.events.cookies import Asking
from tests.cookies.test_properties import ASKINGS, EVERY_PROFILE, NOW, NS, WRITTEN

LONG = "a" * 100_000
USUAL = Asking("https", "www.a.test", "/d/e")
ENDS = (
    *(b"", b"; Path=/", b"; Path=/; Secure", b"; Path=/; HttpOnly", b"; Domain=a.test; Path=/"),
    *(b"; Path=/; SameSite=Strict", b"; Path=/; Secure; SameSite=None", b"; Path=/d", b"; Path=/d/; Secure"),
    *(b"; Path=/; Max-Age=2", b"; Path=/; Max-Age=99999999", b"; Path=/; Max-Age=0"),
    b"; Path=/; Expires=Tue, 17 Nov 2026 20:06:47 GMT",
    b"; Path=/; Expires=Thu, 23 Dec 2027 11:06:42 GMT",  # 400 days, and two seconds more
)
LINES = st.builds(
    lambda name, value, attributes: name + b"=" + value + attributes,
    st.sampled_from((b"a", b"a", b"a", b"b", b"__Host-a", b"")),
    st.sampled_from((b"1", b"2", b"3" * 4000)),
    st.sampled_from(ENDS),
)
ASKS = st.builds(
    lambda asking, path, is_usual, scheme: replace(USUAL, path=path, scheme=scheme) if is_usual else asking,
    ASKINGS,
    st.sampled_from(("/", "/d", "/d/e", "/d/x", "*")),
    st.sampled_from((True, True, True, False)),
    st.sampled_from(("http", "https", "https")),
)
ACTS = st.lists(st.tuples(ASKS, LINES | LINES | LINES | WRITTEN, st.integers(0, 3), st.booleans()), max_size=16)
Act = tuple[Asking, bytes, int, bool]


def played(jar: Jar, acts: list[Act], *, forgets: bool) -> Iterator[list[StoreDecision] | list[SendDecision] | bytes]:
    """What the jar decides: stores, and sends as often."""
    now_ns = NOW
    for asking, line, seconds, tell in acts:
        now_ns += seconds * NS
        if forgets:
            store._known.clear()
            jar._last = None
        yield jar.store_all([line], asking, now_ns, steps=tell)
        if forgets:
            jar._last = None
        yield jar.send(asking, now_ns)
    yield jar.header(USUAL, now_ns)


@EVERY_PROFILE
@settings(max_examples=60, deadline=None)
@given(acts=ACTS, blocked=st.booleans())
def test_a_jar_that_remembers_decides_as_one_that_forgets(profile: str, acts: list[Act], blocked: bool) -> None:
    before = Jar(profile, block_third_party=blocked)
    list(played(before, acts, forgets=False))  # so that all of it is known
    one, other = Jar(profile, block_third_party=blocked), Jar(profile, block_third_party=blocked)
    known = list(played(one, acts, forgets=False))

    assert list(played(other, acts, forgets=True)) == known
    assert [c.name + c.value.value for c in other] == [c.name + c.value.value for c in one]
    assert [(c.creation_ns, c.last_access_ns, c.order) for c in other] == [
        (c.creation_ns, c.last_access_ns, c.order) for c in one
    ]
    assert sum(c.size_bytes for c in one) == one.size_bytes


@EVERY_PROFILE
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_any_line_after_any_other_is_decided_as_afresh(profile: str, scheme: str) -> None:
    usual = replace(USUAL, scheme=scheme)
    for one, two in product(ENDS, ENDS):
        lines = (b"a=1" + one, b"a=2" + two, b"a=2" + two, b"a=3; Path=/")
        acts = [(usual, line, number, True) for number, line in enumerate(lines)]
        known, afresh = Jar(profile), Jar(profile)
        assert list(played(afresh, acts, forgets=True)) == list(played(known, acts, forgets=False))


def test_a_line_that_differs_in_its_value_is_settled_once() -> None:
    jar = Jar("rfc6265bis")
    asking = [replace(USUAL, path=f"/page/{number}") for number in range(20)]
    steps = {id(jar.store(b"n%d=%d; Path=/" % (number, number), asking[number], NOW).steps) for number in range(20)}
    assert 1 == len(steps)


def test_lines_are_remembered_within_bounds() -> None:
    settled = Settled()
    jar = Jar("rfc6265bis")
    store._known.clear()
    for number in range(3000):
        jar.store(b"a=1; Path=/; x%d" % number, USUAL, NOW)
        jar.store(b"a=1; y%d" % number, USUAL, NOW)
    rules = store._rules_of(jar.profile, False)
    assert len(rules.settled._known) <= 1026
    assert settled.find(("https", "a.test", "", b"", b"", True), USUAL) is None


@pytest.mark.parametrize("line", [b"a=1; " + b"x" * 1000, b"x" * 1000 + b"=1"])
def test_a_long_line_is_decided_anew_each_time(line: bytes) -> None:
    name, _, rest = line.partition(b"=")
    assert key_of(USUAL, name, rest, tell=True) is None


def test_what_is_no_host_is_not_remembered() -> None:
    found = (
        canonical_host(LONG),
        is_ip(LONG),
        is_ip(":" * 300),
        domain_matches("a.test", LONG),
        is_public_suffix(LONG),
        registrable_domain(LONG),
    )
    assert (None, False, True, False, False, None) == found
