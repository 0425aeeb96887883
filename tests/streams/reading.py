"""Segments, each with its time, read as the streams read them."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from inspect_cli.events.base import Event
from inspect_cli.events.summary import Tally
from inspect_cli.protocols.opaque import OPAQUE
from inspect_cli.streams.channel import Report
from inspect_cli.streams.tracker import Tracker
from tests.streams.segments import START_NS, Seg, frames_of

E = TypeVar("E", bound=Event)
MS = 1_000_000


def read_at(segments: list[tuple[int, Seg]], size: int | None = None) -> list[Event]:
    """All events of segments at these milliseconds, fed in batches of `size`."""
    found: list[Event] = []
    tracker = Tracker([OPAQUE], Report(Tally()), strict=True)
    step = len(segments) if size is None else size
    for first in range(0, len(segments), step):
        part = segments[first : first + step]
        frames = frames_of([segment for _, segment in part], first + 1)
        frames.time_ns = START_NS + np.array([at for at, _ in part], np.int64) * MS
        for events, _ in tracker.feed(frames):
            found += events
    for events, _ in tracker.close():
        found += events
    return found


def only(kind: type[E], segments: list[tuple[int, Seg]], size: int | None = None) -> list[E]:
    """Those of one type."""
    return [event for event in read_at(segments, size) if isinstance(event, kind)]
