"""Frames that came one by one, as the batch of columns that everything else reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from inspect_cli.wire.frames import Frames


class Captured(NamedTuple):
    """One frame as it was heard; `interface` is its index in the source's list."""

    time_ns: int
    data: bytes
    original_size: int
    link_type: int
    interface: int


def batch_of(captured: Sequence[Captured], first_number: int) -> Frames:
    """A batch of its own buffer; the first frame has this number."""
    sizes = np.array([len(frame.data) for frame in captured], dtype=np.int64)
    return Frames(
        buffer=b"".join(frame.data for frame in captured),
        first_number=first_number,
        time_ns=np.array([frame.time_ns for frame in captured], dtype=np.int64),
        offset=np.cumsum(sizes) - sizes,
        size=sizes,
        original_size=np.array([frame.original_size for frame in captured], dtype=np.int64),
        link_type=np.array([frame.link_type for frame in captured], dtype=np.int64),
        interface=np.array([frame.interface for frame in captured], dtype=np.int64),
    )
