from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies import Cookie, Jar, StoreDecision, asking_for
from inspect_cli.cookies.dates import EARLIEST_NS
from inspect_cli.cookies.profiles import Profile
from inspect_cli.cookies.shelves import Shelves
from inspect_cli.cookies.store import decide_store
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import Asking, SetCookie, Step
from tests.cookies.test_parse import LINES

NS = 1_000_000_000
NOW = 1_795_000_000 * NS
HTTP = asking_for("http://www.a.test/shop/cart")
HTTPS = asking_for("https://www.a.test/shop/cart")


def reason_of(line: bytes, asking: Asking = HTTPS, jar: Jar | None = None) -> tuple[str, str]:
    decision = (Jar() if jar is None else jar).store(line, asking, NOW)
    return decision.reason, decision.reference.removeprefix("6265bis ")


def test_a_stored_cookie_with_the_whole_way_there() -> None:
    decision = Jar().store(b"sid=1; Path=/; HttpOnly; SameSite=Lax; Max-Age=60", HTTP, NOW)
    value = Secret(b"1", "cookie")
    attributes = ((b"Path", b"/"), (b"HttpOnly", b""), (b"SameSite", b"Lax"), (b"Max-Age", b"60"))
    expected = StoreDecision(
        True,
        False,
        Cookie(b"sid", value, "www.a.test", True, "/", False, True, "lax", NOW + 60 * NS),
        SetCookie(b"sid", value, None, 60, None, b"/", False, True, "lax", attributes),
        None,
        "Stored",
        "6265bis §5.7 step 24",
        (
            Step("6265bis §5.6 step 1", "control-character", "passed", ""),
            Step("6265bis §5.6 step 5", "pair-size", "passed", ""),
            Step("6265bis §5.7 step 2", "name-or-value", "passed", ""),
            Step("6265bis §5.7 step 6", "lifetime", "applied", "Max-Age=60"),
            Step("6265bis §5.7 step 10", "domain-match", "applied", "host-only"),
            Step("6265bis §5.7 step 11", "path", "passed", "/"),
            Step("6265bis §5.7 step 13", "secure", "skipped", ""),
            Step("6265bis §5.7 step 15", "http-only", "passed", "HTTP"),
            Step("6265bis §5.7 step 16", "overlay-secure", "passed", ""),
            Step("6265bis §5.7 step 18", "same-site", "passed", "same-site"),
            Step("6265bis §5.7 step 19", "same-site-none", "skipped", ""),
            Step("6265bis §5.7 step 20", "prefix", "skipped", ""),
            Step("6265bis §5.7 step 23", "replace", "skipped", ""),
            Step("6265bis §5.7 step 24", "insert", "applied", ""),
        ),
    )
    assert expected == decision


CROSS = asking_for("https://www.a.test/x", same_site=False, top_level=False)
CROSS_TOP = asking_for("https://www.a.test/x", same_site=False, top_level=True)


@pytest.mark.parametrize(
    ("line", "asking", "expected"),
    [
        (b"a=\x01", HTTPS, ("DisallowedCharacter", "§5.6 step 1")),
        (b"a=" + b"x" * 4096, HTTPS, ("NameValuePairExceedsMaxSize", "§5.6 step 5")),
        (b"=; Path=/", HTTPS, ("NoCookieContent", "§5.7 step 2")),
        (b"a=1; Domain=b\xc3\xbc.test", HTTPS, ("InvalidDomain", "§5.7 step 8")),
        (b"a=1; Domain=test", HTTPS, ("InvalidDomain", "§5.7 step 9")),
        (b"a=1; Domain=b.test", HTTPS, ("InvalidDomain", "§5.7 step 10")),
        (b"a=1; Domain=x.www.a.test", HTTPS, ("InvalidDomain", "§5.7 step 10")),
        (b"a=1; Domain=.a.TEST", HTTPS, ("Stored", "§5.7 step 24")),
        (b"a=1; Secure", HTTP, ("SecureOnly", "§5.7 step 13")),
        (b"a=1; SameSite=Strict", CROSS, ("SameSiteStrict", "§5.7 step 18")),
        (b"a=1; SameSite=Lax", CROSS, ("SameSiteLax", "§5.7 step 18")),
        (b"a=1", CROSS, ("SameSiteUnspecifiedTreatedAsLax", "§5.7 step 18")),
        (b"a=1; SameSite=None; Secure", CROSS, ("Stored", "§5.7 step 24")),
        (b"a=1; SameSite=Strict", CROSS_TOP, ("Stored", "§5.7 step 24")),
        (b"a=1; SameSite=None", HTTPS, ("SameSiteNoneInsecure", "§5.7 step 19")),
        (b"__SECURE-a=1", HTTPS, ("InvalidPrefix", "§5.7 step 20")),
        (b"__secure-a=1; Secure", HTTPS, ("Stored", "§5.7 step 24")),
        (b"__Host-a=1; Path=/", HTTPS, ("InvalidPrefix", "§5.7 step 21")),
        (b"__Host-a=1; Secure; Path=/; Domain=a.test", HTTPS, ("InvalidPrefix", "§5.7 step 21")),
        (b"__Host-a=1; Secure", HTTPS, ("InvalidPrefix", "§5.7 step 21")),
        (b"__Host-a=1; Secure; Path=/shop", HTTPS, ("InvalidPrefix", "§5.7 step 21")),
        (b"__Host-a=1; Secure; Path=/", HTTPS, ("Stored", "§5.7 step 24")),
        (b"__Host-a", HTTPS, ("InvalidPrefix", "§5.7 step 22")),
        (b"=__secure-a=1", HTTPS, ("InvalidPrefix", "§5.7 step 22")),
        (b"a=1; Max-Age=0", HTTPS, ("Expired", "§5.7 step 24")),
        (b"a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", HTTPS, ("Expired", "§5.7 step 24")),
        (b"a=1", asking_for("https://a..b/"), ("InvalidDomain", "§5.1.2")),
    ],
)
def test_each_rule_decides_with_its_reason_and_clause(line: bytes, asking: Asking, expected: tuple[str, str]) -> None:
    assert expected == reason_of(line, asking)


def test_the_last_step_of_a_refusal_is_the_one_that_failed() -> None:
    decision = Jar().store(b"a=1; Secure", asking_for("http://localhost/"), NOW)
    assert Step("6265bis §5.7 step 13", "secure", "failed", "loopback") == decision.steps[-1]
    assert decision.reference == decision.steps[-1].clause


def test_a_profile_may_trust_loopback() -> None:
    """6265bis §5.7 step 13 leaves "secure" to the client."""
    profile = Profile("own", True, True, None, 0, 50, 3000)
    decision = decide_store(Shelves(), profile, b"a=1; Secure", asking_for("http://127.0.0.1/"), NOW)
    assert decision.stored
    assert Step("6265bis §5.7 step 13", "secure", "passed", "loopback") in decision.steps


def test_a_public_suffix_may_set_a_cookie_for_itself_alone() -> None:
    """6265bis §5.7 step 9."""
    decision = Jar().store(b"a=1; Domain=github.io", asking_for("https://github.io/"), NOW)
    assert decision.cookie == Cookie(b"a", Secret(b"1", "cookie"), "github.io", True, "/")


def test_a_path_that_is_none_means_the_default() -> None:
    for path, expected in ((b"", "/shop"), (b"x", "/shop"), (b"/y", "/y")):
        decision = Jar().store(b"a=1; Path=" + path, HTTPS, NOW)
        assert decision.cookie is not None
        assert expected == decision.cookie.path


def test_max_age_goes_before_expires_and_400_days_are_the_limit() -> None:
    """6265bis §5.7 step 6, §5.5."""
    line = b"a=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT"
    for attribute, expected in ((b"; Max-Age=5", NOW + 5 * NS), (b"", NOW + 34_560_000 * NS)):
        decision = Jar().store(line + attribute, HTTPS, NOW)
        assert decision.cookie is not None
        assert expected == decision.cookie.expires_ns
        assert (attribute == b"") == any(step.clause == "6265bis §5.5" for step in decision.steps)
    decision = Jar().store(b"a=1; Max-Age=" + b"9" * 1000, HTTPS, NOW)
    assert decision.cookie is not None
    assert NOW + 34_560_000 * NS == decision.cookie.expires_ns


def test_a_cookie_from_plain_http_does_not_overlay_a_secure_one() -> None:
    """6265bis §5.7 step 16."""
    jar = Jar()
    jar.store(b"a=1; Secure; Path=/login; Domain=a.test", HTTPS, NOW)
    overlaid = ("OverwriteSecure", "§5.7 step 16")
    assert overlaid == reason_of(b"a=2; Path=/login", HTTP, jar)
    assert overlaid == reason_of(b"a=2; Path=/login/en", HTTP, jar)
    assert overlaid == reason_of(b"a=2; Path=/login; Domain=a.test", asking_for("http://x.a.test/"), jar)
    assert reason_of(b"a=2; Path=/", HTTP, jar)[0] == "Stored"
    assert reason_of(b"b=2; Path=/login", HTTP, jar)[0] == "Stored"
    assert reason_of(b"a=2; Path=/login", HTTPS, jar)[0] == "Stored"


def test_a_line_that_passed_is_refused_once_a_secure_cookie_is_there() -> None:
    jar = Jar()
    for value in b"12":
        assert reason_of(b"a=%c; Path=/login" % value, HTTP, jar)[0] == "Stored"
    assert reason_of(b"a=3; Path=/login; Secure", HTTPS, jar)[0] == "Stored"
    assert reason_of(b"a=4; Path=/login", HTTP, jar)[0] == "OverwriteSecure"
    jar.store(b"a=; Path=/login; Secure; Max-Age=0", HTTPS, NOW)
    assert reason_of(b"a=5; Path=/login", HTTP, jar)[0] == "Stored"


def test_a_secure_cookie_of_a_suffix_protects_the_names_below_it() -> None:
    jar = Jar()
    jar.store(b"a=1; Secure", asking_for("https://x.github.io/"), NOW)
    assert reason_of(b"a=2", asking_for("http://github.io/"), jar)[0] == "OverwriteSecure"


def test_a_replaced_cookie_gives_its_creation_time_to_the_new_one() -> None:
    """6265bis §5.7 step 23.3."""
    jar = Jar()
    jar.store(b"a=1", HTTPS, NOW)
    decision = jar.store(b"a=2", HTTPS, NOW + NS)
    assert decision.replaced == Cookie(b"a", Secret(b"1", "cookie"), "www.a.test", True, "/shop")
    assert [(b"2", NOW, NOW + NS)] == [(c.value.value, c.creation_ns, c.last_access_ns) for c in jar]


def test_a_deleted_cookie_is_gone_and_says_what_was_there() -> None:
    jar = Jar()
    jar.store(b"a=1", HTTPS, NOW)
    decision = jar.store(b"a=; Max-Age=-5", HTTPS, NOW)
    assert (False, True) == (decision.stored, decision.deleted)
    assert decision.cookie is not None
    assert EARLIEST_NS == decision.cookie.expires_ns
    assert decision.replaced is not None
    assert () == jar.cookies
    assert jar.store(b"a=; Max-Age=-5", HTTPS, NOW).replaced is None


def test_a_cookie_that_expired_meanwhile_is_not_replaced() -> None:
    jar = Jar()
    jar.store(b"a=1; Max-Age=1", HTTPS, NOW)
    assert jar.store(b"a=2", HTTPS, NOW + 5 * NS).replaced is None


def test_without_steps_the_decision_is_the_same() -> None:
    for line in (
        b"a=1; Domain=a.test; Path=/x; Max-Age=9",
        b"a=1; Domain=test",
        b"\x00",
        b"__Host-a=1",
        b"a=" + b"x" * 4097,
    ):
        told, silent = Jar().store(line, HTTPS, NOW), Jar().store(line, HTTPS, NOW, steps=False)
        assert told.steps
        told.steps = ()  # type: ignore[misc]
        assert told == silent


@settings(max_examples=100, deadline=None)
@given(
    st.lists(LINES, max_size=6), st.sampled_from([HTTP, HTTPS, CROSS, asking_for("http://127.0.0.1/")]), st.booleans()
)
def test_any_bytes_give_a_decision(lines: list[bytes], asking: Asking, tell: bool) -> None:
    jar = Jar()
    for line in lines:
        decision = jar.store(line, asking, NOW, steps=tell)
        assert decision.reason
        assert decision.reference
        assert not (decision.stored and decision.deleted)
        assert decision.stored == any(cookie is decision.cookie for cookie in jar)
    jar.send(asking, NOW, steps=tell)
