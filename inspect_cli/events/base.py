"""The nouns that everything else is made of: side, where, event, annotation, entry, secret."""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, ClassVar, Final, Literal, NamedTuple, TypeVar, cast, dataclass_transform

Basis = Literal["observed", "inferred", "reported", "not observable"]
Level = Literal["info", "notice", "warning", "error"]
Layer = Literal["tcp", "udp", "tls", "http", "websocket", "cookie", "session", "call", "capture"]

OBSERVED: Final[Basis] = "observed"
INFERRED: Final[Basis] = "inferred"
REPORTED: Final[Basis] = "reported"
NOT_OBSERVABLE: Final[Basis] = "not observable"

_T = TypeVar("_T")


@dataclass_transform(frozen_default=True)
def noun(cls: type[_T]) -> type[_T]:
    """Make a slotted dataclass that type checkers treat as frozen.

    Freezing at run time makes each object four times dearer (it is made by the hundred
    thousand), so mypy alone holds the promise. All nouns share one `==` and one repr: made
    for each of a hundred types they would cost a command 10 ms before it does anything.
    """
    made: Any = dataclass(slots=True, eq=False, repr=False)(cls)
    made.__eq__, made.__hash__, made.__repr__ = _is_equal, None, _shown
    # For pickle: three times as fast as by the state of its slots.
    names = made.__match_args__
    values = attrgetter(*names) if len(names) > 1 else _one_by_one
    made.__reduce__ = lambda self: (made, values(self))
    return cast("type[_T]", made)


def _is_equal(self: Any, other: Any) -> Any:
    if self.__class__ is not other.__class__:
        return NotImplemented
    return all(getattr(self, name) == getattr(other, name) for name in self.__match_args__)


def _one_by_one(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self.__match_args__])


def _shown(self: Any) -> str:
    values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
    return f"{self.__class__.__qualname__}({values})"


class Side(enum.IntEnum):
    """Who speaks: the client opens the connection."""

    CLIENT = 0
    SERVER = 1

    @property
    def other(self) -> Side:
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT

    @property
    def word(self) -> str:
        return "client" if self is Side.CLIENT else "server"


class Span(NamedTuple):
    """A half-open byte range [start, end) of one side of a channel."""

    channel: str
    side: Side
    start: int
    end: int


class Where(NamedTuple):
    """Where something happened; shared by an event and all that follows from it."""

    at: int
    """Number of the last frame that decided it (0: before any frame); see docs/architecture.md."""
    time_ns: int
    """Unix time in ns: of the last of its own frames, else of its call or bytes."""
    channel: str
    """`tcp/3`, `udp/0`, `socket/1`, inside them `tcp/3/tls`; "" for the capture itself."""
    side: Side | None
    frames: tuple[int, ...] = ()
    """Numbers of the frames that show it, ascending; empty for what no frame shows."""
    start: int = -1
    end: int = -1
    """Byte range on that side of the channel; -1 where there is none."""
    basis: Basis = OBSERVED

    @property
    def span(self) -> Span | None:
        if self.start < 0 or self.side is None:
            return None
        return Span(self.channel, self.side, self.start, self.end)


@noun
class Secret:
    """A value that redaction replaces before any text is made.

    `kind` names what it is: `cookie`, `authorization`, `password`, `token`, `payload`.
    `form` says which parts of the value are secret: all of it, the values of `name=value`
    pairs (Cookie), that of the first pair (Set-Cookie), or what follows a scheme (Authorization).
    """

    value: bytes
    kind: str
    form: Literal["", "pairs", "set-cookie", "scheme"] = ""


class Item:
    """What a source yields: Frames (wire), Secrets, Call, Context, Reported (calls), Comment, Names (capture)."""

    __slots__ = ()


@noun
class Event:
    """Something that happened on the wire, at the socket API, or in consequence.

    `kind` and `layer` are part of the JSON contract. `is_entry`: shown as a row of the
    timeline; `entry_if_annotated`: shown only where an annotation hangs on it.
    `shown` names the attributes that go into an entry's `fields`, in order; () means
    every dataclass field but `where` and `of`. `shared` names the attribute that holds all
    of them, where events that are alike share one such object.
    """

    kind: ClassVar[str] = "event"
    layer: ClassVar[Layer] = "capture"
    is_entry: ClassVar[bool] = True
    entry_if_annotated: ClassVar[bool] = False
    shown: ClassVar[tuple[str, ...]] = ()
    shared: ClassVar[str] = ""

    where: Where


@noun
class Annotation:
    """What an event means: a concept tied to its evidence.

    `code` is stable and begins with its concept (`cookie-security.no-secure`); its words
    are in texts under `annotation.CODE`, filled from `data`.
    """

    concept: str
    code: str
    frames: tuple[int, ...]
    reference: str
    """The clause, as cited: `RFC 9293 §3.5`, `6265bis §5.7`; "" where none applies."""
    level: Level = "info"
    basis: Basis = OBSERVED
    span: Span | None = None
    data: dict[str, object] | None = None


@noun
class Entry:
    """One row of the timeline: an event with its annotations. Numbers count from 1."""

    number: int
    parent: int | None
    """Number of the entry that it follows from."""
    event: Event
    annotations: tuple[Annotation, ...]


def shown_names(kind: type[Event]) -> tuple[str, ...]:
    """Names of what goes into the `fields` of an entry of this type, in order."""
    return kind.shown or tuple(f.name for f in fields(kind) if f.name not in ("where", "of"))
