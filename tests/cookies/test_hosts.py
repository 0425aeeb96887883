from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies.hosts import (
    canonical_host,
    domain_matches,
    is_ip,
    is_loopback,
    is_public_suffix,
    is_secure_scheme,
    registrable_domain,
    same_site,
    site_of,
)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("WWW.Example.ORG", "www.example.org"),
        ("example.org.", "example.org."),
        ("my_service", "my_service"),
        ("bücher.test", "xn--bcher-kva.test"),
        ("straße.test", "xn--strae-oqa.test"),
        ("\uff21\uff22\uff23\u3002test", "abc.test"),
        ("한국.test", "xn--3e0b707e.test"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("fe80::1%eth0", "fe80::1%eth0"),
        ("", None),
        (".", None),
        ("a..b", None),
        (".a", None),
        ("a b", None),
        ("-a.test", None),
        ("xn--99999999.test", None),
        ("x" * 64 + ".test", None),
        ("x." * 200, None),
    ],
)
def test_a_host_has_one_canonical_form_or_none(host: str, expected: str | None) -> None:
    """6265bis §5.1.2."""
    assert expected == canonical_host(host)


@pytest.mark.parametrize(
    ("host", "domain", "expected"),
    [
        ("a.test", "a.test", True),
        ("www.a.test", "a.test", True),
        ("wwwa.test", "a.test", False),
        ("a.test", "www.a.test", False),
        ("1.2.3.4", "3.4", False),
        ("1.2.3.4", "1.2.3.4", True),
        ("a.test", "", False),
    ],
)
def test_a_host_matches_its_own_domain_and_those_above(host: str, domain: str, expected: bool) -> None:
    """6265bis §5.1.3."""
    assert expected == domain_matches(host, domain)


def test_addresses_are_no_names() -> None:
    assert [True, True, False, False] == [is_ip(host) for host in ("10.0.0.1", "fe80::1", "a.test", "1.2.3")]
    assert registrable_domain("10.0.0.1") is None
    assert is_public_suffix("10.0.0.1") is False
    assert site_of("10.0.0.1") == "10.0.0.1"


def test_public_suffixes_and_the_domains_below_them() -> None:
    assert (True, True, False) == tuple(is_public_suffix(name) for name in ("co.uk", "github.io", "example.co.uk"))
    assert registrable_domain("a.b.example.co.uk") == "example.co.uk"
    assert registrable_domain("co.uk") is None
    assert site_of("localhost") == "localhost"


def test_same_site_looks_at_scheme_and_registrable_domain() -> None:
    """6265bis §5.2: schemeful."""
    assert same_site("https", "www.a.test", "wss", "api.a.test")
    assert not same_site("https", "a.test", "http", "a.test")
    assert not same_site("https", "a.test", "https", "b.test")
    assert not same_site("https", "a..test", "https", "a..test")
    assert not same_site("https", "a.github.io", "https", "b.github.io")


def test_loopback_is_told_apart_from_secure() -> None:
    names = ("localhost", "app.localhost", "127.9.0.1", "::1", "127.evil.test", "a.test")
    assert [True, True, True, True, False, False] == [is_loopback(name) for name in names]
    assert [True, True, False, False] == [is_secure_scheme(scheme) for scheme in ("https", "wss", "http", "ws")]


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.text(max_size=40), st.text("ab.-_xn1:%é", max_size=20)))
def test_any_text_is_a_host_or_none_and_canonical_forms_stay(host: str) -> None:
    found = canonical_host(host)
    if found is not None:
        assert found == canonical_host(found)
        assert domain_matches(found, found)
        assert found == site_of(found) or found.endswith("." + site_of(found))
    is_public_suffix(host)
    registrable_domain(host)


def test_site_of_a_name_with_a_final_dot_keeps_the_dot() -> None:
    assert ("example.com.", "0.0.") == (site_of("www.example.com."), site_of("0.0."))
