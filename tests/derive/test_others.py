from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.jar import Jar
from inspect_cli.cookies.profiles import PROFILES
from inspect_cli.derive import others as others_module
from inspect_cli.derive.jar import Jars
from inspect_cli.derive.others import Others, of_cookie
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import (
    Asking,
    CookieEvent,
    CookieRefused,
    CookieSent,
    CookieStored,
    CookieWithheld,
    Otherwise,
)
from tests.cookies.test_parse import LINES
from tests.derive.making import NOW, NS, House, Talk, of_kind

HTTP = Asking("http", "a.test", "/x")
HTTPS = Asking("https", "a.test", "/x")
LOCAL = Asking("http", "localhost", "/")
CROSS = Asking("https", "a.test", "/x", "GET", False, False)


def found(line: bytes, asking: Asking, profile: str = "rfc6265bis", others: Others | None = None) -> Otherwise | None:
    decisions = Jar(profile).store_all([line], asking, NOW)
    return (others or Others()).of_lines([line], decisions, asking, NOW, profile)[0]


@pytest.mark.parametrize(
    ("line", "asking", "expected"),
    [
        (b"a=1; Path=/; Secure; HttpOnly; SameSite=Lax", HTTPS, None),
        (b"a=1", HTTP, None),
        (b"a=1; Max-Age=0; SameSite=None", HTTP, None),
        (
            b"a=1; SameSite=None",
            HTTP,
            Otherwise(
                ("safari", "curl", "python"),
                ("rfc6265bis", "chromium", "firefox"),
                "SameSiteNoneInsecure",
                "6265bis §5.7 step 19",
            ),
        ),
        (
            b"a=1",
            CROSS,
            Otherwise(
                ("firefox", "safari", "curl", "python"),
                ("rfc6265bis", "chromium"),
                "SameSiteUnspecifiedTreatedAsLax",
                "6265bis §5.7 step 18",
            ),
        ),
    ],
)
def test_clients_differ_on_some_lines_only(line: bytes, asking: Asking, expected: Otherwise | None) -> None:
    assert expected == found(line, asking)


def test_the_reason_is_that_of_the_deciding_profile_if_it_refuses() -> None:
    line = b"a=1; Secure"
    kept, refused = found(line, LOCAL, "chromium"), found(line, LOCAL, "safari")

    assert kept is not None
    assert refused is not None
    assert (kept.keep, kept.refuse, kept.reason) == (refused.keep, refused.refuse, refused.reason)
    assert "SecureOnly" == kept.reason
    assert "chromium" in kept.keep
    assert "safari" in kept.refuse


def test_lines_that_differ_in_nothing_that_decides_are_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []
    inner = others_module._compared

    def counting(line: bytes, *rest: Any) -> Otherwise | None:
        compared.append(line)
        return inner(line, *rest)

    monkeypatch.setattr(others_module, "_compared", counting)
    others = Others()
    date = b"; Expires=Sat, 02 Jan 2027 03:04:%02d GMT; SameSite=None"
    for n in range(20):
        found(b"sid=%d" % n + date % n, HTTPS, others=others)
    for line in (b"__Host-a=1; Secure", b"a=1; Secure", b"a=1; Secure; SameSite=None"):
        found(line, HTTPS, others=others)

    assert [b"sid=0" + date % 0, b"__Host-a=1; Secure", b"a=1; Secure", b"a=1; Secure; SameSite=None"] == compared


ASKINGS = st.builds(
    Asking,
    st.sampled_from(["http", "https"]),
    st.sampled_from(["a.test", "x.a.test", "localhost", "127.0.0.1", "co.uk", "b.co.uk"]),
    st.just("/"),
    st.just("GET"),
    st.booleans(),
    st.booleans(),
)
ATTRIBUTES = st.sampled_from(
    [
        *(b"Secure", b"SameSite=None", b"SameSite=Strict", b"Domain=a.test", b"Domain=co.uk", b"Path=/", b"HttpOnly"),
        *(b"Max-Age=5", b"Max-Age=+5", b"Expires=Sat, 02 Jan 2027 03:04:05 GMT", b"Partitioned", b"Domain=."),
        *(b"Expires=Sat, 02 Jan 2021 03:04:05 GMT", b"Max-Age=0", b"Expires=x"),
    ]
)
PAIRS = st.sampled_from([b"a=1", b"sid=abc", b"__Host-a=1", b"__http-a=1", b"=a", b"a", b"=a=b", b"a=\x07", b"b=\t"])
SOME = st.builds(lambda pair, rest: b"; ".join([pair, *rest]), PAIRS, st.lists(ATTRIBUTES, max_size=4))


@settings(max_examples=200)
@given(st.lists(st.tuples(SOME | LINES, ASKINGS, st.sampled_from(list(PROFILES))), min_size=1, max_size=12))
def test_what_is_remembered_is_what_each_client_decides(many: list[tuple[bytes, Asking, str]]) -> None:
    others = Others()
    for line, asking, profile in many:
        said = found(line, asking, profile, others)
        alone = {name: Jar(name).store(line, asking, NOW) for name in PROFILES}
        if alone[profile].deleted:
            assert said is None
            continue
        keep = tuple(name for name, one in alone.items() if one.stored)
        refuse = tuple(name for name, one in alone.items() if not one.stored and not one.deleted)

        assert (keep, refuse) == ((said.keep, said.refuse) if said is not None else (keep, refuse))
        assert bool(keep and refuse) == (said is not None)


def talk_of(*heads: str, profile: str | None = None) -> list[CookieEvent]:
    """Cookie events of one connection: an answer after each request."""
    talk = Talk()
    house = House(Jars)
    house._derivers = [Jars(profile)]
    events = house.see(talk.syn())
    for asks, answers in zip(heads[::2], heads[1::2], strict=True):
        request = talk.request(asks)
        events += house.see(request)
        events += house.see(talk.response(request, answers))
    return [event for event in events if isinstance(event, CookieEvent)]


ASK = "GET / HTTP/1.1\nHost: a.test"


def test_a_client_that_kept_what_the_rules_refuse_is_known_by_what_it_sends() -> None:
    events = talk_of(
        ASK, "HTTP/1.1 200 OK\nSet-Cookie: t=1; SameSite=None", ASK + "\nCookie: t=1; t=2", "HTTP/1.1 200 OK"
    )
    refused, known, other = events

    assert isinstance(refused, CookieRefused)
    assert isinstance(known, CookieSent)
    assert ("SameSiteNoneInsecure", "6265bis §5.7 step 19", "a.test") == (known.reason, known.reference, known.domain)
    assert (False, "stored", (3,)) == (known.expected, known.origin, known.set_frames)
    assert ("safari", "curl", "python") == known.decision.alike
    assert ("Unknown", True) == (other.reason, isinstance(other, CookieSent) and other.expected)


def test_a_cookie_that_goes_against_the_rules_names_who_would_do_so_too() -> None:
    events = talk_of(
        *(ASK, "HTTP/1.1 200 OK\nSet-Cookie: d=1\nSet-Cookie: s=1; SameSite=Strict"),
        ASK + "\nOrigin: http://b.test\nAccept: */*\nCookie: d=1; s=1",
        "HTTP/1.1 200 OK",
    )
    default, strict = of_kind(events, CookieSent)

    assert ("SameSiteUnspecifiedTreatedAsLax", ("firefox", "safari", "curl", "python")) == (
        default.reason,
        default.decision.alike,
    )
    assert ("SameSiteStrict", ("curl", "python")) == (strict.reason, strict.decision.alike)


def test_a_cookie_that_stays_at_home_names_who_would_keep_it_there_too() -> None:
    events = talk_of(
        *(ASK, "HTTP/1.1 200 OK\nSet-Cookie: t=1; SameSite=None", ASK, "HTTP/1.1 200 OK"), profile="safari"
    )
    missed = of_kind(events, CookieWithheld)

    assert [CookieStored, CookieWithheld] == [type(event) for event in events]
    assert [("NotSent", False)] == [(event.reason, event.expected) for event in missed]
    assert ("rfc6265bis", "chromium", "firefox") == missed[0].decision.alike


def test_a_profile_that_is_asked_for_decides_for_every_client() -> None:
    answer = "HTTP/1.1 200 OK\nSet-Cookie: t=1; SameSite=None"

    assert [
        [(type(event), event.reason) for event in talk_of(ASK, answer, profile=name)] for name in ("curl", "firefox")
    ] == [[(CookieStored, "Stored")], [(CookieRefused, "SameSiteNoneInsecure")]]


PATHS = st.sampled_from(["/", "/d", "/d/", "/d/e", "/d/e.html", "/%2fd", "/\xe9", "*", "/d e"])


@settings(max_examples=300, deadline=None)
@given(
    ASKINGS,
    st.tuples(
        PATHS, st.sampled_from(["GET", "POST"]), st.none() | st.booleans(), st.sampled_from(["", "https://b.test"])
    ),
    st.sampled_from(["a.test", "x.a.test", "localhost", "127.0.0.1"]),
    st.tuples(st.booleans(), PATHS, st.booleans(), st.booleans()),
    st.sampled_from(["strict", "lax", "none", "default"]),
    st.tuples(st.sampled_from([0, 200]), st.booleans(), st.sampled_from([(), ("curl",)])),
)
def test_clients_are_asked_once_for_what_counts_and_say_what_they_would_say_each_time(
    asking: Asking, asks: Any, domain: str, kept: Any, same_site: Any, how: Any
) -> None:
    path, method, same_domain, top_site = asks
    asking = replace(asking, path=path, method=method, same_domain=same_domain, top_site=top_site)
    host_only, cookie_path, secure, http_only = kept
    age_s, sends, refuses = how

    def made() -> Cookie:
        return Cookie(
            *(b"a", Secret(b"1", "cookie"), domain, host_only, cookie_path, secure, http_only, same_site),
            creation_ns=NOW - age_s * NS,
        )

    expected = []
    for name in PROFILES:
        jar = Jar(name)
        jar.add(made())
        goes = bool(jar.header(asking, NOW)) and name not in refuses
        if goes is sends:
            expected.append(name)
    assert tuple(expected) == of_cookie(made(), asking, NOW, sends=sends, refuses=refuses)
