r"""Values of events as JSON values and as what templates are filled from.

Bytes become text by one rule that loses nothing: text that is valid UTF-8 and holds no `\x`
stands as it is; in any other each byte that is not part of valid UTF-8 is written `\xNN` and
each backslash is doubled. So a string with `\x` in it is escaped, any other is exact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from inspect_cli.events.base import Event, Secret, Side, shown_names
from inspect_cli.render.redact import Redactor

Pair = tuple[Any, Any]
"""(JSON value, what templates are filled from): bytes stay bytes for the latter."""

Convert = Callable[[Any, Redactor], Pair]

_ESCAPED: Final = re.compile(rb"\\(\\|x[0-9a-f]{2})")
_AS_THEY_ARE: Final = frozenset({str, int, float, bool, NoneType})


def exact_text(data: bytes) -> str:
    """Bytes as a string of the JSON contract; see the head of this file."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return data.replace(b"\\", b"\\\\").decode(errors="backslashreplace")
    return text.replace("\\", "\\\\") if "\\x" in text else text


def exact_bytes(text: str) -> bytes:
    """The bytes that `exact_text` made into this string."""
    data = text.encode()
    if b"\\x" not in data:
        return data
    return _ESCAPED.sub(lambda m: b"\\" if m[1] == b"\\" else bytes.fromhex(m[1][1:].decode()), data)


def pair_of(value: Any, redactor: Redactor) -> Pair:
    """Any value of an event or of an annotation's data."""
    kind = value.__class__
    if kind in _AS_THEY_ARE:
        return value, value
    if kind is bytes:
        return exact_text(value), value
    if kind is Secret:
        shown = redactor.shown(value)
        return exact_text(shown), shown
    if isinstance(value, Side):
        return value.word, value.word
    if isinstance(value, tuple | list | set | frozenset):
        return _sequence(sorted(value, key=repr) if isinstance(value, set | frozenset) else value, redactor)
    if isinstance(value, Mapping):
        return _mapping(value, redactor)
    return _other(value, redactor)


def _sequence(value: Any, redactor: Redactor) -> Pair:
    pairs = [pair_of(item, redactor) for item in value]
    return [p[0] for p in pairs], tuple(p[1] for p in pairs)


def _mapping(value: Mapping[Any, Any], redactor: Redactor) -> Pair:
    found: dict[str, Any] = {}
    said: dict[str, Any] = {}
    for name, item in value.items():
        shown = exact_text(name) if isinstance(name, bytes) else str(name)
        found[shown], said[shown] = pair_of(item, redactor)
    return found, said


def _other(value: Any, redactor: Redactor) -> Pair:
    if isinstance(value, Event):
        # An event that another one points at: named, not copied.
        return value.kind, value.kind
    if is_dataclass(value) and not isinstance(value, type):
        return _mapping({f.name: getattr(value, f.name) for f in fields(value)}, redactor)
    if isinstance(value, Enum):
        return pair_of(value.value, redactor)
    if isinstance(value, bytearray | memoryview):
        return pair_of(bytes(value), redactor)
    if isinstance(value, int):
        return int(value), int(value)
    text = str(value)
    return text, text


def conversions(kind: type[Event]) -> tuple[tuple[str, Convert | None], ...]:
    """Fields of an entry of this type with what converts each; None: stands as it is."""
    return tuple((name, None if _stands(hint) else pair_of) for name, hint in shown_hints(kind).items())


def shown_hints(kind: type[Event]) -> dict[str, Any]:
    """Names of what is shown of this type, in order, with their declared types."""
    hints = get_type_hints(kind)
    return {name: hints[name] if name in hints else _property_hint(kind, name) for name in shown_names(kind)}


def _property_hint(kind: type[Event], name: str) -> Any:
    getter = getattr(getattr(kind, name), "fget", None)
    return get_type_hints(getter).get("return", Any) if getter else Any


def _stands(hint: Any) -> bool:
    """Say whether every value of this declared type is a JSON value already."""
    if hint in _AS_THEY_ARE:
        return True
    origin = get_origin(hint)
    if origin is Literal:
        return all(arg.__class__ in _AS_THEY_ARE for arg in get_args(hint))
    if origin in (Union, UnionType):
        return all(_stands(arg) for arg in get_args(hint))
    return False
