"""What --check found, beneath the summary: rule, cookies, clause, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from inspect_cli.render.base import Finding
from inspect_cli.render.layout import Layout, Line
from inspect_cli.render.measure import shortened, widest, wrapped

_MOST: Final = 12
"""Cookies that are named for one rule."""
_LINES: Final = 6
"""That their names may take."""


def finding_lines(findings: Sequence[Finding], layout: Layout) -> Iterator[Line]:
    """A block for each rule: the cookies with the frames that show it, what is wrong, what to do."""
    count = sum(len(finding.cookies) for finding in findings)
    head = "  " + layout.say("view.summary.check", {}) + "  "
    yield []
    yield [(head, "heading"), (layout.say("view.said.check", {"findings": count, "rules": len(findings)}), "")]
    for finding in findings:
        yield from _beside(layout, "- ", "warning", _named(finding, layout), layout.fit(finding.reference))
        for mark, style, key in (("  ", "", "what"), ("> ", "note", "remedy")):
            text = layout.say(f"check.{finding.rule}.{key}", {})
            yield from _beside(layout, "  " + mark if key == "remedy" else mark, style, text)


def _named(finding: Finding, layout: Layout) -> str:
    names = [
        layout.say("view.said.cookie", {"name": name, "frames": frames}) for name, frames in finding.cookies[:_MOST]
    ]
    more = len(finding.cookies) - _MOST
    if more > 0:
        names.append(layout.say("view.overview.more", {"count": f"{more:,}", "capped": False}))
    return f"{finding.rule}: {', '.join(names)}"


def _beside(layout: Layout, mark: str, style: str, text: str, clause: str = "") -> Iterator[Line]:
    """A marked text, its clause at the right edge."""
    room = layout.width - 4 - len(mark)
    parts = wrapped(text, room, _LINES)
    for number, part in enumerate(parts):
        line: Line = [("    ", ""), (mark if number == 0 else " " * len(mark), style), (part, "")]
        if clause and number == len(parts) - 1:
            clause = shortened(clause, room)
            space = room - widest(part) - widest(clause)
            if space < 2:
                yield line
                line = [(" " * (layout.width - widest(clause)), "")]
            else:
                line.append((" " * space, ""))
            line.append((clause, "clause"))
        yield line
