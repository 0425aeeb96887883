from __future__ import annotations

from inspect_cli.derive.jar import Jars
from inspect_cli.events.cookies import CookieSent, CookieWithheld
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
