"""Dates as http.cookiejar reads them (its http2time): looser than browsers in form, stricter in order."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Final

_STRICT: Final = re.compile(
    r"[SMTWF][a-z][a-z], ([0-9]{2}) ([JFMASOND][a-z][a-z]) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT\n?"
)
_WEEKDAY: Final = re.compile(r"\A(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat)[a-z]*,?\s*", re.IGNORECASE | re.ASCII)
_LOOSE: Final = re.compile(
    r"([0-9]{1,2})(?:\s+|[-/])(\w+)(?:\s+|[-/])([0-9]+)"  # day, month, year
    r"(?:(?:\s+|:)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?\s*"  # clock
    r"(?:([-+]?[0-9]{2,4}|(?![APap][Mm]\b)[A-Za-z]+)\s*)?"  # zone
    r"(?:\(\w+\)\s*)?\n?",
    re.ASCII,
)
_ZONE: Final = re.compile(r"([-+])?([0-9]{1,2}):?([0-9]{2})?")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EPOCH_DAYS: Final = date(1970, 1, 1).toordinal()


class UnknownMonth(ValueError):
    """A date in the strict form with a month that is none: http.cookiejar raises there."""


def http_time(text: str, now_s: int) -> int | None:
    """Unix seconds of a date; None where it is none, or before 1970. `now_s` decides two-digit years.

    Raises UnknownMonth.
    """
    if found := _STRICT.match(text):
        day, month, year, hour, minute, second = found.groups()
        if month.lower() not in _MONTHS:
            raise UnknownMonth(text)
        return _unix(int(year), _MONTHS.index(month.lower()) + 1, int(day), int(hour), int(minute), int(second))
    loose = _LOOSE.fullmatch(_WEEKDAY.sub("", text.lstrip(), count=1))
    return None if loose is None else _read(*loose.groups(), now_s=now_s)


def _read(
    day: str, month: str, year: str, hour: str | None, minute: str | None, second: str | None, zone: str | None,
    *, now_s: int,
) -> int | None:  # fmt: skip
    number = _month(month)
    digits = year.lstrip("0") or "0"
    if number is None or len(digits) > 4:
        return None
    found = _unix(_century(int(digits), now_s), number, int(day), int(hour or 0), int(minute or 0), int(second or 0))
    if found is None:
        return None
    offset_s = _offset_s((zone or "UTC").upper())
    return None if offset_s is None else found - offset_s


def _month(text: str) -> int | None:
    if text.lower() in _MONTHS:
        return _MONTHS.index(text.lower()) + 1
    try:
        number = int(text)  # as http.cookiejar: `1_0` is a number too
    except ValueError:
        return None
    return number if 1 <= number <= 12 else None


def _century(year: int, now_s: int) -> int:
    """Years below 1000 are taken for the nearest one that ends so."""
    if year >= 1000:
        return year
    this = datetime.fromtimestamp(now_s, UTC).year
    found = year + this - this % 100
    apart = this % 100 - year
    if abs(apart) > 50:
        found += 100 if apart > 0 else -100
    return found


def _offset_s(zone: str) -> int | None:
    if zone in ("GMT", "UTC", "UT", "Z"):
        return 0
    found = _ZONE.fullmatch(zone)
    if found is None:
        return None
    sign, hours, minutes = found.groups()
    return (-1 if sign == "-" else 1) * (3600 * int(hours) + 60 * int(minutes or 0))


def _unix(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int | None:
    if year < 1970 or not (1 <= day <= 31 and hour <= 24 and minute <= 59 and second <= 61):
        return None
    if year > 9999:
        return None
    days = date(year, month, 1).toordinal() - _EPOCH_DAYS + day - 1
    return ((days * 24 + hour) * 60 + minute) * 60 + second
