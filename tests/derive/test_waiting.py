"""What waits for an answer is given back: with it, with its connection, or when there is too much."""

from __future__ import annotations

from inspect_cli.concepts.memory import Recent, brief, brief_text, names_of
from inspect_cli.concepts.sessions import SessionLogin
from inspect_cli.derive import waiting as waiting_module
from inspect_cli.derive.jar import Jars
from inspect_cli.derive.logins import Logins
from inspect_cli.derive.matching import Matching, Situation
from inspect_cli.derive.sessions import Sessions
from inspect_cli.derive.waiting import Waiting
from inspect_cli.events.base import OBSERVED, Event, Secret
from inspect_cli.events.cookies import Asking, LoginSeen, Step
from tests.derive.making import Talk, context, given


def test_a_thing_is_given_back_with_its_answer() -> None:
    things: Waiting[str] = Waiting(9)
    things.put("tcp/0/tls", 0, "a", 5)
    things.put("tcp/0/tls", 0, "b", 5)

    assert ("b", "b", None) == (things.get("tcp/0/tls", 0), things.pop("tcp/0/tls", 0), things.pop("tcp/0/tls", 0))
    assert ({}, {}, {}, 0) == (dict(things._things), things._sizes, things._of, things._size_bytes)


def test_things_are_given_back_with_their_connection() -> None:
    things: Waiting[str] = Waiting(9)
    for channel in ("tcp/0", "tcp/0/tls", "tcp/1"):
        things.put(channel, 3, channel, 1)
    things.over("tcp/0")
    things.over("tcp/7")

    assert ([("tcp/1", 3)], {"tcp/1": {("tcp/1", 3): None}}, 1) == (
        list(things._things),
        things._of,
        things._size_bytes,
    )


def test_what_was_put_first_goes_first() -> None:
    things: Waiting[str] = Waiting(2)
    for index in range(3):
        things.put("tcp/0", index, str(index))
    things.grow("tcp/0", 0, 1)  # it is gone
    most = waiting_module.MOST_BYTES
    things.grow("tcp/0", 1, most)
    things.grow("tcp/0", 2, 1)

    assert ([("tcp/0", 2)], 1) == (list(things._things), things._size_bytes)


def test_nothing_stays_of_connections_that_are_over() -> None:
    jars, logins, sessions = Jars(), Logins(), Sessions()
    for number in range(50):
        talk = Talk(client=f"10.0.0.1:{number + 1}", channel=f"tcp/{number}")
        asks = context(Asking("http", "a.test", "/"), given(b"sid", b"1"))
        request = talk.request("GET / HTTP/1.1\nHost: a.test\nCookie: sid=1")
        form = talk.form(request, (b"password", Secret(b"x", "password")))
        events: list[Event] = [talk.syn(), asks, request, form]
        for event in [*events, talk.over()]:
            for deriver in (logins, jars, sessions):
                for derived in deriver.see(event):
                    list(sessions.see(derived))
        held = (
            *(len(jars._contexts), len(jars._last_requests), len(jars._clients._addresses), len(jars._pending)),
            *(len(logins._forms), len(sessions._carried), len(sessions._carried._of)),
        )
        assert (0,) * 7 == held


def test_a_login_is_forgotten_with_its_connection() -> None:
    concept = SessionLogin()
    for number in range(20):
        talk = Talk(channel=f"tcp/{number}")
        request = talk.request("GET / HTTP/1.1")
        response = talk.response(request, "HTTP/1.1 200 OK")
        for event in (LoginSeen(response.where, response, request, (), False), talk.over()):
            list(concept.see(event))
    assert {} == concept._logins


def test_of_the_last_request_no_long_head_is_kept() -> None:
    jars = Jars()
    for number in range(100):
        talk = Talk(channel=f"tcp/{number}")
        path = "x" * 50_000
        list(jars.see(talk.request(f"GET /{path} HTTP/1.1\nHost: a.test\nX-Long: {path}")))
        list(jars.see(talk.request(f"GET / HTTP/1.1\nHost: {path}")))
    for request in jars._last_requests.values():
        assert request.asked is not None
        assert (1024, "/", b"") == (len(request.asked.asking.host), request.asked.asking.path, request._others)


def test_a_response_to_a_long_request_is_decided_by_all_of_it() -> None:
    jars, talk = Jars(), Talk()
    request = talk.request("GET /d/" + "x" * 9_000 + " HTTP/1.1\nHost: a.test")
    assert [] == list(jars.see(request))
    (stored,) = jars.see(talk.response(request, "HTTP/1.1 200 OK\nSet-Cookie: a=1"))
    (lost,) = jars.see(talk.response(None, "HTTP/1.1 200 OK\nSet-Cookie: a=1"))
    assert [("a.test", "/d"), ("a.test", "/")] == [(e.domain, e.path) for e in (stored, lost)]  # type: ignore[attr-defined]


def test_an_outcome_with_long_cookies_is_not_kept() -> None:
    talk = Talk()
    asks = Situation(
        Asking("http", "a.test", "/"), Step("", "", "passed", ""), None, OBSERVED, frozenset(), may_omit=False
    )
    for size, is_kept in ((100, True), (20_000, False)):
        request = talk.request("GET / HTTP/1.1\nCookie: a=" + "x" * size)
        from inspect_cli.derive.heads import read_event

        _, lines, _ = read_event(request)
        matching = Matching(request, asks, ())
        found = matching.all(lines, [request.where])
        assert is_kept is (matching.outcome(lines, found) is not None)


def test_of_long_names_a_digest_is_remembered() -> None:
    names = tuple([(b"x%d" % number, b"") for number in range(1000)])
    found = (brief(b"a"), len(brief(b"a" * 9999)), brief_text("a"), len(brief_text("\udc80" * 9999)))
    assert (b"a", 32, "a", 64) == found
    assert (frozenset((b"a", b"b")), 1) == (names_of(((b"A", b""), (b"b", b"1"))), len(names_of(names)))
    assert names_of(names) == names_of(tuple(reversed(names)))
    assert names_of(names) != names_of(names[1:])


def test_concepts_forget_the_first_of_many_at_once() -> None:
    recent: Recent[int, bool] = Recent(3)
    for number in range(10):
        recent[number] = True
    assert [7, 8, 9] == list(recent)
