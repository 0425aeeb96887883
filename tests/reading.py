"""Reads a capture the way `replay` does, without its command line."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from inspect_cli.events.base import Entry
from inspect_cli.events.capture import HostsNamed
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import Connection
from inspect_cli.render import make_renderer
from inspect_cli.sources.file import CaptureFiles
from inspect_cli.timeline import Timeline


def read(
    path: Path | Sequence[Path], batch_bytes: int = 8 << 20, **options: Any
) -> tuple[list[Entry | Connection | HostsNamed], Tally]:
    """Every row of a capture, and its counts; our own faults raise."""
    paths = [path] if isinstance(path, Path) else path
    timeline = Timeline(strict=True, **options)
    rows: list[Entry | Connection | HostsNamed] = []
    with CaptureFiles([str(p) for p in paths], batch_bytes) as source:
        for item in source.items():
            rows += timeline.feed(item)
        timeline.tally.capture_drops = source.drops
        rows += timeline.close(complete=source.capture.complete is not False)
    return rows, timeline.tally


def shown(path: Path, form: str, lang: str, width: int = 80, *, verbose: bool = False) -> str:
    """What `replay` prints for a capture, in its folder."""
    timeline = Timeline(strict=True, verbose=verbose)
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    with contextlib.chdir(path.parent), CaptureFiles([path.name]) as source:
        renderer = make_renderer(
            form,
            out,
            lang=lang,
            width=width,
            color=False,
            ascii=False,
            redact=False,
            verbose=verbose,
            is_terminal=False,
            select=None,
        )
        renderer.begin(source.capture)
        for item in source.items():
            _show(renderer, timeline.feed(item))
        timeline.tally.capture_drops = source.drops
        _show(renderer, timeline.close(complete=source.capture.complete is not False))
        renderer.end(source.capture, timeline.tally)
    out.flush()
    buffer = out.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode()


def _show(renderer: Any, rows: Any) -> None:
    for row in rows:
        tell(renderer, row)


def tell(renderer: Any, row: Any) -> None:
    """Tell a renderer what a timeline gave."""
    if isinstance(row, Entry):
        renderer.entry(row)
    elif isinstance(row, HostsNamed):
        renderer.names(row)
    else:
        renderer.connection(row)
