"""Tables and remarks of the views that are no timeline."""

from __future__ import annotations

import io

import pytest

from inspect_cli.render.base import Look
from inspect_cli.render.page import NOTHING, Cell, Page, Row
from inspect_cli.texts import Words

YES, NO, NONE = Cell("yes", "+"), Cell("no", "-"), Cell(NOTHING)


def page(width: int = 80, *, ascii: bool = False) -> Page:  # noqa: A002 - named as the option is
    return Page(io.StringIO(), Words("en", strict=True), Look(width=width, ascii=ascii))


def text(lines: list[list[tuple[str, str]]]) -> list[str]:
    return ["".join(part for part, _ in line).rstrip() for line in lines]


def test_what_columns_share_is_written_once_and_marks_stand_in_each() -> None:
    rows = [
        Row("stored", [NO, YES, YES, YES]),
        Row("  host", [NONE, Cell("www.shop.example only"), Cell("www.shop.example only"), Cell("other")]),
        Row("  path", [NONE, NONE, Cell("/"), Cell("/")]),
    ]

    assert text(page().table(["one", "two", "three", "four"], rows)) == [
        "          one           two           three         four",
        "stored    - no          + yes         + yes         + yes",
        "  host    .             www.shop.example only       other",
        "  path    .             .             /",
    ]


def test_a_cell_without_room_takes_its_short_form() -> None:
    rows = [Row("lifetime", [Cell("until the browser closes", short="session"), Cell("400 days"), YES])]

    assert text(page(40).table(["a", "b", "c"], rows))[1].split() == ["lifetime", "session", "400", "days", "+", "yes"]


@pytest.mark.parametrize("width", range(40, 101, 7))
def test_columns_that_do_not_fit_stand_beneath(width: int) -> None:
    names = [f"profile{n}xx" for n in range(9)]
    lines = text(page(width).table(names, [Row("a label that is long", [YES] * 9)]))

    assert max(map(len, lines)) <= width
    assert names == [word for line in lines for word in line.split() if word.startswith("profile")]
    assert 9 == sum(line.count("+ yes") for line in lines)


def test_a_clause_stands_at_the_right_edge_or_beneath() -> None:
    short = text(page(40).remark("-", "no", "RFC 1 §2"))
    long = text(page(40).remark("-", "a sentence that needs the whole line", "RFC 1 §2"))

    # One cell short: a terminal may draw the section sign two cells wide.
    assert ["- no" + " " * 27 + "RFC 1 §2"] == short
    assert ["- a sentence that needs the whole line", " " * 31 + "RFC 1 §2"] == long


def test_text_is_harmless_and_ascii_where_that_is_asked() -> None:
    assert "\\x1b[31m sec. 1" == page(ascii=True).fit("\x1b[31m §1")
