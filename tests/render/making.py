"""Rows made by hand, so that a layout is held by its own words alone."""

from __future__ import annotations

from typing import Any

from inspect_cli.render.base import Look
from inspect_cli.render.layout import Layout, Line
from inspect_cli.render.rows import AnnotationRow, EntryRow
from inspect_cli.texts import Words


def layout(width: int = 80, lang: str = "en", **look: Any) -> Layout:
    return Layout(Words(lang), Look(lang=lang, width=width, **look))


def text(lines: list[Line]) -> list[str]:
    return ["".join(piece for piece, _ in line).rstrip() for line in lines]


def row(number: int, said: str, side: str | None = "client", **keys: Any) -> EntryRow:
    made: dict[str, Any] = {
        "number": number,
        "parent": None,
        "time_ns": 1_000_000 * number,
        "frames": [number],
        "channel": "tcp/0",
        "side": side,
        "layer": "tcp",
        "kind": "made-up",
        "basis": "observed",
        "text": said,
        "fields": {},
        "annotations": [],
    }
    return {**made, **keys}  # type: ignore[typeddict-item]


def note(said: str, reference: str = "RFC 9293 §3.5", concept: str = "made-up-too", **keys: Any) -> AnnotationRow:
    made: dict[str, Any] = {
        "concept": concept,
        "code": f"{concept}.{said}",
        "level": "info",
        "basis": "observed",
        "data": {},
        "text": said,
        "frames": [1],
        "span": None,
        "reference": reference,
    }
    return {**made, **keys}  # type: ignore[typeddict-item]
