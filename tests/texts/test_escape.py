"""What reaches a terminal from the wire obeys nobody but the reader's eyes."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.texts import visible


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"plain", "plain"),
        ("안녕".encode(), "안녕"),
        (b"\x1b[31mred", "\\x1b[31mred"),
        (b"a\r\nb\t\x00", "a\\x0d\\x0ab\\x09\\x00"),
        (b"\x7f", "\\x7f"),
        (b"\xff\xfe", "\\xff\\xfe"),
        (b"\x9b31m", "\\x9b31m"),
        ("\x9b31m", "\\u{9b}31m"),
        ("\u202egnp.exe", "\\u{202e}gnp.exe"),
        ("a\u2066b\u2069\u200e\u200f", "a\\u{2066}b\\u{2069}\\u{200e}\\u{200f}"),
        ("a\u200bb\ufeff", "a\\u{200b}b\\u{feff}"),
        ("\u3164", "\\u{3164}"),
        ("a\u2028b", "a\\u{2028}b"),
        ("file\udcff", "file\\xff"),
        ("\ud800", "\\u{d800}"),
        ("back\\slash", "back\\slash"),
        (b"", ""),
    ],
)
def test_bytes_become_harmless_text(data: bytes | str, expected: str) -> None:
    assert expected == visible(data)


@pytest.mark.parametrize(
    ("data", "limit", "expected"),
    [
        (b"abcdefghij", 10, "abcdefghij"),
        (b"abcdefghijk", 10, "abcd..hijk"),
        ("가나다라마바사아자차카", 6, "가나..차카"),
        (b"abcdef", 3, "abc"),
        (b"x" * 10_000_000 + b"end", 8, "xxx..end"),
    ],
)
def test_a_long_value_is_cut_in_the_middle(data: bytes | str, limit: int, expected: str) -> None:
    assert expected == visible(data, limit)


@settings(max_examples=100, deadline=None)
@given(st.binary() | st.text(alphabet=st.characters(codec=None)), st.none() | st.integers(0, 60))
def test_no_control_or_format_character_survives(data: bytes | str, limit: int | None) -> None:
    shown = visible(data, limit)

    assert {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"}.isdisjoint({unicodedata.category(c) for c in shown})
    assert limit is None or len(shown) <= limit
