"""A cookie, its five steps, its attributes and its life."""

from __future__ import annotations

import pytest

from inspect_cli.concepts.cookies import Cookie, CookieAttributes, CookieFlow, PersistentCookie, SessionCookie
from inspect_cli.events.base import REPORTED, Event
from inspect_cli.events.cookies import ClientRestarted, Step
from tests.concepts.making import (
    WORDS,
    codes,
    data_of,
    deleted,
    end,
    notes,
    refused,
    request,
    response,
    said,
    sent,
    stored,
    triples,
    where,
    withheld,
)

ASKED = request(4)
ANSWERED = response(6, ASKED)
AGAIN = request(8)
DAY_NS = 86_400_000_000_000


def test_the_flow_has_five_steps_with_their_frames() -> None:
    found = notes(
        CookieFlow(),
        ANSWERED,
        stored(ANSWERED),
        stored(ANSWERED, b"theme"),
        sent(AGAIN),
        sent(AGAIN, b"theme"),
        response(10, AGAIN),
        sent(request(12)),
        response(13, request(12)),
    )

    assert [
        ("made", (4,), "inferred"),
        ("set", (6,), "observed"),
        ("set", (6,), "observed"),
        ("returned", (6, 8), "observed"),
        ("returned", (6, 8), "observed"),
        ("read", (8, 10), "inferred"),
    ] == triples(found)
    assert [
        "cookie flow 1: request #4; 2: the server makes what it wants to see again",
        "cookie flow 3: the response #6 hands sid over in Set-Cookie",
        "cookie flow 4: kept since #6, sid goes back in Cookie #8",
        "cookie flow 5: the server answers the request #8 that carried sid, theme, and can read it",
    ] == [said(found[i]) for i in (0, 1, 3, 5)]


def test_a_flow_begins_again_with_another_value() -> None:
    found = notes(CookieFlow(), stored(ANSWERED), stored(ANSWERED), stored(ANSWERED, value=b"w", replaces=True))

    assert ["made", "set", "set"] == [note.code.partition(".")[2] for note in found]


def test_a_cookie_whose_beginning_was_not_seen_has_no_flow() -> None:
    assert [] == notes(CookieFlow(), sent(AGAIN, origin="unknown"), sent(AGAIN, b"never", set_frames=()))


def test_a_cookie_without_a_name_is_called_so() -> None:
    found = notes(CookieFlow(), stored(ANSWERED, b""), sent(AGAIN, b""), response(10, AGAIN))

    assert [
        "cookie flow 3: the response #6 hands (no name) over in Set-Cookie",
        'cookie flow 5: the server answers the request #8 that carried "", and can read it',
    ] == [said(found[1]), said(found[3])]


def test_an_answer_belongs_to_its_request() -> None:
    concept = CookieFlow()
    first, second = request(8), request(9)
    notes(concept, stored(ANSWERED), stored(ANSWERED, b"b"), sent(first), sent(second, b"b"))

    assert [] == notes(concept, response(10, None), response(10, ASKED), response(10, first, "HTTP/1.1 103 Early"))
    assert [("read", (9, 11), "inferred")] == triples(notes(concept, response(11, second)))
    assert [] == notes(concept, response(12, first), response(12, second))


def test_pipelined_requests_are_answered_one_by_one() -> None:
    first, second = request(8), request(9)
    events = (stored(ANSWERED), stored(ANSWERED, b"b"), sent(first), sent(second, b"b"))
    found = notes(CookieFlow(), *events, response(10, first), response(11, second))

    assert [("read", (8, 10), "inferred"), ("read", (9, 11), "inferred")] == triples(found)[5:]


def test_a_request_that_is_never_answered_is_forgotten() -> None:
    concept = CookieFlow()
    notes(concept, stored(ANSWERED), sent(AGAIN), end(9))

    assert [] == notes(concept, response(10, AGAIN))


def test_a_response_whose_request_was_not_captured_begins_at_step_two() -> None:
    found = notes(CookieFlow(), stored(response(6, None)))

    assert "cookie flow 2: the server makes what it wants to see again" == said(found[0])


def test_a_cookie_that_no_request_head_carries_waits_for_no_answer() -> None:
    concept = CookieFlow()
    odd = sent(AGAIN)
    odd.of = ANSWERED  # type: ignore[misc]

    assert ["returned"] == codes(concept, stored(ANSWERED), odd)[2:]
    assert {} == concept._waiting


def test_only_so_many_pipelined_requests_are_waited_for() -> None:
    concept = CookieFlow()
    events: list[Event] = []
    for number in range(70):
        name = b"c%d" % number
        events += [stored(ANSWERED, name), sent(request(100 + number), name)]
    notes(concept, *events)

    assert 64 == len(concept._waiting["tcp/0"])


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([stored(ANSWERED), stored(ANSWERED)], [("kept", (6,), "observed")]),
        ([stored(ANSWERED, replaces=True)], [("kept", (6,), "observed")]),
        ([deleted(ANSWERED)], [("deleted", (6,), "observed")]),
        ([deleted(ANSWERED, existed=False)], [("nothing-to-delete", (6,), "observed")]),
        ([refused(ANSWERED)], [("refused", (6,), "observed")]),
        ([sent(AGAIN)], []),
        ([sent(AGAIN, origin="given", set_frames=())], [("given", (8,), "reported")]),
        ([sent(AGAIN, origin="unknown", reason="Unknown")] * 2, [("set-before-capture", (8,), "not observable")]),
        ([sent(AGAIN, origin="unknown", reason="ValueDiffers")], [("value-differs", (8,), "observed")]),
        ([sent(AGAIN, expected=False, reason="NotOnPath")], [("should-not-be-sent", (8,), "observed")]),
        ([withheld(AGAIN)], []),
        ([withheld(AGAIN, expected=False)], [("should-be-sent", (8,), "inferred")]),
    ],
)  # fmt: skip
def test_what_becomes_of_a_cookie(events: list[Event], expected: list[tuple[str, tuple[int, ...], str]]) -> None:
    assert expected == triples(notes(Cookie(), *events))


def test_another_value_takes_the_place_of_the_old_one() -> None:
    found = notes(Cookie(), stored(ANSWERED), stored(ANSWERED, replaces=True))

    assert [("kept", (6,), "observed"), ("replaced", (6,), "inferred")] == triples(found)


def test_what_our_own_client_keeps_back_wrongly_is_a_warning() -> None:
    events = (withheld(AGAIN, expected=False), withheld(AGAIN, expected=False, basis=REPORTED))

    assert ["notice", "warning"] == [note.level for note in notes(Cookie(), *events)]


def test_the_reason_is_said_in_words() -> None:
    found = notes(Cookie(), sent(AGAIN, expected=False, reason="NotOnPath"))

    assert f"by the rules it stays at home: {WORDS[0].label('cookie_reason', 'NotOnPath')}" == said(found[0])


def test_without_expiry_it_is_a_session_cookie() -> None:
    events = (stored(ANSWERED), stored(ANSWERED), stored(ANSWERED, b"theme", expires_ns=DAY_NS))

    assert [("no-expiry", (6,), "observed")] == triples(notes(SessionCookie(), *events))


def test_with_an_expiry_it_is_a_persistent_cookie() -> None:
    at_ns = ANSWERED.where.time_ns
    events = [stored(ANSWERED), *[stored(ANSWERED, b"theme", expires_ns=at_ns + 30 * DAY_NS)] * 2]
    found = notes(PersistentCookie(), *events)

    assert [("expires", (6,), "inferred")] == triples(found)
    assert {"name": b"theme", "expires_ns": at_ns + 30 * DAY_NS, "lifetime_ns": 30 * DAY_NS} == data_of(found[0])
    assert "inferred" == notes(PersistentCookie(), stored(ANSWERED, expires_ns=DAY_NS, basis="observed"))[0].basis


ALL_ATTRIBUTES = (
    (b"Domain", b"x.test"),
    (b"path", b"/a"),
    (b"Secure", b""),
    (b"HttpOnly", b""),
    (b"SameSite", b"Strict"),
)


def test_each_attribute_does_something() -> None:
    cookie = stored(
        ANSWERED, b"sid", b"v", *ALL_ATTRIBUTES,
        host_only=False, path="/a", secure=True, http_only=True, same_site="strict",
    )  # fmt: skip
    found = notes(CookieAttributes(), cookie, cookie)

    assert [("effect", (6,), "observed")] == triples(found)
    assert (
        "what its attributes do: Domain=x.test lets subdomains have it. Path=/a: there and below only. "
        "Secure: over https only. HttpOnly: no script sees it. "
        "SameSite=Strict: only with requests from its own site." == said(found[0])
    )


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ((), ["none"]),
        (((b"Path", b"/"),), ["effect"]),
        (((b"Max-Age", b"5"), (b"Expires", b"x")), ["max-age-wins"]),
        (((b"Priority", b"High"), (b"Partitioned", b"")), ["ignored"]),
        (((b"Path", b"/a"), (b"path", b"/")), ["effect", "repeated"]),
        (((b"Path", b"shop"),), ["no-path"]),
        (((b"Path", b"shop"), (b"Path", b"/")), ["effect", "repeated"]),
    ],
)
def test_attributes_may_be_absent_unknown_or_too_many(
    attributes: tuple[tuple[bytes, bytes], ...], expected: list[str]
) -> None:
    found = notes(CookieAttributes(), stored(ANSWERED, b"sid", b"v", *attributes))

    assert expected == [note.code.partition(".")[2] for note in found]


def test_a_life_that_is_too_long_is_capped() -> None:
    cap = Step("6265bis §5.5", "lifetime-limit", "applied", "400 days")
    cookie = stored(ANSWERED, b"sid", b"v", (b"Max-Age", b"9"), expires_ns=400 * DAY_NS, steps=(cap,))

    assert [("lifetime-capped", (6,), "inferred")] == triples(notes(CookieAttributes(), cookie))
    assert "asks for longer than 400 days, and is cut to 1971-02-05 00:00:00 UTC" == said(
        notes(CookieAttributes(), cookie)[0]
    )


def test_an_attribute_that_this_client_knows_is_not_ignored() -> None:
    """Partitioned is unknown to 6265bis, and known to browsers."""
    took = Step("CHIPS", "partitioned", "applied", "https://x.test")
    attributes = ((b"Partitioned", b""), (b"Priority", b"High"))
    (found,) = notes(CookieAttributes(), stored(ANSWERED, b"sid", b"v", *attributes, steps=(took,)))

    assert ("cookie-attributes.ignored", {"names": (b"priority",)}) == (found.code, found.data)


def test_a_restart_tells_session_cookies_from_persistent_ones() -> None:
    event = ClientRestarted(where(6, None, "", REPORTED), "jar", (b"sid",), (b"theme", b"lang"))

    (gone,) = notes(SessionCookie(), event)
    (stayed,) = notes(PersistentCookie(), event)
    assert ("session-cookie.gone", {"names": (b"sid",)}, "reported") == (gone.code, gone.data, gone.basis)
    assert ("persistent-cookie.stayed", {"names": (b"theme", b"lang")}) == (stayed.code, stayed.data)


def test_a_restart_of_an_empty_jar_tells_nothing() -> None:
    event = ClientRestarted(where(6, None, "", REPORTED), "jar", (), ())

    assert [] == notes(SessionCookie(), event) + notes(PersistentCookie(), event)
