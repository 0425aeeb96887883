from __future__ import annotations

from dataclasses import replace

from inspect_cli.concepts.cookie_clients import CookieClients
from inspect_cli.concepts.cookies import Cookie
from inspect_cli.events.base import Annotation, Span
from inspect_cli.events.cookies import Otherwise
from tests.concepts.making import S, notes, refused, request, response, said, sent, stored, withheld

ANSWERED = response(6, request(4, "GET / HTTP/1.1"))
AGAIN = request(8, "GET / HTTP/1.1")
KEEP, REFUSE = ("safari", "curl", "python"), ("rfc6265bis", "chromium", "firefox")
OTHERWISE = Otherwise(KEEP, REFUSE, "SameSiteNoneInsecure", "6265bis §5.7 step 19")


def test_a_line_on_which_clients_differ_names_them_and_the_step() -> None:
    place = ANSWERED.where
    (note,) = notes(CookieClients(), replace(refused(ANSWERED), otherwise=OTHERWISE))

    assert (
        Annotation(
            "cookie-clients",
            "cookie-clients.others-keep",
            (6,),
            "6265bis §5.7 step 19",
            "notice",
            "inferred",
            Span("tcp/0", S, place.start, place.end),
            {"keep": KEEP, "refuse": REFUSE, "reason": "SameSiteNoneInsecure"},
        )
        == note
    )
    assert "clients differ: Safari, curl, Python would keep it; RFC 6265bis, Chromium, Firefox refuse it" == said(note)


def test_each_cause_is_said_once() -> None:
    kept = replace(stored(ANSWERED), otherwise=OTHERWISE)
    other = replace(kept, otherwise=OTHERWISE._replace(reason="SecureOnly"))
    found = notes(CookieClients(), kept, kept, stored(ANSWERED), refused(ANSWERED), other)

    words = "clients differ: RFC 6265bis, Chromium, Firefox would refuse it ({}); Safari, curl, Python keep it"
    assert [words.format(reason) for reason in ("SameSite=None needs Secure", "Secure, but the scheme is not")] == [
        said(note) for note in found
    ]


def test_what_goes_against_the_rules_names_the_clients_that_do_so_too() -> None:
    bad = sent(AGAIN, expected=False, reason="SameSiteNoneInsecure")
    missed = withheld(AGAIN, expected=False)
    events = [
        replace(bad, decision=replace(bad.decision, alike=KEEP)),
        bad,
        replace(missed, decision=replace(missed.decision, alike=("firefox",))),
        missed,
    ]

    assert [
        "by the rules it stays at home: SameSite=None needs Secure; Safari, curl, Python would send it too",
        "by the rules it stays at home: SameSite=None needs Secure",
        "by the rules it goes along; Firefox would not send it either",
        "by the rules it goes along; the client may have lost or blocked it",
    ] == [said(note) for note in notes(Cookie(), *events)]
