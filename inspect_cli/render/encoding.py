"""Rows as JSON at once, for captures with many: what comes again is worded and encoded once.

The bytes are those of `RowMaker.row`, encoded; only the way there is shorter: a row is put
together from pieces, most of which are there already. A client sends the same cookies and
field lines with every request, and most texts say the same few things.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

import orjson

from inspect_cli.events.base import Annotation, Entry, Event, Side, Where
from inspect_cli.events.http import MessageHead, guarded_field, guarded_fields, own_lines
from inspect_cli.render.redact import Redactor
from inspect_cli.render.rows import RowMaker
from inspect_cli.render.values import (
    AS_THEY_ARE,
    Convert,
    Pair,
    attributes_of,
    conversions,
    pair_of,
    pairs_of,
    steps_of,
    what_repeats,
)
from inspect_cli.texts import Words
from inspect_cli.texts.template import names

_MOST: Final = 4096
"""Decisions, field lines and short texts that are remembered, of each so many."""
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

_SIDES: Final[dict[Side | None, bytes]] = {None: b"null", **{side: b'"%b"' % side.word.encode() for side in Side}}

_K = TypeVar("_K")
_V = TypeVar("_V")


def encoded(value: Any) -> bytes:
    """A value of the contract as JSON in UTF-8, without a line break and without what terminals obey."""
    try:
        data = orjson.dumps(value)
    except TypeError:
        # Text with lone surrogates, or a number beyond 64 bits: rare, so slow is good enough.
        data = json.dumps(_mended(value), ensure_ascii=False, separators=(",", ":")).encode()
    return data if data.isascii() and b"\x7f" not in data else harmless(data)


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
    """The words of one key, what they are filled from, and its texts as JSON as long as they are few."""

    __slots__ = ("_key", "_texts", "_words", "wanted")

    def __init__(self, words: Words, key: str) -> None:
        self._words = words
        self._key = key
        self.wanted: tuple[str, ...] = tuple(sorted(names(words.template(key)))) if words.has(key) else ()
        self._texts: dict[tuple[Any, ...], bytes] | None = {}

    def say(self, said: dict[str, Any]) -> bytes:
        """Its text, encoded; `said` holds at least what is wanted."""
        texts = self._texts
        if texts is None:
            return encoded(self._words.say(self._key, said))
        key = tuple([said.get(name) for name in self.wanted])
        try:
            text = texts.get(key)
        except TypeError:  # a value that cannot be a key
            return encoded(self._words.say(self._key, said))
        if text is None:
            text = encoded(self._words.say(self._key, said))
            if len(texts) >= _FEW:
                self._texts = None  # nearly every one is another
            elif len(text) <= _LONGEST and all(map(_is_short, key)):
                texts[key] = text
        return text


def _is_short(value: object) -> bool:
    return not isinstance(value, bytes | str | tuple) or len(value) <= _LONGEST


class _Plan:
    """How entries of one type are encoded."""

    __slots__ = ("basis", "conversions", "key", "names", "of_place", "shared", "template", "values")

    def __init__(self, kind: type[Event], words: Words, headers: Convert, known: Mapping[Convert, Convert]) -> None:
        """`headers`: encodes a head; `known`: what encodes, instead of making a JSON value, what comes again."""
        self.basis: dict[str, bytes] = {}
        """What stands between the side and the text, by basis."""
        self.template = _Template(words, f"entry.{kind.kind}")
        self.of_place = not {"frames", "side", "channel"}.isdisjoint(self.template.wanted)
        """Its text tells where it was."""
        shown = dict(conversions(kind))
        self.names = list(shown)
        taken = self.names
        if issubclass(kind, MessageHead) and "headers" in shown and "headers" not in self.template.wanted:
            shown["headers"] = headers
            taken = ["head" if name == "headers" else name for name in taken]
        self.values: Callable[[Any], tuple[Any, ...]] = attrgetter(*taken, "layer", "kind")
        """What stands under these names, and two more: of one name it would be no tuple."""
        self.conversions: list[tuple[str, Convert, bool]] = [
            (name, known.get(convert, convert), name in self.template.wanted)
            for name, convert in shown.items()
            if convert
        ]
        """Names whose values are no JSON values, what makes them so, and whether the text tells them."""
        apart = () if self.of_place else what_repeats(kind)
        self.key: Callable[[Any], tuple[Any, ...]] | None = attrgetter(*apart, "kind") if apart else None
        """What tells apart the fields, and so the text, of a type whose fields come again and again."""
        self.shared = attrgetter(kind.shared) if apart else None
        """The object that holds all of them, which events that are alike share."""

    def between(self, event: Event, basis: str) -> bytes:
        made = b'"layer":%b,"kind":%b,"basis":%b,"text":' % (encoded(event.layer), encoded(event.kind), encoded(basis))
        return self.basis.setdefault(basis, made)


class Encoder:
    """Encodes the rows of one run. What it remembers is bounded in number and size."""

    __slots__ = (
        "_again",
        "_converts",
        "_frames",
        "_heads",
        "_lines",
        "_made_of",
        "_maker",
        "_place",
        "_plans",
        "_redactor",
        "_shared",
        "_strings",
        "_templates",
        "_where",
    )

    def __init__(self, maker: RowMaker) -> None:
        self._maker = maker
        self._redactor = maker.redactor
        self._plans: dict[type[Event], _Plan] = {}
        self._templates: dict[str, _Template] = {}
        """Of annotations, by code."""
        self._heads: dict[tuple[str, str, str], bytes] = {}
        """Of annotations: what stands before their data, by code, level and basis."""
        self._again: _Known[tuple[Any, ...], bytes] = _Known()
        """Text and fields by what tells them apart, and"""
        self._shared: _Known[int, tuple[Any, bytes]] = _Known()
        """by identity of the object that holds them, which is kept so that it stays the only one."""
        self._lines: _Known[bytes, bytes] = _Known()
        self._made_of: _Known[Any, orjson.Fragment] = _Known()
        """Steps and attributes, encoded."""
        self._converts: dict[Convert, Convert] = {c: partial(self._piece, c) for c in (steps_of, attributes_of)}
        self._strings: _Known[str, bytes] = _Known()
        self._where: Where | None = None
        """Of the row before: several events may have one place."""
        self._frames = self._place = b""

    def entry(self, entry: Entry) -> bytes:
        """The entry as `encoded(RowMaker.row(entry))` gives it."""
        try:
            return self._entry(entry)
        except TypeError:
            return encoded(self._maker.row(entry))  # rare: see there

    def _entry(self, entry: Entry) -> bytes:
        event = entry.event
        plan = self._plans.get(event.__class__)
        if plan is None:
            plan = self._plans[event.__class__] = _Plan(
                event.__class__, self._maker.words, self._headers, self._converts
            )
        where = event.where
        if where is not self._where:
            self._settle(where)
        basis = where.basis
        parent = entry.parent
        return b'{"number":%d,"parent":%b%b%b%b,"annotations":%b}' % (
            entry.number,
            b"null" if parent is None else b"%d" % parent,
            self._place,
            plan.basis.get(basis) or plan.between(event, basis),
            self._made(event, plan) if plan.key is None else self._known(event, plan, plan.key),
            self._annotations(entry.annotations) if entry.annotations else b"[]",
        )

    def _settle(self, where: Where) -> None:
        """Encode a place, for all rows and annotations that share it."""
        frames = where.frames
        self._frames = shown = b"[%d]" % frames if len(frames) == 1 else orjson.dumps(frames)
        self._place = b',"time_ns":%d,"frames":%b,"channel":%b,"side":%b,' % (
            where.time_ns,
            shown,
            self._string(where.channel),
            _SIDES[where.side],
        )
        self._where = where

    def _string(self, text: str) -> bytes:
        known = self._strings.get(text)
        if known is None:
            known = encoded(text)
            if len(known) <= _LONGEST:
                self._strings.put(text, known)
        return known

    def _known(self, event: Event, plan: _Plan, key_of: Callable[[Any], tuple[Any, ...]]) -> bytes:
        """Text and fields of an event like others before it: shared with the last ones, or equal to older ones."""
        holder = plan.shared(event) if plan.shared is not None else event
        found = self._shared.get(id(holder))
        if found is not None and found[0] is holder:
            return found[1]
        key = key_of(event)
        data = self._again.get(key)
        if data is None:
            data = self._made(event, plan)
            if len(data) > 2 * _LONGEST:
                return data
            self._again.put(key, data)
        self._shared.put(id(holder), (holder, data))
        return data

    def _made(self, event: Event, plan: _Plan) -> bytes:
        """Text and fields, with the name of the latter between them."""
        redactor = self._redactor
        fields: dict[str, Any] = dict(zip(plan.names, plan.values(event), strict=False))
        said = fields.copy()
        for name, convert, is_told in plan.conversions:
            if is_told:
                fields[name], said[name] = convert(fields[name], redactor)
            else:
                fields[name] = convert(fields[name], redactor)[0]
        if plan.of_place:
            where = event.where
            said["frames"] = where.frames
            said["side"] = None if where.side is None else where.side.word
            said["channel"] = where.channel
        return b'%b,"fields":%b' % (plan.template.say(said), encoded(fields))

    def _piece(self, convert: Convert, value: Any, redactor: Redactor) -> Pair:
        """What `convert` makes of it, encoded, once for all that are equal."""
        piece = self._made_of.get(value)
        if piece is None:
            data = encoded(convert(value, redactor)[0])
            piece = orjson.Fragment(data)
            if len(data) <= 2 * _LONGEST:
                self._made_of.put(value, piece)
        return piece, value

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

    def _annotations(self, annotations: tuple[Annotation, ...]) -> bytes:
        return b"[%b]" % b",".join([self._annotation(one) for one in annotations])

    def _annotation(self, annotation: Annotation) -> bytes:
        code, span, frames = annotation.code, annotation.span, annotation.frames
        template = self._templates.get(code)
        if template is None:
            template = self._templates[code] = _Template(self._maker.words, f"annotation.{code}")
        data: dict[str, Any] = {}
        said: dict[str, Any] = {"frames": frames}
        for name, item in (annotation.data or data).items():
            if item.__class__ in AS_THEY_ARE:
                data[name] = said[name] = item
            else:
                data[name], said[name] = pair_of(item, self._redactor)
        place = self._where
        assert place is not None
        return b'%b%b,"text":%b,"frames":%b,"span":%b,"reference":%b}' % (
            self._head_of(annotation),
            encoded(data),
            template.say(said),
            self._frames if frames is place.frames else orjson.dumps(frames),
            b"null"
            if span is None
            else b'{"channel":%b,"side":%b,"start":%d,"end":%d}'
            % (self._string(span.channel), _SIDES[span.side], span.start, span.end),
            self._string(annotation.reference),
        )

    def _head_of(self, annotation: Annotation) -> bytes:
        """Everything that stands before its data."""
        key = annotation.code, annotation.level, annotation.basis
        known = self._heads.get(key)
        if known is None:
            values = {"concept": annotation.concept, "code": key[0], "level": key[1], "basis": key[2]}
            known = self._heads[key] = encoded(values)[:-1] + b',"data":'
        return known
