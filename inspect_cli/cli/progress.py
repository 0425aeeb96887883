"""How far a long reading is: one line on the terminal, gone when it is over."""

from __future__ import annotations

import io
import os
import shutil
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TextIO

if TYPE_CHECKING:
    from inspect_cli.texts import Words

Measure = Callable[[], tuple[int, int] | None]
"""Bytes done and bytes in all; None where nobody knows."""

LONG_S: Final = 1.0
"""Work that is over sooner has no progress."""
STEP_S: Final = 0.2
BUFFER_BYTES: Final = 1 << 16


class Progress:
    """Bytes done, packets and time left on `out`, if that is a terminal and the work is long."""

    def __init__(
        self, out: TextIO, measure: Measure, words: Words, clock: Callable[[], float], *, quiet: bool = False
    ) -> None:
        self._out = out
        self._measure = measure
        self._words = words
        self._clock = clock
        self._begun = clock()
        self._next = self._begun + LONG_S
        self._drawn = 0
        """Cells of the line that stands there now."""
        self.is_shown = not quiet and out.isatty() and measure() is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def step(self, packets: int) -> None:
        """So many packets are read by now; drawn a few times a second."""
        if not self.is_shown or (now := self._clock()) < self._next:
            return
        self._next = now + STEP_S
        known = self._measure()
        if known is not None and 0 < known[0] < known[1]:
            self._draw(*known, packets, now - self._begun)

    def clear(self) -> None:
        """Nothing of it stays."""
        if self._drawn:
            self._out.write("\r" + " " * self._drawn + "\r")
            self._out.flush()
            self._drawn = 0

    def above(self, out: TextIO) -> TextIO:
        """`out` for rows on the same terminal: the line makes room for them."""
        if not (self.is_shown and out.isatty()):
            return out
        raw = io.BufferedWriter(_Above(out.fileno(), self.clear), BUFFER_BYTES)
        return io.TextIOWrapper(raw, out.encoding, out.errors, newline="\n")

    def _draw(self, done: int, whole: int, packets: int, passed_s: float) -> None:
        data = {
            "percent": done * 100 // whole,
            "done": done,
            "whole": whole,
            "packets": f"{packets:,}",
            "left_ns": max(2, round(passed_s * (whole - done) / done)) * 1_000_000_000,
        }
        text = self._words.say("cli.progress", data)
        room = shutil.get_terminal_size((80, 24)).columns - 1
        while _cells(text) > room:
            text = text[:-1]
        cells = _cells(text)
        self._out.write("\r" + text + " " * (self._drawn - cells))
        self._out.flush()
        self._drawn = cells


class _Above(io.RawIOBase):
    """Writes to a file of the system's, each time after `clear`."""

    def __init__(self, number: int, clear: Callable[[], None]) -> None:
        super().__init__()
        self._number = number
        self._clear = clear

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._clear()
        return os.write(self._number, data)


def progress_of(measure: Measure, words: Words, *, quiet: bool) -> Progress:
    """The progress of a reading that begins now, on stderr."""
    return Progress(sys.stderr, measure, words, time.monotonic, quiet=quiet)


def _cells(text: str) -> int:
    """Cells of a line on the least lucky terminal."""
    if text.isascii():
        return len(text)
    from inspect_cli.render.measure import widest

    return widest(text)
