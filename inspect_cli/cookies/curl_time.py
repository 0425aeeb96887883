"""Dates as curl reads them (its parsedate): words and numbers in nearly any order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

_SKIP: Final = re.compile(rb"[^A-Za-z0-9]+")
_NAME: Final = re.compile(rb"[A-Za-z]+")
_DIGITS: Final = re.compile(rb"[0-9]+")
_TIME: Final = re.compile(rb"([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2}))?")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LONGEST_NAME: Final = 12
_PARTS: Final = 6
"""How many words and numbers it looks at."""
_LARGEST: Final = 99_999_999
_EPOCH_DAYS: Final = date(1970, 1, 1).toordinal()

_ZONES_MIN: Final = {
    b"GMT": 0, b"UTC": 0, b"WET": 0, b"BST": -60, b"WAT": 60, b"AST": 240, b"ADT": 180, b"EST": 300, b"EDT": 240,
    b"CST": 360, b"CDT": 300, b"MST": 420, b"MDT": 360, b"PST": 480, b"PDT": 420, b"YST": 540, b"YDT": 480,
    b"HST": 600, b"HDT": 540, b"CAT": 600, b"AHST": 600, b"NT": 660, b"UT": 0, b"IDLW": 720, b"CET": -60,
    b"MET": -60, b"MEWT": -60, b"MEST": -120, b"CEST": -120, b"MESZ": -120, b"FWT": -60, b"FST": -120,
    b"EET": -120, b"WAST": -420, b"WADT": -480, b"CCT": -480, b"JST": -540, b"EAST": -600, b"EADT": -660,
    b"GST": -600, b"NZT": -720, b"NZST": -720, b"NZDT": -780, b"IDLE": -720,
}  # fmt: skip
"""Minutes to add for UTC; upper case only."""
_LETTERS: Final = b"YXWVUTSRQPON.ZABCDEFGHIKLM"
"""Military zones: one hour for each place from Z, J is none."""


@dataclass(slots=True)
class _When:
    weekday: bool = False
    month: int | None = None
    day: int | None = None
    year: int | None = None
    clock_s: int | None = None
    zone_s: int | None = None
    year_next: bool = False


def curl_time(text: bytes) -> int | None:
    """Unix seconds of a date; None where it is none."""
    when = _When()
    at = 0
    for _ in range(_PARTS):
        if skipped := _SKIP.match(text, at):
            at = skipped.end()
        if at >= len(text):
            break
        end = _name(text, at, when) if text[at : at + 1].isalpha() else _number(text, at, when)
        if end is None:
            return None
        at = end
    return _unix(when)


def _name(text: bytes, at: int, when: _When) -> int | None:
    found = _NAME.match(text, at)
    assert found is not None
    word = found[0]
    if len(word) >= _LONGEST_NAME:
        return None
    low = word.lower().decode("ascii")
    if not when.weekday and any(low == day or low == day[:3] for day in _DAYS):
        when.weekday = True
    elif when.month is None and low in _MONTHS:
        when.month = _MONTHS.index(low) + 1
    elif when.zone_s is None and (zone := _zone_s(word)) is not None:
        when.zone_s = zone
    else:
        return None
    return found.end()


def _zone_s(word: bytes) -> int | None:
    if len(word) == 1:
        place = _LETTERS.find(word)
        return None if place < 0 else (13 - place) * 3600
    minutes = _ZONES_MIN.get(word)
    return None if minutes is None else minutes * 60


def _number(text: bytes, at: int, when: _When) -> int | None:
    if when.clock_s is None and (clock := _clock(text, at)) is not None:
        when.clock_s, end = clock
        return end
    found = _DIGITS.match(text, at)
    assert found is not None
    digits, value = found[0], int(found[0][:20])
    if value > _LARGEST or len(digits) > 20:
        return None
    if when.zone_s is None and len(digits) == 4 and value <= 1400 and text[at - 1 : at] in (b"+", b"-"):
        offset_s = (value // 100 * 60 + value % 100) * 60
        when.zone_s = -offset_s if text[at - 1 : at] == b"+" else offset_s
        return found.end()
    if len(digits) == 8 and when.year is None and when.month is None and when.day is None:
        when.year, when.month, when.day = value // 10_000, value % 10_000 // 100, value % 100
        return found.end()
    return found.end() if _day_or_year(value, when) else None


def _day_or_year(value: int, when: _When) -> bool:
    if not when.year_next and when.day is None:
        if 0 < value < 32:
            when.day = value
            when.year_next = True
            return True
        when.year_next = True
    if not when.year_next or when.year is not None:
        return False
    when.year = value if value >= 100 else value + (1900 if value > 70 else 2000)
    if when.day is None:
        when.year_next = False
    return True


def _clock(text: bytes, at: int) -> tuple[int, int] | None:
    found = _TIME.match(text, at)
    if found is None:
        return None
    hour, minute, second = int(found[1]), int(found[2]), int(found[3] or 0)
    if hour > 23 or minute > 59 or second > 60:
        return None
    return (hour * 60 + minute) * 60 + second, found.end()


def _unix(when: _When) -> int | None:
    if when.day is None or when.month is None or when.year is None or when.year < 1583:
        return None
    if when.day > 31 or when.month > 12:
        return None
    return _days(when.year, max(when.month, 1), when.day) * 86_400 + (when.clock_s or 0) + (when.zone_s or 0)


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970; years that `datetime` does not know repeat every 400."""
    ages, within = divmod(year - 1, 400)
    return date(within + 1, month, 1).toordinal() + ages * 146_097 - _EPOCH_DAYS + day - 1
