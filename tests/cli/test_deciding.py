"""What `cookie why` tells has words for everything that the engine can find."""

from __future__ import annotations

import ast
from itertools import pairwise, product
from pathlib import Path

import pytest

import inspect_cli.cookies
from inspect_cli.cli.asked import requests_of
from inspect_cli.cli.deciding import document_of
from inspect_cli.cookies.profiles import PROFILES
from inspect_cli.render.redact import Redactor
from inspect_cli.texts import LANGUAGES, Words

ROOM = Path(inspect_cli.cookies.__file__).parent
OUTCOMES = ("passed", "failed", "applied", "skipped")
LINES = [
    *(b"a=1", b"", b"=a=b", b"a=\x01", b"a=\tb\tc", b"a=" + b"x" * 5000, b"a=1; Secure", b"a=1; HttpOnly"),
    *(b"a=1; SameSite=Strict", b"a=1; SameSite=Lax", b"a=1; SameSite=None", b"a=1; SameSite=None; Secure"),
    *(b"a=1; Domain=shop.test", b"a=1; Domain=www.shop.test", b"a=1; Domain=test", b"a=1; Domain=b.test"),
    *(b"a=1; Domain=", b"a=1; Domain=.", "a=1; Domain=가.test".encode(), b"a=1; Path=/x", b"a=1; Path=x"),
    *(b"a=1; Max-Age=60", b"a=1; Max-Age=99999999", b"a=1; Max-Age=0", b"a=1; Expires=Wed, 21 Oct 2015 07:28:00 GMT"),
    *(b"__Host-a=1; Secure; Path=/", b"__Host-a=1; Path=/", b"__Secure-a=1", b"__Http-a=1; Secure", b"__Host-a"),
    *(b"a=1; Partitioned", b"a=1; Secure; Partitioned; SameSite=None", b"a=1; Secure", b"a=2; Secure; Path=/x/y"),
]
URLS = ("https://www.shop.test/x/y", "http://www.shop.test/", "http://localhost/", "https://co.uk/", "https://a..b/")
NONE = {"page": None, "top": None, "site": None, "method": None, "after": None, "via": None}


def words_are_missing(words: Words, check: str, outcome: str) -> bool:
    return not (words.has(f"cookie.asked.{check}") and words.has(f"cookie.step.{check}.{outcome}"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_step_that_is_written_in_the_engine_has_its_question_and_its_answer(lang: str) -> None:
    words, found = Words(lang), set()
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Step", "step_of", "_step"):
                texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                found |= {(a, b) for a, b in pairwise(texts) if b in OUTCOMES}

    assert len(found) > 30
    assert [] == sorted(step for step in found if words_are_missing(words, *step))


def test_whatever_is_decided_has_words() -> None:
    steps, reasons = set(), set()
    for url, (via, site), block in product(URLS, [("navigate", None), ("fetch", "cross"), ("js", None)], [False, True]):
        parts = [{**NONE, "url": url, "via": via, "site": site}]
        parts += [
            {**NONE, "url": u, "via": v, "site": s} for u in URLS[:2] for v in ("post", "js") for s in ("cross", None)
        ]
        document = document_of(LINES, requests_of(parts, 10**18), list(PROFILES), block, Redactor("none"))
        decisions = [one for row in document["set"] for one in row["decisions"]]
        decisions += [cookie for row in document["send"] for one in row["decisions"] for cookie in one["cookies"]]
        steps |= {(step["check"], step["outcome"]) for one in decisions for step in one["steps"]}
        reasons |= {reason for one in decisions for reason in one["reasons"]}

    for words in map(Words, LANGUAGES):
        assert [] == sorted(step for step in steps if words_are_missing(words, *step))
        assert [] == sorted(reason for reason in reasons if not words.has(f"label.cookie_reason.{reason}"))
