"""What --check finds, what it lets pass, and how it is said."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from inspect_cli.cli.checking import RULES, Checker, exceptions
from inspect_cli.concepts import CONCEPTS
from inspect_cli.errors import UsageProblem
from inspect_cli.events.base import Annotation, Entry, Event, Secret
from inspect_cli.events.cookies import CookieStored, SessionIssued, SessionKept
from inspect_cli.events.http import ResponseHead
from inspect_cli.practice import Practice, running
from inspect_cli.render import make_renderer
from inspect_cli.texts import LANGUAGES, Words
from tests.concepts.making import refused, request, response, stored

HTTP = response(6, request(4))
TLS = response(6, request(4), channel="tcp/0/tls")


@pytest.fixture(scope="module")
def site() -> Iterator[Practice]:
    with running() as practice:
        yield practice


def note(code: str, *frames: int) -> Annotation:
    return Annotation(code.partition(".")[0], code, frames or (6,), "6265bis §8")


def found(
    *rows: tuple[Event, str], ignored: tuple[str, ...] = (), untold: bool = False
) -> list[tuple[str, list[bytes]]]:
    """Rules with the cookies that they find."""
    checker = Checker(make_renderer("text", StringIO()), exceptions(ignored), is_tls_untold=untold)
    for number, (event, code) in enumerate(rows, 1):
        checker.entry(Entry(number, None, event, (note(code),)))
    assert checker.count == sum(len(finding.cookies) for finding in checker.found)
    return [(finding.rule, [name for name, _ in finding.cookies]) for finding in checker.found]


def issued(of: CookieStored) -> SessionIssued:
    return SessionIssued(of.where, of, of.name, of.value, "", 20)


@pytest.mark.parametrize(
    ("event", "code", "rule"),
    [
        (stored(TLS), "cookie-security.no-secure", "no-secure"),
        (refused(TLS), "cookie.refused", "secure-refused"),
        (stored(TLS), "cookie-security.no-httponly", "no-httponly"),
        (stored(TLS), "cookie-security.no-samesite", "no-samesite"),
        (stored(TLS), "cookie-security.samesite-none", "samesite-none"),
        (refused(TLS, "SameSiteNoneInsecure"), "cookie.refused", "none-without-secure"),
        (refused(TLS, "InvalidPrefix"), "cookie.refused", "broken-prefix"),
        (issued(stored(TLS)), "cookie-security.no-prefix", "no-prefix"),
        (stored(TLS), "cookie-security.long-lifetime", "long-lifetime"),
        (stored(TLS), "cookie-security.large", "large"),
        (refused(TLS, "NameValuePairExceedsMaxSize"), "cookie.refused", "too-large"),
        (stored(TLS), "cookie-security.broad-domain", "broad-domain"),
        (refused(TLS, "InvalidDomain"), "cookie.refused", "wrong-domain"),
        (stored(TLS), "cookie-attributes.no-path", "wrong-path"),
        (issued(stored(TLS)), "session-id.guessable", "guessable-id"),
        (SessionKept(TLS.where, TLS, b"sid", Secret(b"1", "cookie"), (4,)), "session-login.kept", "id-kept-at-login"),
        (refused(TLS, "DisallowedCharacter"), "cookie.refused", "refused"),
    ],
)
def test_each_rule_finds_its_annotation(event: Event, code: str, rule: str) -> None:
    assert [(rule, [b"sid"])] == found((event, code))
    assert [] == found((event, code), ignored=(rule,))
    assert [] == found((event, code), ignored=(f"{rule}:sid",))
    assert [(rule, [b"sid"])] == found((event, code), ignored=(f"{rule}:other",))


def test_a_rule_is_a_code_that_some_concept_gives() -> None:
    codes = {code for concept in CONCEPTS for code in concept.codes}
    names = [rule.name for rule in RULES]

    assert len(set(names)) == len(names)
    assert {rule.code for rule in RULES} <= codes
    for lang in LANGUAGES:
        words = Words(lang, strict=True)
        assert sorted(words.keys("check")) == sorted(f"{name}.{part}" for name in names for part in ("what", "remedy"))


def test_other_annotations_are_no_findings() -> None:
    assert [] == found((stored(TLS), "cookie.kept"), (stored(TLS), "cookie-security.readable-value"))


def test_a_cookie_is_found_once_by_a_rule() -> None:
    rows = [
        (stored(TLS, name, path=path), "cookie-security.no-httponly")
        for name, path in ((b"a", "/"), (b"a", "/"), (b"b", "/"), (b"a", "/shop"))
    ]

    assert [("no-httponly", [b"a", b"b", b"a"])] == found(*rows)


@pytest.mark.parametrize("reason", ["SameSiteStrict", "SameSiteLax", "SchemefulSameSiteLax", "ThirdPartyPhaseout"])
def test_a_refusal_because_of_who_asked_says_nothing_of_the_cookie(reason: str) -> None:
    assert [] == found((refused(HTTP, reason), "cookie.refused"))


@pytest.mark.parametrize(
    ("domain", "of", "untold", "expected"),
    [
        ("127.0.0.1", HTTP, False, []),
        ("localhost", HTTP, False, []),
        ("::1", HTTP, False, []),
        ("shop.test", HTTP, False, ["no-secure"]),
        ("127.0.0.1", TLS, False, ["no-secure"]),
        ("127.0.0.1", HTTP, True, []),
        ("127.0.0.1", response(0, request(0), channel="socket/0"), False, []),
        ("127.0.0.1", response(0, request(0), channel="socket/0"), True, ["no-secure"]),
    ],
)
def test_secure_is_not_asked_for_on_plain_http_to_this_machine(
    domain: str, of: ResponseHead, untold: bool, expected: list[str]
) -> None:
    if of.where.channel == "socket/0":
        of = ResponseHead(of.where._replace(frames=()), of.head, 0, of.request)
    rows = found((stored(of, domain=domain), "cookie-security.no-secure"), untold=untold)

    assert expected == [rule for rule, _ in rows]


def test_a_rule_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageProblem) as problem:
        exceptions(["no-http-only:sid"])
    assert problem.value.data == {"problem": "unknown-rule", "name": "no-http-only", "near": "no-httponly"}


def inspect(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inspect_cli", "cookie-trace", "--sniff", "never", "-q", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_tour_has_two_cookies_that_scripts_can_read() -> None:
    done = inspect("--check", "--lang", "en")
    shown = done.stdout[done.stdout.index("  check") :]

    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "inspect-cli: found: 2 findings by --check")
    assert shown == (
        "  check  2 findings by 1 rule\n"
        "    - no-httponly: theme, cart                                 6265bis §4.1.2.6\n"
        "      Without HttpOnly every script of the page can read the cookie, an injected\n"
        "      one too.\n"
        "      > Add HttpOnly, unless a script of the site has to read this cookie.\n"
    )


def test_what_is_ignored_does_not_fail_the_run() -> None:
    done = inspect(
        "--check", "--check-ignore", "no-httponly:theme", "--check-ignore", "no-httponly:cart", "--lang", "en"
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\n  check  nothing found\n")


def test_in_json_the_annotations_are_the_findings(site: Practice) -> None:
    done = inspect(f"{site.http_url}/cookies/bad", "--check", "--format", "json", "--lang", "ko")
    told: dict[str, Any] = json.loads(done.stdout)
    codes = {note["code"] for entry in told["entries"] for note in entry["annotations"]}

    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "inspect-cli: 발견됨: --check에 18건")
    assert {"cookie-security.no-httponly", "session-id.guessable", "cookie.refused"} <= codes
    assert list(told) == ["schema", "entries", "connections", "capture", "summary"]


def test_findings_go_where_the_rows_go(site: Practice, tmp_path: Path) -> None:
    path = tmp_path / "told.txt"
    done = inspect(f"{site.http_url}/", "--check", "-o", str(path), "--lang", "ko")
    text = path.read_text(encoding="utf-8")

    assert (done.returncode, done.stdout) == (1, "")
    assert "  검사  규칙 1개에 1건\n    - no-httponly: theme " in text


@pytest.mark.parametrize("more", [["--check-ignore", "no-secure"], ["--check", "--check-ignore", "nothing"]])
def test_what_cannot_be_ignored_is_said_before_anything_is_asked(more: list[str]) -> None:
    assert inspect("http://127.0.0.1:1/", *more).returncode == 2


def test_a_server_that_is_not_there_is_the_problem_not_the_check() -> None:
    assert inspect("http://127.0.0.1:1/", "--check").returncode == 7
