"""Capture files as a source: one after another, or standard input."""

from __future__ import annotations

import contextlib
import io
import os
import select
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Final, Self, cast

from inspect_cli.errors import FileNotReadable, InputProblem, InspectError, IsADirectory, NoSuchFile
from inspect_cli.events.base import Item
from inspect_cli.events.summary import Capture, CaptureFile
from inspect_cli.wire.capture_file import CaptureReader, open_capture
from inspect_cli.wire.frames import Frames

STDIN: Final = "-"
PEEK_BYTES: Final = 64 << 10
PAUSE_S: Final = 0.01
"""A pipe that is silent for so long gives what it has given so far."""
PATIENCE_S: Final = 0.1
"""And a busy one after so long."""


@dataclass(slots=True)
class _Waiting:
    """A file whose turn comes; `stream` is open where it cannot be opened twice."""

    path: str
    stream: BinaryIO | None
    first_time_ns: int


class CaptureFiles:
    """A Source of capture files, in order of their first frame's time; `-` is standard input.

    Frame numbers count on from file to file. A single file that is no capture makes entering
    fail; among several it is left out and told by `error`, as is one that is cut off.

    Raises, on entering: NoSuchFile, IsADirectory, FileNotReadable, NotACapture, EmptyInput.
    """

    def __init__(self, paths: Sequence[str], batch_bytes: int = 8 << 20) -> None:
        self.capture = Capture("file", [], [])
        self.drops = 0
        self.error: InspectError | None = None
        self._paths = paths
        self._batch_bytes = batch_bytes
        self._waiting: list[_Waiting] = []
        self._first: CaptureReader | None = None
        self._streams = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as failing:
            failing.push(self._streams)
            for path in self._paths:
                _check(path)
            if len(self._paths) == 1:
                path = self._paths[0]
                stream = self._open(path)
                self._first = self._reader(stream, path, 1)
                self._waiting = [_Waiting(path, stream, 0)]
            else:
                self._look_into_all()
            failing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._streams.close()

    def items(self) -> Iterator[Item]:
        """All items of all files; the buffer of a Frames is valid until the next item is asked for."""
        number = 1
        whole = self.error is None
        for waiting in self._waiting:
            stream = waiting.stream or self._open(waiting.path)
            reader = self._first or self._reader(stream, waiting.path, number)
            file = CaptureFile(waiting.path, number, 0)
            self.capture.files.append(file)
            drops = self.drops
            for item in reader:
                if isinstance(item, Frames):
                    self._count(file, item)
                self.drops = drops + reader.drops
                yield item
            self.drops = drops + reader.drops
            self.error = self.error or reader.error
            whole = whole and reader.complete
            number += file.frames
            stream.close()
        self.capture.complete = whole

    # -- inside --------------------------------------------------------------------------

    def _count(self, file: CaptureFile, frames: Frames) -> None:
        capture = self.capture
        file.frames += len(frames)
        first, last = int(frames.time_ns.min()), int(frames.time_ns.max())
        capture.started_ns = first if capture.started_ns is None else min(first, capture.started_ns)
        capture.ended_ns = last if capture.ended_ns is None else max(last, capture.ended_ns)

    def _reader(self, stream: BinaryIO, path: str, number: int) -> CaptureReader:
        interfaces = self.capture.interfaces
        return open_capture(stream, path, batch_bytes=self._batch_bytes, first_number=number, interfaces=interfaces)

    def _open(self, path: str) -> BinaryIO:
        """The bytes of a path; closed with the source at the latest. Raises: FileNotReadable."""
        try:
            if path == STDIN:
                return _stdin()
            stream = self._streams.enter_context(open(path, "rb", buffering=0))  # noqa: SIM115
        except OSError as error:
            raise FileNotReadable(path=path, reason=error.strerror or type(error).__name__) from error
        if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            return cast(BinaryIO, stream)
        return cast(BinaryIO, _Pipe(stream))

    def _look_into_all(self) -> None:
        """Put the files in order of their first frame's time, those without a frame last."""
        for path in self._paths:
            stream = self._open(path)
            try:
                if isinstance(stream, _Pipe):
                    first_time_ns = _first_time(io.BytesIO(stream.look(PEEK_BYTES)), path)
                    self._waiting.append(_Waiting(path, cast(BinaryIO, stream), first_time_ns))
                else:
                    self._waiting.append(_Waiting(path, None, _first_time(stream, path)))
                    stream.close()
            except InputProblem as problem:
                self.error = self.error or problem
        if self.error and not self._waiting:
            raise self.error
        self._waiting.sort(key=lambda waiting: waiting.first_time_ns)


def _check(path: str) -> None:
    """Raises: NoSuchFile, IsADirectory, FileNotReadable."""
    if path == STDIN:
        return
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoSuchFile(path=path) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        raise FileNotReadable(path=path, reason=getattr(error, "strerror", None) or str(error)) from error
    if stat.S_ISDIR(mode):
        raise IsADirectory(path=path)


def _first_time(stream: BinaryIO, path: str) -> int:
    """Time of the first frame in Unix ns; later than any where there is none."""
    for item in open_capture(stream, path, batch_bytes=PEEK_BYTES):
        if isinstance(item, Frames):
            return int(item.time_ns[0])
    return 1 << 63


def _stdin() -> BinaryIO:
    stream = sys.stdin.buffer
    try:
        number = stream.fileno()
    except (OSError, ValueError):  # no file of the system's, but something put in its place
        return stream
    return cast(BinaryIO, _Pipe(open(number, "rb", buffering=0, closefd=False)))


class _Pipe(io.RawIOBase):
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
