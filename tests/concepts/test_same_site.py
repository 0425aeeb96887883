"""Who asks, and what redirects make of it."""

from __future__ import annotations

from inspect_cli.concepts.same_site import SameSite
from inspect_cli.events.base import Event
from inspect_cli.events.calls import Context, RequestAsked
from inspect_cli.events.cookies import Asking
from inspect_cli.events.http import RequestHead
from tests.concepts.making import notes, request, response, said, triples


def asked(of: RequestHead, url: str, *, same_site: bool = True, top_level: bool = True, jar: str = "jar") -> Event:
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    asking = Asking(scheme, host, f"/{path}", "GET", same_site, top_level)
    return RequestAsked(of.where, of, Context(1, asking, url, "chromium", jar, ()))


def test_what_a_page_of_the_site_asks_is_nothing_special() -> None:
    assert [] == notes(SameSite(), asked(request(4), "http://a.test/"))


def test_another_site_asks() -> None:
    (found,) = notes(SameSite(), asked(request(4), "http://a.test/", same_site=False))

    assert ("same-site.cross-site", (4,), "reported") == (found.code, found.frames, found.basis)
    assert "GET that changes the page, begun on a page of another site: it is cross-site" == said(found)


def test_another_scheme_is_another_site() -> None:
    asking = Asking("https", "a.test", "/", "GET", same_site=False, top_level=False, same_domain=True)
    head = request(4)
    context = Context(1, asking, "https://a.test/", "chromium", "jar", ())
    (found,) = notes(SameSite(), RequestAsked(head.where, head, context))

    assert said(found) == (
        "GET from inside a page, begun on this site by another scheme: "
        "http and https are two sites, so it is cross-site"
    )


def test_a_redirect_keeps_who_asked_first() -> None:
    first, second, third = request(4), request(8), request(12)
    found = notes(
        SameSite(),
        asked(first, "http://b.test/out", same_site=False),
        response(6, first, "HTTP/1.1 302 Found", "Location: //a.test/in?x=1#y"),
        asked(second, "http://a.test/in"),
        response(10, second, "HTTP/1.1 307 Temporary Redirect", "Location: /in"),
        asked(third, "http://a.test/in"),
    )

    assert [
        ("cross-site", (4,), "reported"),
        ("returned", (6, 8), "inferred"),
        ("redirected", (10, 12), "inferred"),
    ] == triples(found)


def test_a_redirect_leads_away_from_the_site_that_asked() -> None:
    first, second = request(4), request(8)
    found = notes(
        SameSite(),
        asked(first, "http://a.test/", top_level=False),
        response(6, first, "HTTP/1.1 303 See Other", "Location: http://b.test"),
        asked(second, "http://b.test/", same_site=False, top_level=False),
    )

    assert [("left", (6, 8), "inferred")] == triples(found)
    assert said(found[0]) == "follows the redirect #6 away from the site of the page that asked: cross-site from here"


def test_what_is_asked_instead_of_the_redirect_follows_nothing() -> None:
    first, second, third = request(4), request(8), request(12)
    found = notes(
        SameSite(),
        asked(first, "http://a.test/"),
        response(6, first, "HTTP/1.1 302 Found", "Location: /in"),
        asked(second, "http://a.test/in", jar="another"),
        asked(third, "http://a.test/elsewhere"),
    )

    assert [] == found


def test_answers_that_send_nowhere_are_passed_over() -> None:
    concept = SameSite()
    for line, field in (
        ("HTTP/1.1 200 OK", "Location: /in"),
        ("HTTP/1.1 302 Found", "X: 1"),
        ("HTTP/1.1 302 Found", "Location: http://["),
        ("HTTP/1.1 302 Found", "Location: /" + "x" * 10_000),
        ("HTTP/1.1 103 Early Hints", "Location: /in"),
    ):
        first, second = request(4), request(8)
        events = asked(first, "http://a.test/"), response(6, first, line, field), asked(second, "http://a.test/in")
        assert [] == notes(concept, *events)
