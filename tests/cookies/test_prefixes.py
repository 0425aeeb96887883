from __future__ import annotations

import pytest

from inspect_cli.cookies import Jar, asking_for, asking_from
from inspect_cli.events.cookies import Asking, Step

NOW = 1_795_000_000_000_000_000
HTTPS = asking_for("https://a.test/")
HTTP = asking_for("http://a.test/")
LOCAL = asking_for("http://localhost/")
SCRIPT = asking_from("https://a.test/", "js")


@pytest.mark.parametrize(
    ("line", "asking", "expected"),
    [
        (b"__Http-a=1; Secure; HttpOnly", HTTPS, "Stored"),
        (b"__HTTP-a=1; Secure; HttpOnly", HTTPS, "Stored"),
        (b"__Http-a=1; Secure", HTTPS, "InvalidPrefix"),
        (b"__Http-a=1; HttpOnly", HTTPS, "InvalidPrefix"),
        (b"__Http-a=1; Secure; HttpOnly", SCRIPT, "InvalidPrefix"),
        (b"__Host-Http-a=1; Secure; HttpOnly; Path=/", HTTPS, "Stored"),
        (b"__Host-Http-a=1; Secure; HttpOnly", HTTPS, "InvalidPrefix"),
        (b"__Host-Http-a=1; Secure; Path=/", HTTPS, "InvalidPrefix"),
        (b"__Host-Http-a=1; Secure; HttpOnly; Path=/; Domain=a.test", HTTPS, "InvalidPrefix"),
        (b"__Host-a=1; Secure; Path=/", HTTP, "InvalidPrefix"),
        (b"__Host-a=1; Secure; Path=/", LOCAL, "Stored"),
        (b"=__http-a", HTTPS, "InvalidPrefix"),
        (b"__Httpa=1", HTTPS, "Stored"),
    ],
)
def test_what_chromium_takes_a_name_to_promise(line: bytes, asking: Asking, expected: str) -> None:
    assert expected == Jar("chromium").store(line, asking, NOW).reason


def test_the_draft_knows_no_promise_of_http_only() -> None:
    assert Jar().store(b"__Http-a=1", HTTPS, NOW).stored
    assert Jar().store(b"__Host-Http-a=1", HTTPS, NOW).steps[-1] == Step(
        "6265bis §5.7 step 21", "prefix", "failed", "__Host- Secure"
    )


def test_the_clause_of_a_broken_promise_is_that_of_its_prefix() -> None:
    decision = Jar("firefox").store(b"__Http-a=1; Secure", HTTPS, NOW)
    assert Step("layered-cookies §4.1.3", "prefix", "failed", "__Http- HttpOnly") == decision.steps[-1]


def test_a_profile_without_prefixes_takes_any_name() -> None:
    assert Jar("python").store(b"__Host-a=1", HTTP, NOW).stored


def test_a_domain_that_is_refused_breaks_the_promise_of_host_too() -> None:
    decision = Jar("chromium").store(b"__Host-a=1; Secure; Path=/; Domain=b.test", HTTPS, NOW)
    assert ("InvalidDomain", "InvalidPrefix") == decision.reasons
