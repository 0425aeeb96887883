from __future__ import annotations

from hypothesis import given as generated
from hypothesis import settings
from hypothesis import strategies as st

from inspect_cli.cookies import asking_for
from inspect_cli.derive import DERIVERS
from inspect_cli.derive.jar import Jars
from inspect_cli.events.base import INFERRED, OBSERVED, REPORTED, Event, Secret
from inspect_cli.events.calls import RequestAsked
from inspect_cli.events.cookies import (
    ClientRestarted,
    CookieDeleted,
    CookieEvent,
    CookieRefused,
    CookieSent,
    CookieStored,
    CookieWithheld,
    Decision,
    Sending,
    Step,
)
from tests.cookies.test_parse import LINES
from tests.derive.making import NOW, NS, House, Talk, context, given, of_kind

ASSUMED = Step("6265bis §5.2", "who-asks", "applied", "same-site (assumed), top-level (assumed)")
TOLD = Step("6265bis §5.2", "who-asks", "applied", "same-site, top-level")
ASK = "GET /shop/x HTTP/1.1\nHost: a.test\nUser-Agent: one"


def told(events: list[Event]) -> list[tuple[str, bytes, str]]:
    """Kind, name, reason of cookie events: enough where the rest is held elsewhere."""
    return [(e.kind, e.name, e.reason) for e in events if isinstance(e, CookieEvent)]


def test_a_cookie_is_stored_and_comes_back() -> None:
    talk, house = Talk(), House(Jars)
    house.see(talk.syn())
    request = talk.request(ASK)
    response = talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: sid=1; HttpOnly")
    again = talk.request(ASK + "\nCookie: sid=1; other=2")
    found = house.see(request, response, again)
    value = Secret(b"1", "cookie")
    stored = CookieStored(
        where=response.where._replace(start=17, end=44, basis=INFERRED),
        of=response,
        decision=Decision(
            name=b"sid",
            value=value,
            domain="a.test",
            path="/shop",
            reason="Stored",
            reference="6265bis §5.7 step 24",
            steps=found[0].steps,  # type: ignore[attr-defined]
        ),
        attributes=((b"HttpOnly", b""),),
        host_only=True,
        expires_ns=None,
        secure=False,
        http_only=True,
        same_site="default",
        replaces=False,
        value_changed=False,
        old_value=None,
    )
    at = again.head.index(b"Cookie:")
    line = again.where._replace(start=again.where.start + at, end=again.where.start + len(again.head) - 4)
    sending = Sending(
        name=b"sid",
        value=value,
        domain="a.test",
        path="/shop",
        reason="Sent",
        reference="6265bis §5.8.3",
        steps=found[1].steps,  # type: ignore[attr-defined]
        origin="stored",
        expected=True,
        set_frames=response.where.frames,
    )
    sent = CookieSent(line, again, sending)
    unknown = CookieSent(
        line, again, Sending(b"other", Secret(b"2", "cookie"), "", "", "Unknown", "", (ASSUMED,), "unknown", True, ())
    )
    assert [stored, sent, unknown] == found
    assert ASSUMED == stored.steps[0] == sent.steps[0]
    assert OBSERVED == sent.where.basis


def test_a_replaced_and_a_deleted_cookie_say_what_was_there() -> None:
    talk, house = Talk(), House(Jars)
    request = talk.request(ASK)
    found = house.see(
        request,
        talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=1\nSet-Cookie: a=2\nSet-Cookie: a=2; Max-Age=9"),
        talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=; Max-Age=0\nSet-Cookie: a=; Max-Age=0"),
    )
    stored, deleted = of_kind(found, CookieStored), of_kind(found, CookieDeleted)
    assert [(False, False, None), (True, True, Secret(b"1", "cookie")), (True, False, None)] == [
        (e.replaces, e.value_changed, e.old_value) for e in stored
    ]
    assert [(True, Secret(b"2", "cookie")), (False, None)] == [(e.existed, e.old_value) for e in deleted]
    assert {"Expired"} == {e.reason for e in deleted}


def test_a_refused_line_says_its_reason_and_what_can_be_read_of_it() -> None:
    talk, house = Talk(), House(Jars)
    request = talk.request(ASK)
    lines = (
        b"HTTP/1.1 200 OK\nSet-Cookie: a=1; Secure; Path=/y\nSet-Cookie: b=\x01; Path=/\nSet-Cookie: c=1; Domain=B.test"
    )
    found = of_kind(house.see(request, talk.response(request, lines)), CookieRefused)
    expected = [
        (b"a", b"1", "a.test", "/y", "SecureOnly", ((b"Secure", b""), (b"Path", b"/y"))),
        (b"b", b"\x01", "a.test", "/shop", "DisallowedCharacter", ()),
        (b"c", b"1", "b.test", "/shop", "InvalidDomain", ((b"Domain", b"B.test"),)),
    ]
    assert expected == [(e.name, e.value.value, e.domain, e.path, e.reason, e.attributes) for e in found]
    assert all(e.steps[-1].outcome == "failed" and e.reference == e.steps[-1].clause for e in found)


def test_a_cookie_that_a_rule_keeps_is_withheld_and_one_that_should_have_gone_is_said_once() -> None:
    talk, house = Talk(), House(Jars)
    request = talk.request(ASK)
    house.see(request, talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=1; Path=/\nSet-Cookie: b=2"))
    other = talk.request("GET / HTTP/1.1\nHost: a.test\nUser-Agent: one")
    found = house.see(other)
    first, second = of_kind(found, CookieWithheld)
    assert [("NotSent", False), ("NotOnPath", True)] == [(e.reason, e.expected) for e in (first, second)]
    assert other.where._replace(basis=INFERRED) == first.where
    assert [b"b"] == [e.name for e in of_kind(house.see(talk.request(other.head.decode().strip())), CookieWithheld)]
    house.see(talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=1; Path=/"))
    assert [b"b"] == [e.name for e in of_kind(house.see(talk.request(other.head.decode().strip())), CookieWithheld)]
    both = talk.request("GET /shop/ HTTP/1.1\nHost: a.test\nUser-Agent: one\nCookie: b=2; a=1")
    assert [("cookie-sent", b"b", "Sent"), ("cookie-sent", b"a", "Sent")] == told(house.see(both))
    assert ("cookie-withheld", b"a", "NotSent") in told(house.see(talk.request(ASK)))


def test_a_cookie_that_goes_against_the_rules_is_sent_and_not_expected() -> None:
    talk, house = Talk(), House(Jars)
    request = talk.request(ASK)
    house.see(request, talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=1"))
    found = of_kind(house.see(talk.request("GET / HTTP/1.1\nHost: a.test\nUser-Agent: one\nCookie: a=1")), CookieSent)
    assert [(b"a", "stored", False, "NotOnPath", "6265bis §5.8.3 step 3")] == [
        (e.name, e.origin, e.expected, e.reason, e.reference) for e in found
    ]


def test_another_value_under_a_known_name_was_set_by_somebody_unseen() -> None:
    talk, house = Talk(), House(Jars)
    request = talk.request(ASK)
    house.see(request, talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=1"))
    found = house.see(talk.request(ASK + "\nCookie: a=changed; a=1; a=1"))
    assert [
        ("cookie-sent", b"a", "ValueDiffers"),
        ("cookie-sent", b"a", "Sent"),
        ("cookie-sent", b"a", "Sent"),
    ] == told(found)


def test_two_cookies_of_one_name_and_value_are_both_accounted_for() -> None:
    talk, house = Talk(), House(Jars)
    request = talk.request(ASK)
    house.see(request, talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=1; Path=/\nSet-Cookie: a=1; Path=/shop"))
    found = house.see(talk.request(ASK + "\nCookie: a=1; a=1"))
    assert ["/shop", "/"] == [e.path for e in of_kind(found, CookieSent)]
    assert 2 == len(found)


def test_clients_are_told_apart_by_address_and_user_agent() -> None:
    house = House(Jars)
    one, other = Talk("10.0.0.1:5"), Talk("10.0.0.9:5", channel="tcp/1")
    same = Talk("10.0.0.1:6", channel="tcp/2")
    house.see(one.syn(), other.syn(), same.syn())
    request = one.request(ASK)
    house.see(request, one.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=1; Path=/"))
    assert [] == house.see(other.request(ASK))
    assert [] == house.see(same.request(ASK.replace("one", "two")))
    assert [("cookie-withheld", b"a", "NotSent")] == told(house.see(same.request(ASK)))
    house.see(one.over())
    assert [] == house.see(one.request(ASK))  # mid-stream now: somebody else for all we know


def test_a_context_says_who_asks_which_jar_and_what_was_given() -> None:
    talk, house = Talk(), House(Jars)
    asking = asking_for("http://a.test/shop/x")
    theme, by_hand = given(b"theme", b"dark"), given(b"x", b"1", by_hand=True)
    request = talk.request(ASK + "\nCookie: theme=dark; x=1")
    response = talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=1")
    found = house.see(context(asking, theme, by_hand), request, response)
    sent = of_kind(found, CookieSent)
    assert [("given", "Sent", "a.test", TOLD), ("given", "ByHand", "", TOLD)] == [
        (e.origin, e.reason, e.domain, e.steps[0]) for e in sent
    ]
    assert [REPORTED] == [e.where.basis for e in of_kind(found, CookieStored)]
    # Another request of the same jar, from another address, without the given cookie: nothing was captured of it.
    other = Talk("10.9.9.9:1", channel="tcp/5")
    found = house.see(context(asking), other.request(ASK + "\nCookie: a=1"))
    assert [("cookie-sent", b"a", "Sent")] == told(found)


def test_a_cross_site_context_keeps_lax_cookies_from_a_fetch() -> None:
    talk, house = Talk(), House(Jars)
    asking = asking_for("http://a.test/shop/x")
    request = talk.request(ASK)
    house.see(context(asking), request, talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=1; SameSite=Lax"))
    cross = asking_for("http://a.test/shop/x", same_site=False, top_level=False)
    found = of_kind(house.see(context(cross), talk.request(ASK)), CookieWithheld)
    assert [("SameSiteLax", True, REPORTED)] == [(e.reason, e.expected, e.where.basis) for e in found]
    assert Step("6265bis §5.2", "who-asks", "applied", "cross-site, not top-level") == found[0].steps[0]


def test_contexts_are_taken_in_order_and_those_never_asked_are_forgotten() -> None:
    talk, house = Talk(), House(Jars)
    ask = asking_for("http://a.test/shop/x")
    jars = Jars()
    for event in (context(asking_for("http://a.test/lost")), context(ask), context(ask, jar="second")):
        list(jars.see(event))
    for expected in ("jar", "second"):
        request = talk.request(ASK)
        list(jars.see(request))
        taken = jars._contexts.get("tcp/0", request.index)
        assert taken is not None
        assert expected == taken.jar
    assert not jars._pending
    # A Host field by hand: method and path have to do, for the first in the row alone.
    odd = "GET /shop/x HTTP/1.1\nHost: other.test\nCookie: h=1"
    found = house.see(context(ask, given(b"h", b"1", by_hand=True)), talk.request(odd))
    assert [("cookie-sent", b"h", "ByHand")] == told(found)


def test_a_set_cookie_of_an_interim_response_counts_and_the_context_stays_for_the_final_one() -> None:
    """6265bis §5.3: a MAY, and clients do."""
    talk, house = Talk(), House(Jars)
    request = talk.request(ASK)
    found = house.see(
        context(asking_for("http://a.test/shop/x")),
        request,
        talk.response(request, "HTTP/1.1 103 Early Hints\nSet-Cookie: a=1"),
        talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: b=1"),
    )
    assert [REPORTED, REPORTED] == [e.where.basis for e in of_kind(found, CookieStored)]


def test_without_a_captured_request_the_connection_tells_the_host() -> None:
    talk, house = Talk(), House(Jars)
    lines = "HTTP/1.1 200 OK\nSet-Cookie: a=1"
    assert [] == house.see(talk.response(None, lines))  # nobody can say whose cookie it is
    house.see(talk.syn())
    (bare,) = of_kind(house.see(talk.response(None, lines)), CookieStored)
    house.see(talk.request(ASK))
    (named,) = of_kind(house.see(talk.response(None, lines)), CookieStored)
    assert [("10.0.0.2", "/"), ("a.test", "/")] == [(bare.domain, bare.path), (named.domain, named.path)]
    assert Step("6265bis §5.7", "request", "skipped", "not captured") == bare.steps[0]


def test_an_http_1_0_request_without_host_asks_the_servers_address() -> None:
    talk, house = Talk(), House(Jars)
    request = talk.request("GET /x HTTP/1.0")
    found = house.see(talk.syn(), request, talk.response(request, "HTTP/1.0 200 OK\nSet-Cookie: a=1"))
    assert ["10.0.0.2"] == [e.domain for e in of_kind(found, CookieStored)]
    assert [("cookie-sent", b"a", "Sent")] == told(house.see(talk.request("GET /x HTTP/1.0\nCookie: a=1")))


def test_a_tunnel_has_no_cookies_of_its_own() -> None:
    talk, house = Talk(), House(Jars)
    request = talk.request("CONNECT a.test:443 HTTP/1.1\nHost: a.test:443\nCookie: a=1")
    response = talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=1")
    assert [] == house.see(context(asking_for("http://a.test/")), request, response)


def test_another_programs_request_takes_no_context() -> None:
    talk, house = Talk(), House(Jars)
    found = house.see(context(asking_for("http://a.test/mine")), talk.request(ASK + "\nCookie: a=1"))
    assert [ASSUMED] == [e.steps[0] for e in of_kind(found, CookieSent)]


def test_an_expired_cookie_is_withheld_once() -> None:
    talk, house = Talk(), House(Jars)
    request = talk.request(ASK)
    house.see(request, talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=1; Max-Age=1"))
    talk.frame += 60
    assert [("cookie-withheld", b"a", "Expired")] == told(house.see(talk.request(ASK)))
    assert [] == house.see(talk.request(ASK))


@settings(max_examples=60, deadline=None)
@generated(st.lists(st.tuples(LINES, LINES, st.sampled_from(["a.test", "b.test", "[::1]", "", "a..b"])), max_size=5))
def test_any_lines_give_events_whose_spans_lie_in_their_heads(lines: list[tuple[bytes, bytes, str]]) -> None:
    talk, house = Talk(), House(*DERIVERS)
    for cookie, set_cookie, host in lines:
        request = talk.request(f"GET / HTTP/1.1\nHost: {host}\nCookie: ".encode() + cookie.replace(b"\n", b""))
        response = talk.response(request, b"HTTP/1.1 200 OK\nSet-Cookie: " + set_cookie.replace(b"\n", b""))
        for event in house.see(request, response):
            if isinstance(event, CookieEvent):
                head = event.of.where
                assert head.start <= event.where.start <= event.where.end <= head.end
                assert NOW <= event.where.time_ns <= NOW + 100 * NS


def test_a_restart_ends_the_session_of_the_jar_and_no_other() -> None:
    """Session cookies go, those given at the start too; each jar has a session of its own."""
    talk, house = Talk(), House(Jars)
    ask = asking_for("http://a.test/shop/x")
    house.see(talk.syn(), context(ask), context(ask, jar="other"))
    for _ in range(2):
        request = talk.request(ASK)
        house.see(request, talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: s=1\nSet-Cookie: p=1; Max-Age=60"))
    again = context(ask, given(b"old", b"1"), restarted=True)
    request = talk.request(ASK + "\nCookie: p=1")
    found = house.see(again, request)

    assert ClientRestarted(again.where, "jar", (b"s", b"old"), (b"p",)) == found[0]
    assert [("cookie-sent", b"p", "Sent")] == told(found)
    others = house.see(context(ask, jar="other"), talk.request(ASK + "\nCookie: s=1; p=1"))
    assert [("cookie-sent", b"s", "Sent"), ("cookie-sent", b"p", "Sent")] == told(others)


def test_what_a_restart_took_is_not_given_a_second_time() -> None:
    talk, house = Talk(), House(Jars)
    ask = asking_for("http://a.test/shop/x")
    house.see(talk.syn(), context(ask, given(b"old", b"1"), restarted=True), talk.request(ASK))

    assert [] == told(house.see(context(ask, given(b"old", b"1")), talk.request(ASK)))


def test_a_request_of_ours_is_told_with_its_context() -> None:
    talk, house = Talk(), House(Jars)
    said = context(asking_for("http://a.test/shop/x", same_site=False))
    request = talk.request(ASK)

    assert [RequestAsked(request.where, request, said.context)] == house.see(talk.syn(), said, request)
    assert [] == house.see(talk.request(ASK))
