"""Lines whose fate hangs on where they come from: domains, public suffixes, paths of the page, plain http."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urljoin

from inspect_cli.practice import cookie_lines
from tests.cookies.browser.shapes import Case, Step, shortened
from tests.cookies.browser.site import PRACTICE

_AT_WWW: Final = {
    "parent": "Domain=a.test",
    "parent-with-dot": "Domain=.a.test",
    "two-dots": "Domain=..a.test",
    "self": "Domain=www.a.test",
    "other-case": "Domain=WWW.A.Test",
    "child": "Domain=x.www.a.test",
    "sibling": "Domain=b.a.test",
    "other-site": "Domain=b.test",
    "end-of-the-name": "Domain=w.a.test",
    "part-of-a-label": "Domain=ww.a.test",
    "top-level": "Domain=test",
    "top-level-with-dot": "Domain=.test",
    "empty": "Domain=",
    "without-value": "Domain",
    "dot": "Domain=.",
    "trailing-dot": "Domain=a.test.",
    "with-port": "Domain=a.test:443",
    "with-scheme": "Domain=https://a.test",
    "with-slash": "Domain=a.test/",
    "wildcard": "Domain=*.a.test",
    "quoted": 'Domain="a.test"',
    "spaces": "Domain= a.test ",
    "space-inside": "Domain=a .test",
    "percent": "Domain=%61.test",
    "address": "Domain=127.0.0.1",
    "last-wins": "Domain=b.test; Domain=a.test",
    "last-is-other": "Domain=a.test; Domain=b.test",
    "last-is-empty": "Domain=a.test; Domain=",
    "utf8": "Domain=caf\xc3\xa9.test",
    "1025-octets": "Domain=a.test{x*1019}",
}

_ELSEWHERE: Final = {
    "suffix-own": ("https://co.uk/", "s=1; Domain=co.uk"),
    "suffix-own-with-dot": ("https://co.uk/", "s=1; Domain=.co.uk"),
    "suffix-host-only": ("https://co.uk/", "s=1"),
    "suffix-parent": ("https://x.co.uk/", "s=1; Domain=co.uk"),
    "suffix-registrable": ("https://y.x.co.uk/", "s=1; Domain=x.co.uk"),
    "suffix-private": ("https://x.github.io/", "s=1; Domain=github.io"),
    "suffix-private-own": ("https://github.io/", "s=1; Domain=github.io"),
    "suffix-private-registrable": ("https://y.x.github.io/", "s=1; Domain=x.github.io"),
    "suffix-by-wildcard": ("https://x.y.ck/", "s=1; Domain=y.ck"),
    "suffix-wildcard-exception": ("https://x.www.ck/", "s=1; Domain=www.ck"),
    "suffix-exception": ("https://x.city.kawasaki.jp/", "s=1; Domain=city.kawasaki.jp"),
    "suffix-above-exception": ("https://x.city.kawasaki.jp/", "s=1; Domain=kawasaki.jp"),
    "suffix-unknown-top-level": ("https://x.y.zz/", "s=1; Domain=zz"),
    "suffix-upper-case": ("https://x.co.uk/", "s=1; Domain=CO.UK"),
    "suffix-idn": ("https://x.xn--55qx5d.cn/", "s=1; Domain=xn--55qx5d.cn"),
    "idn-as-ascii": ("https://www.xn--caf-dma.test/", "s=1; Domain=xn--caf-dma.test"),
    "idn-as-utf8": ("https://www.xn--caf-dma.test/", "s=1; Domain=caf\xc3\xa9.test"),
    "idn-upper-case": ("https://www.xn--caf-dma.test/", "s=1; Domain=XN--CAF-DMA.test"),
    "trailing-dot-of-the-host": ("https://www.a.test./", "s=1; Domain=a.test"),
    "trailing-dot-of-both": ("https://www.a.test./", "s=1; Domain=a.test."),
    "underscore": ("https://x_y.a.test/", "s=1; Domain=x_y.a.test"),
    "address": ("http://127.0.0.1/", "s=1; Domain=127.0.0.1"),
    "address-with-dot": ("http://127.0.0.1/", "s=1; Domain=.127.0.0.1"),
    "address-tail": ("http://127.0.0.1/", "s=1; Domain=0.0.1"),
    "address-short": ("http://127.0.0.1/", "s=1; Domain=127.1"),
    "address-six": ("http://[::1]/", "s=1; Domain=[::1]"),
    "localhost": ("http://localhost/", "s=1; Domain=localhost"),
    "localhost-with-dot": ("http://localhost/", "s=1; Domain=.localhost"),
    "localhost-from-below": ("http://x.localhost/", "s=1; Domain=localhost"),
    "single-label": ("http://intranet/", "s=1; Domain=intranet"),
    "single-label-host-only": ("http://intranet/", "s=1"),
    "port-is-no-scope": ("https://a.test:8443/", "s=1; Domain=a.test"),
}

_BY_HTTP: Final = {
    "secure": "a=1; Secure",
    "secure-and-strict": "a=1; Secure; SameSite=Strict",
    "none": "a=1; SameSite=None",
    "none-and-secure": "a=1; SameSite=None; Secure",
    "lax": "a=1; SameSite=Lax",
    "secure-prefix": "__Secure-a=1; Secure",
    "secure-prefix-without": "__Secure-a=1",
    "host-prefix": "__Host-a=1; Secure; Path=/",
    "http-prefix": "__Http-a=1; Secure; HttpOnly",
    "partitioned": "a=1; Partitioned",
    "partitioned-and-secure": "a=1; Secure; Partitioned",
    "secure-and-expired": "a=1; Secure; Max-Age=0",
    "secure-wrong-domain": "a=1; Secure; Domain=b.test",
    "control-and-secure": "a=1; Secure; SameSite=None; Domain=test",
}

_DEFAULT_PATHS: Final = {
    "file": ("https://a.test/d/e/f", ("/d/e", "/d/e/", "/d/ez", "/d")),
    "folder": ("https://a.test/d/e/", ("/d/e", "/d/e/g", "/d/")),
    "query": ("https://a.test/d/e?x=/y/z", ("/d/", "/d?x", "/y/z")),
    "root": ("https://a.test/f", ("/", "/d/e")),
    "two-slashes": ("https://a.test//d//e", ("//d/", "/d/", "//d//x")),
    "percent": ("https://a.test/%64/e%2Ff", ("/%64/x", "/d/x")),
    "upper-case": ("https://a.test/D/e", ("/d/e", "/D/x")),
}


def _followed(group: str, name: str, url: str, line: str, *after: str) -> Case:
    steps = (Step(url, "fetch", (line,)), *(Step(other, "fetch") for other in after))
    return Case(f"{group}-{name}", group, steps, page=urljoin(url, "/"))


_TOMORROW: Final = "{+1d|%a, %d %b %Y %H:%M:%S GMT}"
_PRACTICE: Final = (
    Case(
        "practice-every-attribute",
        "practice",
        (
            Step(
                f"https://{PRACTICE}/cookies/all",
                lines=tuple(
                    re.sub(r"(?<=Expires=).*", _TOMORROW, line) for line in cookie_lines.every_attribute(PRACTICE)
                ),
            ),
            Step(f"https://{PRACTICE}/cookies"),
            Step("https://b.test/"),
            Step(f"https://{PRACTICE}/cookies", "link"),
        ),
    ),
    Case(
        "practice-bad",
        "practice",
        (
            Step(
                f"https://{PRACTICE}/cookies/bad", lines=tuple(shortened(line) for line in cookie_lines.bad_practice())
            ),
            Step(f"https://{PRACTICE}/cookies"),
        ),
    ),
    Case(
        "practice-redirect",
        "practice",
        (
            Step(f"https://{PRACTICE}/redirect", lines=(cookie_lines.hop("1"),)),
            Step(f"https://{PRACTICE}/redirect/target", "redirect"),
        ),
    ),
)
"""Pages of the practice site itself: it sends these lines by itself."""


CASES: Final = (
    *(
        _followed("domain", f"at-www-{name}", "https://www.a.test/", f"d=1; {attribute}", "https://sub.www.a.test/")
        for name, attribute in _AT_WWW.items()
    ),
    *(_followed("domain", name, url, line, f"{url}q") for name, (url, line) in _ELSEWHERE.items()),
    *(_followed("http", name, "http://a.test/d/p", line, "http://a.test/d/q") for name, line in _BY_HTTP.items()),
    *(
        _followed("localhost", name, "http://localhost/d/p", line, "http://localhost/d/q")
        for name, line in _BY_HTTP.items()
    ),
    _followed("localhost", "below-secure", "http://x.localhost/", "a=1; Secure", "http://x.localhost/q"),
    _followed("localhost", "address-secure", "http://127.0.0.1/", "a=1; Secure", "http://127.0.0.1/q"),
    Case(
        "localhost-https",
        "localhost",
        (Step("https://localhost/", lines=("a=1; Secure",)), Step("http://localhost/q"), Step("https://localhost/q")),
    ),
    *(
        _followed("path", f"default-{name}", url, "a=1", *(f"https://a.test{path}" for path in paths))
        for name, (url, paths) in _DEFAULT_PATHS.items()
    ),
    *_PRACTICE,
)
