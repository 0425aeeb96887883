from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies import store
from inspect_cli.derive.jar import Jars
from inspect_cli.derive.others import Others
from inspect_cli.derive.sessions import Sessions
from inspect_cli.events.base import Event
from inspect_cli.events.cookies import CookieSent, CookieWithheld
from inspect_cli.events.http import RequestHead, ResponseHead
from tests.derive.making import House, Talk, of_kind
from tests.derive.test_jar import ASK, told


def test_the_same_request_again_carries_the_same_cookies_at_its_own_place() -> None:
    talk, house = Talk(), House(Jars)
    first = talk.request(ASK)
    response = talk.response(first, "HTTP/1.1 200 OK\nSet-Cookie: sid=1\nSet-Cookie: deep=1; Path=/other")
    requests = [talk.request(ASK + "\nCookie: sid=1; mine=2") for _ in range(4)]
    requests.append(talk.request(ASK.replace("/shop/x", "/shop/x/longer") + "\nCookie: sid=1; mine=2"))
    house.see(talk.syn(), first, response)
    rounds = [house.see(request) for request in requests]
    expected = [
        ("cookie-sent", b"sid", "Sent"),
        ("cookie-sent", b"mine", "Unknown"),
        ("cookie-withheld", b"deep", "NotOnPath"),
    ]
    assert [expected] * 5 == [told(found) for found in rounds]
    for request, found in zip(requests, rounds, strict=True):
        at = request.where.start + request.head.index(b"Cookie:")
        places = [(event.where.time_ns, event.where.start, event.of) for event in of_kind(found, CookieSent)]
        assert [(request.where.time_ns, at, request)] * 2 == places
        assert [request] == [event.of for event in of_kind(found, CookieWithheld)]
    assert [event.steps for event in of_kind(rounds[0], CookieSent)] == [
        event.steps for event in of_kind(rounds[3], CookieSent)
    ]


def test_a_cookie_that_stays_away_is_missing_once_until_it_went_again() -> None:
    talk, house = Talk(), House(Jars)
    first = talk.request(ASK)
    house.see(talk.syn(), first, talk.response(first, "HTTP/1.1 200 OK\nSet-Cookie: sid=1; Path=/"))
    rounds = [told(house.see(talk.request(ASK + said))) for said in ("", "", "", "\nCookie: sid=1", "", "")]
    missing, sent = [("cookie-withheld", b"sid", "NotSent")], [("cookie-sent", b"sid", "Sent")]
    assert [missing, [], [], sent, missing, []] == rounds


def test_a_cookie_that_changed_between_two_equal_requests_is_seen() -> None:
    talk, house = Talk(), House(Jars)
    rounds = []
    for line in (b"sid=1", b"sid=1", b"sid=2", b"sid=1; Max-Age=0"):
        request = talk.request(ASK + "\nCookie: sid=1")
        rounds.append(told(house.see(request))[:1])
        house.see(talk.response(request, b"HTTP/1.1 200 OK\nSet-Cookie: " + line))
    rounds.append(told(house.see(talk.request(ASK + "\nCookie: sid=1"))))
    reasons = ["Unknown", "Sent", "Sent", "ValueDiffers", "Unknown"]
    assert [[("cookie-sent", b"sid", reason)] for reason in reasons] == rounds


class Forgetful(Jars):
    """Decides everything afresh."""

    def _requested(self, event: RequestHead) -> Iterable[Event]:
        self._forget()
        return super()._requested(event)

    def _answered(self, event: ResponseHead) -> Iterable[Event]:
        self._forget()
        self._others = Others()
        return super()._answered(event)

    def _forget(self) -> None:
        store._known.clear()
        for client in self._clients._clients.values():
            client.last = client.jar._last = None


COOKIES = st.sampled_from(["", "a=1", "a=2", "a=1; b=2", "b=2; a=1", "c=3", "a=1; a=1", "; ;", "sid=" + "x" * 300])
SET = st.lists(
    st.sampled_from(
        [
            *("a=1; Path=/", "a=2; Path=/", "a=1; Path=/d", "b=2; Path=/; Max-Age=5", "b=3; HttpOnly", "c=3; Secure"),
            *("a=; Max-Age=0", "b=2; Domain=test", "sid=1; SameSite=Strict", "__Host-x=1; Secure; Path=/", "=x"),
            *("a=1; Path=/; SameSite=None", "b=2; Domain=a.test"),
        ]
    ),
    max_size=3,
)
ROUNDS = st.lists(
    st.tuples(
        st.sampled_from(["/", "/d", "/d/e"]),
        st.sampled_from(["a.test", "a.test", "x.a.test"]),
        COOKIES,
        SET,
        st.sampled_from(["", "", "", "Sec-Fetch-Site: cross-site", "Origin: http://b.test"]),
        st.booleans(),
    ),
    max_size=14,
)


@settings(max_examples=150, deadline=None)
@given(ROUNDS)
def test_what_is_remembered_of_a_client_changes_nothing(
    rounds: list[tuple[str, str, str, list[str], str, bool]],
) -> None:
    talk = Talk(channel="tcp/0")
    events: list[Event] = [talk.syn()]
    for path, host, cookies, lines, who, is_lost in rounds:
        fields = [f"GET {path} HTTP/1.1", f"Host: {host}", f"Cookie: {cookies}" if cookies else "", who]
        request = talk.request("\n".join([field for field in fields if field]))
        if not is_lost:
            events.append(request)
        answer = "\n".join(["HTTP/1.1 200 OK", *(f"Set-Cookie: {line}" for line in lines)])
        events.append(talk.response(None if is_lost else request, answer))
    events.append(talk.over())
    assert House(Forgetful, Sessions).see(*events) == House(Jars, Sessions).see(*events)
