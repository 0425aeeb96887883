"""The client's side of HTTP/1: requests, and what comes behind an upgrade."""

from __future__ import annotations

import re
from collections.abc import Generator

from inspect_cli.events.base import Where
from inspect_cli.events.http import RequestForm, RequestHead
from inspect_cli.protocols.forms import FORM_BYTES, is_form, read_form
from inspect_cli.protocols.http1_body import Framing, framing_of, here, read_body
from inspect_cli.protocols.http1_head import (
    FIND_REQUEST,
    MAYBE_REQUEST,
    METHODS,
    REQUEST_LIKE,
    REQUEST_LINE,
    Facts,
    read_facts,
)
from inspect_cli.protocols.http1_messages import Messages
from inspect_cli.protocols.http1_reading import PARAGRAPH_BYTES, Grammar, Kept, first_line
from inspect_cli.protocols.http1_talk import LOST, Asked, HttpTalk, Upgraded
from inspect_cli.protocols.http1_usual import USUAL_REQUEST, framing_said
from inspect_cli.protocols.talk import go_on_alone, is_out_of_patience, is_too_late
from inspect_cli.protocols.upgrades import upgrade_to
from inspect_cli.streams.channel import Parsed, Parser, Report
from inspect_cli.streams.reader import Missing, Reader

_REQUESTS = Grammar(REQUEST_LINE, REQUEST_LIKE, FIND_REQUEST, MAYBE_REQUEST, "invalid-start-line")
_METHOD_START = re.compile(rb"(?:" + METHODS + rb")[ /]")
_LONGEST_METHOD = 12


class Requests(Messages):
    """Puts each request where its answer will look for it."""

    __slots__ = ("_says_form", "_says_head")

    def __init__(self, reader: Reader, talk: HttpTalk, report: Report) -> None:
        super().__init__(reader, talk, report, _REQUESTS)
        self._says_head = report.wants(RequestHead)
        self._says_form = report.wants(RequestForm)

    def run(self) -> Parser:
        side, tally = self._side, self._report.tally
        while True:
            if self._is_calm:
                yield from self._usual()
            if not (side.has_head() or (yield from side.next_head())):
                break
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
            if facts.problems or self._closed or not facts.is_plain:
                yield from self._say_problems(facts, line)
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

    def _usual(self) -> Generator[Parsed, None, None]:
        """Requests one behind another, as long as each is a usual one."""
        reader, side, talk, tally = self._reader, self._side, self._talk, self._report.tally
        while True:
            match = reader.match(USUAL_REQUEST, PARAGRAPH_BYTES)
            if match is None:
                if not reader.is_dry:
                    return
                yield talk.wait_for_bytes(reader)
                continue
            text, method, length, chunked = match.group(0, 1, 2, 3)
            cookies = text.lower().count(b"\ncookie:")
            if cookies > 1:
                return
            where = side.take_usual(text, says_where=self._builds)
            place = reader.place
            event = RequestHead(where, text, self._index) if where is not None else None
            talk.ask(Asked(place, place.at, method, event))
            self._index += 1
            tally.http_requests += 1
            tally.cookie += cookies
            if event is None:
                if not self._skips_usual(length, chunked):
                    yield from self._rest(framing_said(length, chunked), None)
                continue
            if self._says_head:
                yield event
            framing = framing_said(length, chunked)
            end = self._whole(event, framing) if not self._may_be_form(framing) else None
            if end is not None:
                yield end
            else:
                yield from self._rest(framing, event)

    def _may_be_form(self, framing: Framing) -> bool:
        return self._says_form and framing.by != "none" and is_form(self._side.head)

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
        talk.ask(asked)
        return asked

    def _rest(self, framing: Framing, event: RequestHead | None) -> Generator[Parsed, None, None]:
        """The body, the form in it, the end."""
        start = self._reader.position
        kept = Kept(FORM_BYTES) if self._may_be_form(framing) else None
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
