"""What a deriver is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from inspect_cli.events.base import Event


class Deriver:
    """Sees the event types that it watches and says what follows from each.

    A derived event names its cause (`of`) and takes its `where` (basis and frames may
    differ: `cause.where._replace(...)`). `watches` lists exact types: subclasses are listed
    themselves. One object lives for one timeline.
    """

    watches: ClassVar[tuple[type[Event], ...]]
    makes: ClassVar[tuple[type[Event], ...]]
    """What it may say: where nobody wants any of these, it is not asked."""

    def see(self, event: Event) -> Iterable[Event]:
        """Events that follow from this one, in order; called once per watched event."""
        way = self.ways().get(event.__class__)
        return () if way is None else way(event)

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Event]]]:
        """What sees the events of each type that it watches: whoever asks often looks it up once.

        A subclass has its own `see`, or a table of its methods here.
        """
        return dict.fromkeys(self.watches, self.see)
