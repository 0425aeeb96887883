"""Cookie dates (6265bis §5.1.1): what any server ever wrote, read the way browsers do."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

_DELIMITERS = re.compile(rb"[\t\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(rb"([0-9]{1,2}):([0-9]{1,2}):([0-9]{1,2})(?![0-9])")
_DAY = re.compile(rb"([0-9]{1,2})(?![0-9])")
_YEAR = re.compile(rb"([0-9]{2,4})(?![0-9])")
_MONTHS = {
    name: number
    for number, name in enumerate(
        (
            b"jan",
            b"feb",
            b"mar",
            b"apr",
            b"may",
            b"jun",
            b"jul",
            b"aug",
            b"sep",
            b"oct",
            b"nov",
            b"dec",
        ),
        1,
    )
}
_EPOCH_DAYS = date(1970, 1, 1).toordinal()
_NS = 1_000_000_000

EARLIEST_NS = (date(1601, 1, 1).toordinal() - _EPOCH_DAYS) * 86_400 * _NS
"""The earliest date that a cookie can carry here, as Unix ns (negative)."""


def parse_date(value: bytes, *, early_expire: bool = False) -> int | None:
    """Unix time in ns of a cookie-date, None where it fails to parse.

    `early_expire`: a year before 1601 is the earliest date there is, no failure.
    """
    return (_kept_date if len(value) <= _LONGEST_KEPT else _date)(value, early_expire)


def _date(value: bytes, early_expire: bool) -> int | None:
    time: tuple[int, int, int] | None = None
    day = month = year = None
    for token in _DELIMITERS.split(value):
        # §5.1.1 step 2: each token is the first of these that fits and was not found yet.
        if time is None and (match := _TIME.match(token)):
            time = (int(match[1]), int(match[2]), int(match[3]))
        elif day is None and (match := _DAY.match(token)):
            day = int(match[1])
        elif month is None and (number := _MONTHS.get(token[:3].lower())):
            month = number
        elif year is None and (match := _YEAR.match(token)):
            year = int(match[1])
    if time is None or day is None or month is None or year is None:
        return None
    if year < 100:
        year += 1900 if year >= 70 else 2000  # steps 3 and 4
    hour, minute, second = time
    if year < 1601 and early_expire:
        return EARLIEST_NS
    if year < 1601 or hour > 23 or minute > 59 or second > 59:
        return None  # step 5
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAYS
    except ValueError:  # step 6: no such date exists
        return None
    return (days * 86_400 + hour * 3600 + minute * 60 + second) * _NS


_LONGEST_KEPT = 64
"""Octets of a date that is kept with what was read from it."""
_kept_date = lru_cache(maxsize=1024)(_date)
