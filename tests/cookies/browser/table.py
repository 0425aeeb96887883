from __future__ import annotations
from tests.cookies.browser.shapes import Case, Step
FOUR = ("st=1; SameSite=Strict", "lx=1; SameSite=Lax", "no=1; SameSite=None; Secure", "df=1")
S = Step
CASES = (
    Case("plain", "syntax", (S("https://a.test/d/p", lines=("foo=bar",)), S("https://a.test/d/q"))),
    Case("raw", "syntax", (S("https://raw.test/d/p", lines=("foo=b\x01ar", "x={y*4000}; Max-Age=60", "a=1; Expires={+100d|%a, %d %b %Y %H:%M:%S GMT}")), S("https://raw.test/d/q"))),
    Case("nul", "syntax", (S("https://raw.test/d/p", lines=("foo=b\x00ar",)), S("https://raw.test/d/q"))),
    Case("four", "send", (S("https://a.test/", lines=FOUR), S("https://b.test/"), S("https://a.test/x", "fetch"),  S("https://a.test/x", "fetch", method="PUT"), S("https://a.test/i", "img"), S("https://a.test/f", "iframe"), S("https://a.test/g", "fetch", frame="https://a.test/f"), S("https://b.test/g", "fetch", frame="https://a.test/f"), S("https://a.test/f", "js", frame="https://a.test/f", lines=("js=1",)),  S("https://b.test/", "js"), S("https://b.test/r", "link"), S("https://a.test/r", "redirect"), S("https://a.test/p", "post"))),
    Case("four-b", "send", (S("https://a.test/", lines=FOUR), S("https://b.test/"), S("https://a.test/x", "fetch"),  S("https://a.test/x", "fetch", method="PUT")), True),
)
