from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies.parse import parse_cookie_header, parse_set_cookie
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import SetCookie

NS = 1_000_000_000

PIECES = [b"a", b"=", b";", b" ", b"\t", b"Path", b"/x", b"Domain", b".a.test", b"Max-Age", b"-1", b"9", b"Expires"]
PIECES += [b"Wed, 09 Jun 2027 10:18:14 GMT", b"Secure", b"HttpOnly", b"SameSite", b"None", b"\x00", b"\xff"]

LINES = st.one_of(
    st.binary(max_size=200),
    st.lists(
        st.sampled_from(PIECES),
        max_size=24,
    ).map(b"".join),
)


def parsed(name: bytes, value: bytes, **attributes: object) -> SetCookie:
    return SetCookie(
        name,
        Secret(value, "cookie"),
        attributes.get("expires_ns"),  # type: ignore[arg-type]
        attributes.get("max_age"),  # type: ignore[arg-type]
        attributes.get("domain"),  # type: ignore[arg-type]
        attributes.get("path"),  # type: ignore[arg-type]
        bool(attributes.get("secure")),
        bool(attributes.get("http_only")),
        attributes.get("same_site", "default"),  # type: ignore[arg-type]
        attributes.get("attributes", ()),  # type: ignore[arg-type]
    )


def test_a_line_with_every_attribute() -> None:
    line = b"sid=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT; Max-Age=60; Domain=.A.test; Path=/x"
    line += b"; Secure; HttpOnly; SameSite=Lax"
    expected = parsed(
        b"sid",
        b"1",
        expires_ns=1_812_536_294 * NS,
        max_age=60,
        domain=b"a.test",
        path=b"/x",
        secure=True,
        http_only=True,
        same_site="lax",
        attributes=(
            (b"Expires", b"Wed, 09 Jun 2027 10:18:14 GMT"),
            (b"Max-Age", b"60"),
            (b"Domain", b".A.test"),
            (b"Path", b"/x"),
            (b"Secure", b""),
            (b"HttpOnly", b""),
            (b"SameSite", b"Lax"),
        ),
    )
    assert expected == parse_set_cookie(line)


def test_a_control_character_drops_the_line_and_a_tab_does_not() -> None:
    """6265bis §5.6 step 1."""
    for number in (*range(0x20), 0x7F):
        line = b"a=b" + bytes([number]) + b"c"
        expected = parsed(b"a", b"b\tc") if number == 9 else None
        assert expected == parse_set_cookie(line)


def test_4096_bytes_of_name_and_value_are_kept_and_4097_are_not() -> None:
    """6265bis §5.6 step 5: the `=` does not count."""
    assert parsed(b"n" * 96, b"v" * 4000) == parse_set_cookie(b"n" * 96 + b"=" + b"v" * 4000)
    assert parse_set_cookie(b"n" * 97 + b"=" + b"v" * 4000) is None


def test_an_attribute_longer_than_1024_bytes_leaves_the_one_before_it() -> None:
    """6265bis §5.6 step 6 of the attributes."""
    long = b"/" + b"x" * 1024
    expected = parsed(b"a", b"b", path=b"/short", attributes=((b"Path", b"/short"), (b"Path", long)))
    assert expected == parse_set_cookie(b"a=b; Path=/short; Path=" + long)


def test_the_last_of_its_name_wins_and_broken_ones_are_ignored() -> None:
    line = b"a=b; Max-Age=1; Max-Age=x; Max-Age=-; Max-Age=; Domain=x.test; Domain=; SameSite=Lax; SameSite=odd"
    found = parse_set_cookie(line)
    assert found is not None
    assert (1, b"", "default") == (found.max_age, found.domain, found.same_site)


def test_no_equals_sign_means_no_name() -> None:
    assert parsed(b"", b"token") == parse_set_cookie(b" token ")
    assert parsed(b"", b"") == parse_set_cookie(b"")


def test_nothing_between_two_semicolons_is_no_attribute() -> None:
    assert parsed(b"a", b"b", attributes=((b"", b""), (b"x", b""))) == parse_set_cookie(b"a=b;;;=; ;x;")


def test_a_cookie_field_gives_its_pairs_in_order() -> None:
    expected = [(b"a", b"1"), (b"b", b"x=y"), (b"", b"bare"), (b"c", b"")]
    assert expected == parse_cookie_header(b"a=1; b = x=y;bare;; c=")


@settings(max_examples=100, deadline=None)
@given(LINES)
def test_any_bytes_parse_or_are_dropped(line: bytes) -> None:
    found = parse_set_cookie(line)
    if found is not None:
        assert len(found.name) + len(found.value.value) <= 4096
        assert b";" not in found.name + found.value.value
    assert all(b";" not in name + value for name, value in parse_cookie_header(line))
