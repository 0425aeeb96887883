"""What the two sides of a WebSocket know of each other: who closed, who is over."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from inspect_cli.events.base import Side
from inspect_cli.events.websocket import WebSocketEnd
from inspect_cli.protocols.http1_talk import HttpTalk, Upgraded
from inspect_cli.protocols.talk import TwoSided
from inspect_cli.protocols.websocket_messages import Deflate, read_extensions
from inspect_cli.streams.channel import Parsed
from inspect_cli.streams.reader import Place, Reader


@dataclass(slots=True)
class Closed:
    """The first Close of a side. `code` -1: it had none."""

    code: int
    place: Place
    is_first: bool = False
    """Decided: it answers nothing."""


@dataclass(slots=True)
class WebSocketTalk(TwoSided):
    """What was negotiated, and the closing handshake under way."""

    before: HttpTalk | None = None
    """The HTTP conversation that opened this one; a side may be there still, or for ever."""
    deflate: Deflate | None = None
    allows_rsv: bool = False
    """Other extensions may use the RSV bits, or the 101 was not captured."""
    closes: list[Closed | None] = field(default_factory=lambda: [None, None])
    close_frames: list[int] = field(default_factory=list)
    frames: list[int] = field(default_factory=lambda: [0, 0])

    def close(self, reader: Reader, code: int) -> Generator[Parsed, None, int | None]:
        """This side sends its first Close: the code that it answers (-1: it had none), or None.

        The one that was captured first answers nothing, whichever parser came here first.
        """
        side, other = reader.side, reader.side.other
        mine = self.closes[side] = Closed(code, reader.place)
        while True:
            theirs = self.closes[other]
            if theirs is not None and (theirs.is_first or (theirs.place.at, other) < (mine.place.at, side)):
                reader.heed(theirs.place)
                return theirs.code
            if theirs is not None or self._has_caught_up(other):
                mine.is_first = True
                return None
            yield self.wait(reader)

    def end(self, reader: Reader) -> Generator[Parsed, None, None]:
        """Tell the end of the channel once; the server's side does it, if it is here."""
        side, other = reader.side, reader.side.other
        while not (self.over[other] or self._stays_away(other)):
            if side is Side.CLIENT and self.readers[other] is not None:
                return
            yield self.wait(reader)
        if side is Side.CLIENT and self.readers[other] is not None:
            return
        if self.over[other]:
            reader.heed(self.over_place[other])
        codes = [closed.code if closed is not None else None for closed in self.closes]
        where = reader.end_where()._replace(side=None, start=-1, end=-1)
        yield WebSocketEnd(where, codes[0], codes[1], tuple(sorted(self.close_frames)), self.frames[0], self.frames[1])

    def _stays_away(self, side: Side) -> bool:
        """The side ended in HTTP, or went elsewhere: it never comes here."""
        before = self.before
        return before is not None and before.over[side] and before.went_to[side] != "websocket"

    def _has_caught_up(self, side: Side) -> bool:
        """The side has nothing more to say for now."""
        before = self.before
        if self.readers[side] is not None or before is None:
            return self.caught_up(side)
        if before.over[side]:
            return before.went_to[side] != "websocket"
        reader = before.readers[side]
        # A side that is in HTTP still may be about to come here: the client once it has looked
        # at its answer, the server once it has read what is there.
        released = before.held is not None and before.held.outcome is not None
        if side is Side.CLIENT:
            return before.caught_up(side) and not released
        return reader is not None and not reader.unread_bytes


def make_talk(carry: object) -> WebSocketTalk:
    """`carry`: Upgraded, or anything else where nothing is known of the opening."""
    if not isinstance(carry, Upgraded):
        return WebSocketTalk(allows_rsv=True)
    if carry.extensions is None:
        return WebSocketTalk(before=carry.http, allows_rsv=True)
    deflate, others = read_extensions(carry.extensions)
    return WebSocketTalk(before=carry.http, deflate=deflate, allows_rsv=others)
