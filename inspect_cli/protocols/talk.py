"""What the two sides of a conversation know of each other, whatever they speak."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from inspect_cli.events.base import Side
from inspect_cli.streams.channel import WAIT, WAIT_BYTES, Talk, Wait
from inspect_cli.streams.reader import NOWHERE, Place, Reader

PATIENCE_BYTES: Final = 262_144
"""A side that waits for the other lets so many of its own bytes pile up, then goes on alone.

Where one direction of a connection was not captured, what it would have said never comes;
without a bound its counterpart would be held in memory for ever.
"""


@dataclass(slots=True)
class TwoSided(Talk):
    """Who reads where, how far each side has looked, and whether it is over.

    Nothing here depends on which parser happened to run first: what one side took from the
    other is judged by `Place`, and "the other has nothing" counts only once it `caught_up`.
    """

    readers: list[Reader | None] = field(default_factory=lambda: [None, None])
    looked: list[int] = field(default_factory=lambda: [-1, -1])
    """Offset up to which each side had seen its bytes when it last waited."""
    over: list[bool] = field(default_factory=lambda: [False, False])
    """The side has ended or gone over to another protocol."""
    over_place: list[Place] = field(default_factory=lambda: [NOWHERE, NOWHERE])
    went_to: list[str | None] = field(default_factory=lambda: [None, None])
    """The protocol that the side has gone over to; None while it is here, or ended here."""

    def join(self, reader: Reader) -> None:
        """The parser of this side has begun."""
        self.readers[reader.side] = reader

    def wait(self, reader: Reader) -> Wait:
        """What a parser yields when it cannot go on: notes that all there is was looked at."""
        self.looked[reader.side] = reader.position + reader.unread_bytes
        return WAIT

    def wait_for_bytes(self, reader: Reader) -> Wait:
        """The same where all was consumed, and nothing that the other side does could help."""
        self.looked[reader.side] = reader.position
        return WAIT_BYTES

    def caught_up(self, side: Side) -> bool:
        """This side has looked at every byte delivered to it, or reads no more here."""
        reader = self.readers[side]
        return self.over[side] or (reader is not None and self.looked[side] == reader.position + reader.unread_bytes)

    def leave(self, reader: Reader, went_to: str | None = None) -> None:
        """The parser of this side has ended, or goes over to the protocol `went_to`."""
        self.over[reader.side] = True
        self.went_to[reader.side] = went_to
        self.over_place[reader.side] = reader.place


def is_too_late(reader: Reader, place: Place) -> bool:
    """Whether what became known at `place` came after this side's patience had run out."""
    if reader.unread_bytes <= PATIENCE_BYTES:
        return False
    limit = reader.at_of(reader.position + PATIENCE_BYTES)
    return limit is not None and place.at > limit


def is_out_of_patience(reader: Reader) -> bool:
    """Whether so many bytes wait that this side goes on without the other."""
    return reader.unread_bytes > PATIENCE_BYTES


def go_on_alone(reader: Reader) -> None:
    """What is decided now rests on all the bytes that were waited through."""
    reader.reach(PATIENCE_BYTES + 1)
