"""Bytes that come while they are read: a pipe, standard input, a file that still grows."""

from __future__ import annotations

import io
import os
import select
import sys
import time
from typing import BinaryIO, Final, cast

PAUSE_S: Final = 0.01
"""A pipe that is silent for so long gives what it has given so far."""
PATIENCE_S: Final = 0.1
"""And a busy one after so long."""
LOOK_AGAIN_S: Final = 0.1
"""A file that grows is looked at so often."""


def standard_input() -> BinaryIO:
    """The bytes of stdin; it stays open."""
    stream = sys.stdin.buffer
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # no file of the system's, but something put in its place
        return stream
    return cast(BinaryIO, Pipe(open(number, "rb", buffering=0, closefd=False)))


class Pipe(io.RawIOBase):
    """A pipe that is read as it comes: what came together is given together.

    So that few packets appear at once, and many in batches worth the work.
    """

    def __init__(self, stream: io.FileIO) -> None:
        super().__init__()
        self._stream = stream
        self._again = b""

    def close(self) -> None:
        self._stream.close()
        super().close()

    def look(self, size: int) -> bytes:
        """The first `size` bytes, or all up to the end; they are given again."""
        parts = [self._again]
        there = len(self._again)
        while there < size and (more := self._stream.read(size - there)):
            parts.append(more)
            there += len(more)
        self._again = b"".join(parts)
        return self._again

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._again:
            size = min(len(buffer), len(self._again))
            buffer[:size] = self._again[:size]
            self._again = self._again[size:]
            return size
        got = self._stream.readinto(buffer) or 0
        until = time.monotonic() + PATIENCE_S
        while 0 < got < len(buffer) and self._has_more(until):
            more = self._stream.readinto(buffer[got:]) or 0
            if not more:
                break
            got += more
        return got

    def _has_more(self, until: float) -> bool:
        """Something, or the end, comes within a moment."""
        if time.monotonic() >= until:
            return False
        try:
            return bool(select.select([self._stream], [], [], PAUSE_S)[0])
        except (OSError, ValueError):  # systems that can wait for sockets only; a great number of a file
            return False


class Growing(io.RawIOBase):
    """A file without an end: where it ends, more is waited for, until Ctrl-C.

    It ends where it was made shorter than what was read of it: then it is another file.
    """

    def __init__(self, stream: io.FileIO) -> None:
        super().__init__()
        self._stream = stream

    def close(self) -> None:
        self._stream.close()
        super().close()

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not (got := self._stream.readinto(buffer) or 0):
            if os.fstat(self._stream.fileno()).st_size < self._stream.tell():
                return 0
            time.sleep(LOOK_AGAIN_S)
        return got
