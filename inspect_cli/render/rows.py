"""Entries and connections as the objects of the JSON contract, with their words."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypedDict

from inspect_cli.events.base import Annotation, Basis, Entry, Event, Layer, Level
from inspect_cli.events.summary import Capture, Tally
from inspect_cli.events.tcp import Connection
from inspect_cli.render.redact import Redactor
from inspect_cli.render.values import Convert, conversions, pair_of
from inspect_cli.texts import Words


class SpanRow(TypedDict):
    """A half-open byte range of one side of a channel."""

    channel: str
    side: str
    start: int
    end: int


class AnnotationRow(TypedDict):
    """What an event means, as in the JSON contract."""

    concept: str
    code: str
    level: Level
    basis: Basis
    data: dict[str, Any]
    text: str
    frames: list[int]
    span: SpanRow | None
    reference: str


class EntryRow(TypedDict):
    """One row of the timeline, as in the JSON contract."""

    number: int
    parent: int | None
    time_ns: int
    frames: list[int]
    channel: str
    side: str | None
    layer: Layer
    kind: str
    basis: Basis
    text: str
    fields: dict[str, Any]
    annotations: list[AnnotationRow]


class ConnectionRow(TypedDict):
    """One TCP connection, as in the JSON contract."""

    id: int
    channel: str
    client: str
    server: str
    opened: str
    closed: str
    closed_first: str | None
    frames: int
    bytes_client: int
    bytes_server: int
    handshake_rtt_ns: int | None
    protocols: list[str]


class _Plan:
    """How entries of one type become rows."""

    __slots__ = ("conversions", "key", "kind", "names", "values")

    def __init__(self, kind: type[Event]) -> None:
        self.kind = kind.kind
        self.key = f"entry.{kind.kind}"
        shown = conversions(kind)
        self.names = [name for name, _ in shown]
        self.values: Callable[[Event], tuple[Any, ...]] = attrgetter(*self.names, "layer", "kind")
        """What stands under these names, and two more: of one name it would be no tuple."""
        self.conversions: list[tuple[str, Convert]] = [(name, convert) for name, convert in shown if convert]


class RowMaker:
    """Makes rows for one run: words of one language, secrets as the redactor says.

    What a template is filled from: the fields of the event (bytes as bytes, secrets as they
    may be shown) and `frames`, `side`, `channel`.
    """

    __slots__ = ("_plans", "redactor", "words")

    def __init__(self, words: Words, redactor: Redactor) -> None:
        self.words = words
        self.redactor = redactor
        self._plans: dict[type[Event], _Plan] = {}

    def row(self, entry: Entry) -> EntryRow:
        """The entry as a row."""
        return self._row(entry)[0]

    def row_with_detail(self, entry: Entry) -> tuple[EntryRow, str]:
        """The row, and the line that a text view puts above it: `detail.KIND`, "" for none."""
        row, said = self._row(entry)
        key = f"detail.{row['kind']}"
        return row, self.words.say(key, said) if self.words.has(key) else ""

    def _row(self, entry: Entry) -> tuple[EntryRow, dict[str, Any]]:
        event = entry.event
        plan = self._plans.get(event.__class__)
        if plan is None:
            plan = self._plans[event.__class__] = _Plan(event.__class__)
        redactor = self.redactor
        fields: dict[str, Any] = dict(zip(plan.names, plan.values(event), strict=False))
        said = fields.copy()
        for name, convert in plan.conversions:
            fields[name], said[name] = convert(fields[name], redactor)
        where = event.where
        side = None if where.side is None else where.side.word
        said["frames"] = where.frames
        said["side"] = side
        said["channel"] = where.channel
        row: EntryRow = {
            "number": entry.number,
            "parent": entry.parent,
            "time_ns": where.time_ns,
            "frames": list(where.frames),
            "channel": where.channel,
            "side": side,
            "layer": event.layer,
            "kind": plan.kind,
            "basis": where.basis,
            "text": self.words.say(plan.key, said),
            "fields": fields,
            "annotations": [self._annotation(a) for a in entry.annotations] if entry.annotations else [],
        }
        return row, said

    def _annotation(self, annotation: Annotation) -> AnnotationRow:
        data: dict[str, Any]
        said: dict[str, Any]
        data, said = pair_of(annotation.data, self.redactor) if annotation.data else ({}, {})
        said.setdefault("frames", annotation.frames)
        span = annotation.span
        return {
            "concept": annotation.concept,
            "code": annotation.code,
            "level": annotation.level,
            "basis": annotation.basis,
            "data": data,
            "text": self.words.say(f"annotation.{annotation.code}", said),
            "frames": list(annotation.frames),
            "span": None
            if span is None
            else {"channel": span.channel, "side": span.side.word, "start": span.start, "end": span.end},
            "reference": annotation.reference,
        }


def connection_row(connection: Connection) -> ConnectionRow:
    """The connection as a row."""
    return {
        "id": connection.id,
        "channel": connection.channel,
        "client": connection.client,
        "server": connection.server,
        "opened": connection.opened,
        "closed": connection.closed,
        "closed_first": connection.closed_first,
        "frames": connection.frames,
        "bytes_client": connection.bytes_client,
        "bytes_server": connection.bytes_server,
        "handshake_rtt_ns": connection.handshake_rtt_ns,
        "protocols": list(connection.protocols),
    }


def capture_row(capture: Capture) -> dict[str, Any]:
    """The capture as in the JSON contract; file names that are no UTF-8 as `\\xNN`."""
    row = capture.as_dict()
    for file in row["files"]:
        file["name"] = _name(file["name"])
    row["interfaces"] = [_name(name) for name in row["interfaces"]]
    return row


def summary_row(tally: Tally) -> dict[str, Any]:
    """The counts as in the JSON contract, in its order."""
    row = {name: getattr(tally, name) for name in Tally.__dataclass_fields__}
    row["websocket_frames"] = dict(tally.websocket_frames)
    row["concepts"] = None if tally.concepts is None else dict(tally.concepts)
    # By name: which was met first is another one where several processes counted.
    row["problems"] = dict(sorted(tally.problems.items()))
    return row


def _name(name: str) -> str:
    pair = pair_of(name.encode("utf-8", "surrogateescape"), Redactor("none"))
    return str(pair[0])
