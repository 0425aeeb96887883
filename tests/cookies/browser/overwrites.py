"""Cookies that meet other cookies: replaced, refused because of them, deleted, ordered, too many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tests.cookies.browser.shapes import Case, Step

A: Final = "https://a.test/"
PLAIN_A: Final = "http://a.test/"
WWW: Final = "https://www.a.test/"


def _case(name: str, *steps: tuple[str, Iterable[str]] | str, group: str = "overwrite") -> Case:
    """Each step a URL typed in, with the lines of its answer."""
    pairs = ((step, ()) if isinstance(step, str) else step for step in steps)
    return Case(f"{group}-{name}", group, tuple(Step(url, lines=tuple(lines)) for url, lines in pairs))


def _script(name: str, url: str, lines: Iterable[str], *writes: tuple[str, ...]) -> Case:
    steps = (Step(url, lines=tuple(lines)), *(Step(url, "js", write) for write in writes), Step(f"{url}q"))
    return Case(f"script-{name}", "script", steps)


_OVERWRITES: Final = (
    _case("same-name", (A, ["k=1", "k=2"]), A),
    _case("names-are-case-sensitive", (A, ["k=1", "K=2"]), A),
    _case("other-path-is-another", (A, ["k=1; Path=/", "k=2; Path=/d"]), f"{A}d/q"),
    _case("other-host-scope-is-another", (A, ["k=1", "k=2; Domain=a.test"]), A, WWW),
    _case("dot-in-domain-is-the-same", (A, ["k=1; Domain=.a.test", "k=2; Domain=a.test"]), A),
    _case("nameless-is-one", (A, ["=x", "y", "z=1"]), A),
    _case("same-value-keeps-order", (A, ["a=1", "b=1", "c=1"]), (f"{A}2", ["a=1"]), f"{A}q"),
    _case("new-value-moves", (A, ["a=1", "b=1", "c=1"]), (f"{A}2", ["a=2"]), f"{A}q"),
    _case("new-attribute-moves", (A, ["a=1", "b=1", "c=1"]), (f"{A}2", ["a=1; HttpOnly"]), f"{A}q"),
    _case("new-samesite", (A, ["k=1; SameSite=Strict", "b=1"]), (f"{A}2", ["k=1; SameSite=Lax"]), f"{A}q"),
    _case("session-becomes-persistent", (A, ["k=1"]), (f"{A}2", ["k=1; Max-Age=60"]), f"{A}q"),
    _case("persistent-becomes-session", (A, ["k=1; Max-Age=60"]), (f"{A}2", ["k=2"]), f"{A}q"),
    _case("secure-refuses-http", (A, ["k=s; Secure"]), (PLAIN_A, ["k=p"]), f"{PLAIN_A}q", f"{A}q"),
    _case("secure-refuses-http-deletion", (A, ["k=s; Secure"]), (PLAIN_A, ["k=; Max-Age=0"]), f"{A}q"),
    _case("secure-refuses-http-secure", (A, ["k=s; Secure"]), (PLAIN_A, ["k=p; Secure"]), f"{A}q"),
    _case("secure-refuses-wider-domain", (WWW, ["k=s; Secure"]), (PLAIN_A, ["k=p; Domain=a.test"]), f"{WWW}q"),
    _case("secure-refuses-narrower-domain", (A, ["k=s; Secure; Domain=a.test"]), ("http://www.a.test/", ["k=p"]), WWW),
    _case("secure-of-a-sibling-refuses-none", ("https://x.a.test/", ["k=s; Secure"]), ("http://y.a.test/", ["k=p"])),
    _case("secure-refuses-deeper-path", (A, ["k=s; Secure; Path=/d"]), (f"{PLAIN_A}x", ["k=p; Path=/d/e"]), f"{A}d/e"),
    _case("secure-allows-shorter-path", (A, ["k=s; Secure; Path=/d"]), (f"{PLAIN_A}x", ["k=p; Path=/"]), f"{A}d/e"),
    _case("secure-allows-other-path", (A, ["k=s; Secure; Path=/d"]), (f"{PLAIN_A}x", ["k=p; Path=/de"]), f"{A}de"),
    _case("secure-allows-other-name", (A, ["k=s; Secure"]), (PLAIN_A, ["K=p"]), f"{A}q"),
    _case("secure-refuses-at-localhost", ("https://localhost/", ["k=s; Secure"]), ("http://localhost/", ["k=p"])),
    _case("secure-set-at-http-localhost", ("http://localhost/", ["k=s; Secure"]), ("http://localhost/2", ["k=p"])),
    _case("http-then-secure", (PLAIN_A, ["k=p"]), (A, ["k=s; Secure"]), f"{PLAIN_A}q", f"{A}q"),
    _case("http-and-https-share", (A, ["k=s"]), (PLAIN_A, ["k=p"]), f"{A}q"),
    _case("httponly-by-http", (A, ["k=1; HttpOnly"]), (f"{A}2", ["k=2"]), f"{A}q"),
    _case("deleted", (A, ["k=1"]), (f"{A}2", ["k=; Max-Age=0"]), f"{A}q"),
    _case("deleted-by-date", (A, ["k=1"]), (f"{A}2", ["k=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"]), f"{A}q"),
    _case("deleted-only-at-its-path", (A, ["k=1; Path=/"]), (f"{A}d/x", ["k=; Max-Age=0"]), f"{A}d/q"),
    _case("deleted-only-with-its-domain", (A, ["k=1; Domain=a.test"]), (f"{A}2", ["k=; Max-Age=0"]), f"{A}q"),
    _case("deleted-and-set-at-once", (A, ["k=1"]), (f"{A}2", ["k=; Max-Age=0", "k=2"]), f"{A}q"),
    _case("refused-line-leaves-the-old", (A, ["k=1"]), (f"{A}2", ["k=2; SameSite=None"]), f"{A}q"),
    _case("too-long-line-leaves-the-old", (A, ["k=1"]), (f"{A}2", ["k={v*4096}"]), f"{A}q"),
    _case("partitioned-is-another", (A, ["k=1; Secure", "k=2; Secure; Partitioned"]), f"{A}q"),
    _case("no-prefix-from-below", ("https://www.a.test/", ["__Host-k=1; Secure; Path=/"]), A),
    _case("bad-line-between-good", (A, ["a=1", "b=1; Domain=b.test", "=", "c=1"]), A),
)

_FAULTS: Final = tuple(
    Case(
        f"fault-cross-site-{name}",
        "fault",
        (Step(A, lines=("k=s; Secure",)), Step(page), Step(url, "fetch", lines), Step(f"{A}q")),
    )
    for name, page, url, lines in (
        (
            "http",
            "http://b.test/",
            f"{PLAIN_A}x",
            ("k=p", "s=1; Secure; SameSite=Strict", "n=1; SameSite=None; Secure"),
        ),
        ("domain", "https://b.test/", f"{A}x", ("k=p; Domain=b.test", "l=1; SameSite=Lax; Domain=test")),
        (
            "prefix",
            "https://b.test/",
            f"{A}x",
            ("__Host-k=p", "__Secure-l=1; SameSite=Strict", "__Http-m=1; SameSite=None"),
        ),
        ("partitioned", "https://b.test/", f"{A}x", ("k=p; Partitioned", "l=1; Partitioned; Secure; SameSite=Lax")),
        ("expired", "https://b.test/", f"{A}x", ("k=; Max-Age=0", "l=; SameSite=None; Secure; Max-Age=0")),
        ("too-long", "https://b.test/", f"{A}x", ("k={v*4096}; SameSite=Strict", "=; SameSite=Strict")),
    )
)

_ORDERS: Final = (
    _case(
        "by-path-length",
        (A, ["a=1; Path=/", "b=1; Path=/d", "c=1; Path=/d/e", "d=1; Path=/", "e=1; Path=/d/"]),
        *(f"{A}{path}" for path in ("d/e/f", "d", "d/", "de", "D/e", "d/e/")),
        group="order",
    ),
    _case("by-creation", (A, ["b=1", "a=1"]), (f"{A}2", ["c=1"]), f"{A}q", group="order"),
    _case("host-and-domain", (WWW, ["b=1; Domain=a.test", "a=1", "c=1; Domain=a.test"]), WWW, group="order"),
    _case("path-before-domain", (f"{WWW}d/p", ["a=1; Domain=a.test", "b=1; Path=/"]), f"{WWW}d/q", group="order"),
)


def _many(prefix: str, count: int, rest: str = "") -> list[str]:
    return [f"{prefix}{number}=1{rest}" for number in range(count)]


_LIMITS: Final = (
    _case("60-of-one-answer", (A, _many("c", 60)), A, group="limit"),
    _case("180-are-kept", (A, _many("c", 90)), (f"{A}2", _many("d", 90)), f"{A}q", group="limit"),
    _case("181-are-purged-to-150", (A, _many("c", 90)), (f"{A}2", _many("d", 91)), f"{A}q", group="limit"),
    _case(
        "subdomains-count-together",
        (A, _many("c", 90, "; Domain=a.test")),
        (WWW, _many("d", 91)),
        f"{WWW}q",
        group="limit",
    ),
    _case(
        "used-lately-stay",
        (A, _many("c", 90, "; Path=/x")),
        (f"{A}2", _many("d", 85)),
        f"{A}x/q",
        (f"{A}3", _many("e", 10)),
        f"{A}x/q",
        group="limit",
    ),
    _case(
        "secure-stay-longer",
        (A, _many("c", 90, "; Secure")),
        (f"{A}2", _many("d", 95)),
        f"{A}q",
        group="limit",
    ),
    _case(
        "low-priority-goes-first",
        (A, _many("h", 60, "; Priority=High")),
        (f"{A}2", _many("l", 60, "; Priority=Low")),
        (f"{A}3", _many("m", 65)),
        f"{A}q",
        group="limit",
    ),
    _case(
        "partitioned-10-kibibytes",
        (A, [f"p{number}={{v*1020}}; Secure; Partitioned" for number in range(12)]),
        A,
        group="limit",
    ),
    _case("partitioned-181", (A, _many("p", 181, "; Secure; Partitioned")), A, group="limit"),
)

_SCRIPTS: Final = (
    _script("reads", A, ["a=1", "h=1; HttpOnly", "s=1; Secure", "t=1; SameSite=Strict"], ()),
    _script("reads-by-http", PLAIN_A, ["a=1", "h=1; HttpOnly"], ()),
    _script("reads-its-path", f"{A}d/", ["a=1", "b=1; Path=/", "c=1; Path=/e"], ()),
    _script("writes", A, [], ("a=1",), ("b=2; Path=/; Max-Age=60",), ("c=3; SameSite=Strict; Secure",)),
    _script("writes-httponly", A, [], ("a=1; HttpOnly",)),
    _script("meets-httponly", A, ["h=1; HttpOnly", "v=1"], ("h=2",), ("v=2",)),
    _script("deletes-httponly", A, ["h=1; HttpOnly"], ("h=; Max-Age=0",)),
    _script("httponly-elsewhere", A, ["h=1; HttpOnly; Path=/d"], ("h=2",)),
    _script("deletes", A, ["a=1"], ("a=; Max-Age=0",)),
    _script("writes-secure-by-http", PLAIN_A, [], ("a=1; Secure",), ("b=1",)),
    Case(
        "script-meets-secure-by-http",
        "script",
        (Step(A, lines=("k=s; Secure",)), Step(PLAIN_A), Step(PLAIN_A, "js", ("k=p",)), Step(f"{A}q")),
    ),
    _script("writes-secure-at-localhost", "http://localhost/", [], ("a=1; Secure",)),
    _script(
        "writes-prefixes",
        A,
        [],
        ("__Secure-a=1",),
        ("__Secure-b=1; Secure",),
        ("__Host-a=1; Secure; Path=/",),
        ("__Http-a=1; Secure",),
        ("__Http-b=1; Secure; HttpOnly",),
        ("__Host-Http-a=1; Secure; Path=/",),
    ),
    _script("writes-odd", A, [], ("",), ("bare",), ("=x",), ("t=a\tb",), ("c=\x01",), ("n=a\x00b",), ("l=a\nb",)),
    _script("writes-domains", WWW, [], ("a=1; Domain=a.test",), ("b=1; Domain=b.test",), ("c=1; Domain=test",)),
    _script("writes-long", A, [], ("n={v*4095}",), ("m={v*4096}",)),
    _script("writes-none-without-secure", A, [], ("a=1; SameSite=None",)),
    _script("writes-partitioned", A, [], ("a=1; Secure; Partitioned",), ("b=1; Partitioned",)),
    _script("writes-utf8", A, [], ("u=\xe2\x98\x83",)),
)

CASES: Final = (*_OVERWRITES, *_FAULTS, *_ORDERS, *_LIMITS, *_SCRIPTS)
