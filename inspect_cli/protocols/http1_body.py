"""Where a body ends (RFC 9112 §6.3), and reading up to there."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Final, NamedTuple

from inspect_cli.events.base import Where
from inspect_cli.events.http import EndedBy
from inspect_cli.protocols.http1_head import Facts, body_length
from inspect_cli.protocols.http1_reading import Kept, OneSide
from inspect_cli.streams.channel import Parsed
from inspect_cli.streams.reader import Missing

CHUNK_LINE_BYTES: Final = 4_096
TRAILER_BYTES: Final = 65_536

# Spaces around the size are against the grammar and harmless; everything else is not a size.
_USUAL_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")
_LAST_CHUNK = re.compile(rb"0{1,15}\r\n\r\n")
_CRLF = re.compile(rb"\r\n")
_CHUNK_LINE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?(\r?)\n")


class Framing(NamedTuple):
    """How the length of a body is known. `length` only for "length"."""

    by: EndedBy
    length: int = 0


class BodyEnd(NamedTuple):
    """How a body ended. `size`: body bytes on the wire, chunk framing apart."""

    by: EndedBy
    size: int
    complete: bool
    trailers: bytes = b""


NO_BODY: Final = Framing("none")
CHUNKED: Final = Framing("chunked")
ENDED_AT_ONCE: Final = BodyEnd("none", 0, True)
Reading = Generator[Parsed, None, BodyEnd]


def framing_of(facts: Facts, *, is_request: bool) -> Framing:
    """Rules 3 to 8 of RFC 9112 §6.3; what breaks them is appended to `facts.problems`."""
    if facts.codings and facts.codings != [b"identity"]:
        if facts.lengths:
            # Rule 3: Transfer-Encoding wins; it may be an attempt at request smuggling (§11.2).
            facts.problems.append(("content-length-and-transfer-encoding", b", ".join(facts.lengths)[:80]))
        if facts.is_chunked:
            return CHUNKED
        # Rule 4: a request then has no length that could be relied upon, a response ends by close.
        facts.problems.append(("transfer-encoding-not-chunked-last", b", ".join(facts.codings)[:80]))
        return NO_BODY if is_request else Framing("close")
    if facts.codings:  # identity: of RFC 2616, obsolete, the same as nothing
        facts.problems.append(("transfer-encoding-not-chunked-last", b"identity"))
    length = body_length(facts)
    if length is not None:
        return Framing("length", length)
    # Rules 7 and 8; rule 5 lets a broken length end the connection, an observer goes on.
    return NO_BODY if is_request else Framing("close")


def read_body(side: OneSide, framing: Framing, kept: Kept | None) -> Reading:
    """Go to the end of the body; a cut one is said."""
    if framing.by == "length":
        return (yield from _read_length(side, framing.length, kept))
    if framing.by == "chunked":
        return (yield from _read_chunks(side, kept))
    if framing.by == "close":
        return (yield from _read_to_close(side))
    return ENDED_AT_ONCE


def _read_length(side: OneSide, length: int, kept: Kept | None) -> Reading:
    start = side.reader.position
    side.holes = 0
    if kept is None and side.take_whole(length):
        return BodyEnd("length", length, not side.holes)
    came = yield from side.take(length, kept)
    if came < length:
        yield from side.truncated("body-cut", lambda: end_where(side, start), came, length)
        return BodyEnd("close", came, False)
    return BodyEnd("length", length, not side.holes)


def _read_to_close(side: OneSide) -> Reading:
    """Rule 8; whether all of it came, nobody can tell but by a hole."""
    start = side.reader.position
    side.holes = 0
    yield from side.take(1 << 62, None)
    return BodyEnd("close", side.reader.position - start, not side.holes)


def _read_chunks(side: OneSide, kept: Kept | None) -> Reading:
    """RFC 9112 §7.1. Where a chunk's framing is lost, the next head is searched for."""
    reader = side.reader
    start = reader.position
    size = 0
    side.holes = 0
    tolerated: set[str] = set()
    while True:
        came, is_over = _take_usual_chunks(side, kept)
        size += came
        if is_over:
            return BodyEnd("chunked", size, not side.holes)
        line = yield from side.read_line(CHUNK_LINE_BYTES)
        if isinstance(line, Missing):
            return (yield from _cut(side, line, start, size))
        match = _CHUNK_LINE.match(line)
        if match is None:
            yield from side.problem("invalid-chunk-size", line[:40], lambda: here(side))
            side.go_astray()
            return BodyEnd("chunked", size, False)
        if not match[2] and "bare-lf" not in tolerated:
            tolerated.add("bare-lf")
            yield from side.problem("bare-lf", b"LF", lambda: here(side))
        length = int(match[1], 16)
        if not length:
            trailers = yield from _read_trailers(side)
            if isinstance(trailers, Missing):
                return (yield from _cut(side, trailers, start, size))
            return BodyEnd("chunked", size, not side.holes, trailers)
        size += yield from side.take(length, kept)
        after = yield from side.read_line(2)
        if isinstance(after, Missing):
            return (yield from _cut(side, after, start, size))
        if after == b"\r\n":
            continue
        word = "bare-lf" if after == b"\n" else "chunk-not-terminated"
        if word not in tolerated:
            tolerated.add(word)
            yield from side.problem(word, after, lambda: here(side))
        if word != "bare-lf":
            side.go_astray()
            return BodyEnd("chunked", size, False)


def _take_usual_chunks(side: OneSide, kept: Kept | None) -> tuple[int, bool]:
    """Take the chunks that are all here and say no more than their size.

    Gives how many body bytes they had, and whether the end of the body was among them. Stops
    at whatever needs a rule or a wait.
    """
    reader = side.reader
    size = 0
    while kept is None and (line := reader.match(_USUAL_CHUNK, CHUNK_LINE_BYTES)) is not None:
        length = int(line[1], 16)
        if not length:
            last = reader.match(_LAST_CHUNK, CHUNK_LINE_BYTES)
            return size, last is not None and reader.skip_all(len(last[0]))
        whole = len(line[0]) + length
        if reader.match(_CRLF, 2, whole) is None:
            break
        if side.counts_holes:
            side.holes += reader.skipped_gaps(reader.position, reader.position + whole)
        reader.skip_all(whole + 2)
        size += length
    return size, False


def _read_trailers(side: OneSide) -> Generator[Parsed, None, bytes | Missing]:
    """Field lines up to the empty line (RFC 9112 §7.1.2); b"" where there are none."""
    lines: list[bytes] = []
    size = 0
    while True:
        line = yield from side.read_line(TRAILER_BYTES - size)
        if isinstance(line, Missing):
            return line
        if line in (b"\r\n", b"\n"):
            return b"".join(lines)
        lines.append(line)
        size += len(line)
        if size >= TRAILER_BYTES:
            yield from side.problem("trailers-too-long", b"%d bytes" % size, lambda: here(side))
            side.go_astray()
            return b"".join(lines)


def _cut(side: OneSide, why: Missing, start: int, size: int) -> Reading:
    """The framing stands in a hole, or behind the end."""
    if why is Missing.GAP:
        side.go_astray()
    yield from side.truncated("body-cut", lambda: end_where(side, start), size, None)
    return BodyEnd("gap" if why is Missing.GAP else "close", size, False)


def end_where(side: OneSide, start: int) -> Where:
    """Where a body that began at `start` is over, at the end of the side or at a hole."""
    reader = side.reader
    if reader.at_end:
        return reader.end_where()._replace(start=start)
    return reader.where(reader.position, reader.position + 1)._replace(start=start, end=reader.position)


def here(side: OneSide, since: int | None = None) -> Where:
    """Where the byte read last is; said to begin at `since`."""
    return side.reader.where(side.reader.position - 1, side.reader.position, since)
