"""Which response answers which request: by position in the two streams.

Requests stand in a queue in the order of the client's stream, and each final response takes
the first one (RFC 9112 §9.3.2). Where bytes are missing, positions prove nothing any more:

- The client lost bytes between requests: a mark stands in the queue. Unknown is how many
  requests it swallowed. A response in front of a mark takes the request behind it only if
  that was captured before the response; otherwise it answers a lost one (`request` None)
  and the mark stays.
- The server lost bytes between responses: unknown is how many requests were answered in
  there. The next response takes the last request that was captured before it.

"Captured before" compares numbers of the frames that carried the heads, never the order in
which parsers happened to run, so that the pairs are the same for every batch size.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Final

from inspect_cli.events.base import Side
from inspect_cli.events.http import RequestHead
from inspect_cli.protocols.talk import TwoSided, go_on_alone, is_out_of_patience, is_too_late
from inspect_cli.streams.channel import Parsed
from inspect_cli.streams.reader import NOWHERE, Place, Reader

MOST_UNANSWERED: Final = 16_384
"""So many requests wait where the server has not said a byte: its direction may not have been captured."""
LOST: Final = "?"
"""Outcome of a request whose answer the capture does not hold."""


@dataclass(slots=True)
class Asked:
    """A request that waits for its answer, or a mark that requests were lost here."""

    place: Place
    frame: int
    """Number of the frame that carried its (last) bytes; 0 unknown."""
    method: bytes = b""
    event: RequestHead | None = None
    """None where nobody wants heads."""
    is_lost: bool = False
    holds: bool = False
    """The client's bytes behind it depend on the answer: CONNECT, Upgrade."""
    outcome: str | None = None
    """Set by the server's side: "" HTTP goes on, LOST, else the protocol that follows; None not known yet."""
    outcome_place: Place = NOWHERE


@dataclass(slots=True)
class Upgraded:
    """What HTTP hands to the protocol that follows."""

    http: HttpTalk
    extensions: bytes | None
    """Sec-WebSocket-Extensions of the 101; None: the 101 was not captured."""


@dataclass(slots=True)
class HttpTalk(TwoSided):
    """Requests on their way to their answers."""

    queue: deque[Asked] = field(default_factory=deque)
    held: Asked | None = None
    """The request whose answer the client's side waits for."""
    responses_lost: bool = False

    def ask(self, asked: Asked) -> None:
        """Put a request where its answer will look for it."""
        self.queue.append(asked)
        if len(self.queue) > MOST_UNANSWERED and self._is_unheard(Side.SERVER, asked.place.at):
            first = self.queue.popleft()
            if first.is_lost:
                self.queue.popleft()
            self.queue.appendleft(Asked(first.place, 0, is_lost=True))

    def _is_unheard(self, side: Side, at: int) -> bool:
        """Whether no byte of this side was known at frame `at`; the same in every batch."""
        reader = self.readers[side]
        if reader is None or reader.position:
            return False
        first = reader.at_of(0)
        return first is None or first > at

    def lose(self, place: Place) -> None:
        """Requests may have been lost here."""
        if not self.queue or not self.queue[-1].is_lost:
            self.queue.append(Asked(place, 0, is_lost=True))

    def _went_on(self) -> int | None:
        """`Place.at` of what the client sent behind the request that it waits at; None: nothing yet."""
        reader = self.readers[Side.CLIENT]
        return reader.at_of(reader.position) if reader is not None else None

    def next_asked(self, reader: Reader, *, heeds: bool) -> Asked | None:
        """The request that the next response answers, where nothing was lost and it is here.

        `heeds` False: no event is made, so that its place matters only to a client that waits.
        """
        if not self.queue or self.responses_lost or self.mid_stream:
            return None
        asked = self.queue[0]
        if asked.is_lost or (is_out_of_patience(reader) and is_too_late(reader, asked.place)):
            return None
        if heeds or asked.holds:
            reader.heed(asked.place)
        return asked

    def take_usual(self, reader: Reader, *, heeds: bool) -> Asked | None:
        """The request that a usual response answers, settled; None where more must be known of it."""
        asked = self.next_asked(reader, heeds=heeds)
        if asked is None or asked.holds or asked.method in (b"", b"HEAD"):
            return None
        asked.outcome = ""
        self.queue.popleft()
        return asked

    def answered(self, reader: Reader, frame: Callable[[], int]) -> Generator[Parsed, None, Asked | None]:
        """The request that the response at the server's position answers; None: not captured.

        It stays first in the queue until the answer is final. `frame()`: number of the frame
        that carried the beginning of the response, 0 unknown.
        """
        if self.mid_stream:
            self.queue.appendleft(Asked(NOWHERE, 0, is_lost=True))
            self.mid_stream = False
        while True:
            asked, known = self._first(reader, frame)
            if known is not None:
                reader.heed(known)
                self.responses_lost = False
                return asked
            client_over = self.over[Side.CLIENT] and not is_too_late(reader, self.over_place[Side.CLIENT])
            if client_over or (is_out_of_patience(reader) and self.caught_up(Side.CLIENT)):
                if client_over:
                    reader.heed(self.over_place[Side.CLIENT])
                else:
                    go_on_alone(reader)
                self.responses_lost = False
                return asked
            frame()  # while the reader still remembers
            yield self.wait(reader)

    def _first(self, reader: Reader, frame: Callable[[], int]) -> tuple[Asked | None, Place | None]:
        """The answered request and where that became known; no place: more must be seen to be sure."""
        queue = self.queue
        while queue and not is_too_late(reader, queue[0].place):
            first = queue[0]
            then = queue[1] if len(queue) > 1 and not is_too_late(reader, queue[1].place) else None
            if first.is_lost:
                if then is None:
                    return None, None
                if not _before(then, frame()):
                    return None, then.place
            elif not self.responses_lost:
                return first, first.place
            elif not _before(first, frame()):
                return None, first.place
            elif first.holds:
                if self.held is not first:
                    return None, None
                went_on = self._went_on()
                if went_on is None or went_on >= frame():
                    return first, first.place
                first.outcome, first.outcome_place = LOST, reader.place
            elif then is None:
                return first, None
            elif then.is_lost or not _before(then, frame()):
                return first, then.place
            else:
                # Its answer was among what the server's side lost.
                first.outcome = LOST
            queue.popleft()
        return None, None

    def settle(self, asked: Asked | None, outcome: str, reader: Reader) -> None:
        """The final answer has been seen by the server's side."""
        if asked is None:
            return
        asked.outcome = outcome
        if asked.holds:
            asked.outcome_place = reader.place
        if self.queue and self.queue[0] is asked:
            self.queue.popleft()


def _before(asked: Asked, frame: int) -> bool:
    """Whether the request was captured before the response at `frame`; unknown counts as yes."""
    return asked.is_lost or not asked.frame or not frame or asked.frame < frame
