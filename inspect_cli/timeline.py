"""The whole journey: items in, entries out. Wiring only, no `if` that names a protocol.

timeline = Timeline()
for item in source.items():
    for entry in timeline.feed(item): ...
for entry in timeline.close(): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from inspect_cli.events.base import Annotation, Entry, Event, Item, Where
from inspect_cli.events.calls import Call, CallMade, Context, ContextGiven, Reported
from inspect_cli.events.capture import CaptureComment, CaptureEnd, Comment
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import Connection
from inspect_cli.protocols import PROTOCOLS
from inspect_cli.streams.channel import Report
from inspect_cli.streams.tracker import Share, Tracker
from inspect_cli.wire.frames import Frames

Sees = dict[type[Event], list[Callable[[Event], Iterable[Event]]]]
Annotates = dict[type[Event], list[Callable[[Event], Iterable[Annotation]]]]


class Timeline:
    """One reading of one capture, live or from a file.

    `summary_only`: count, build no event. `verbose`: plain segments and ACKs are entries
    too. `connection`: parse this one alone, and tell `picked` which frames are its.
    `share`: of the conversations, with `summary_only`. `strict`: our own faults raise (tests,
    --debug). `at_once` False reads every packet one by one (slow; tests compare both).
    """

    def __init__(
        self,
        *,
        summary_only: bool = False,
        verbose: bool = False,
        connection: int | None = None,
        picked: Callable[[list[int]], None] | None = None,
        strict: bool = False,
        at_once: bool = True,
        share: Share | None = None,
    ) -> None:
        self.tally = Tally(concepts=None if summary_only else {})
        self._derive: Sees = {}
        self._annotate: Annotates = {}
        if not summary_only:
            # A summary needs neither: late, so that it starts sooner.
            from inspect_cli.concepts import CONCEPTS
            from inspect_cli.derive import DERIVERS

            for deriver in [make() for make in DERIVERS]:
                for kind in deriver.watches:
                    self._derive.setdefault(kind, []).append(deriver.see)
            for concept in [make() for make in CONCEPTS]:
                for kind in concept.watches:
                    self._annotate.setdefault(kind, []).append(concept.see)
        wanted = frozenset() if summary_only else frozenset({*self._derive, *self._annotate, *_entry_types(Event)})
        self._report = Report(self.tally, wanted)
        self._tracker = Tracker(
            PROTOCOLS,
            self._report,
            verbose=verbose,
            only=connection,
            picked=picked,
            strict=strict,
            at_once=at_once,
            share=share,
        )
        self._summary_only = summary_only
        self._number = 0

    @property
    def span_ns(self) -> tuple[int | None, int]:
        """Times of the first and the last frame; None where there was none."""
        return self._tracker.first_time_ns, self._tracker.last_time_ns

    def feed(self, item: Item) -> Iterator[Entry | Connection]:
        """Rows that became known with this item, in their order."""
        if isinstance(item, Frames):
            for events, connections in self._tracker.feed(item):
                yield from self._tell(events)
                yield from connections
        elif isinstance(item, Reported):
            yield from self._tell(self._tracker.reported(item))
        elif isinstance(item, Call) and not self._summary_only:
            yield from self._tell([CallMade(self._here(item.time_ns), item)])
        elif isinstance(item, Context) and not self._summary_only:
            yield from self._tell([ContextGiven(self._here(item.time_ns), item)])
        elif isinstance(item, Comment) and not self._summary_only:
            where = Where(self._tracker.last_number, item.time_ns, "", None)
            yield from self._tell([CaptureComment(where, item.comment, item.about, item.name)])

    def close(self, *, complete: bool = True) -> Iterator[Entry | Connection]:
        """Rows that only the end of the capture decides."""
        for events, connections in self._tracker.close():
            yield from self._tell(events)
            yield from connections
        if not self._summary_only:
            where = Where(self._tracker.last_number, self._tracker.last_time_ns, "", None)
            yield from self._tell([CaptureEnd(where, self.tally.packets, complete)])

    def _here(self, time_ns: int) -> Where:
        """Where an item stands that is no frame: behind the last frame, told by the client."""
        return Where(self._tracker.last_number, time_ns, "", None, basis="reported")

    def _tell(self, events: list[Event]) -> list[Entry]:
        entries: list[Entry] = []
        for event in events:
            self._see(event, None, entries)
        return entries

    def _see(self, event: Event, parent: int | None, entries: list[Entry]) -> None:
        """Number and annotate an event; what follows from it goes the same way at once."""
        kind = event.__class__
        annotations: list[Annotation] = []
        for annotate in self._annotate.get(kind, ()):
            annotations += annotate(event)
        concepts = self.tally.concepts
        if annotations and concepts is not None:
            for annotation in annotations:
                concepts[annotation.concept] = concepts.get(annotation.concept, 0) + 1
        if event.is_entry or (annotations and (event.entry_if_annotated or parent is None)):
            self._number += 1
            entries.append(Entry(self._number, parent, event, tuple(annotations)))
            parent = self._number
        elif annotations:
            # A derived fact that is no row of its own (a pair, an opened channel): what is
            # said of it stands with the row that it follows from.
            index = len(entries) - 1 - (self._number - (parent or 0))
            row = entries[index]
            entries[index] = Entry(row.number, row.parent, row.event, row.annotations + tuple(annotations))
        for derive in self._derive.get(kind, ()):
            for derived in derive(event):
                self._see(derived, parent, entries)


def _entry_types(kind: type[Event]) -> Iterator[type[Event]]:
    """Every event type that can be a row."""
    if kind.is_entry or kind.entry_if_annotated:
        yield kind
    for below in kind.__subclasses__():
        yield from _entry_types(below)
