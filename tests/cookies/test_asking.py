from __future__ import annotations

import pytest

from inspect_cli.cookies.asking import asking_for, asking_from
from inspect_cli.events.cookies import Asking


def test_a_url_becomes_who_asks_for_what() -> None:
    assert Asking("https", "a.test", "/x") == asking_for("HTTPS://A.test:8443/x?y=1#z")
    assert Asking("http", "::1", "/") == asking_for("http://[::1]:80")
    expected = Asking("ws", "a.test", "/%C3%A9%20%2F", "PUT", False, False)
    assert expected == asking_for("ws://u:p@a.test/é %2F", "PUT", same_site=False, top_level=False)


@pytest.mark.parametrize("url", ["", "a.test/x", "http://", "http://[::1", "//a.test/"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"|Invalid IPv6 URL"):
        asking_for(url)


A, SUB, B, PLAIN = "https://a.test/", "https://www.a.test/", "https://b.test/", "http://a.test/"


def sites(asking: Asking) -> tuple[bool, bool, bool | None, str]:
    return asking.same_site, asking.top_level, asking.same_domain, asking.top_site


@pytest.mark.parametrize(
    ("url", "via", "page", "top", "expected"),
    [
        (A, "navigate", None, None, (True, True, True, "")),
        (A, "navigate", B, None, (True, True, True, "")),
        (A, "link", SUB, None, (True, True, True, "")),
        (A, "link", B, None, (False, True, False, "")),
        (A, "link", PLAIN, None, (False, True, True, "")),
        (A, "redirect", B, None, (False, True, False, "")),
        (A, "fetch", SUB, None, (True, False, True, "https://a.test")),
        (A, "img", B, None, (False, False, False, "https://b.test")),
        (A, "iframe", PLAIN, None, (False, False, True, "http://a.test")),
        (A, "fetch", A, B, (False, False, False, "https://b.test")),
        (A, "fetch", B, A, (False, False, False, "https://a.test")),
        ("wss://a.test/", "fetch", A, None, (True, False, True, "https://a.test")),
        (A, "js", A, None, (True, False, True, "https://a.test")),
        (A, "js", A, B, (False, False, False, "https://b.test")),
        ("http://a..b/", "link", "http://a..b/", None, (False, True, False, "")),
    ],
)
def test_who_asks_follows_from_the_page_and_the_one_around_it(
    url: str, via: str, page: str | None, top: str | None, expected: tuple[bool, bool, bool | None, str]
) -> None:
    """6265bis §5.2.1."""
    assert expected == sites(asking_from(url, via, page=page, top=top))


def test_a_form_posts_and_a_script_is_no_http() -> None:
    assert ["POST", "PUT", "GET"] == [
        asking_from(A, "post", page=B).method,
        asking_from(A, "fetch", page=B, method="PUT").method,
        asking_from(A, "link", page=B).method,
    ]
    assert asking_from(A, "js").by_script
    with pytest.raises(ValueError, match="teleport"):
        asking_from(A, "teleport")
