"""Dates as curl reads them; tests/cookies/test_like_curl.py compares made ones with the real one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_cli.cookies.curl_time import curl_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
        (b"Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
        (b"Sun Nov  6 08:49:37 1994", 784_111_777),
        (b"1994.Nov.6", 784_080_000),
        (b"GMT 08:49:37 06-Nov-94 Sunday", 784_111_777),
        (b"Sat, 11 Sep 2004 21:32:11 -0500", 1_094_956_331),
        (b"20040912 15:05:58 -0700", 1_095_026_758),
        (b"06 Nov 1994 08:49:37 EST", 784_129_777),
        (b"06 Nov 1994 08:49:37 A", 784_108_177),
        (b"1 Jan 70", 3_155_760_000),
        (b"1 Jan 71", 31_536_000),
        (b"30 Feb 2027", 1_803_945_600),
        (b"1 Jan 1582", None),
        (b"1 2 Jan 2027", None),
        (b"Jan 2027", None),
        (b"noon", None),
        (b"", None),
    ],
)
def test_words_and_numbers_in_any_order(text: bytes, expected: int | None) -> None:
    assert expected == curl_time(text)


@given(st.binary(max_size=60))
def test_any_octets_are_a_date_or_none(text: bytes) -> None:
    found = curl_time(text)
    assert found is None or isinstance(found, int)
