from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.derive.session_ids import entropy_bits, known_name, looks_like_id, names_session


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (b"JSESSIONID", "Java servlet"),
        (b"PHPSESSID", "PHP"),
        (b"ASP.NET_SessionId", "ASP.NET"),
        (b"ASPSESSIONIDQGGQQSJJ", "ASP"),
        (b"connect.sid", "Express"),
        (b"__Host-sessionid", "Django"),
        (b"session", "Flask"),
        (b"_shop_session", "Rails"),
        (b"laravel_session", "Laravel"),
        (b"CFID", "ColdFusion"),
        (b"sid", "common name"),
        (b"XSRF-TOKEN", ""),
        (b"theme", ""),
        (b"", ""),
    ],
)
def test_frameworks_name_their_session_cookies(name: bytes, expected: str) -> None:
    assert expected == known_name(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", 0),
        (b"123456", 19),
        (b"5f1c9a" * 4, 96),
        (b"5F1C9A" * 4, 96),
        (b"abcz19" * 4, 124),
        (b"abCz19" * 4, 142),
        (b"ab_Cz-19" * 3, 144),
        (b"ab+C/9==", 48),
        (b"a b{c}", 39),
    ],
)
def test_the_upper_bound_is_length_times_alphabet(value: bytes, expected: int) -> None:
    assert expected == entropy_bits(value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        (b"x", b"5f1c9a7be0d4123398fe2a", True),
        (b"x", b"s%3Ay1Z8Qw5e7Rt9.abcdEFGH0123", True),
        (b"csrftoken", b"5f1c9a7be0d4123398fe2a", False),
        (b"x", b"5f1c9a", False),
        (b"x", b"12345678901234567890123", False),
        (b"x", b"thequickbrownfoxjumps", False),
        (b"x", b"%7B%22a%22%3A12345abcdef%7D", False),
        (b"x", b"two words 12345678 abc", False),
        (b"x", b"a1" * 400, False),
    ],
)
def test_an_id_looks_long_and_mixed(name: bytes, value: bytes, expected: bool) -> None:
    assert expected == looks_like_id(name, value)


def test_a_value_of_unknown_name_must_be_hidden_or_go_with_the_browser() -> None:
    value = b"5f1c9a7be0d4123398fe2a"
    assert names_session(b"x", value, http_only=True, is_persistent=True)
    assert names_session(b"x", value, http_only=False, is_persistent=False)
    assert not names_session(b"x", value, http_only=False, is_persistent=True)
    assert names_session(b"sid", b"1", http_only=False, is_persistent=True)
    assert not names_session(b"sid", b"", http_only=True, is_persistent=False)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_have_a_bound(name: bytes, value: bytes) -> None:
    assert 0 <= entropy_bits(value) <= 8 * len(value)
    names_session(name, value, http_only=True, is_persistent=False)
