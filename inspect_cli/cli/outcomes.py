"""How connections end, read before anything is shown: a filter may ask for it at their first row."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspect_cli.events.tcp import Connection


def reader_of(files: Sequence[str]) -> Callable[[], Iterator[Connection]] | None:
    """What reads the connections of these files; None where they cannot be read twice (a pipe)."""
    return (lambda: _connections(files)) if all(os.path.isfile(name) for name in files) else None


def _connections(files: Sequence[str]) -> Iterator[Connection]:
    """As `--summary` reads: counts and connections, no entries."""
    from inspect_cli.events.tcp import Connection
    from inspect_cli.sources.file import CaptureFiles
    from inspect_cli.timeline import Timeline

    timeline = Timeline(summary_only=True)
    with CaptureFiles(files) as source:
        for item in source.items():
            yield from (row for row in timeline.feed(item) if isinstance(row, Connection))
    yield from (row for row in timeline.close() if isinstance(row, Connection))
