"""Reading one side of HTTP/1: heads, lines and body bytes, split, cut, lost and found again."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Final

from inspect_cli.events.base import Event, Where
from inspect_cli.events.capture import Malformed, Truncated
from inspect_cli.events.http import MessageEnd
from inspect_cli.protocols.http1_head import PROBLEMS
from inspect_cli.protocols.talk import TwoSided
from inspect_cli.protocols.trail import Trail
from inspect_cli.streams.channel import Parsed, Report
from inspect_cli.streams.reader import Missing, Reader

HEAD_BYTES: Final = 262_144
"""A head longer than this is not waited for."""
PARAGRAPH_BYTES: Final = 16_384
"""So much is read of what does not begin like a head, while its empty line is looked for."""
LINE_BYTES: Final = 4_096
"""A start line is found again after a hole only if it is no longer than this."""

_HEAD_END = re.compile(rb"\n\r?\n")
_LINE_PIECE = re.compile(rb"[^\n]*\n?")
_BLANK = (b"\n", b"\r\n")

Reading = Generator[Parsed, None, bool]


class Grammar:
    """How the heads of one side begin: surely (`line`), by intention (`like`), and when searched for."""

    __slots__ = ("find", "like", "line", "maybe", "problem")

    def __init__(
        self,
        line: re.Pattern[bytes],
        like: re.Pattern[bytes],
        find: re.Pattern[bytes],
        maybe: re.Pattern[bytes],
        problem: str,
    ) -> None:
        self.line = line
        self.like = like
        self.find = find
        self.maybe = maybe
        self.problem = problem


class Kept:
    """Body bytes that somebody wants to see; not `is_whole` if too many or with a hole."""

    __slots__ = ("data", "is_whole", "limit")

    def __init__(self, limit: int) -> None:
        self.data = bytearray()
        self.is_whole = True
        self.limit = limit

    def take(self, reader: Reader, size: int) -> int:
        """Consume up to `size` bytes and keep them; a hole is consumed and spoils the rest."""
        if len(self.data) + size > self.limit:
            self.is_whole = False
        if not self.is_whole:
            return reader.skip(size)
        if not size:
            return 0
        piece = reader.peek(size)
        if piece:
            self.data += piece
            return reader.skip(len(piece))
        gap = reader.gap_bytes
        self.is_whole = not gap
        return reader.skip(min(gap, size))


class OneSide:
    """One side being read; what both kinds of message need.

    `lost`: a hole that may have held whole messages came before the head found last, or a
    head too long to read; `strayed`: bytes that belong to no message came before it.
    `holes`: bytes of holes taken, counted only if `counts_holes`.
    """

    __slots__ = (
        "_astray",
        "_looked",
        "_seen",
        "_trail",
        "counts_holes",
        "grammar",
        "head",
        "holes",
        "line",
        "lost",
        "reader",
        "report",
        "start",
        "strayed",
        "talk",
    )

    def __init__(self, reader: Reader, talk: TwoSided, report: Report, grammar: Grammar) -> None:
        self.reader = reader
        self.talk = talk
        self.report = report
        self.grammar = grammar
        self.head = b""
        """The head found last, without empty lines before it (RFC 9112 §2.2)."""
        self.line: re.Match[bytes] | None = None
        """Its start line as the grammar has it; None where it is broken."""
        self.start = 0
        self.lost = False
        self.strayed = False
        self.holes = 0
        self.counts_holes = report.wants(MessageEnd)
        self._astray = False
        self._trail: Trail | None = None
        self._seen: Where | None = None
        self._looked: bytes | Missing | None = None

    # -- heads -------------------------------------------------------------------------------

    @property
    def is_astray(self) -> bool:
        """The next head must be searched for."""
        return self._astray

    def take_usual(self, head: bytes, *, says_where: bool) -> Where | None:
        """Take the usual head that stands here; say where it is if that is of use."""
        reader = self.reader
        self.head = head
        start = self.start = reader.position
        end = reader.position = start + len(head)
        self._trail = None
        seen = self._seen = reader.where(start, end) if says_where else None
        return seen

    def has_head(self) -> bool:
        """Read the next head into `head`, if all of it is here and plain; else ask `next_head`."""
        if self._astray:
            return False
        self.lost = self.strayed = False
        text = self._read_paragraph()
        if isinstance(text, bytes):
            line = self.line = self.grammar.line.match(text)
            if line is not None:
                self.head = text
                return True
        self._looked = text
        return False

    def next_head(self) -> Reading:
        """Read up to the end of the next head, into `head`; False when the side is over."""
        grammar = self.grammar
        self.lost = self.strayed = False
        text, self._looked = self._looked, None
        while True:
            if self._astray:
                if not (yield from self._find()):
                    return False
                self._astray = False
            if text is None:
                text = self._read_paragraph()
            if isinstance(text, Missing) and not self.reader.unread_bytes:
                if text is Missing.END:
                    return False
                yield self.talk.wait(self.reader)
                text = None
                continue
            if isinstance(text, Missing):
                # It came in several pieces: line by line, so that nothing is searched twice.
                text = yield from self._gather()
                if text is None:
                    return False
            stripped = text.lstrip(b"\r\n")
            self.start += len(text) - len(stripped)
            if stripped and grammar.line.match(stripped) is None and grammar.like.match(stripped) is None:
                stripped = yield from self._leave_garbage(stripped)
            if stripped:
                self.head = stripped
                self.line = grammar.line.match(stripped)
                return True
            text = None

    def _read_paragraph(self) -> bytes | Missing:
        """Up to the next empty line, which ends a head if one begins here."""
        self.start = self.reader.position
        self._trail = self._seen = None
        return self.reader.read_until(_HEAD_END, PARAGRAPH_BYTES)

    def go_astray(self) -> None:
        """Framing is lost: the next head must be searched for."""
        self._astray = True

    def head_where(self) -> Where:
        """Where the head found last is, knowable at the present place.

        Its frames are looked up when first asked, which must be before a wait.
        """
        if self._seen is None:
            self._seen = self._where(self.start + len(self.head))
        at = self.reader.place.at
        return self._seen if self._seen.at == at else self._seen._replace(at=at)

    def _where(self, end: int) -> Where:
        if self._trail is not None:
            return self._trail.where(self.reader, self.start, end)
        return self.reader.where(self.start, end)

    def _line_where(self, text: bytes) -> Where:
        """Where the first line of `text` is, which stands at `start`."""
        return self._where(self.start + (text.find(b"\n") + 1 or len(text)))

    def _gather(self) -> Generator[Parsed, None, bytes | None]:
        """A head line by line; b"" where none came of it (go round again), None at the end."""
        reader = self.reader
        trail = self._trail = Trail()
        parts: list[bytes] = []
        size = line_size = 0
        limit = PARAGRAPH_BYTES
        while True:
            piece = reader.read_until(_LINE_PIECE, limit - size)
            if piece is Missing.BYTES:
                yield self.talk.wait(reader)
                continue
            if isinstance(piece, Missing):
                yield from self._cut(b"".join(parts))
                return None if piece is Missing.END else b""
            trail.add(reader, reader.position - len(piece), reader.position)
            parts.append(piece)
            size += len(piece)
            line_size += len(piece)
            if piece[-1] == 10:
                # The line may have come in several pieces: "\r", then "\n".
                if line_size <= 2 and b"".join(parts[-line_size:])[-line_size:] in _BLANK:
                    text = b"".join(parts)
                    if not text.strip(b"\r\n"):
                        self.start = reader.position
                        parts.clear()
                        size = 0
                    else:
                        return text
                line_size = 0
            if size >= limit:
                text = yield from self._too_long(b"".join(parts), limit)
                if not text:
                    return b""
                parts, size, limit = [text], len(text), HEAD_BYTES

    def _too_long(self, text: bytes, limit: int) -> Generator[Parsed, None, bytes]:
        """No empty line within `limit`: the text to go on with, or b"" if it is given up."""
        grammar = self.grammar
        stripped = text.lstrip(b"\r\n")
        self.start += len(text) - len(stripped)
        if limit < HEAD_BYTES and grammar.like.match(stripped):
            return stripped
        if limit < HEAD_BYTES:
            return (yield from self._leave_garbage(stripped))
        yield from self.problem("head-too-long", b"%d bytes" % limit, lambda: self._line_where(stripped))
        self.lost = True
        self._astray = True
        return b""

    def _leave_garbage(self, text: bytes) -> Generator[Parsed, None, bytes]:
        """Say that no message begins here; the rest of `text` from the first head in it, or b""."""
        yield from self.problem(self.grammar.problem, first_line(text), lambda: self._line_where(text))
        self.strayed = True
        match = self.grammar.find.search(text)
        if match is None:
            self._astray = True
            return b""
        self.start += match.start()
        return text[match.start() :]

    def _cut(self, text: bytes) -> Generator[Parsed, None, None]:
        """A hole or the end stands where the rest of a head should be."""
        reader = self.reader
        stripped = text.lstrip(b"\r\n")
        self.start += len(text) - len(stripped)
        self._astray = True
        if not stripped:
            return
        begun = self.grammar.like.match(stripped) or self.grammar.maybe.match(stripped)
        if begun is None:
            stripped = yield from self._leave_garbage(stripped)
            if not stripped:
                return
        yield from self.truncated("head-cut", lambda: self._where(reader.position), len(stripped), None)

    # -- finding the next head -----------------------------------------------------------------

    def _find(self) -> Reading:
        """Go to the next surely valid start line at the beginning of a line, or behind a hole."""
        reader = self.reader
        in_line = False
        while True:
            gap = reader.gap_bytes
            if gap:
                self.lost = True
                reader.skip(gap)
                in_line = False
                continue
            window = reader.peek(65_536)
            if in_line and window:
                reader.skip(window.find(b"\n") + 1 or len(window))
                in_line = b"\n" not in window
                continue
            match = self.grammar.find.search(window)
            if match is not None:
                reader.skip(match.start())
                return True
            rest = window[window.rfind(b"\n") + 1 :]
            if rest and (len(rest) > LINE_BYTES or not self.grammar.maybe.match(rest)):
                in_line = True
                reader.skip(len(window))
                continue
            reader.skip(len(window) - len(rest))
            if reader.unread_bytes > len(rest):  # a hole follows, or more than the window
                if len(window) < 65_536:
                    reader.skip(len(rest))
            elif reader.is_finished:
                reader.skip(len(rest))
                return not reader.at_end
            else:
                yield self.talk.wait(reader)

    # -- lines and bytes -------------------------------------------------------------------------

    def read_line(self, limit: int) -> Generator[Parsed, None, bytes | Missing]:
        """A line with its end; without one if it is longer than `limit`; or why there is none."""
        reader = self.reader
        parts: list[bytes] = []
        size = 0
        while True:
            piece = reader.read_until(_LINE_PIECE, limit - size)
            if piece is Missing.BYTES:
                yield self.talk.wait(reader)
                continue
            if isinstance(piece, Missing):
                return piece
            size += len(piece)
            if piece[-1] == 10 or size >= limit:
                parts.append(piece)
                return b"".join(parts)
            parts.append(piece)

    def take_whole(self, size: int) -> bool:
        """Consume `size` bytes, holes too, if all of them are here; else nothing."""
        start = self.reader.position
        if not self.reader.skip_all(size):
            return False
        if self.counts_holes:
            self.holes += self.reader.skipped_gaps(start, start + size)
        return True

    def take(self, size: int, kept: Kept | None) -> Generator[Parsed, None, int]:
        """Consume `size` bytes, holes too; how many came before the end of the side."""
        reader = self.reader
        came = 0
        while True:
            start = reader.position
            came += reader.skip(size - came) if kept is None else kept.take(reader, size - came)
            if self.counts_holes and reader.position > start:
                self.holes += reader.skipped_gaps(start, reader.position)
            if came >= size or reader.at_end:
                return came
            if not reader.unread_bytes:
                yield self.talk.wait(reader)

    # -- what is wrong ---------------------------------------------------------------------------

    def problem(self, word: str, got: bytes, where: Callable[[], Where]) -> Generator[Event, None, None]:
        """Count what breaks the grammar, and say it if anybody wants to know."""
        expected, reference = PROBLEMS[word]
        word = "invalid-start-line" if word == "invalid-status-line" else word
        self.report.tally.problem(word)
        if self.report.wants(Malformed):
            yield Malformed(where(), word, expected, got, reference)

    def truncated(
        self, word: str, where: Callable[[], Where], got: int, expected: int | None
    ) -> Generator[Event, None, None]:
        """Count and say that a message ends before its end."""
        self.report.tally.problem(word)
        if self.report.wants(Truncated):
            yield Truncated(where(), word, got, expected)


def first_line(text: bytes) -> bytes:
    """The first line, short enough to show."""
    return text.split(b"\n", 1)[0].rstrip(b"\r")[:80]
