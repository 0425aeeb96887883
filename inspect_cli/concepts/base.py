"""What a concept is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar

from inspect_cli.events.base import Annotation, Basis, Event, Level, Span


class Concept:
    """One idea of the notes, recognised in events. `explain ID` prints its words from texts.

    `watches` lists exact event types. `codes` lists every annotation code it may give, each
    `ID.something`: a test holds them against texts in both languages. One object lives for
    one timeline, so it may remember what it saw.
    """

    id: ClassVar[str]
    reference: ClassVar[str]
    watches: ClassVar[tuple[type[Event], ...]]
    codes: ClassVar[tuple[str, ...]]

    def see(self, event: Event) -> Iterable[Annotation]:
        """Annotations of this event; called once per watched event, causes before effects."""
        way = self.ways().get(event.__class__)
        return () if way is None else way(event)

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Annotation]]]:
        """What sees the events of each type that it watches: whoever asks often looks it up once.

        A subclass has its own `see`, or a table of its methods here.
        """
        return dict.fromkeys(self.watches, self.see)

    def note(
        self,
        event: Event,
        what: str,
        /,
        *,
        frames: tuple[int | None, ...] | None = None,
        reference: str | None = None,
        level: Level = "info",
        basis: Basis | None = None,
        **data: Any,
    ) -> Annotation:
        """The annotation `ID.what` of `event`: its place and basis unless others are given.

        Frames may hold None (not seen) and come in any order; they are given on ascending.
        """
        _, _, channel, side, shown, start, end, known = event.where
        if frames is not None:
            shown = _ascending(frames)
        return Annotation(
            self.id,
            _code(self.id, what),
            shown,
            self.reference if reference is None else reference,
            level,
            known if basis is None else basis,
            None if start < 0 or side is None else Span(channel, side, start, end),
            data,
        )


@lru_cache(maxsize=1024)
def _code(concept: str, what: str) -> str:
    return f"{concept}.{what}"


def _ascending(frames: tuple[int | None, ...]) -> tuple[int, ...]:
    if len(frames) == 2:  # by far the most
        one, two = frames
        if one and two and one < two:
            return (one, two)
    return tuple(sorted({f for f in frames if f}))
