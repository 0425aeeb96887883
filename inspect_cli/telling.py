"""The last part of the journey: events in the order in which they follow, entries out.

It knows events and concepts alone, so that another process may do it (cli/teller.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from inspect_cli.concepts import CONCEPTS
from inspect_cli.events.base import Annotation, Entry, Event
from inspect_cli.events.capture import HostsNamed

Happened = tuple[int, Event]
"""An event, and how many causes stand above it: a derived event comes behind its cause, one deeper."""


class Telling:
    """Numbers and annotates the events of one timeline."""

    def __init__(self) -> None:
        self.concepts: dict[str, int] = {}
        """How many annotations each concept gave."""
        self._annotate: dict[type[Event], tuple[Callable[[Any], Iterable[Annotation]], ...]] = {}
        for concept in [make() for make in CONCEPTS]:
            for kind, see in concept.ways().items():
                self._annotate[kind] = (*self._annotate.get(kind, ()), see)
        self._number = 0

    def tell(self, happened: Sequence[Happened]) -> list[Entry | HostsNamed]:
        """The rows of these events, the first of which has no cause among those told before, and names as they come."""
        entries: list[Entry | HostsNamed] = []
        parents: list[int | None] = [None]
        ways, concepts = self._annotate, self.concepts
        for depth, event in happened:
            annotations: tuple[Annotation, ...] = ()
            for see in ways.get(event.__class__, ()):
                found = see(event)
                if found:
                    annotations = (*annotations, *found)
            for annotation in annotations:
                concept = annotation.concept
                concepts[concept] = concepts.get(concept, 0) + 1
            parent = parents[depth]
            if event.is_entry or (annotations and (event.entry_if_annotated or parent is None)):
                self._number += 1
                entries.append(Entry(self._number, parent, event, annotations))
                parent = self._number
            elif annotations:
                # A derived fact that is no row of its own (a pair, an opened channel): what is
                # said of it stands with the row that it follows from.
                index = len(entries) - 1 - (self._number - (parent or 0))
                row = entries[index]
                assert isinstance(row, Entry)  # names have no cause and cause nothing
                entries[index] = Entry(row.number, row.parent, row.event, row.annotations + annotations)
            elif event.__class__ is HostsNamed:
                entries.append(event)
            # Who comes next stands below this one, beside it, or further up.
            if depth + 1 < len(parents):
                parents[depth + 1] = parent
            else:
                parents.append(parent)
        return entries


def entry_types(kind: type[Event] = Event) -> Iterator[type[Event]]:
    """Every event type that can be a row."""
    if kind.is_entry or kind.entry_if_annotated:
        yield kind
    for below in kind.__subclasses__():
        yield from entry_types(below)


def watched_types() -> Iterator[type[Event]]:
    """Every event type that a concept watches."""
    for concept in CONCEPTS:
        yield from concept.watches
