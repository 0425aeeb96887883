"""What requests and responses have in common: what is wrong with a head, and how a message ends."""

from __future__ import annotations

import re
from collections.abc import Generator

from inspect_cli.events.base import Event, Where
from inspect_cli.events.http import MessageEnd, MessageHead, NotableMessageEnd, RequestForm, RequestHead, ResponseHead
from inspect_cli.protocols.http1_body import BodyEnd, Framing, end_where, here
from inspect_cli.protocols.http1_head import Facts
from inspect_cli.protocols.http1_reading import Grammar, OneSide, first_line
from inspect_cli.protocols.http1_talk import HttpTalk
from inspect_cli.streams.channel import Report
from inspect_cli.streams.reader import Reader


class Messages:
    """What requests and responses have in common."""

    __slots__ = (
        "_builds",
        "_closed",
        "_index",
        "_lossy",
        "_reader",
        "_report",
        "_says_end",
        "_side",
        "_talk",
        "_wants_end",
    )

    def __init__(self, reader: Reader, talk: HttpTalk, report: Report, grammar: Grammar) -> None:
        self._reader = reader
        self._talk = talk
        self._report = report
        self._side = OneSide(reader, talk, report, grammar)
        self._wants_end = report.wants(MessageEnd) or report.wants(NotableMessageEnd)
        self._says_end = report.wants(MessageEnd)
        self._builds = self._wants_end or any(map(report.wants, (RequestHead, ResponseHead, RequestForm)))
        """Heads are made at all; a response names its request."""
        self._index = 0
        self._closed = 0
        """1 once a message has announced to be the last, 2 once another one came nevertheless."""
        self._lossy = False
        """Places are later than the bytes themselves: a hole or a wait came before."""
        talk.join(reader)

    def _say_problems(self, facts: Facts, line: re.Match[bytes] | None) -> Generator[Event, None, None]:
        if not facts.is_plain:
            _check_both(facts, line)
        if self._closed == 1:
            # RFC 9112 §9.6: nothing may follow; it is read all the same.
            self._closed = 2
            facts.problems.append(("message-after-close", first_line(self._side.head)))
        if not self._closed and facts.closes:
            self._closed = 1
        for word, got in facts.problems:
            yield from self._side.problem(word, got, self._side.head_where)

    @property
    def _is_calm(self) -> bool:
        """Nothing that came before bears upon a head that is usual by itself."""
        return not (self._closed or self._lossy or self._side.is_astray)

    def _skips(self, framing: Framing) -> bool:
        """Where nobody wants heads or ends: pass over a body that is all here, or none."""
        if self._builds or framing.by not in ("none", "length"):
            return False
        return not framing.length or self._reader.skip_all(framing.length)

    def _skips_usual(self, length: bytes | None, chunked: bytes | None) -> bool:
        """The same of a usual message, whatever is wanted."""
        return chunked is None and (length is None or self._reader.skip_all(int(length)))

    def _whole(self, head: MessageHead, framing: Framing) -> MessageEnd | None:
        """The end of a message with no body, or one that is all here without a hole; None: go there step by step."""
        if not self._says_end or framing.by not in ("none", "length"):
            return None
        reader, size = self._reader, framing.length
        if not size:
            return MessageEnd(head.where, head, framing.by, 0, True, b"")
        start = reader.position
        end = start + size
        if reader.skipped_gaps(start, end) or not reader.skip_all(size):
            return None
        return MessageEnd(reader.where(end - 1, end, start), head, "length", size, True, b"")

    def _end(self, head: MessageHead | None, start: int, end: BodyEnd) -> Generator[Event, None, None]:
        """The end of a message, whose body began at `start`."""
        if head is None or not self._wants_end:
            return
        if end.by in ("close", "gap"):
            where = end_where(self._side, start)
        elif self._reader.position > start:
            where = here(self._side, start)
        else:
            where = self._side.head_where()
        later = _last_frame(where) > _last_frame(head.where)
        tells = later and (not end.complete or bool(end.trailers) or end.by == "close")
        kind = NotableMessageEnd if tells else MessageEnd
        if self._report.wants(kind):
            yield kind(where, head, end.by, end.size, end.complete, end.trailers)


def _check_both(facts: Facts, line: re.Match[bytes] | None) -> None:
    """What breaks a rule in requests and responses alike, fields that framing does not look at."""
    if facts.hosts > 1:
        facts.problems.append(("duplicate-host", b"%d Host fields" % facts.hosts))
    if facts.cookies > 1:
        facts.problems.append(("duplicate-cookie-field", b"%d Cookie fields" % facts.cookies))
    if facts.codings and line is not None and line[0].rstrip(b"\r\n").endswith(b"HTTP/1.0"):
        facts.problems.append(("transfer-encoding-in-http-1.0", b"HTTP/1.0"))


def _last_frame(where: Where) -> int:
    return where.frames[-1] if where.frames else where.at
