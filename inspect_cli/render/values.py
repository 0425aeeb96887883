r"""Values of events as JSON values and as what templates are filled from.

Bytes become text by one rule that loses nothing: text that is valid UTF-8 and holds no `\x`
stands as it is; in any other each byte that is not part of valid UTF-8 is written `\xNN` and
each backslash is doubled. So a string with `\x` in it is escaped, any other is exact.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from inspect_cli.events.base import Event, Secret, Side, shown_names
from inspect_cli.events.cookies import Step
from inspect_cli.render.redact import Redactor

Pair = tuple[Any, Any]
"""(JSON value, what templates are filled from): bytes stay bytes for the latter."""

Convert = Callable[[Any, Redactor], Pair]

_ESCAPED: Final = re.compile(rb"\\(\\|x[0-9a-f]{2})")
AS_THEY_ARE: Final = frozenset({str, int, float, bool, NoneType})
"""Types whose values are JSON values."""
_KEYS: Final = (bytes, tuple[int, ...], tuple[Step, ...], tuple[tuple[bytes, bytes], ...])
"""Declared types, besides, whose values can be keys of a dict."""


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
    if kind in AS_THEY_ARE:
        return value, value
    return _BY_CLASS.get(kind, _other)(value, redactor)


def _bytes(value: bytes, redactor: Redactor) -> Pair:
    return exact_text(value), value


def _secret(value: Secret, redactor: Redactor) -> Pair:
    shown = redactor.shown(value)
    return exact_text(shown), shown


def _sequence(value: Iterable[Any], redactor: Redactor) -> Pair:
    if value.__class__ is tuple and AS_THEY_ARE.issuperset(map(type, value)):
        return list(value), value  # numbers of frames, mostly
    found: list[Any] = []
    said: list[Any] = []
    for item in value:
        kind = item.__class__
        if kind in AS_THEY_ARE:
            found.append(item)
            said.append(item)
        else:
            pair = _BY_CLASS.get(kind, _other)(item, redactor)
            found.append(pair[0])
            said.append(pair[1])
    return found, tuple(said)


def _set(value: Iterable[Any], redactor: Redactor) -> Pair:
    return _sequence(sorted(value, key=repr), redactor)


def _mapping(value: Mapping[Any, Any], redactor: Redactor) -> Pair:
    found: dict[str, Any] = {}
    said: dict[str, Any] = {}
    for name, item in value.items():
        shown = exact_text(name) if isinstance(name, bytes) else str(name)
        found[shown], said[shown] = pair_of(item, redactor)
    return found, said


def steps_of(value: tuple[Step, ...], redactor: Redactor) -> Pair:
    """The steps of a decision, which hold no secrets."""
    return _steps(value)


@lru_cache(maxsize=4096)
def _steps(value: tuple[Step, ...]) -> Pair:
    """Most decisions go the same few ways: rows share what is made here."""
    return _sequence([step._asdict() for step in value], Redactor("none"))


def attributes_of(value: tuple[tuple[bytes, bytes], ...], redactor: Redactor) -> Pair:
    """Names with values that are no secrets."""
    return [[exact_text(name), exact_text(item)] for name, item in value], value


def pairs_of(value: Iterable[tuple[bytes, bytes | Secret]], redactor: Redactor) -> Pair:
    """Names with values, which heads have by the dozen."""
    found: list[list[str]] = []
    said: list[tuple[bytes, bytes]] = []
    for name, item in value:
        shown = redactor.shown(item) if isinstance(item, Secret) else item
        found.append([exact_text(name), exact_text(shown)])
        said.append((name, shown))
    return found, tuple(said)


_BY_CLASS: Final[dict[type, Convert]] = {
    bytes: _bytes,
    Secret: _secret,
    list: _sequence,
    tuple: _sequence,
    set: _set,
    frozenset: _set,
    dict: _mapping,
}


def _other(value: Any, redactor: Redactor) -> Pair:
    if isinstance(value, Side):
        return value.word, value.word
    if isinstance(value, Event):
        # An event that another one points at: named, not copied.
        return value.kind, value.kind
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _mapping(value._asdict(), redactor)
    if is_dataclass(value) and not isinstance(value, type):
        return _mapping({name: getattr(value, name) for name in _names_of(value.__class__)}, redactor)
    if isinstance(value, Enum):
        return pair_of(value.value, redactor)
    if isinstance(value, bytearray | memoryview):
        return _bytes(bytes(value), redactor)
    if isinstance(value, int):
        return int(value), int(value)
    if isinstance(value, Mapping):
        return _mapping(value, redactor)
    if isinstance(value, tuple | list | set | frozenset):
        return _set(value, redactor) if isinstance(value, set | frozenset) else _sequence(value, redactor)
    text = str(value)
    return text, text


@lru_cache(maxsize=256)
def _names_of(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


def conversions(kind: type[Event]) -> tuple[tuple[str, Convert | None], ...]:
    """Fields of an entry of this type with what converts each; None: stands as it is."""
    return tuple((name, _conversion(hint)) for name, hint in shown_hints(kind).items())


def _conversion(hint: Any) -> Convert | None:
    if _stands(hint):
        return None
    if hint is bytes:
        return _bytes
    if hint is Secret:
        return _secret
    if hint == tuple[Step, ...]:
        return steps_of
    if hint == tuple[tuple[bytes, bytes], ...]:
        return attributes_of
    if hint in (list[tuple[bytes, bytes | Secret]], tuple[tuple[bytes, bytes | Secret], ...]):
        return pairs_of
    return pair_of


def shown_hints(kind: type[Event]) -> dict[str, Any]:
    """Names of what is shown of this type, in order, with their declared types."""
    hints = get_type_hints(kind)
    return {name: hints[name] if name in hints else _property_hint(kind, name) for name in shown_names(kind)}


def what_repeats(kind: type[Event]) -> tuple[str, ...]:
    """Of a type whose events share what they show: attributes that are equal where all fields are.

    () for other types, and where a field is no key.
    """
    hints = shown_hints(kind) if kind.shared else {}
    found: list[str] = []
    for name, hint in hints.items():
        if hint is Secret:
            found += (f"{name}.value", f"{name}.kind", f"{name}.form")
        elif _stands(hint) or hint in _KEYS:
            found.append(name)
        else:
            return ()
    return tuple(found)


def _property_hint(kind: type[Event], name: str) -> Any:
    getter = getattr(getattr(kind, name), "fget", None)
    return get_type_hints(getter).get("return", Any) if getter else Any


def _stands(hint: Any) -> bool:
    """Say whether every value of this declared type is a JSON value already."""
    if hint in AS_THEY_ARE:
        return True
    origin = get_origin(hint)
    if origin is Literal:
        return all(arg.__class__ in AS_THEY_ARE for arg in get_args(hint))
    if origin in (Union, UnionType):
        return all(_stands(arg) for arg in get_args(hint))
    return False
