"""What a filter may name: fields of entries and connections, with what their values are.

Names are those of the JSON contract; the keys of `fields` are read from the event types, so
a new event can be asked for as soon as it is there.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import lru_cache
from types import NoneType
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin, get_type_hints

import inspect_cli.events
from inspect_cli.events.base import Basis, Event, Layer, Level, Secret, shown_names
from inspect_cli.events.tcp import Closed, Opened
from inspect_cli.render.values import shown_hints
from inspect_cli.texts import Words

Sort = Literal["number", "text", "word", "flag"]
"""Of a value: `word` is one of a fixed set."""


class Field(NamedTuple):
    """What values a name stands for; `words`: all that there are, where only words are."""

    sorts: frozenset[Sort]
    words: frozenset[str] = frozenset()


LEVELS: Final[dict[str, int]] = {level: rank for rank, level in enumerate(get_args(Level))}
"""With their order: `level >= notice`."""

_NUMBER: Final = Field(frozenset({"number"}))
_TEXT: Final = Field(frozenset({"text"}))
_OF_ENTRIES: Final[dict[str, Field]] = {
    **dict.fromkeys(("number", "parent", "time", "time_ns", "frame", "frames", "connection", "port"), _NUMBER),
    **dict.fromkeys(("channel", "text", "host", "client", "server", "protocols"), _TEXT),
    "side": Field(frozenset({"word"}), frozenset({"client", "server"})),
    "layer": Field(frozenset({"word"}), frozenset(get_args(Layer))),
    "basis": Field(frozenset({"word"}), frozenset(get_args(Basis))),
    "level": Field(frozenset({"word"}), frozenset(LEVELS)),
    "opened": Field(frozenset({"word"}), frozenset(get_args(Opened))),
    "closed": Field(frozenset({"word"}), frozenset(get_args(Closed))),
    "closed_first": Field(frozenset({"word"}), frozenset({"client", "server", "both"})),
}
ADDRESSES: Final = frozenset({"host", "client", "server"})
"""Compared without case, and without a port where none is asked for."""
_SAME: Final = ADDRESSES | {"opened", "closed", "closed_first"}
"""Where a kind shows a field of that name, it is the same thing."""
_KINDS: Final = ("kind", "concept", "code")
"""Names whose words come from the event types and from the texts."""

OUTCOMES: Final = frozenset({"opened", "closed", "closed_first", "protocols"})
"""What only the end of a connection tells."""

MEANINGS: Final = ("layer", "kind", "concept", "code")
"""What a bare name may be, besides a field: each of these that has such a word."""


class Names:
    """What may be asked, in the words that this version has."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def field(self, name: str) -> Field | None:
        """What stands under a name; None: there is no such field."""
        own = _OF_ENTRIES.get(name)
        if name in _KINDS:
            own = Field(frozenset({"word"}), self.known(name))
        shown = shown_field(name)
        if own is not None and (name in _SAME or not shown.sorts):
            return own
        if own is None:
            return shown if shown.sorts else None
        return Field(own.sorts | shown.sorts, own.words | shown.words)

    def known(self, name: str) -> frozenset[str]:
        """The words that `layer`, `kind`, `concept` or `code` may have."""
        if name == "kind":
            return frozenset({kind.kind for kind in _rows()})
        if name == "layer":
            return _OF_ENTRIES["layer"].words
        codes = self._words.keys("annotation")
        return frozenset(codes if name == "code" else {code.partition(".")[0] for code in codes})

    def meanings(self, name: str) -> list[str]:
        """What a bare name is a word of."""
        return [meaning for meaning in MEANINGS if name in self.known(meaning)]

    def fields(self) -> list[str]:
        """All names of fields."""
        shown = {name for kind in _rows() for name in shown_names(kind)}
        return sorted({*_OF_ENTRIES, *_KINDS, *shown})


@lru_cache(maxsize=256)
def shown_field(name: str) -> Field:
    """What stands under a key of `fields`, whatever the kind; without sorts where no kind has it."""
    sorts: set[Sort] = set()
    words: set[str] = set()
    for kind in _rows():
        if name in shown_names(kind):
            _look(shown_hints(kind)[name], sorts, words)
    return Field(frozenset(sorts), frozenset(words))


@lru_cache(maxsize=1)
def _rows() -> tuple[type[Event], ...]:
    """Every event type that can be a row."""
    for module in pkgutil.iter_modules(inspect_cli.events.__path__):
        importlib.import_module(f"inspect_cli.events.{module.name}")
    return tuple(kind for kind in _below(Event) if (kind.is_entry or kind.entry_if_annotated) and kind.kind != "event")


def _below(kind: type[Event]) -> Iterator[type[Event]]:
    for below in kind.__subclasses__():
        # Ours only; dataclass(slots=True) leaves the class without slots behind.
        if "__slots__" in vars(below) and below.__module__.startswith("inspect_cli."):
            yield below
        yield from _below(below)


def _look(hint: Any, sorts: set[Sort], words: set[str]) -> None:
    """Add what values of a declared type are made of, however deep."""
    origin = get_origin(hint)
    if hint in (int, float):
        sorts.add("number")
    elif hint is bool:
        sorts.add("flag")
    elif hint in (str, bytes, Secret) or (isinstance(hint, type) and issubclass(hint, Event)):
        sorts.add("text")
    elif origin is Literal:
        for word in get_args(hint):
            sorts.add("word" if isinstance(word, str) else "number")
            words.update({word} if isinstance(word, str) else ())
    elif origin is not None:
        for inner in get_args(hint):
            if inner is not Ellipsis:
                _look(inner, sorts, words)
    elif isinstance(hint, type) and (is_dataclass(hint) or hasattr(hint, "_fields")):
        for inner in get_type_hints(hint).values():
            _look(inner, sorts, words)
    elif hint is not NoneType:
        sorts.update(("number", "text", "flag"))
