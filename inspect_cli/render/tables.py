"""Tables of the overview: a name and its numbers, as wide as needed and no wider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from inspect_cli.render.layout import Layout, Line
from inspect_cli.render.measure import shortened, widest, width, wrapped

_INDENT: Final = "  "
_NARROWEST: Final = 12
"""Cells of a name; columns that leave it less are left out, the last first."""


class Row(NamedTuple):
    """A name and its cells."""

    name: str
    cells: Sequence[str]


class Tables:
    """Lays out tables in the width and the words of a layout."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def say(self, key: str, **data: object) -> str:
        """Words of the overview."""
        return self._layout.say(f"view.overview.{key}", data)

    def label(self, group: str, value: str) -> str:
        return self._layout.say(f"label.{group}.{value}", {})

    def table(self, head: str, heads: Sequence[str], rows: Sequence[Row], more: str = "") -> list[Line]:
        """A heading, a line for each row, and what is not listed; no lines without rows."""
        if not rows:
            return []
        names = [self._layout.fit(row.name) for row in rows]
        columns = [max(widest(heads[n]), *(widest(row.cells[n]) for row in rows)) for n in range(len(heads))]
        while columns and self._layout.width - len(_INDENT) - sum(columns) - 2 * len(columns) < _NARROWEST:
            columns.pop()
        room = self._layout.width - len(_INDENT) - sum(columns) - 2 * len(columns)
        names = [shortened(name, room) for name in names]
        left = max(widest(head) - len(_INDENT), *map(widest, names))
        lines: list[Line] = [
            [(_padded(head, min(left, room) + len(_INDENT)), "heading"), *_cells(heads, columns, "time")]
        ]
        lines += [
            [(_INDENT + _padded(name, left), ""), *_cells(row.cells, columns, "")]
            for name, row in zip(names, rows, strict=True)
        ]
        return lines + (self.text(more) if more else [])

    def pairs(self, head: str, rows: Sequence[Row]) -> list[Line]:
        """A heading, and beside each name a sentence."""
        names = [self._layout.fit(row.name) for row in rows]
        left = min(max(map(widest, names)), self._layout.width // 2)
        lines: list[Line] = [[(part, "heading")] for part in wrapped(head, self._layout.width)]
        for name, row in zip(names, rows, strict=True):
            room = self._layout.width - len(_INDENT) - left - 2
            parts = wrapped(row.cells[0], room)
            if widest(name) > left:  # above its sentence
                lines.append([(_INDENT + shortened(name, self._layout.width - len(_INDENT)), "text")])
            else:
                lines.append([(_INDENT + _padded(name, left), "text"), ("  " + parts.pop(0), "")])
            lines += [[(" " * (len(_INDENT) + left + 2) + part, "")] for part in parts]
        return lines

    def text(self, said: str) -> list[Line]:
        """A sentence beneath a table."""
        return [[(_INDENT + part, "time")] for part in wrapped(said, self._layout.width - len(_INDENT))]


def _padded(text: str, cells: int) -> str:
    return text + " " * (cells - widest(text))


def _cells(cells: Sequence[str], columns: Sequence[int], style: str) -> Line:
    """The cells in their columns, at the right."""
    return [("  " + " " * (column - width(cell)) + cell, style) for cell, column in zip(cells, columns, strict=False)]
