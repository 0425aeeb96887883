"""The server's side of HTTP/1: responses, each with the request that it answers."""

from __future__ import annotations

from collections.abc import Generator

from inspect_cli.events.http import ResponseHead, split_fields
from inspect_cli.protocols.http1_body import NO_BODY, BodyEnd, Framing, framing_of, read_body
from inspect_cli.protocols.http1_head import FIND_STATUS, MAYBE_STATUS, STATUS_LIKE, STATUS_LINE, Facts, read_facts
from inspect_cli.protocols.http1_messages import Messages
from inspect_cli.protocols.http1_reading import PARAGRAPH_BYTES, Grammar, first_line
from inspect_cli.protocols.http1_talk import Asked, HttpTalk, Upgraded
from inspect_cli.protocols.http1_usual import USUAL_RESPONSE, framing_said
from inspect_cli.protocols.upgrades import upgrade_to
from inspect_cli.streams.channel import Parsed, Parser, Report
from inspect_cli.streams.reader import Missing, Reader

_RESPONSES = Grammar(STATUS_LINE, STATUS_LIKE, FIND_STATUS, MAYBE_STATUS, "invalid-status-line")


class Responses(Messages):
    """Takes the request of each final response from where it waits."""

    __slots__ = ("_says_head",)

    def __init__(self, reader: Reader, talk: HttpTalk, report: Report) -> None:
        super().__init__(reader, talk, report, _RESPONSES)
        self._says_head = report.wants(ResponseHead)

    def run(self) -> Parser:
        side, talk, tally = self._side, self._talk, self._report.tally
        while True:
            if self._is_calm:
                yield from self._usual()
            if not (side.has_head() or (yield from side.next_head())):
                break
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
            if facts.problems or self._closed or not facts.is_plain:
                yield from self._say_problems(facts, line)
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
                yield from self._rest(framing, head)
        talk.leave(self._reader)
        return None

    def _usual(self) -> Generator[Parsed, None, None]:
        """Responses one behind another, as long as each is a usual one and its request is here."""
        reader, side, talk, tally = self._reader, self._side, self._talk, self._report.tally
        while True:
            match = reader.match(USUAL_RESPONSE, PARAGRAPH_BYTES)
            if match is None:
                if not reader.is_dry:
                    return
                yield talk.wait_for_bytes(reader)
                continue
            asked = talk.take_usual(reader, heeds=self._builds)
            if asked is None:
                return
            text, length, chunked = match.group(0, 2, 3)
            where = side.take_usual(text, says_where=self._builds)
            tally.http_responses += 1
            tally.set_cookie += text.lower().count(b"\nset-cookie:")
            self._index += 1
            if where is None:
                if not self._skips_usual(length, chunked):
                    yield from self._rest(framing_said(length, chunked), None)
                continue
            head = ResponseHead(where, text, self._index - 1, asked.event)
            if self._says_head:
                yield head
            framing = framing_said(length, chunked)
            end = self._whole(head, framing)
            if end is not None:
                yield end
            else:
                yield from self._rest(framing, head)

    def _rest(self, framing: Framing, head: ResponseHead | None) -> Generator[Parsed, None, None]:
        """The body, the end."""
        start = self._reader.position
        yield from self._end(head, start, (yield from read_body(self._side, framing, None)))

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


def _extensions(head: bytes) -> bytes:
    """All Sec-WebSocket-Extensions values of a 101 as one list (RFC 6455 §9.1)."""
    return b", ".join(value for name, value in split_fields(head) if name.lower() == b"sec-websocket-extensions")
