"""Writes a conversation down and reads it in every way it may arrive.

    talk(HTTP1, C(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"), S(b"HTTP/1.1 204 No Content\r\n\r\n"))

gives the events. By itself it repeats the run whole, byte by byte, in random cuts and
interleavings, and for one layout of frames in every kind of batch; all must agree.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from itertools import pairwise
from typing import Any

from inspect_cli.events.base import Event, Side, Where
from inspect_cli.events.capture import Malformed, Truncated
from inspect_cli.events.http import MessageEnd, RequestForm, RequestHead, ResponseHead
from inspect_cli.events.summary import Tally
from inspect_cli.events.websocket import WebSocketClose, WebSocketEnd, WebSocketFrame
from inspect_cli.protocols import PROTOCOLS
from inspect_cli.streams.channel import WAIT, WAIT_BYTES, Parser, Protocol, Report
from inspect_cli.streams.reader import DATA, ENDED, Place, Reader

CLIENT, SERVER = Side.CLIENT, Side.SERVER


@dataclass(frozen=True)
class Said:
    """Bytes of one side; data None: a hole of `size` bytes."""

    side: Side
    data: bytes | None
    size: int

    def cut(self, places: Iterable[int]) -> list[Said]:
        """The same in pieces."""
        if self.data is None:
            return [self]
        edges = sorted({0, self.size, *places})
        return [Said(self.side, self.data[a:b], b - a) for a, b in pairwise(edges)]


def C(data: bytes) -> Said:  # noqa: N802
    """The client says."""
    return Said(CLIENT, data, len(data))


def S(data: bytes) -> Said:  # noqa: N802
    """The server says."""
    return Said(SERVER, data, len(data))


def lost(side: Side, size: int) -> Said:
    """The capture lost so many bytes of this side."""
    return Said(side, None, size)


class Conversation:
    """Runs the parsers of both sides over frames, one batch after another."""

    def __init__(
        self,
        protocol: Protocol,
        report: Report,
        carry: object = None,
        mid_stream: bool = False,
        reported: bool = False,
    ) -> None:
        self.report = report
        self.reported = reported
        """Told by sockets: there are no frames, every place is 0, each item is read as it comes."""
        self.readers = (Reader("tcp/0", CLIENT), Reader("tcp/0", SERVER))
        self.placed: list[tuple[Place, int, Event]] = []
        self.names = [protocol.name]
        self._talks: dict[str, Any] = {protocol.name: protocol.make_talk(carry)}
        if mid_stream:
            self._talks[protocol.name].mid_stream = True
        talk = self._talks[protocol.name]
        self._parsers: list[Parser | None] = [
            protocol.client(self.readers[0], talk, report),
            protocol.server(self.readers[1], talk, report),
        ]
        self._name_of = [protocol.name, protocol.name]
        self._rests = [False, False]
        self._ends = [0, 0]
        self._ats = [0, 0]
        self.frame = 0

    def deliver(self, batch: Sequence[Said]) -> None:
        """Give a batch of frames to the readers, run the parsers, and reuse the buffer."""
        known = self.frame
        buffer = bytearray()
        for said in batch:
            self.frame += not self.reported
            start = self._ends[said.side]
            self._ends[said.side] = end = start + said.size
            self._ats[said.side] = max(self._ats[said.side], self.frame)
            at, time_ns = self._ats[said.side], self.frame * 1000
            reader = self.readers[said.side]
            if said.data is None:
                reader.add(start, end, None, 0, 0, at, time_ns)
            elif said.size:
                reader.add(start, end, buffer, len(buffer), self.frame, at, time_ns)
                buffer += said.data
        self._run(known)
        for reader in self.readers:
            reader.keep()
        buffer[:] = b"\xee" * len(buffer)

    def finish(self) -> None:
        """Both sides end behind the last frame, the client first."""
        known = self.frame
        self.frame += not self.reported
        for reader in self.readers:
            reader.finish(Place(self.frame, ENDED), self.frame * 1000)
        self._run(known)

    def _run(self, known: int) -> None:
        self._rests = [False, False]
        moved = True
        while moved:
            moved = self._advance(CLIENT, known)
            moved = self._advance(SERVER, known) or moved

    def _advance(self, side: Side, known: int) -> bool:
        reader = self.readers[side]
        before, moved = reader.position, False
        while (parser := self._parsers[side]) is not None and not self._rests[side]:
            try:
                parsed = next(parser)
            except StopIteration as stop:
                self._parsers[side] = None
                moved = True
                if stop.value is not None:
                    self._follow(side, stop.value)
                continue
            assert before <= reader.position, "a parser read backwards"
            if parsed is WAIT or parsed is WAIT_BYTES:
                self._rests[side] = parsed is WAIT_BYTES
                return moved or reader.position != before
            assert isinstance(parsed, Event)
            where = parsed.where
            assert self.reported or known < where.at <= self.frame, f"{parsed} was known before, or is not known yet"
            assert where.end <= self._ends[side]
            depth = reader.place.depth if reader.place.at == where.at else DATA
            self.placed.append((Place(where.at, depth), side, parsed))
            moved = True
        return moved

    def _follow(self, side: Side, name: str) -> None:
        protocol = next(p for p in PROTOCOLS if p.name == name)
        if name not in self._talks:
            self._talks[name] = protocol.make_talk(self._talks[self._name_of[side]].carry)
            self.names.append(name)
        self._name_of[side] = name
        make = protocol.client if side is CLIENT else protocol.server
        self._parsers[side] = make(self.readers[side], self._talks[name], self.report)

    @property
    def events(self) -> list[Event]:
        """In their order within the connection."""
        return [event for _, _, event in sorted(self.placed, key=lambda placed: placed[:2])]


def read(
    protocol: Protocol,
    frames: Sequence[Said],
    batches: Sequence[int] | None = None,
    *,
    carry: object = None,
    mid_stream: bool = False,
    reported: bool = False,
    wanted: frozenset[type[Event]] | None = None,
) -> Conversation:
    """Read frames in batches that end before the frames at these indexes (None: one batch)."""
    run = Conversation(protocol, Report(Tally(), wanted), carry, mid_stream, reported)
    edges = sorted({0, len(frames), *(batches or ())})
    for start, end in pairwise(edges):
        run.deliver(frames[start:end])
    run.finish()
    return run


def talk(
    protocol: Protocol,
    *said: Said,
    carry: object = None,
    ordered: bool = False,
    mid_stream: bool = False,
    cuts: int = 6,
) -> list[Event]:
    """The events of a conversation, read in many ways that must agree.

    `ordered`: what one side says stays behind what the other said before (pairs across holes
    and the answers of Close frames are judged by frame numbers); else sides are interleaved
    in any way.
    """
    options: dict[str, Any] = {"carry": carry, "mid_stream": mid_stream}
    whole = read(protocol, said, **options)
    expected = outline(whole)
    shuffles = [_shuffled(said, random.Random(seed), ordered) for seed in range(cuts)]
    for layout in (_bytewise(said, ordered), *shuffles):
        check_batches(protocol, layout, expected, **options)
    check_batches(protocol, said, expected, **options)
    return whole.events


def check_batches(protocol: Protocol, frames: Sequence[Said], expected: object = None, **options: Any) -> None:
    """One layout of frames, in batches of every kind: equal in everything, counts too."""
    whole = read(protocol, frames, **options)
    if expected is not None:
        assert expected == outline(whole)
    random_edges = random.Random(len(frames)).sample(range(len(frames) + 1), min(3, len(frames) + 1))
    for batches in (range(len(frames)), random_edges):
        again = read(protocol, frames, batches, **options)
        expected_placed = sorted(whole.placed, key=lambda placed: placed[:2])
        actual_placed = sorted(again.placed, key=lambda placed: placed[:2])
        for one, other in zip(expected_placed, actual_placed, strict=False):
            assert one == other
        assert len(expected_placed) == len(actual_placed)
        assert whole.report.tally == again.report.tally
    silent = read(protocol, frames, wanted=frozenset(), **options)
    assert not silent.placed
    assert whole.report.tally == silent.report.tally


def outline(run: Conversation) -> object:
    """What no cut may change: kinds, fields and spans of each side in its order, and counts."""
    sides = tuple([without_places(event) for _, side, event in run.placed if side == wanted] for wanted in Side)
    return sides, run.report.tally, sorted(run.names)


def without_places(value: Any) -> Any:
    """An event (or a field of one) without frames and times: what no arrival may change."""
    if isinstance(value, Where):
        return value.channel, value.side, value.start, value.end
    if is_dataclass(value) and not isinstance(value, type):
        kind = MessageEnd if isinstance(value, MessageEnd) else type(value)
        return kind.__name__, [
            without_places(getattr(value, f.name))
            for f in fields(value)
            if f.name not in ("close_frames", "of", "request")
        ] + [without_places(getattr(value, "of", None)), without_places(getattr(value, "request", None))]
    return value


def _bytewise(said: Sequence[Said], ordered: bool) -> list[Said]:
    pieces = [piece for words in said for piece in words.cut(range(words.size))]
    return pieces if ordered else _merge(pieces, random.Random(1))


def _shuffled(said: Sequence[Said], dice: random.Random, ordered: bool) -> list[Said]:
    pieces: list[Said] = []
    for words in said:
        pieces += words.cut(dice.sample(range(words.size + 1), min(dice.randrange(4), words.size + 1)))
    return pieces if ordered else _merge(pieces, dice)


def _merge(pieces: Sequence[Said], dice: random.Random) -> list[Said]:
    """Each side in its order, the two in any."""
    queues = [[p for p in pieces if p.side == side] for side in Side]
    merged: list[Said] = []
    while queues[0] or queues[1]:
        side = dice.randrange(2) if queues[0] and queues[1] else (0 if queues[0] else 1)
        run = dice.randrange(1, 4)
        merged += queues[side][:run]
        del queues[side][:run]
    return merged


def brief(events: Iterable[Event]) -> list[tuple[Any, ...]]:
    """Events as short rows: kind, then what tells most of it."""
    return [(event.kind, *_telling(event)) for event in events]


def _telling(event: Event) -> tuple[Any, ...]:
    match event:
        case RequestHead():
            return (event.start_line,)
        case ResponseHead():
            return event.status, event.request.start_line if event.request else None
        case MessageEnd():
            return event.ended_by, event.body_bytes, event.complete
        case Malformed():
            return (event.problem,)
        case Truncated():
            return event.problem, event.got_bytes, event.expected_bytes
        case WebSocketClose():
            return event.where.side, event.code, event.reason, event.answers
        case WebSocketFrame():
            return event.where.side, event.name, event.payload
        case WebSocketEnd():
            return event.close_client, event.close_server, event.frames_client, event.frames_server
        case RequestForm():
            return (event.form,)
    return ()


def kinds(events: Iterable[Event], *wanted: str) -> list[tuple[Any, ...]]:
    """Brief rows of these kinds only."""
    return [row for row in brief(events) if row[0] in wanted]
