"""Values as people read them."""

from __future__ import annotations

import pytest

from inspect_cli.texts import formats


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (b"\x1b", "\\x1b"),
        ("\x1b", "\\x1b"),
        (None, ""),
        (5, "5"),
        (("a", b"b"), "a, b"),
        ([(b"Path", b"/"), (b"Secure", b"")], "Path=/, Secure"),
        ((), ""),
    ],
)
def test_any_value_is_one_line(value: object, expected: str) -> None:
    assert expected == formats.plain(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0.000 ms"),
        (40_123, "0.040 ms"),
        (12_340_000, "12.3 ms"),
        (1_234_000_000, "1,234 ms"),
        (95_100_000_000, "95.1 s"),
        (-40_000, "-0.040 ms"),
        (None, ""),
    ],
)
def test_nanoseconds_are_milliseconds(value: object, expected: str) -> None:
    assert expected == formats.milliseconds(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (4, "#4"),
        ((4,), "#4"),
        ((4, None, 6), "#4 #6"),
        ((), ""),
        (tuple(range(1, 100)), "#1 #2 #3 .. #99"),
        ("odd", "odd"),
    ],
)
def test_frames_are_numbers_with_a_hash(value: object, expected: str) -> None:
    assert expected == formats.frames(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "1970-01-01 00:00:00 UTC"),
        (-1_000_000_000, "1969-12-31 23:59:59 UTC"),
        (10**30, "@1,000,000,000,000,000,000,000"),
        ("never", "never"),
    ],
)
def test_a_moment_is_utc(value: object, expected: str) -> None:
    assert expected == formats.moment(value)


def test_flags_stand_apart() -> None:
    assert ["SYN, ACK", ""] == [formats.flags(v) for v in ("SYN,ACK", None)]


def test_what_is_no_list_is_joined_with_nothing() -> None:
    assert ["a; b=1", "a"] == [formats.joined(("a", (b"b", b"1")), "; "), formats.joined("a")]


def test_bytes_and_numbers_are_hexadecimal() -> None:
    assert ["37fa213d", "0x1f", "x"] == [formats.hexadecimal(v) for v in (b"\x37\xfa\x21\x3d", 31, "x")]


def test_a_count_has_its_noun() -> None:
    show = formats.counted("request", "requests")

    assert ["0 requests", "1 request", "3,000 requests", "many requests"] == [show(v) for v in (0, 1, 3000, "many")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, ("1", False)),
        (65536, ("65,536", False)),
        (200_000, ("195.3 KiB", True)),
        (5 << 20, ("5.0 MiB", True)),
        ("x", ("x", False)),
    ],
)
def test_a_size_is_exact_while_small(value: object, expected: tuple[str, bool]) -> None:
    assert expected == formats.size(value)


def test_cut_keeps_both_ends() -> None:
    assert ["aaa..zzz", "1"] == [formats.cut(8)(v) for v in (b"aaa" * 50 + b"zzz", 1)]
