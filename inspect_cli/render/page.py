"""What the views that are no timeline are made with: remarks with a clause, tables with columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final, NamedTuple, TextIO

from inspect_cli.render.base import Look, Sink
from inspect_cli.render.layout import NARROWEST, WIDEST, Line
from inspect_cli.render.measure import shortened, widest, wrapped
from inspect_cli.texts import Words, visible

MARK_STYLES: Final = {"+": "good", "-": "bad", "!": "warning", "*": "note", ".": "time", "=": "note"}
_LABEL: Final = 10
"""Cells that the label of a row may have on any terminal."""
NOTHING: Final = "."
"""Stands in a cell that has no value; an empty one goes on with what is at its left."""


class Cell(NamedTuple):
    """Text of a column, with a mark before it or none; `short` where there is no room for it."""

    text: str
    mark: str = ""
    short: str = ""

    @property
    def cells(self) -> int:
        return widest(self.text) + (2 if self.mark else 0)

    def fitting(self, room: int) -> str:
        """The text in so many cells, its mark included."""
        room -= 2 if self.mark else 0
        return shortened(self.short if self.short and widest(self.text) > room else self.text, room)


class Row(NamedTuple):
    """What a line of a table is about, and its columns. Equal cells side by side are written once."""

    label: str
    cells: Sequence[Cell]


class Page:
    """Lays out and writes text in one width and one language."""

    def __init__(self, out: TextIO, words: Words, look: Look) -> None:
        self.words = words
        self.width = max(NARROWEST, min(look.width, WIDEST))
        self._ascii = look.ascii
        self._color = look.color
        self._sink = Sink(out)

    def say(self, key: str, **data: object) -> str:
        """Words, fit to print."""
        return self.fit(self.words.say(key, data))

    def label(self, group: str, value: object) -> str:
        """The word of all views for a value."""
        return self.fit(self.words.label(group, value))

    def word(self, group: str, value: str) -> str:
        """The word of these views for a value; one without a word shows itself."""
        key = f"cookie.{group}.{value}"
        return self.say(key) if self.words.has(key) else self.fit(value)

    def fit(self, text: str) -> str:
        """Text as it may be printed: harmless, and in ASCII marks if so asked."""
        text = visible(text)
        return text.replace("§", "sec. ") if self._ascii else text

    def write(self, lines: Sequence[Line]) -> None:
        """Write lines, and let nothing wait."""
        if self._color:
            from inspect_cli.render.terminal import painted as show
        else:
            from inspect_cli.render.plain import written as show
        self._sink.say("".join([show(line) + "\n" for line in lines]))
        self._sink.flush()

    def text(self, said: str, style: str = "", indent: int = 0, hang: int = 0, most: int | None = None) -> list[Line]:
        """A sentence in lines; those behind the first stand `hang` cells further in."""
        first, *rest = wrapped(said, self.width - indent - hang, most)
        lines: list[Line] = [[(" " * indent, ""), (first, style)]]
        return lines + [[(" " * (indent + hang), ""), (part, style)] for part in rest]

    def remark(self, mark: str, said: str, clause: str = "", indent: int = 0) -> list[Line]:
        """A mark and a sentence, the clause at the right edge.

        A `§` counts two cells there: a terminal that draws it so must not break the line.
        """
        room = self.width - indent - 2
        parts = wrapped(said, room)
        lines: list[Line] = [[(" " * (indent + 2) + part, "")] for part in parts]
        lines[0] = [(" " * indent, ""), (mark, MARK_STYLES.get(mark, "")), (" " + parts[0], "")]
        if not clause:
            return lines
        clause = shortened(clause, room)
        space = room - widest(parts[-1]) - widest(clause)
        if space < 2:
            lines.append([(" " * (self.width - widest(clause)), ""), (clause, "clause")])
        else:
            lines[-1] += [(" " * space, ""), (clause, "clause")]
        return lines

    def table(self, heads: Sequence[str], rows: Sequence[Row]) -> list[Line]:
        """A line of heads and one for each row, no line wider than the page.

        Columns that do not fit beside each other stand in further tables beneath.
        """
        left = min(max([widest(row.label) for row in rows], default=0), max(self.width // 6, _LABEL)) + 1
        column, at_once = self._columns(heads, rows, self.width - left)
        lines: list[Line] = []
        for start in range(0, len(heads), at_once):
            some = heads[start : start + at_once]
            gap = min(3, (self.width - left) // len(some) - column)
            lines += [[]] if start else []
            lines.append([(" " * left, ""), *_in_columns([Cell(head) for head in some], column, gap, "heading")])
            for row in rows:
                label = shortened(row.label, left - 1)
                cells = row.cells[start : start + at_once]
                head: Line = [(label + " " * (left - widest(label)), "")]
                lines.append(head + _in_columns(cells, column, gap, ""))
        return lines

    @staticmethod
    def _columns(heads: Sequence[str], rows: Sequence[Row], room: int) -> tuple[int, int]:
        """Cells of each column, and how many of them stand beside each other.

        What heads and marked cells need they get; other cells what room is left.
        """
        marked = [cell.cells for row in rows for cell in row.cells if cell.mark]
        shared = [-(-cell.cells // count) for row in rows for cell, count in _runs(row.cells) if not cell.mark]
        least = min(max(1, *map(widest, heads), *marked), room - 1)
        at_once = max(1, min(len(heads), room // (least + 1)))
        return max(least, min(max(shared, default=0), room // at_once - 1)), at_once


def _runs(cells: Sequence[Cell]) -> Iterator[tuple[Cell, int]]:
    """Cells, and over how many columns each goes: equal ones side by side are one, marked ones each."""
    for cell, same in groupby(cells):
        count = len(list(same))
        yield from [(cell, 1)] * count if cell.mark or cell.text == NOTHING else [(cell, count)]


def _in_columns(cells: Sequence[Cell], column: int, gap: int, style: str) -> Line:
    """Cells in their columns; equal ones side by side once, with the room of all of them, marked ones each."""
    line: Line = []
    for cell, count in [(cell, 1) for cell in cells] if style else _runs(cells):
        room = count * (column + gap) - gap
        text = cell.fitting(room)
        line.append((" " * gap, ""))
        if cell.mark:
            line += [(cell.mark, MARK_STYLES.get(cell.mark, "")), (" ", "")]
            room -= 2
        line.append((text + " " * (room - widest(text)), style or ("time" if text == NOTHING else "")))
    return line
