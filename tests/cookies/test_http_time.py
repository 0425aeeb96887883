"""Dates as http.cookiejar reads them."""

from __future__ import annotations

import http.cookiejar
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.cookies.http_time import UnknownMonth, http_time
from tests.cookies.oracles.lines import dates

_DAY = st.sampled_from(("01", "1", "31", "00", "32"))
_MONTH = st.sampled_from(("Jan", "jAN", "Jxx", "5", "13", "Sep", "1_0"))
_YEAR = st.sampled_from(("2031", "31", "99", "76", "1969", "1970", "10000", "9999", "012031", "0"))
_CLOCK = st.sampled_from((" 10:20:30", " 10:20", ":24:00:61", " 25:00:00", " 1:02", ""))
_ZONE = st.sampled_from((" GMT", "utc", " +0100", " -08", "+09:30", " EST", "Z", "", " GMT (abc)", " PM"))
_WEEKDAY = st.sampled_from(("Wed, ", "Wednesday, ", "", "Wed ", "Foo, "))
_GAP = st.sampled_from((" ", "-", "/", "  "))
FORMS = st.tuples(_WEEKDAY, _DAY, _GAP, _MONTH, _GAP, _YEAR, _CLOCK, _ZONE).map("".join)


@given(FORMS | dates.map(bytes.decode) | st.text(max_size=40))
@settings(max_examples=300, derandomize=True)
def test_a_date_is_read_as_http_cookiejar_reads_it(text: str) -> None:
    now_s = int(time.time())
    try:
        expected = http.cookiejar.http2time(text)  # type: ignore[attr-defined]
    except ValueError:
        with pytest.raises(UnknownMonth):
            http_time(text, now_s)
    else:
        assert expected == http_time(text, now_s)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thu, 01 Jan 1970 00:00:01 GMT", 1),
        ("01 Jan 27", 1_798_761_600),
        ("01 Jan 99", 915_148_800),
        ("01 Jan 2027 00:00 +0100", 1_798_758_000),
        ("Wed Jan  6 08:49:37 2027", None),
        ("01 Jan 1969", None),
    ],
)
def test_two_digits_are_the_nearest_year_and_asctime_is_no_date(text: str, expected: int | None) -> None:
    assert expected == http_time(text, 1_795_000_000)
