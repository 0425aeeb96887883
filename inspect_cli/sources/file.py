"""Capture files as a source: one after another, whole directories, or standard input."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Final, Self, cast

from inspect_cli.errors import (
    EmptyInput,
    FileNotReadable,
    InputProblem,
    InspectError,
    NoCaptures,
    NoSuchFile,
    NotACapture,
)
from inspect_cli.events.base import Item
from inspect_cli.events.capture import Names
from inspect_cli.events.summary import Capture, CaptureFile
from inspect_cli.sources.pipes import Growing, Pipe, standard_input
from inspect_cli.wire.capture_file import PCAPNG_MAGIC, CaptureReader, HarBegins, open_capture
from inspect_cli.wire.frames import Frames
from inspect_cli.wire.pcapng_blocks import names_at_end

if TYPE_CHECKING:
    from inspect_cli.sources.har import HarReader, Told

STDIN: Final = "-"
PEEK_BYTES: Final = 64 << 10
TAIL_BYTES: Final = 256 << 10
"""So much of a file's end is looked through for names of hosts before it is read."""
NO_FRAME: Final = 1 << 63
"""The time of the first frame where there is none: later than any."""


@dataclass(slots=True)
class _Waiting:
    """A file whose turn comes; `stream` is open where it cannot be opened twice."""

    path: str
    stream: BinaryIO | None
    first_time_ns: int
    is_har: bool = False


class CaptureFiles:
    """A Source of capture files, in order of their first frame's time; `-` is standard input.

    A directory means the captures in it, known by what they hold; those below it are not read.
    Frame numbers count on from file to file. A single file that is no capture makes entering
    fail; among several it is left out and told by `error`, as is one that is cut off.
    `follow`: the last file is read on as it grows.

    Raises, on entering: NoSuchFile, FileNotReadable, NotACapture, NoCaptures, EmptyInput.
    """

    def __init__(self, paths: Sequence[str], batch_bytes: int = 8 << 20, *, follow: bool = False) -> None:
        self.capture = Capture("file", [], [])
        self.drops = 0
        self.error: InspectError | None = None
        self.skipped: dict[str, int] = {}
        """How many files of a directory are no captures."""
        self._paths = paths
        self._batch_bytes = batch_bytes
        self._follow = follow
        self._waiting: list[_Waiting] = []
        self.told: Told | None = None
        """What HARs among the files do not tell as the wire would."""
        self._first: CaptureReader | HarReader | None = None
        self._streams = contextlib.ExitStack()
        self._sizes: dict[str, int] = {}
        self._passed_bytes = 0
        self._reading: BinaryIO | None = None

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as failing:
            failing.push(self._streams)
            directories = [path for path in self._paths if _is_directory(path)]
            if len(self._paths) == 1 and not directories:
                path = self._paths[0]
                stream = self._open(path, growing=self._follow)
                self._first = self._reader(stream, path, 1)
                self._waiting = [_Waiting(path, stream, 0, not isinstance(self._first, CaptureReader))]
            else:
                for path in self._paths:
                    self._look_into(path, path in directories)
                if self.error and not self._waiting:
                    raise self.error
                self._waiting.sort(key=lambda waiting: waiting.first_time_ns)
                self.capture.slow = self.capture.slow or self._follow
            if self._waiting and all(waiting.is_har for waiting in self._waiting):
                self.capture.source = "reported"
            failing.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._streams.close()

    @property
    def paths(self) -> list[str]:
        """What is read, in order; known once entered."""
        return [waiting.path for waiting in self._waiting]

    @property
    def har_path(self) -> str | None:
        """The first of them that is a HAR; known once entered."""
        return next((waiting.path for waiting in self._waiting if waiting.is_har), None)

    @property
    def progress(self) -> tuple[int, int] | None:
        """Bytes read of how many, as they lie on the disk; None where nobody knows (a pipe)."""
        sizes = [self._sizes[path] for path in self.paths if path in self._sizes]
        if self.capture.slow or len(sizes) < len(self._waiting):
            return None
        here = 0
        if self._reading is not None and not self._reading.closed:
            here = self._reading.tell()
        return self._passed_bytes + here, sum(sizes)

    def items(self) -> Iterator[Item]:
        """All items of all files; the buffer of a Frames is valid until the next item is asked for."""
        number = 1
        whole = self.error is None
        self.capture.complete = False  # until the end is reached
        for waiting in self._waiting:
            is_last = waiting is self._waiting[-1]
            stream = waiting.stream or self._open(waiting.path, growing=self._follow and is_last)
            self._reading = stream
            reader = self._first or self._reader(stream, waiting.path, number)
            file = CaptureFile(waiting.path, number, 0)
            self.capture.files.append(file)
            drops = self.drops
            early = self._early_names(waiting.path, stream)
            if early:
                yield Names(early)
            for item in reader:
                if isinstance(item, Frames):
                    self._count(file, item)
                elif isinstance(item, Names) and set(item.pairs) <= set(early):
                    continue  # told already
                self.drops = drops + reader.drops
                yield item
            self.drops = drops + reader.drops
            if not isinstance(reader, CaptureReader):
                self._count_har(reader)
            self._tell(reader.error)
            whole = whole and reader.complete
            number += file.frames
            stream.close()
            self._passed_bytes += self._sizes.get(waiting.path, 0)
        self.capture.complete = whole

    # -- inside --------------------------------------------------------------------------

    def _count(self, file: CaptureFile, frames: Frames) -> None:
        file.frames += len(frames)
        self._widen(int(frames.time_ns.min()), int(frames.time_ns.max()))

    def _count_har(self, reader: HarReader) -> None:
        if reader.span_ns is not None:
            self._widen(*reader.span_ns)
        if self.told is None:
            self.told = reader.told
        else:
            self.told.add(reader.told)

    def _widen(self, first: int, last: int) -> None:
        """The capture holds something of these times (Unix ns)."""
        capture = self.capture
        capture.started_ns = first if capture.started_ns is None else min(first, capture.started_ns)
        capture.ended_ns = last if capture.ended_ns is None else max(last, capture.ended_ns)

    def _early_names(self, path: str, stream: BinaryIO) -> tuple[tuple[str, str], ...]:
        """Names of hosts that stand behind the packets of a file, where it can be looked at (no pipe, not packed)."""
        if path not in self._sizes or not isinstance(stream, io.FileIO):  # it grows
            return ()
        descriptor = stream.fileno()
        if os.pread(descriptor, 4, 0) != PCAPNG_MAGIC:
            return ()
        return tuple(names_at_end(os.pread(descriptor, TAIL_BYTES, max(0, self._sizes[path] - TAIL_BYTES))))

    def _tell(self, problem: InspectError | None) -> None:
        """Of several files the worst, of equals the first."""
        if problem is not None and (self.error is None or problem.exit_code > self.error.exit_code):
            self.error = problem

    def _reader(self, stream: BinaryIO, path: str, number: int) -> CaptureReader | HarReader:
        interfaces = self.capture.interfaces
        try:
            return open_capture(stream, path, batch_bytes=self._batch_bytes, first_number=number, interfaces=interfaces)
        except HarBegins as har:
            return _har(har, path)

    def _open(self, path: str, *, growing: bool = False) -> BinaryIO:
        """The bytes of a path; closed with the source at the latest. Raises: FileNotReadable."""
        try:
            if path == STDIN:
                self.capture.slow = True
                return standard_input()
            stream = self._streams.enter_context(open(path, "rb", buffering=0))  # noqa: SIM115
        except OSError as error:
            raise FileNotReadable(path=path, reason=error.strerror or type(error).__name__) from error
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            self.capture.slow = True
            return cast(BinaryIO, Pipe(stream))
        if growing:
            self.capture.slow = True
            return cast(BinaryIO, Growing(stream))
        self._sizes[path] = status.st_size
        return cast(BinaryIO, stream)

    def _look_into(self, path: str, is_directory: bool) -> None:
        """Let a file, or the captures in a directory, wait for their turn."""
        if not is_directory:
            try:
                self._wait(path)
            except InputProblem as problem:
                self._tell(problem)
            return
        waiting = len(self._waiting)
        for inside in _files_in(path):
            try:
                self._wait(inside)
            except (NotACapture, EmptyInput):
                self.skipped[path] = self.skipped.get(path, 0) + 1
            except (InputProblem, FileNotReadable) as problem:
                self._tell(problem)
        if len(self._waiting) == waiting:
            self._tell(NoCaptures(path=path))

    def _wait(self, path: str) -> None:
        """Look for the first frame's time; files without a frame come last. Raises: InputProblem, FileNotReadable."""
        stream = self._open(path)
        if isinstance(stream, Pipe):
            found = _first_time(io.BytesIO(stream.look(PEEK_BYTES)), path)
            self._waiting.append(_Waiting(path, cast(BinaryIO, stream), *found))
            return
        with stream:
            self._waiting.append(_Waiting(path, None, *_first_time(stream, path)))


def _is_directory(path: str) -> bool:
    """Raises: NoSuchFile, FileNotReadable."""
    if path == STDIN:
        return False
    try:
        return stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NoSuchFile(path=path) from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        raise FileNotReadable(path=path, reason=getattr(error, "strerror", None) or str(error)) from error


def _files_in(path: str) -> list[str]:
    """Files of a directory by name, those below it not. Raises: FileNotReadable."""
    try:
        with os.scandir(path) as found:
            return sorted(entry.path for entry in found if entry.is_file())
    except OSError as error:
        raise FileNotReadable(path=path, reason=error.strerror or type(error).__name__) from error


def _har(found: HarBegins, path: str) -> HarReader:
    from inspect_cli.sources.har import HarReader  # JSON is read where there is a HAR

    return HarReader(found.begun, found.rest, path)


def _first_time(stream: BinaryIO, path: str) -> tuple[int, bool]:
    """Time of the first frame in Unix ns, later than any where there is none; and whether it is a HAR's."""
    try:
        for item in open_capture(stream, path, batch_bytes=PEEK_BYTES):
            if isinstance(item, Frames):
                return int(item.time_ns[0]), False
    except HarBegins as found:
        first_ns = _har(found, path).first_time_ns
        return NO_FRAME if first_ns is None else first_ns, True
    return NO_FRAME, False
