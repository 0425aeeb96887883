"""How two parsers are run over the two sides of a channel.

A parser is a generator over one side: it yields events, yields WAIT_BYTES when bytes are
missing (WAIT where the other side may have to speak first), and returns the name of the next
protocol or None. Chunking never changes what comes out: a parser decides by bytes and by what `talk`
tells, never by the order in which chunks arrived.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from inspect_cli.events.base import Event, Side
from inspect_cli.events.capture import ParserFailed
from inspect_cli.events.summary import Tally
from inspect_cli.streams.reader import DATA, OPENING, Place, Reader

HEAD_BYTES = 64
"""How much of each side recognition may look at."""
UNDECIDED_BYTES = 1 << 20
"""More than this is not held while nothing is recognised."""


class Recognition(enum.Enum):
    """Does this content belong to a protocol? MORE: cannot tell from so few bytes."""

    YES = "yes"
    NO = "no"
    MORE = "more"


class Wait(enum.Enum):
    """When a parser that stands still is to be resumed; BYTES costs less where either would do."""

    WAIT = "when my side has more bytes, has ended, or the other side moved on"
    BYTES = "when my side has more bytes, or has ended"


WAIT, WAIT_BYTES = Wait.WAIT, Wait.BYTES

Parsed = Event | Wait
Parser = Generator[Parsed, None, "str | None"]


@dataclass(slots=True)
class Report:
    """What a parser is given besides bytes: counters, and which events anybody wants."""

    tally: Tally
    wanted: frozenset[type[Event]] | None = None
    """None: every type."""

    def wants(self, kind: type[Event]) -> bool:
        return self.wanted is None or kind in self.wanted


@dataclass(slots=True)
class Protocol:
    """A protocol: its name, how it is recognised, its parser for either side.

    looks_like(client_head, server_head) is asked frame by frame with what each side has
    sent so far (at most 64 bytes of each); once it has said YES or NO for some bytes, more
    bytes never change that. make_talk(carry) makes what the two sides share; `carry` is what
    the protocol before handed over (None at the beginning).
    """

    name: str
    looks_like: Callable[[bytes, bytes], Recognition]
    client: Callable[[Reader, Any, Report], Parser]
    server: Callable[[Reader, Any, Report], Parser]
    make_talk: Callable[[Any], Talk]


@dataclass(slots=True)
class Talk:
    """What the two sides of a channel tell each other; each protocol subclasses it.

    A side that takes something from here that the other side put there must `heed` its
    place on its own reader before it makes another event.
    """

    mid_stream: bool = False
    """The capture does not hold the beginning of the connection: the first bytes of either
    side may belong to something begun before."""
    next_protocol: str | None = None
    """Set by the side that decides a change of protocol (a 101): both sides then return it."""
    next_place: Place = field(default=Place(0, 0))
    carry: Any = None
    """Handed to make_talk of the next protocol."""


class Placed(NamedTuple):
    """An event with its place; events of one connection are sorted by (place, side)."""

    place: Place
    side: int
    event: Event


_new = tuple.__new__  # makes a Placed in half the time of its own


class Channel:
    """Two readers, the protocol recognised on them, and the events that its parsers make."""

    __slots__ = (
        "_name_of",
        "_parsers",
        "_report",
        "_rests",
        "_strict",
        "_table",
        "_talks",
        "events",
        "names",
        "protocol",
        "readers",
    )

    def __init__(
        self, readers: tuple[Reader, Reader], protocols: Sequence[Protocol], report: Report, *, strict: bool = False
    ) -> None:
        self.readers = readers
        """Of the client, of the server."""
        self.protocol: Protocol | None = None
        self.names: tuple[str, ...] = ()
        """Protocols in the order in which they took over."""
        self.events: list[Placed] = []
        """What the parsers made and nobody took yet, in stream order of each side."""
        self._table = protocols
        self._report = report
        self._strict = strict
        # Made when it starts: of many connections nothing is ever read.
        self._parsers: list[Parser | None]
        self._name_of: list[str]
        self._talks: dict[str, Any]
        self._rests: list[bool]
        """The side has looked at all its bytes, and asks for more before anything else."""

    def recognise(self, at: int, *, either_way: bool, mid_stream: bool = False, last_chance: bool = False) -> bool:
        """Ask the protocols in order; True once one has said YES.

        Called for each frame that brought bytes while nothing is recognised, so that the
        answer depends on frames alone. `either_way`: who is the client is not known from the
        handshake; if only the other way round is recognised, the readers are swapped.
        """
        heads = self.readers[0].head(HEAD_BYTES), self.readers[1].head(HEAD_BYTES)
        last_chance = last_chance or any(reader.unread_bytes > UNDECIDED_BYTES for reader in self.readers)
        if not heads[0] and not heads[1] and not last_chance:
            return False
        undecided = False
        for protocol in self._table:
            answer = protocol.looks_like(*heads)
            if answer is Recognition.NO and either_way and protocol.looks_like(heads[1], heads[0]) is Recognition.YES:
                self.swap()
                answer = Recognition.YES
            if answer is Recognition.YES:
                self._start(protocol, Place(at, OPENING), mid_stream)
                return True
            undecided = undecided or answer is Recognition.MORE
            if undecided and not last_chance:
                return False
        if last_chance:
            self._start(self._table[-1], Place(at, OPENING), mid_stream)
            return True
        return False

    def run(self) -> None:
        """Run both parsers until neither moves on; then copy what they left unread."""
        if self.protocol is None:
            return
        self._rests = [False, False]
        moved = True
        while moved:
            moved = self._advance(Side.CLIENT)
            moved = self._advance(Side.SERVER) or moved
        for side in (0, 1):
            if self._parsers[side] is None:
                self.readers[side].skip(self.readers[side].unread_bytes)

    def keep(self) -> None:
        """Before the capture's buffer is used again: copy what is unread."""
        self.readers[0].keep()
        self.readers[1].keep()

    def swap(self) -> None:
        client, server = self.readers[1], self.readers[0]
        client.side, server.side = Side.CLIENT, Side.SERVER
        self.readers = (client, server)

    def _start(self, protocol: Protocol, place: Place, mid_stream: bool) -> None:
        self.protocol = protocol
        self.names += (protocol.name,)
        talk = protocol.make_talk(None)
        talk.mid_stream = mid_stream
        self._name_of, self._parsers = [protocol.name, protocol.name], [None, None]
        for side, make in ((0, protocol.client), (1, protocol.server)):
            self.readers[side].heed(place)
            self._parsers[side] = make(self.readers[side], talk, self._report)
        self._talks = {protocol.name: talk}

    def _advance(self, side: Side) -> bool:
        """Run one side until it waits; True if it did anything that the other side may see."""
        parser = self._parsers[side]
        if parser is None or self._rests[side]:
            return False
        reader = self.readers[side]
        before = reader.position
        moved = False
        try:
            while True:
                parsed = next(parser)
                if parsed is WAIT or parsed is WAIT_BYTES:
                    self._rests[side] = parsed is WAIT_BYTES
                    return moved or reader.position != before
                moved = True
                assert isinstance(parsed, Event)
                place, at = reader.place, parsed.where.at
                self.events.append(_new(Placed, (place if place.at == at else Place(at, DATA), side, parsed)))
        except StopIteration as stop:
            self._parsers[side] = None
            if stop.value is not None:
                self._follow(side, stop.value)
            return True
        except Exception as error:
            if self._strict:
                raise
            self._fail(side, error)
            return True

    def _follow(self, side: Side, name: str) -> None:
        """This side goes on with the next protocol; the sides share its talk."""
        protocol = next(p for p in self._table if p.name == name)
        talk = self._talks.get(name)
        if talk is None:
            carry = getattr(self._talks[self._name_of[side]], "carry", None)
            talk = self._talks[name] = protocol.make_talk(carry)
            self.names += (name,)
        self.protocol = protocol
        self._name_of[side] = name
        make = protocol.client if side is Side.CLIENT else protocol.server
        self._parsers[side] = make(self.readers[side], talk, self._report)

    def _fail(self, side: Side, error: Exception) -> None:
        self._parsers[side] = None
        reader = self.readers[side]
        self._report.tally.problem("parser-failed")
        if self._report.wants(ParserFailed):
            said = f"{type(error).__name__}: {error}"
            where = reader.where(reader.position, reader.position)
            self.events.append(Placed(reader.place, side, ParserFailed(where, self._name_of[side], said[:200])))
