from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies.dates import EARLIEST_NS, parse_date

NS = 1_000_000_000
FIRST = datetime(1601, 1, 1)  # noqa: DTZ001  hypothesis wants it so


def unix_ns(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * NS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"Wed, 09 Jun 2027 10:18:14 GMT", unix_ns(2027, 6, 9, 10, 18, 14)),
        (b"9-jun-70 1:2:3", unix_ns(1970, 6, 9, 1, 2, 3)),
        (b"9 jun 69 1:2:3", unix_ns(2069, 6, 9, 1, 2, 3)),
        (b"10:18:14abc 9th JUNE 1999x", unix_ns(1999, 6, 9, 10, 18, 14)),
        (b"1 Jan 1601 00:00:00", EARLIEST_NS),
        (b"1 Jan 1600 00:00:00", None),
        (b"31 Feb 2027 00:00:00", None),
        (b"1 Jan 2027 24:00:00", None),
        (b"1 Jan 2027 00:60:00", None),
        (b"1 Jan 2027 00:00:60", None),
        (b"0 Jan 2027 00:00:00", None),
        (b"1 Jan 20271 00:00:00", None),
        (b"Jan 2027 00:00:00", None),
        (b"", None),
    ],
)
def test_a_date_is_read_as_browsers_do(text: bytes, expected: int | None) -> None:
    """6265bis §5.1.1."""
    assert expected == parse_date(text)


@settings(max_examples=60, deadline=None)
@given(st.datetimes(min_value=FIRST))
def test_what_a_server_writes_comes_back(moment: datetime) -> None:
    text = moment.strftime("%a, %d %b ") + f"{moment.year:04} " + moment.strftime("%H:%M:%S GMT")
    expected = unix_ns(moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)
    assert expected == parse_date(text.encode())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_date_or_none(text: bytes) -> None:
    found = parse_date(text)
    assert found is None or found >= EARLIEST_NS
