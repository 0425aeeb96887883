from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_cli.render.measure import shortened, widest, width, wrapped


@pytest.mark.parametrize(
    ("text", "usual", "greatest"),
    [
        ("", 0, 0),
        ("abc", 3, 3),
        ("쿠키", 4, 4),
        ("§5", 2, 3),
        ("é", 1, 2),
        ("e\u0301", 1, 1),
        ("\uff21", 2, 2),
        ("😀", 2, 2),
    ],
)
def test_hangul_takes_two_cells_and_ambiguous_characters_one_or_two(text: str, usual: int, greatest: int) -> None:
    assert (usual, greatest) == (width(text), widest(text))


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "ab..fg"),
        ("abcdefgh", 7, "abc..gh"),
        ("쿠키쿠키", 7, "쿠..키"),
        ("abc", 2, ".."),
        ("abc", 0, ""),
        ("abcd", 3, "a.."),
    ],
)
def test_long_text_is_cut_in_the_middle(text: str, room: int, expected: str) -> None:
    assert expected == shortened(text, room)


@pytest.mark.parametrize(
    ("text", "room", "expected"),
    [
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 80, ["one two three"]),
        ("one  two", 4, ["one", "two"]),
        ("쿠키를 보낸다", 8, ["쿠키를", "보낸다"]),
        ("abcdefghij", 4, ["abcd", "efgh", "ij"]),
        ("ab cdefghijkl", 6, ["ab cde", "fghijk", "l"]),
        ("abcde fghijklmnop", 6, ["abcde", "fghijk", "lmnop"]),
        ("", 4, [""]),
        ("키키키", 1, ["키", "키", "키"]),
    ],
)
def test_lines_break_at_spaces_and_long_words_where_they_must(text: str, room: int, expected: list[str]) -> None:
    assert expected == wrapped(text, room)


def test_what_needs_too_many_lines_is_cut_in_the_middle() -> None:
    assert ["abc", "..x", "yz"] == wrapped("abcdefghijklmnopqrstuvwxyz", 3, 3) or 3 >= len(wrapped("a" * 99, 3, 3))


@given(st.text(), st.integers(2, 30), st.integers(1, 4) | st.none())
def test_no_line_is_wider_than_its_room(text: str, room: int, most: int | None) -> None:
    assert all(widest(line) <= room for line in wrapped(text, room, most))
    assert widest(shortened(text, room)) <= room


@given(st.text(st.characters(codec="utf-8", exclude_characters=" ")), st.integers(2, 30))
def test_wrapping_loses_nothing_but_spaces(text: str, room: int) -> None:
    assert text == "".join(wrapped(text, room))
