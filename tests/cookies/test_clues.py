from __future__ import annotations

import pytest

from inspect_cli.cookies.clues import Clues, Page, origin_site, page_of, read_clues

ASSUMED = Clues(True, "assumed", True, "assumed", None, "", False)


def clues(scheme: str, host: str, **fields: str) -> Clues:
    return read_clues({name.replace("_", "-").encode(): value.encode() for name, value in fields.items()}, scheme, host)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ASSUMED),
        (
            {"sec_fetch_site": "none", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"},
            Clues(True, "Sec-Fetch-Site", True, "Sec-Fetch-Mode", None, "", False),
        ),
        (
            {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "referer": "https://b.test/page"},
            Clues(False, "Sec-Fetch-Site", False, "Sec-Fetch-Mode", False, "https://b.test", False),
        ),
        (
            {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"},
            Clues(False, "Sec-Fetch-Site", False, "Sec-Fetch-Mode", None, "", False),
        ),
        (
            {"sec_fetch_site": "same-site", "sec_fetch_mode": "cors", "origin": "https://www.a.test"},
            Clues(True, "Sec-Fetch-Site", False, "Sec-Fetch-Mode", None, "", True),
        ),
        (
            {"sec_fetch_site": "same-origin", "sec_fetch_mode": "cors"},
            Clues(True, "Sec-Fetch-Site", False, "Sec-Fetch-Mode", None, "", False),
        ),
        (
            {"referer": "http://a.test/page", "accept": "image/*"},
            Clues(False, "Referer", False, "Accept", True, "http://a.test", False),
        ),
        (
            {"origin": "https://b.test", "accept": "text/html,*/*"},
            Clues(False, "Origin", True, "Accept", False, "", True),
        ),
        ({"origin": "https://a.test"}, Clues(True, "Origin", True, "assumed", None, "", False)),
        ({"origin": "null"}, ASSUMED),
        (
            {"upgrade": "websocket", "origin": "https://a.test"},
            Clues(True, "Origin", False, "Upgrade", None, "", False),
        ),
        ({"access_control_request_method": "PUT"}, ASSUMED._replace(may_omit=True)),
    ],
)
def test_fields_tell_who_asks(fields: dict[str, str], expected: Clues) -> None:
    assert expected == clues("https", "a.test", **fields)


def test_origin_goes_before_referer() -> None:
    fields = {b"origin": b"https://a.test:8443", b"referer": b"https://user@b.test/x"}

    assert Page("https", "a.test", "Origin") == page_of(fields)
    assert Page("https", "b.test", "Referer") == page_of({b"referer": fields[b"referer"]})
    assert page_of({b"referer": b"about:blank"}) is None


def test_a_site_is_the_registrable_domain_with_the_scheme() -> None:
    assert ["https://a.test", "http://10.0.0.1", "http://b.co.uk", ""] == [
        origin_site(*origin)
        for origin in [("https", "www.a.test"), ("http", "10.0.0.1"), ("http", "x.b.co.uk"), ("http", "a b")]
    ]


def test_a_preflight_and_a_script_of_another_origin_may_go_without_cookies() -> None:
    cors = {"sec_fetch_mode": "cors", "sec_fetch_site": "cross-site"}

    assert [True, True, False] == [
        clues("https", "a.test", **fields).may_omit
        for fields in (cors, {"origin": "https://x.a.test"}, cors | {"sec_fetch_mode": "no-cors"})
    ]
