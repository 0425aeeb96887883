"""Who asks for what, from where: cookies of each kind, and which of them a request takes along."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from tests.cookies.browser.shapes import Case, Step

A: Final = "https://a.test/"
B: Final = "https://b.test/"
C: Final = "https://c.test/"
SUB: Final = "https://sub.a.test/"
PLAIN_A: Final = "http://a.test/"
PLAIN_B: Final = "http://b.test/"
OWN: Final = "https://own.test/"

FOUR: Final = ("st=1; SameSite=Strict", "lx=1; SameSite=Lax", "no=1; SameSite=None; Secure", "df=1")
"""One of each SameSite."""

FIVE: Final = (*FOUR, "pa=1; SameSite=None; Secure; Partitioned")
PLAIN_THREE: Final = ("st=1; SameSite=Strict", "lx=1; SameSite=Lax", "df=1")
LASTING: Final = tuple(f"{line}; Max-Age=600" for line in FOUR)

_VIAS: Final = ("link", "post", "fetch", "img", "iframe")
_PAGES: Final = {"own": A, "subdomain": SUB, "other": B, "http-own": PLAIN_A, "http-other": PLAIN_B}


def _sends(name: str, *steps: Step, blocked: bool = False) -> Case:
    return Case(f"send-{name}", "send", steps, blocked)


def _both(case: Case) -> tuple[Case, Case]:
    """With third-party cookies, and with them blocked."""
    return case, replace(case, id=f"{case.id}@blocked", blocked=True)


def _matrix() -> Iterable[Case]:
    """Each way to ask, from each kind of page; and cookies that such an answer sets."""
    for page_name, page in _PAGES.items():
        for via in _VIAS:
            asked = _sends(f"{via}-from-{page_name}", Step(A, lines=FIVE), Step(page), Step(f"{A}x", via))
            told = Case(f"set-by-{via}-from-{page_name}", "set", (Step(page), Step(f"{A}x", via, FIVE), Step(f"{A}q")))
            yield from _both(asked) if page_name == "other" else (asked,)
            if page_name in ("other", "http-own"):
                yield from _both(told) if page_name == "other" else (told,)


def _hops(via: str, *urls: str, status: int = 302, lines: tuple[str, ...] = ()) -> tuple[Step, ...]:
    first, *others = urls
    return (
        Step(first, via, lines, status=status),
        *(Step(url, "redirect", lines, status=status) for url in others),
    )


_METHODS: Final = tuple(
    _sends(f"fetch-{method.lower()}", Step(A, lines=FIVE), Step(B), Step(f"{A}x", "fetch", method=method))
    for method in ("HEAD", "POST", "PUT", "DELETE", "PATCH", "QUERY")
)

_REDIRECTS: Final = (
    _sends("link-to-other-and-back", Step(A, lines=FOUR), Step(f"{A}p"), *_hops("link", f"{B}go", f"{A}land")),
    _sends("link-own-other-own", Step(A, lines=FOUR), Step(f"{A}p"), *_hops("link", f"{A}go", f"{B}go", f"{A}land")),
    _sends("link-from-other-by-own", Step(A, lines=FOUR), Step(B), *_hops("link", f"{A}go", f"{A}land")),
    _sends("link-from-other-by-other", Step(A, lines=FOUR), Step(B), *_hops("link", f"{B}go", f"{A}land")),
    _sends("link-from-other-by-third", Step(A, lines=FOUR), Step(B), *_hops("link", f"{C}go", f"{A}land")),
    _sends("typed-by-other", Step(A, lines=FOUR), *_hops("navigate", f"{B}go", f"{A}land")),
    _sends("typed-http-to-https", Step(A, lines=FOUR), *_hops("navigate", PLAIN_A, f"{A}land")),
    _sends("typed-https-to-http", Step(PLAIN_A, lines=PLAIN_THREE), *_hops("navigate", f"{A}go", f"{PLAIN_A}land")),
    _sends("link-http-to-https", Step(A, lines=FOUR), Step(f"{A}p"), *_hops("link", f"{PLAIN_A}go", f"{A}land")),
    _sends("post-302", Step(A, lines=FOUR), Step(B), *_hops("post", f"{B}go", f"{A}land")),
    _sends("post-307", Step(A, lines=FOUR), Step(B), *_hops("post", f"{B}go", f"{A}land", status=307)),
    _sends("post-308-and-back", Step(A, lines=FOUR), Step(f"{A}p"), *_hops("post", f"{B}go", f"{A}land", status=308)),
    _sends("post-303-and-back", Step(A, lines=FOUR), Step(f"{A}p"), *_hops("post", f"{B}go", f"{A}land", status=303)),
    _sends("post-301-by-own", Step(A, lines=FOUR), Step(B), *_hops("post", f"{A}go", f"{A}land", status=301)),
    _sends("subdomain-redirect", Step(A, lines=FOUR), Step(SUB), *_hops("link", f"{SUB}go", f"{A}land")),
    *_both(_sends("fetch-to-other-and-back", Step(A, lines=FIVE), Step(f"{A}p"), *_hops("fetch", f"{B}go", f"{A}x"))),
    *_both(_sends("img-to-other-and-back", Step(A, lines=FIVE), Step(f"{A}p"), *_hops("img", f"{B}go", f"{A}x"))),
    *_both(_sends("iframe-to-other-and-back", Step(A, lines=FIVE), Step(f"{A}p"), *_hops("iframe", f"{B}go", f"{A}x"))),
    *_both(_sends("iframe-other-by-own", Step(A, lines=FIVE), Step(B), *_hops("iframe", f"{A}go", f"{A}x"))),
    *_both(_sends("fetch-own-to-other", Step(A, lines=FIVE), Step(f"{A}p"), *_hops("fetch", f"{A}go", f"{B}x"))),
    *(
        Case(
            f"set-by-redirect-{via}-from-other",
            "set",
            (Step(B), *_hops(via, f"{A}go", f"{C}x", lines=FOUR), Step(f"{A}q"), Step(f"{C}q")),
        )
        for via in _VIAS
    ),
    Case("set-by-redirect-typed", "set", (*_hops("navigate", f"{A}go", f"{B}x", lines=FOUR), Step(f"{A}q"))),
    Case(
        "set-by-redirect-used-at-once",
        "set",
        (Step(B), *_hops("link", f"{A}go", f"{A}land", lines=FOUR), Step(f"{A}q", "fetch")),
    ),
)


def _framed(name: str, *steps: Step) -> tuple[Case, Case]:
    return _both(Case(f"frame-{name}", "frame", steps))


_FRAMES: Final = (
    *_framed(
        "own-in-other",
        Step(A, lines=FIVE),
        Step(B),
        Step(f"{A}f", "iframe"),
        Step(f"{A}x", "fetch", frame=f"{A}f"),
        Step(f"{A}y", "img", frame=f"{A}f"),
        Step(f"{A}f", "js", frame=f"{A}f"),
    ),
    *_framed(
        "other-in-own",
        Step(A, lines=FIVE),
        Step(f"{A}p"),
        Step(f"{B}f", "iframe"),
        Step(f"{A}x", "fetch", frame=f"{B}f"),
        Step(f"{A}g", "iframe", frame=f"{B}f"),
        Step(f"{A}y", "fetch", frame=f"{A}g"),
        Step(f"{A}g", "js", frame=f"{A}g"),
    ),
    *_framed(
        "own-in-own",
        Step(A, lines=FIVE),
        Step(f"{A}p"),
        Step(f"{A}f", "iframe"),
        Step(f"{A}x", "fetch", frame=f"{A}f"),
        Step(f"{B}x", "fetch", FIVE, frame=f"{A}f"),
        Step(f"{B}y", "fetch", frame=f"{A}f"),
    ),
    *_framed(
        "subdomain-in-own",
        Step(A, lines=("st=1; SameSite=Strict; Domain=a.test", "df=1; Domain=a.test", "ho=1")),
        Step(f"{A}p"),
        Step(f"{SUB}f", "iframe"),
        Step(f"{A}x", "fetch", frame=f"{SUB}f"),
        Step(f"{SUB}f", "js", ("js=1; Domain=a.test",), frame=f"{SUB}f"),
        Step(f"{A}p", "js"),
    ),
    *_framed(
        "script-in-other",
        Step(B),
        Step(f"{A}f", "iframe"),
        *(Step(f"{A}f", "js", (line,), frame=f"{A}f") for line in FIVE),
        Step(f"{A}x", "fetch", frame=f"{A}f"),
        Step(f"{A}q"),
    ),
    *_framed("sets-in-other", Step(B), Step(f"{A}f", "iframe", FIVE), Step(f"{A}x", "fetch", FIVE, frame=f"{A}f")),
    *_framed("own-in-http-own", Step(A, lines=FIVE), Step(PLAIN_A), Step(f"{A}f", "iframe"), Step(A)),
)

_PARTITIONED: Final = (
    *_framed(
        "partition-per-top-site",
        Step(B),
        Step(f"{A}f", "iframe", ("pa=b; Secure; SameSite=None; Partitioned",)),
        Step(f"{A}x", "fetch", frame=f"{A}f"),
        Step(C),
        Step(f"{A}f", "iframe", ("pa=c; Secure; SameSite=None; Partitioned",)),
        Step(A),
        Step(B),
        Step(f"{A}g", "iframe"),
    ),
    *_framed(
        "partition-of-the-top",
        Step(A, lines=("pa=a; Secure; SameSite=None; Partitioned",)),
        Step(f"{A}x", "fetch"),
        Step(B),
        Step(f"{A}x", "fetch"),
        Step(f"{A}land", "link"),
    ),
    *_framed(
        "partition-by-subdomain",
        Step("https://sub.b.test/"),
        Step(f"{A}f", "iframe", ("pa=b; Secure; SameSite=None; Partitioned",)),
        Step(B),
        Step(f"{A}x", "fetch"),
    ),
    *_framed(
        "partition-by-scheme",
        Step(B),
        Step(f"{A}f", "iframe", ("pa=b; Secure; SameSite=None; Partitioned",)),
        Step(PLAIN_B),
        Step(f"{A}g", "iframe"),
    ),
    *_framed(
        "partition-behind-another-site",
        Step(A, lines=("pa=top; Secure; SameSite=None; Partitioned",)),
        Step(f"{A}p"),
        Step(f"{B}f", "iframe"),
        Step(f"{A}g", "iframe", ("pa=nested; Secure; SameSite=None; Partitioned",), frame=f"{B}f"),
        Step(f"{A}x", "fetch", frame=f"{A}g"),
        Step(f"{A}y", "fetch"),
    ),
    *_framed(
        "partitioned-beside-unpartitioned",
        Step(A, lines=("k=u; Secure; SameSite=None",)),
        Step(B),
        Step(f"{A}f", "iframe", ("k=p; Secure; SameSite=None; Partitioned",)),
        Step(f"{A}x", "fetch", frame=f"{A}f"),
        Step(f"{A}f", "js", frame=f"{A}f"),
    ),
    *_framed(
        "partitioned-strict",
        Step(B),
        Step(f"{A}f", "iframe", ("pa=1; Secure; SameSite=Strict; Partitioned", "pl=1; Secure; Partitioned")),
        Step(f"{A}x", "fetch", frame=f"{A}f"),
    ),
)

_SCOPES: Final = (
    _sends(
        "paths-and-domains",
        Step(
            "https://www.a.test/d/p",
            lines=("r=1; Path=/", "d=1", "e=1; Path=/e", "o=1; Domain=a.test; Path=/", "s=1; Secure; Path=/"),
        ),
        Step("https://www.a.test/d/q"),
        Step("https://www.a.test/e"),
        Step("https://www.a.test/de"),
        Step(A),
        Step("https://x.www.a.test/"),
        Step("http://www.a.test/d/q"),
        Step("https://aa.test/"),
    ),
    _sends(
        "reasons-together",
        Step(
            f"{A}d/p",
            lines=("st=1; SameSite=Strict; Secure", "lx=1; Secure; SameSite=Lax", "no=1; Secure; SameSite=None"),
        ),
        Step(PLAIN_B),
        Step(f"{PLAIN_A}x", "img"),
    ),
    _sends("ports", Step("https://a.test:8443/", lines=FOUR), Step(A), Step("https://a.test:8443/x", "fetch")),
    _sends(
        "public-suffix",
        Step("https://x.github.io/", lines=FOUR),
        Step("https://y.github.io/"),
        Step("https://x.github.io/x", "fetch"),
        Step("https://x.github.io/l", "link"),
    ),
    _sends(
        "registrable-domain",
        Step("https://x.a.co.uk/", lines=FOUR),
        Step("https://y.a.co.uk/"),
        Step("https://x.a.co.uk/x", "fetch"),
    ),
    _sends(
        "localhost-secure",
        Step("http://localhost/", lines=FOUR),
        Step("http://localhost/q"),
        Step("https://localhost/q"),
    ),
    _sends("localhost-from-other", Step("http://localhost/", lines=FOUR), Step(B), Step("http://localhost/x", "link")),
    _sends(
        "localhost-schemes",
        Step("https://localhost/", lines=FOUR),
        Step("http://localhost/"),
        Step("https://localhost/x", "fetch"),
    ),
    _sends(
        "localhost-below",
        Step("http://x.localhost/", lines=FOUR),
        Step("http://y.localhost/"),
        Step("http://x.localhost/x", "fetch"),
    ),
    _sends(
        "address",
        Step("http://127.0.0.1/", lines=PLAIN_THREE),
        Step("http://127.0.0.1/x", "fetch"),
        Step(PLAIN_A),
        Step("http://127.0.0.1/y", "fetch"),
    ),
    _sends(
        "http-only-by-http",
        Step(PLAIN_A, lines=PLAIN_THREE),
        Step(PLAIN_B),
        Step(f"{PLAIN_A}x", "fetch"),
        Step(f"{PLAIN_A}y", "link"),
    ),
    _sends("https-to-http-link", Step(PLAIN_A, lines=PLAIN_THREE), Step(A), Step(f"{PLAIN_A}x", "link")),
    _sends("https-to-http-post", Step(PLAIN_A, lines=PLAIN_THREE), Step(A), Step(f"{PLAIN_A}x", "post")),
    _sends(
        "prefixed",
        Step(
            A,
            lines=("__Secure-a=1; Secure; Domain=a.test", "__Host-a=1; Secure; Path=/", "__Http-a=1; Secure; HttpOnly"),
        ),
        Step(f"{A}q"),
        Step(SUB),
        Step(PLAIN_A),
        Step(B),
        Step(f"{A}x", "fetch"),
    ),
    _sends("third-party-that-was-visited", Step(A, lines=FIVE), Step(B), Step(f"{A}x", "fetch"), blocked=True),
    _sends("typed-after-other", Step(A, lines=FIVE), Step(B), Step(f"{A}x"), blocked=True),
    _sends("same-page-again", Step(A, lines=FOUR), Step(A), Step(A, "link")),
)


def _later(name: str, *steps: Step) -> Case:
    """A case on a site of its own: `https://own.test/` in these steps is it."""
    own = f"https://{name}.test/"
    return Case(f"later-{name}", "later", tuple(replace(step, url=step.url.replace(OWN, own)) for step in steps))


_LATER: Final = (
    _later("post-after-three-minutes", Step(OWN, lines=LASTING), Step(B, later_s=180), Step(f"{OWN}x", "post")),
    _later("post-after-a-minute", Step(OWN, lines=LASTING), Step(B, later_s=60), Step(f"{OWN}x", "post")),
    _later(
        "post-307-after-three-minutes",
        Step(OWN, lines=LASTING),
        Step(B, later_s=180),
        *_hops("post", f"{B}go", f"{OWN}x", status=307),
    ),
    _later(
        "renewed-with-the-same-value",
        Step(OWN, lines=LASTING),
        Step(f"{OWN}2", lines=LASTING, later_s=180),
        Step(B),
        Step(f"{OWN}x", "post"),
    ),
    _later(
        "renewed-with-another-value",
        Step(OWN, lines=LASTING),
        Step(f"{OWN}2", lines=("df=2; Max-Age=600",), later_s=180),
        Step(B),
        Step(f"{OWN}x", "post"),
    ),
    _later(
        "redirected-post-of-its-own",
        Step(OWN, lines=LASTING),
        Step(B, later_s=180),
        *_hops("post", f"{OWN}go", f"{OWN}x", status=302),
    ),
    _later("expired", Step(OWN, lines=("a=1; Max-Age=100", "b=1; Max-Age=300")), Step(f"{OWN}q", later_s=200)),
    _later(
        "lifetime-is-counted-anew",
        Step(OWN, lines=("a=1; Max-Age=300",)),
        Step(f"{OWN}2", lines=("a=1; Max-Age=300",), later_s=200),
        Step(f"{OWN}q", later_s=200),
    ),
    _later(
        "order-outlives-the-browser",
        Step(OWN, lines=("b=1; Max-Age=600", "a=1; Max-Age=600")),
        Step(f"{OWN}2", lines=("b=2; Max-Age=600",), later_s=10),
        Step(f"{OWN}q"),
    ),
    _later("session-ends-with-the-browser", Step(OWN, lines=("a=1", "b=1; Max-Age=600")), Step(f"{OWN}q", later_s=10)),
)

CASES: Final = (*_matrix(), *_METHODS, *_REDIRECTS, *_FRAMES, *_PARTITIONED, *_SCOPES, *_LATER)
