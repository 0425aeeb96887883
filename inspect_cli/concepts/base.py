"""What a concept is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from inspect_cli.events.base import Annotation, Event


class Concept(ABC):
    """One idea of the notes, recognised in events. `explain ID` prints its words from texts.

    `watches` lists exact event types. `codes` lists every annotation code it may give, each
    `ID.something`: a test holds them against texts in both languages. One object lives for
    one timeline, so it may remember what it saw.
    """

    id: ClassVar[str]
    reference: ClassVar[str]
    watches: ClassVar[tuple[type[Event], ...]]
    codes: ClassVar[tuple[str, ...]]

    @abstractmethod
    def see(self, event: Event) -> Iterable[Annotation]:
        """Annotations of this event; called once per watched event, causes before effects."""
