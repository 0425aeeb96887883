"""How wide text is on a terminal, and lines that fit.

Every text of the text views is measured here. Characters of "ambiguous" East Asian Width
(`§`, `é`) take one cell on most terminals and two on some Korean ones: what must fit is
measured with two, what must align with one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from inspect_cli.texts.escape import ELLIPSIS

_PIECES: Final = re.compile(r" +|[^ ]+")


def width(text: str) -> int:
    """Cells of one line of text where ambiguous characters take one."""
    return len(text) if text.isascii() else sum([_cells(char)[0] for char in text])


def widest(text: str) -> int:
    """Cells of one line of text on the least lucky terminal."""
    return len(text) if text.isascii() else sum([_cells(char)[1] for char in text])


@lru_cache(maxsize=4096)
def _cells(char: str) -> tuple[int, int]:
    """Usual and greatest number of cells of a character."""
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0, 0
    kind = unicodedata.east_asian_width(char)
    if kind in ("W", "F"):
        return 2, 2
    return 1, 2 if kind == "A" else 1


def shortened(text: str, room: int) -> str:
    """`text`, cut in the middle if it is wider than `room` cells."""
    if widest(text) <= room:
        return text
    if room <= len(ELLIPSIS):
        return ELLIPSIS[:room]
    kept = room - len(ELLIPSIS)
    head = _fitting(text, (kept + 1) // 2)
    tail = _fitting(text[: -len(text) - 1 : -1], kept // 2)
    return text[:head] + ELLIPSIS + (text[-tail:] if tail else "")


def wrapped(text: str, room: int, most: int | None = None) -> list[str]:
    """`text` in lines of at most `room` cells, broken at spaces where possible; at least one.

    `most`: what would need more lines than this is cut in the middle.
    """
    room = max(room, 2)  # a character of two cells must fit
    if widest(text) <= room:
        return [text]
    if most is not None:
        text = shortened(text, room * most)
    lines: list[str] = []
    line, left = "", room
    for piece in _PIECES.findall(text):
        size = widest(piece)
        if size <= left:
            line, left = line + piece, left - size
        elif piece[0] == " ":
            # The spaces at which a line breaks are not seen, so they go.
            lines.append(line)
            line, left = "", room
        elif size <= room:
            lines.append(line.rstrip(" "))
            line, left = piece, room - size
        else:
            if left < room // 3:
                lines.append(line.rstrip(" "))
                line, left = "", room
            first, *middle, last = _chopped(piece, left, room)
            lines += [line + first, *middle]
            line, left = last, room - widest(last)
    if line or not lines:
        lines.append(line)
    return lines


def _chopped(word: str, first: int, room: int) -> list[str]:
    """A word wider than a line in parts: one of `first` cells at most, then of `room`; at least two."""
    parts: list[str] = []
    start, left = 0, first
    for at, char in enumerate(word):
        left -= _cells(char)[1]
        if left < 0:
            parts.append(word[start:at])
            start, left = at, room - _cells(char)[1]
    parts.append(word[start:])
    return parts


def _fitting(text: str, room: int) -> int:
    """How many leading characters fit into `room` cells."""
    used = 0
    for count, char in enumerate(text):
        used += _cells(char)[1]
        if used > room:
            return count
    return len(text)
