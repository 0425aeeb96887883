"""The text view for terminals: the same layout with colours, by rich.

Only named ANSI colours, which each terminal shows as its theme means them, light or dark;
text itself keeps the terminal's own colour, and every coloured thing has a shape or a word.
Text is never read as rich's markup: styles are put around it, piece by piece.
"""

from __future__ import annotations

from typing import Final

from rich.color import ColorSystem
from rich.style import Style

from inspect_cli.render.layout import Line
from inspect_cli.render.plain import PlainRenderer

_STYLES: Final[dict[str, Style]] = {
    "heading": Style.parse("bold"),
    "text": Style.parse("bold"),
    "time": Style.parse("dim"),
    "clause": Style.parse("dim"),
    "client": Style.parse("cyan"),
    "server": Style.parse("magenta"),
    "good": Style.parse("bold green"),
    "bad": Style.parse("bold magenta"),
    "warning": Style.parse("bold red"),
    "note": Style.parse("cyan"),
}


class TerminalRenderer(PlainRenderer):
    """PlainRenderer in colour."""

    def paint(self, line: Line) -> str:
        return painted(line)


def painted(line: Line) -> str:
    """A line in colour."""
    pieces = [
        _STYLES[style].render(text, color_system=ColorSystem.STANDARD) if style in _STYLES else text
        for text, style in line
    ]
    return "".join(pieces).rstrip(" ")
