"""Rows as JSON at once, for captures with many: what comes again is worded and encoded once.

The bytes are those of `RowMaker.row`, encoded; only the way there is shorter. A client sends
the same cookies and field lines with every request, and most texts say the same few things.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

import orjson

from inspect_cli.events.base import Annotation, Entry, Event, Side
from inspect_cli.events.http import MessageHead, guarded_field, guarded_fields, own_lines
from inspect_cli.render.redact import Redactor
from inspect_cli.render.rows import RowMaker
from inspect_cli.render.values import AS_THEY_ARE, Convert, Pair, conversions, pair_of, pairs_of, what_repeats
from inspect_cli.texts import Words
from inspect_cli.texts.template import names

_MOST: Final = 4096
"""Decisions and field lines that are remembered, of each so many."""
_FEW: Final = 128
"""Texts of one template that are remembered."""
_LONGEST: Final = 2048
"""Bytes (characters) of one of them; longer ones are made anew each time."""

# DEL, C1 controls, and what changes the direction or the breaking of a line:
# U+061C, U+200B-200F, U+2028-202E, U+2060-206F, U+FEFF as UTF-8.
_OBEYED: Final = re.compile(
    rb"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf"
)
_PLAIN: Final = bytes(range(0x20, 0x7F))

_SIDES: Final = tuple(side.word for side in Side)

_K = TypeVar("_K")
_V = TypeVar("_V")


def encoded(value: Any) -> bytes:
    """A value of the contract as JSON in UTF-8, without a line break and without what terminals obey."""
    try:
        data = orjson.dumps(value)
    except TypeError:
        # Text with lone surrogates, or a number beyond 64 bits: rare, so slow is good enough.
        data = json.dumps(_mended(value), ensure_ascii=False, separators=(",", ":")).encode()
    return harmless(data)


def harmless(data: bytes) -> bytes:
    r"""JSON with `\\uNNNN` for the characters that a terminal might obey."""
    # Clauses are cited with a section sign; few rows hold anything else beyond ASCII.
    if not data.translate(None, _PLAIN).replace(b"\xc2\xa7", b""):
        return data
    return _OBEYED.sub(lambda m: b"\\u%04x" % ord(m[0].decode()), data)


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_mended(name): _mended(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_mended(item) for item in value]
    return value


class _Known(dict[_K, _V], Generic[_K, _V]):
    """A dict that begins anew when it has `_MOST` keys: dearer to lose, cheaper than to keep an order."""

    __slots__ = ()

    def put(self, key: _K, value: _V) -> None:
        if len(self) >= _MOST:
            self.clear()
        self[key] = value


class _Template:
    """The words of one key, what they are filled from, and its texts as long as they are few."""

    __slots__ = ("_key", "_texts", "_words", "wanted")

    def __init__(self, words: Words, key: str) -> None:
        self._words = words
        self._key = key
        self.wanted: tuple[str, ...] = tuple(sorted(names(words.template(key)))) if words.has(key) else ()
        self._texts: dict[tuple[Any, ...], str] | None = {}

    def say(self, said: dict[str, Any]) -> str:
        """Its text; `said` holds at least what is wanted."""
        texts = self._texts
        if texts is None:
            return self._words.say(self._key, said)
        key = tuple([said.get(name) for name in self.wanted])
        try:
            text = texts.get(key)
        except TypeError:  # a value that cannot be a key
            return self._words.say(self._key, said)
        if text is None:
            text = self._words.say(self._key, said)
            if len(texts) >= _FEW:
                self._texts = None  # nearly every one is another
            elif len(text) <= _LONGEST and all(map(_is_short, key)):
                texts[key] = text
        return text


def _is_short(value: object) -> bool:
    return not isinstance(value, bytes | str | tuple) or len(value) <= _LONGEST


class _Plan:
    """How entries of one type are encoded."""

    __slots__ = ("conversions", "key", "kind", "layer", "names", "template", "values")

    def __init__(self, kind: type[Event], words: Words, headers: Convert) -> None:
        self.kind = kind.kind
        self.layer = kind.layer
        self.template = _Template(words, f"entry.{kind.kind}")
        shown = dict(conversions(kind))
        self.names = list(shown)
        taken = self.names
        if issubclass(kind, MessageHead) and "headers" in shown and "headers" not in self.template.wanted:
            shown["headers"] = headers
            taken = ["head" if name == "headers" else name for name in taken]
        self.values: Callable[[Any], tuple[Any, ...]] = attrgetter(*taken, "layer", "kind")
        """What stands under these names, and two more: of one name it would be no tuple."""
        self.conversions: list[tuple[str, Convert]] = [(name, convert) for name, convert in shown.items() if convert]
        apart = () if {"frames", "side", "channel"}.intersection(self.template.wanted) else what_repeats(kind)
        self.key: Callable[[Any], tuple[Any, ...]] | None = attrgetter(*apart, "kind") if apart else None
        """What tells apart the fields, and so the text, of a type whose fields come again and again."""


class Encoder:
    """Encodes the rows of one run. What it remembers is bounded in number and size."""

    __slots__ = ("_again", "_lines", "_maker", "_plans", "_redactor", "_templates")

    def __init__(self, maker: RowMaker) -> None:
        self._maker = maker
        self._redactor = maker.redactor
        self._plans: dict[type[Event], _Plan] = {}
        self._templates: dict[str, _Template] = {}
        """Of annotations, by code."""
        self._again: _Known[tuple[Any, ...], tuple[str, orjson.Fragment]] = _Known()
        self._lines: _Known[bytes, bytes] = _Known()

    def entry(self, entry: Entry) -> bytes:
        """The entry as `encoded(RowMaker.row(entry))` gives it."""
        event = entry.event
        plan = self._plans.get(event.__class__)
        if plan is None:
            plan = self._plans[event.__class__] = _Plan(event.__class__, self._maker.words, self._headers)
        _, time_ns, channel, side, frames, _, _, basis = event.where
        text, fields = self._made(event, plan) if plan.key is None else self._known(event, plan, plan.key(event))
        row = {
            "number": entry.number,
            "parent": entry.parent,
            "time_ns": time_ns,
            "frames": frames,
            "channel": channel,
            "side": None if side is None else _SIDES[side],
            "layer": plan.layer,
            "kind": plan.kind,
            "basis": basis,
            "text": text,
            "fields": fields,
            "annotations": [self._annotation(one) for one in entry.annotations] if entry.annotations else (),
        }
        try:
            return harmless(orjson.dumps(row))
        except TypeError:
            return encoded(self._maker.row(entry))  # rare: see there

    def _known(self, event: Event, plan: _Plan, key: tuple[Any, ...]) -> tuple[str, orjson.Fragment]:
        """Text and fields of an event like others before it."""
        found = self._again.get(key)
        if found is None:
            text, fields = self._made(event, plan)
            data = encoded(fields)
            found = text, orjson.Fragment(data)
            if len(data) <= _LONGEST and len(text) <= _LONGEST:
                self._again.put(key, found)
        return found

    def _made(self, event: Event, plan: _Plan) -> tuple[str, dict[str, Any]]:
        redactor = self._redactor
        fields: dict[str, Any] = dict(zip(plan.names, plan.values(event), strict=False))
        said = fields.copy()
        for name, convert in plan.conversions:
            fields[name], said[name] = convert(fields[name], redactor)
        _, _, channel, side, frames, _, _, _ = event.where
        said["frames"] = frames
        said["side"] = None if side is None else _SIDES[side]
        said["channel"] = channel
        return plan.template.say(said), fields

    def _headers(self, head: bytes, redactor: Redactor) -> Pair:
        """All field lines of a head; most lines came before, with another message."""
        lines = own_lines(head)
        if lines is None:
            return pairs_of(guarded_fields(head), redactor)
        known = self._lines
        found: list[bytes] = []
        for line in lines:
            data = known.get(line)
            if data is None:
                data = encoded(pairs_of([guarded_field(line)], redactor)[0][0])
                if len(line) <= _LONGEST:
                    known.put(line, data)
            found.append(data)
        return orjson.Fragment(b"[%b]" % b",".join(found)), head

    def _annotation(self, annotation: Annotation) -> dict[str, Any]:
        code = annotation.code
        template = self._templates.get(code)
        if template is None:
            template = self._templates[code] = _Template(self._maker.words, f"annotation.{code}")
        data: dict[str, Any] = {}
        said: dict[str, Any] = {"frames": annotation.frames}
        for name, item in (annotation.data or data).items():
            if item.__class__ in AS_THEY_ARE:
                data[name] = said[name] = item
            else:
                data[name], said[name] = pair_of(item, self._redactor)
        span = annotation.span
        return {
            "concept": annotation.concept,
            "code": code,
            "level": annotation.level,
            "basis": annotation.basis,
            "data": data,
            "text": template.say(said),
            "frames": annotation.frames,
            "span": None
            if span is None
            else {"channel": span[0], "side": _SIDES[span[1]], "start": span[2], "end": span[3]},
            "reference": annotation.reference,
        }
