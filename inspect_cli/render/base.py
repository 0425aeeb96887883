"""What a renderer is, what it is told, and where its bytes go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, Protocol, TextIO, cast

from inspect_cli.events.base import Entry
from inspect_cli.events.capture import HostsNamed
from inspect_cli.events.summary import Capture, Tally
from inspect_cli.events.tcp import Connection

if TYPE_CHECKING:
    from inspect_cli.render.select import Select

BUFFER_BYTES: Final = 1 << 18
"""Rows of a file are written in blocks of this size: each write costs as much as making a few rows."""


class Finding(NamedTuple):
    """What --check found by one rule: names of cookies, each with the frames that show it."""

    rule: str
    reference: str
    cookies: tuple[tuple[bytes, tuple[int, ...]], ...]


class Renderer(Protocol):
    """Shows one run: begin, then entries and connections in order, then end.

    Nothing is kept back: what was told is written at once where the capture comes slowly
    (live, or from standard input). OSError of the output (a broken pipe, a full disk) is
    for the caller.
    """

    def begin(self, capture: Capture) -> None:
        """The capture with None for what only the end knows."""

    def entry(self, entry: Entry) -> None:
        """One entry; its parent was shown before it."""

    def connection(self, connection: Connection) -> None:
        """A connection of which nothing more will come."""

    def names(self, named: HostsNamed) -> None:
        """Names of hosts, from here on."""

    def end(self, capture: Capture, tally: Tally) -> None:
        """The whole capture and its counts; the output is flushed, not closed."""

    def findings(self, findings: Sequence[Finding]) -> None:
        """After the end, what --check found; in JSON the annotations say it."""


@dataclass(slots=True)
class Look:
    """How a run is shown."""

    lang: str = "en"
    width: int = 80
    """Columns of the terminal, or as asked for."""
    color: bool = False
    ascii: bool = False
    """Only ASCII in what is ours; `§` becomes `sec.`."""
    verbose: bool = False
    is_terminal: bool = False
    select: Select | None = None
    overview: bool = False
    """Of a large capture the text view tells what is in it, instead of rows."""
    names: bool = True
    """The text view names hosts as captured DNS answers and the file do."""


def comes_slowly(capture: Capture) -> bool:
    """Are its rows worth showing one by one (live, a pipe)? A file's are written in blocks."""
    return capture.source != "file" or capture.slow or any(file.name == "-" for file in capture.files)


class Sink:
    """Where a renderer writes: bytes as they are, text in the encoding of the stream."""

    __slots__ = ("_binary", "_encoding", "_text", "flushes")

    def __init__(self, out: TextIO) -> None:
        out.flush()
        self._text = out
        # JSON is UTF-8 (RFC 8259 §8.1): go around the encoding of the stream where that is possible.
        self._binary = _binary_of(out)
        self._encoding = out.encoding or "utf-8"
        self.flushes = False
        """Flush after each write."""

    def say(self, text: str) -> None:
        r"""Write text; what the encoding of the stream lacks is written `\uNNNN`, never an exception."""
        if self._binary is not None:
            self._binary.write(text.encode(self._encoding, "backslashreplace"))
        else:
            self._text.write(text)
        if self.flushes:
            self.flush()

    def write(self, data: bytes) -> None:
        """Write UTF-8."""
        if self._binary is not None:
            self._binary.write(data)
        else:
            self._text.write(data.decode())
        if self.flushes:
            self.flush()

    def flush(self) -> None:
        if self._binary is not None:
            self._binary.flush()
        self._text.flush()


def _binary_of(out: TextIO) -> BinaryIO | None:
    """The stream beneath a text stream, with a larger buffer where it is a file; None where there is none."""
    binary = cast("BinaryIO | None", getattr(out, "buffer", None))
    if binary is None:
        return None
    try:
        return open(binary.fileno(), "wb", buffering=BUFFER_BYTES, closefd=False)
    except OSError:  # no file: bytes in memory
        return binary
