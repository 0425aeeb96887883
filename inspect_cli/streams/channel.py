"""How two parsers are run over the two sides of a channel.

A parser is a generator over one side: it yields events, yields WAIT when bytes are missing
(or when the other side must speak first), and returns the name of the next protocol or
None. Chunking never changes what comes out: a parser decides by bytes and by what `talk`
tells, never by the order in which chunks arrived.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

from inspect_cli.events.base import Event
from inspect_cli.events.summary import Tally
from inspect_cli.streams.reader import Place, Reader


class Recognition(enum.Enum):
    """Does this content belong to a protocol? MORE: cannot tell from so few bytes."""

    YES = "yes"
    NO = "no"
    MORE = "more"


class Wait(enum.Enum):
    """WAIT: resume me when my side has more bytes, has ended, or the other side moved on."""

    WAIT = "wait"


WAIT = Wait.WAIT

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
    make_talk: Callable[[Any], Any]


@dataclass(slots=True)
class Talk:
    """What the two sides of a channel tell each other; each protocol subclasses it.

    A side that takes something from here that the other side put there must `heed` its
    place on its own reader before it makes another event.
    """

    next_protocol: str | None = None
    """Set by the side that decides a change of protocol (a 101): both sides then return it."""
    next_place: Place = field(default=Place(0, 0))
    carry: Any = None
    """Handed to make_talk of the next protocol."""
