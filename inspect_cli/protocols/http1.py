"""HTTP/1.0 and HTTP/1.1 as an observer sees them (RFC 9110, RFC 9112).

It never refuses, answers or normalises: what is wrong is said, and reading goes on wherever
the framing lets it. `http_requests` counts heads whose first line is `method SP target SP
HTTP/x.y`; a broken one is a RequestHead too (with `invalid-start-line` beneath it) and takes
its place among the requests, as the other side will answer it.
"""

from __future__ import annotations

import re
from collections.abc import Generator

from inspect_cli.events.base import Event, Where
from inspect_cli.events.http import (
    MessageEnd,
    MessageHead,
    NotableMessageEnd,
    RequestForm,
    RequestHead,
    ResponseHead,
    split_fields,
)
from inspect_cli.protocols.forms import FORM_BYTES, is_form, read_form
from inspect_cli.protocols.http1_body import NO_BODY, BodyEnd, Framing, end_where, framing_of, here, read_body
from inspect_cli.protocols.http1_head import (
    FIND_REQUEST,
    FIND_STATUS,
    MAYBE_REQUEST,
    MAYBE_STATUS,
    METHODS,
    REQUEST_LIKE,
    REQUEST_LINE,
    STATUS_LIKE,
    STATUS_LINE,
    Facts,
    read_facts,
)
from inspect_cli.protocols.http1_reading import Grammar, Kept, OneSide, first_line
from inspect_cli.protocols.http1_talk import LOST, Asked, HttpTalk, Upgraded
from inspect_cli.protocols.recognise import looks_like_http1
from inspect_cli.protocols.talk import go_on_alone, is_out_of_patience, is_too_late
from inspect_cli.protocols.upgrades import upgrade_to
from inspect_cli.streams.channel import Parsed, Parser, Protocol, Report
from inspect_cli.streams.reader import Missing, Reader

_REQUESTS = Grammar(REQUEST_LINE, REQUEST_LIKE, FIND_REQUEST, MAYBE_REQUEST, "invalid-start-line")
_RESPONSES = Grammar(STATUS_LINE, STATUS_LIKE, FIND_STATUS, MAYBE_STATUS, "invalid-status-line")
_METHOD_START = re.compile(rb"(?:" + METHODS + rb")[ /]")
_LONGEST_METHOD = 12


def requests(reader: Reader, talk: HttpTalk, report: Report) -> Parser:
    """The client's side."""
    return _Requests(reader, talk, report).run()


def responses(reader: Reader, talk: HttpTalk, report: Report) -> Parser:
    """The server's side."""
    return _Responses(reader, talk, report).run()


def make_talk(carry: object) -> HttpTalk:
    """What both sides share; nothing comes from a protocol before."""
    return HttpTalk()


HTTP1 = Protocol("http/1", looks_like_http1, requests, responses, make_talk)


class _Messages:
    """What requests and responses have in common."""

    __slots__ = ("_builds", "_closed", "_index", "_lossy", "_reader", "_report", "_side", "_talk", "_wants_end")

    def __init__(self, reader: Reader, talk: HttpTalk, report: Report, grammar: Grammar) -> None:
        self._reader = reader
        self._talk = talk
        self._report = report
        self._side = OneSide(reader, talk, report, grammar)
        self._wants_end = report.wants(MessageEnd) or report.wants(NotableMessageEnd)
        self._builds = self._wants_end or any(map(report.wants, (RequestHead, ResponseHead, RequestForm)))
        """Heads are made at all; a response names its request."""
        self._index = 0
        self._closed = 0
        """1 once a message has announced to be the last, 2 once another one came nevertheless."""
        self._lossy = False
        """Places are later than the bytes themselves: a hole or a wait came before."""
        talk.join(reader)

    def _say_problems(self, facts: Facts) -> Generator[Event, None, None]:
        if self._closed == 1:
            # RFC 9112 §9.6: nothing may follow; it is read all the same.
            self._closed = 2
            facts.problems.append(("message-after-close", first_line(self._side.head)))
        if not self._closed and facts.closes:
            self._closed = 1
        for word, got in facts.problems:
            yield from self._side.problem(word, got, self._side.head_where)

    def _skips(self, framing: Framing) -> bool:
        """Where nobody wants heads or ends: pass over a body that is all here, or none."""
        if self._builds or framing.by not in ("none", "length"):
            return False
        return not framing.length or self._reader.skip_all(framing.length)

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


class _Requests(_Messages):
    __slots__ = ("_says_form", "_says_head")

    def __init__(self, reader: Reader, talk: HttpTalk, report: Report) -> None:
        super().__init__(reader, talk, report, _REQUESTS)
        self._says_head = report.wants(RequestHead)
        self._says_form = report.wants(RequestForm)

    def run(self) -> Parser:
        side, tally = self._side, self._report.tally
        while side.has_head() or (yield from side.next_head()):
            facts = read_facts(side.head)
            line = side.line
            asked = self._ask(facts, line)
            tally.http_requests += line is not None
            tally.cookie += facts.cookies
            if asked.event is not None and self._says_head:
                yield asked.event
            framing = framing_of(facts, is_request=True)
            if line is None:
                facts.problems.insert(0, ("invalid-start-line", first_line(side.head)))
            elif not facts.hosts and line[3] == b"1" and line[4] == b"1":
                facts.problems.append(("missing-host", b""))
            if not facts.is_plain:
                _check_both(facts, line)
            if facts.problems or self._closed or facts.closes:
                yield from self._say_problems(facts)
            self._index += 1
            if not self._skips(framing):
                yield from self._rest(framing, asked.event)
            if asked.holds:
                follows = yield from self._outcome(asked, facts)
                if follows:
                    self._talk.leave(self._reader, follows)
                    return follows
                self._lossy = True
        self._talk.leave(self._reader)
        return None

    def _ask(self, facts: Facts, line: re.Match[bytes] | None) -> Asked:
        """Put the request where its answer will look for it."""
        side, talk = self._side, self._talk
        place = self._reader.place
        self._lossy = self._lossy or side.lost
        if side.lost or side.strayed:
            talk.lose(place)
        where: Where | None = side.head_where() if self._builds or self._lossy else None
        # Behind a hole `at` tells when the hole counted as lost, and behind an awaited answer
        # when that came: there only its own frames say when the request was sent.
        frame = where.frames[-1] if where is not None and self._lossy and where.frames else place.at
        method = line[1] if line is not None else b""
        event = RequestHead(where, side.head, self._index) if where is not None and self._builds else None
        asked = Asked(place, frame, method, event, holds=method == b"CONNECT" or bool(facts.upgrade))
        talk.queue.append(asked)
        return asked

    def _rest(self, framing: Framing, event: RequestHead | None) -> Generator[Parsed, None, None]:
        """The body, the form in it, the end."""
        start = self._reader.position
        kept = Kept(FORM_BYTES) if self._says_form and framing.by != "none" and is_form(self._side.head) else None
        end = yield from read_body(self._side, framing, kept)
        if kept is not None and kept.is_whole and end.complete and event is not None:
            where = here(self._side, start) if end.size else event.where._replace(start=start)
            yield RequestForm(where, event, read_form(bytes(kept.data)))
        yield from self._end(event, start, end)

    def _outcome(self, asked: Asked, facts: Facts) -> Generator[Parsed, None, str]:
        """Wait for the answer that decides what follows; "" HTTP goes on."""
        reader, talk = self._reader, self._talk
        server = reader.side.other
        talk.held = asked
        while True:
            if asked.outcome is not None and not is_too_late(reader, asked.outcome_place):
                reader.heed(asked.outcome_place)
                if asked.outcome != LOST:
                    talk.held = None
                    return asked.outcome
                break
            if talk.over[server] and asked.outcome is None and not is_too_late(reader, talk.over_place[server]):
                reader.heed(talk.over_place[server])
                break
            if is_out_of_patience(reader) and talk.caught_up(server):
                go_on_alone(reader)
                break
            yield talk.wait(reader)
        talk.held = None
        return (yield from self._guess(facts))

    def _guess(self, facts: Facts) -> Generator[Parsed, None, str]:
        """The answer was not captured: another request shows that HTTP goes on."""
        reader, talk = self._reader, self._talk
        size = 1
        while size <= _LONGEST_METHOD:
            seen = reader.look(size)
            if seen is Missing.BYTES:
                yield talk.wait(reader)
                continue
            if isinstance(seen, Missing) or _METHOD_START.match(seen):
                return ""
            if not seen.isupper():
                break
            size += 1
        if talk.carry is None:
            talk.carry = Upgraded(talk, None)
        return upgrade_to(facts.upgrade)


class _Responses(_Messages):
    __slots__ = ("_says_head",)

    def __init__(self, reader: Reader, talk: HttpTalk, report: Report) -> None:
        super().__init__(reader, talk, report, _RESPONSES)
        self._says_head = report.wants(ResponseHead)

    def run(self) -> Parser:
        side, talk, tally = self._side, self._talk, self._report.tally
        while side.has_head() or (yield from side.next_head()):
            if side.lost:
                talk.responses_lost = True
            line = side.line
            status = int(line[3]) if line is not None else 0
            asked = talk.next_asked(self._reader, heeds=self._builds)
            if asked is None:
                asked = yield from talk.answered(self._reader, self._frame)
            facts = read_facts(side.head)
            tally.http_responses += line is not None
            tally.set_cookie += facts.set_cookies
            head: ResponseHead | None = None
            if self._builds:
                head = ResponseHead(side.head_where(), side.head, self._index, asked.event if asked else None)
                if self._says_head:
                    yield head
            framing = self._framing(status, asked, facts)
            if line is None:
                facts.problems.insert(0, ("invalid-status-line", first_line(side.head)))
            if not facts.is_plain:
                _check_both(facts, line)
            if facts.problems or self._closed or facts.closes:
                yield from self._say_problems(facts)
            self._index += 1
            follows = self._settle(status, asked, facts)
            if follows:
                yield from self._end(head, self._reader.position, BodyEnd("tunnel", 0, True))
                talk.leave(self._reader, follows)
                return follows
            # The answer to a HEAD that was not captured, or is too broken to be read, may have
            # no body: then the next head stands in its place.
            unknown = (asked is None or not asked.method) and framing != NO_BODY and framing != Framing("length")
            if unknown and (yield from self._is_followed_by_head()):
                framing = NO_BODY
            if not self._skips(framing):
                start = self._reader.position
                yield from self._end(head, start, (yield from read_body(side, framing, None)))
        talk.leave(self._reader)
        return None

    def _frame(self) -> int:
        frames = self._side.head_where().frames
        return frames[0] if frames else 0

    def _framing(self, status: int, asked: Asked | None, facts: Facts) -> Framing:
        """RFC 9112 §6.3: rules 1 and 2 by status and method, the others by the fields."""
        framing = framing_of(facts, is_request=False)
        if 100 <= status < 200 or status == 204:
            # RFC 9110 §8.6, RFC 9112 §6.1; a length of 0 is common with 204 and harmless.
            if framing.by == "chunked" or framing.length:
                facts.problems.append(("body-not-allowed", b"%d" % status))
            return NO_BODY
        if status == 304 or (asked is not None and asked.method == b"HEAD"):
            return NO_BODY
        return framing

    def _settle(self, status: int, asked: Asked | None, facts: Facts) -> str:
        """What the answer means for the request, and which protocol follows; "" HTTP goes on."""
        tally, talk = self._report.tally, self._talk
        if 100 <= status < 200 and status != 101:
            tally.http_interim_responses += 1
            return ""
        follows = ""
        if status == 101:
            follows = upgrade_to(facts.upgrade)
            tally.websocket_handshakes += follows == "websocket"
        elif asked is not None and asked.method == b"CONNECT" and 200 <= status < 300:
            follows = "opaque"
        if follows:
            talk.next_protocol, talk.next_place = follows, self._reader.place
            talk.carry = Upgraded(talk, _extensions(self._side.head))
        talk.settle(asked, follows, self._reader)
        return follows

    def _is_followed_by_head(self) -> Generator[Parsed, None, bool]:
        """Whether a status line, or nothing at all, comes next."""
        reader = self._reader
        size = 1
        while size <= 7:
            seen = reader.look(size)
            if seen is Missing.BYTES:
                yield self._talk.wait(reader)
                continue
            if isinstance(seen, Missing):
                return seen is Missing.END and size == 1
            if not b"HTTP/1.".startswith(seen):
                return False
            size += 1
        return True


def _check_both(facts: Facts, line: re.Match[bytes] | None) -> None:
    """What breaks a rule in requests and responses alike, fields that framing does not look at."""
    if facts.hosts > 1:
        facts.problems.append(("duplicate-host", b"%d Host fields" % facts.hosts))
    if facts.cookies > 1:
        facts.problems.append(("duplicate-cookie-field", b"%d Cookie fields" % facts.cookies))
    if facts.codings and line is not None and line[0].rstrip(b"\r\n").endswith(b"HTTP/1.0"):
        facts.problems.append(("transfer-encoding-in-http-1.0", b"HTTP/1.0"))


def _extensions(head: bytes) -> bytes:
    """All Sec-WebSocket-Extensions values of a 101 as one list (RFC 6455 §9.1)."""
    return b", ".join(value for name, value in split_fields(head) if name.lower() == b"sec-websocket-extensions")


def _last_frame(where: Where) -> int:
    return where.frames[-1] if where.frames else where.at
