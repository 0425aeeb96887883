"""The whole journey: items in, entries out. Wiring only, no `if` that names a protocol.

timeline = Timeline()
for item in source.items():
    for entry in timeline.feed(item): ...
for entry in timeline.close(): ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from inspect_cli.events.base import Entry, Event, Item, Where
from inspect_cli.events.calls import Call, CallMade, Context, ContextGiven, Reported
from inspect_cli.events.capture import CaptureComment, CaptureEnd, Comment, HostsNamed, Names
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import Connection
from inspect_cli.protocols import PROTOCOLS
from inspect_cli.streams.channel import Report
from inspect_cli.streams.tracker import Share, Tracker
from inspect_cli.wire.frames import Frames

if TYPE_CHECKING:
    from inspect_cli.streams.udp import UdpNames, UdpTable
    from inspect_cli.telling import Happened, Telling

Part = tuple[list["Happened"], list[Connection]]
"""What an item decided, in order: events with what follows from each, then the connections let go."""
PART_EVENTS = 4_096
"""A part ends behind so many, derived ones counted: a batch of small packets has a hundred thousand of them."""


class Following:
    """What follows from events, each at once behind its cause."""

    def __init__(self, profile: str | None) -> None:
        """`profile`: as which client to decide about cookies, None: as is known of each."""
        from inspect_cli.derive import make_derivers  # late: a summary needs neither
        from inspect_cli.telling import entry_types, watched_types

        self._derive: dict[type[Event], list[Callable[[Any], Iterable[Event]]]] = {}
        derivers = make_derivers(profile)
        self.wanted = frozenset({*watched_types(), *entry_types(), *(kind for d in derivers for kind in d.watches)})
        """Types of events that anybody asks for, here or behind."""
        for deriver in [one for one in derivers if not self.wanted.isdisjoint(one.makes)]:
            for kind, see in deriver.ways().items():
                self._derive.setdefault(kind, []).append(see)

    def parts(self, events: list[Event], connections: list[Connection]) -> Iterator[Part]:
        """These events and what follows, then the connections. `events` is used up: what was told is let go."""
        happened: list[Happened] = []
        events.reverse()
        while events:
            event = events.pop()
            happened.append((0, event))
            ways = self._derive.get(event.__class__)
            if ways is not None:
                self._follow(event, ways, 1, happened)
            if len(happened) >= PART_EVENTS:
                yield happened, []
                happened = []
        yield happened, connections

    def _follow(
        self, event: Event, ways: list[Callable[[Any], Iterable[Event]]], depth: int, happened: list[Happened]
    ) -> None:
        for see in ways:
            for derived in see(event):
                happened.append((depth, derived))
                below = self._derive.get(derived.__class__)
                if below is not None:
                    self._follow(derived, below, depth + 1, happened)


class Reading:
    """One reading of one capture, live or from a file, up to the events.

    `summary_only`: count, build no event. `verbose`: plain segments and ACKs are entries
    too. `connection`: parse this one alone, and tell `picked` which frames are its; DNS then
    only names hosts, with `names`.
    `profile`: as which client to decide about cookies (`--as`), None: as is known of each.
    `follows` False: what follows from events is found elsewhere (`Following`).
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
        names: bool = True,
        strict: bool = False,
        at_once: bool = True,
        share: Share | None = None,
        profile: str | None = None,
        follows: bool = True,
    ) -> None:
        self.tally = Tally()
        self.summary_only = summary_only
        self._following: Following | None = None
        wanted: frozenset[type[Event]] = frozenset()
        if not summary_only:
            following = Following(profile)
            wanted = following.wanted
            self._following = following if follows else None
        self._report = Report(self.tally, wanted)
        only_names = connection is not None
        make_udp = partial(_udp_table, self._report, verbose=verbose, strict=strict, only_names=only_names)
        self._tracker = Tracker(
            PROTOCOLS,
            self._report,
            verbose=verbose,
            only=connection,
            picked=picked,
            strict=strict,
            at_once=at_once,
            share=share,
            make_udp=make_udp if (names or not only_names) and not summary_only else None,
        )

    @property
    def span_ns(self) -> tuple[int | None, int]:
        """Times of the first and the last frame; None where there was none."""
        return self._tracker.first_time_ns, self._tracker.last_time_ns

    def read(self, item: Item) -> Iterator[Part]:
        """What became known with this item."""
        if isinstance(item, Frames):
            for events, connections in self._tracker.feed(item):
                yield from self._parts(events, connections)
        elif isinstance(item, Reported):
            yield from self._parts(self._tracker.reported(item))
        elif isinstance(item, Call) and not self.summary_only:
            yield from self._parts([CallMade(self._here(item.time_ns), item)])
        elif isinstance(item, Context) and not self.summary_only:
            yield from self._parts([ContextGiven(self._here(item.time_ns), item)])
        elif isinstance(item, Comment) and not self.summary_only:
            where = Where(self._tracker.last_number, item.time_ns, "", None)
            yield from self._parts([CaptureComment(where, item.comment, item.about, item.name)])
        elif isinstance(item, Names) and not self.summary_only:
            where = Where(self._tracker.last_number, self._tracker.last_time_ns, "", None)
            pairs = tuple([(address, name.encode("utf-8", "replace")) for address, name in item.pairs])
            yield from self._parts([HostsNamed(where, pairs)])

    def finish(self, *, complete: bool = True) -> Iterator[Part]:
        """What only the end of the capture decides."""
        for events, connections in self._tracker.close():
            yield from self._parts(events, connections)
        if not self.summary_only:
            where = Where(self._tracker.last_number, self._tracker.last_time_ns, "", None)
            yield from self._parts([CaptureEnd(where, self.tally.packets, complete)])

    def _here(self, time_ns: int) -> Where:
        """Where an item stands that is no frame: behind the last frame, told by the client."""
        return Where(self._tracker.last_number, time_ns, "", None, basis="reported")

    def _parts(self, events: list[Event], connections: list[Connection] | None = None) -> Iterator[Part]:
        if self._following is not None:
            yield from self._following.parts(events, connections or [])
            return
        for start in range(0, len(events), PART_EVENTS):
            yield [(0, event) for event in events[start : start + PART_EVENTS]], []
        yield [], connections or []


class Timeline(Reading):
    """One reading with its rows."""

    def __init__(self, **options: Any) -> None:
        """`options`: those of Reading."""
        super().__init__(**options)
        self._telling: Telling | None = None
        if not self.summary_only:
            from inspect_cli.telling import Telling

            self._telling = Telling()
            self.tally.concepts = self._telling.concepts

    def feed(self, item: Item) -> Iterator[Entry | Connection | HostsNamed]:
        """Rows that became known with this item, in their order."""
        return self.rows(self.read(item))

    def close(self, *, complete: bool = True) -> Iterator[Entry | Connection | HostsNamed]:
        """Rows that only the end of the capture decides."""
        return self.rows(self.finish(complete=complete))

    def rows(self, parts: Iterable[Part]) -> Iterator[Entry | Connection | HostsNamed]:
        """The rows of what was read, and names as they come."""
        for happened, connections in parts:
            if self._telling is not None:
                yield from self._telling.tell(happened)
            yield from connections


def _udp_table(report: Report, *, verbose: bool, strict: bool, only_names: bool) -> UdpTable | UdpNames:
    """Made, and loaded, for a capture that holds UDP."""
    from inspect_cli.protocols.datagrams import DATAGRAMS
    from inspect_cli.streams.udp import UdpNames, UdpTable

    table = UdpTable(DATAGRAMS, report, verbose=verbose and not only_names, strict=strict)
    return UdpNames(table) if only_names else table
