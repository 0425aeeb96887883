"""Words: one language's templates, loaded when first asked for, compiled once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from inspect_cli.texts import formats
from inspect_cli.texts.template import Data, Format, Part, compiled, filled

_FOLDER: Final = Path(__file__).parent
_FILES: Final[Mapping[str, str]] = {
    "entry": "entries",
    "detail": "entries",
    "mark": "entries",
    "annotation": "annotations",
    "concept": "concepts",
    "cookie": "cookie",
    "error": "errors",
    "example": "examples",
    "label": "labels",
    "ui": "ui",
    "cli": "cli",
    "view": "view",
    "check": "checks",
}
"""First word of a key -> the file that holds it; a key's words are the file's tables."""

_SIMPLE: Final[Mapping[str, Format]] = {
    "": formats.plain,
    "ms": formats.milliseconds,
    "frame": formats.frames,
    "frames": formats.frames,
    "hex": formats.hexadecimal,
    "time": formats.moment,
    "join": formats.joined,
    "count": formats.grouped,
    "flags": formats.flags,
    "cut": formats.cut(formats.CUT),
}
_DURATIONS: Final = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))


class Words:
    """The words of one language.

    `strict`: a key or field that is not there is a KeyError (the tests); otherwise the
    reader gets the last word of the key, or nothing in the field's place.
    """

    __slots__ = ("_labels", "_loaded", "_parts", "_templates", "lang", "strict")

    def __init__(self, lang: str, *, strict: bool = False) -> None:
        self.lang = lang
        self.strict = strict
        self._templates: dict[str, str] = {}
        self._loaded: set[str] = set()
        self._parts: dict[str, list[Part]] = {}
        self._labels: dict[tuple[str, object], str] = {}

    def say(self, key: str, data: Data) -> str:
        """The template of `key` filled from `data`, as one line (concepts may have several)."""
        parts = self._parts.get(key)
        if parts is None:
            parts = self._compile(key)
        return filled(parts, data)

    def has(self, key: str) -> bool:
        self._load(key)
        return key in self._templates

    def label(self, group: str, value: object) -> str:
        """The word for a value of a fixed set (`closed`, `rst`); a value without one shows itself."""
        known = self._labels.get((group, value))
        if known is not None:
            return known
        shown = _label_name(value)
        key = f"label.{group}.{shown}"
        if not self.has(key):
            return formats.plain(value)  # not remembered: such values may come from the wire
        return self._labels.setdefault((group, value), self._templates[key])

    def template(self, key: str) -> str:
        """The template itself. Raises KeyError."""
        self._load(key)
        return self._templates[key]

    def keys(self, first: str) -> list[str]:
        """The keys that begin with this word (`annotation`), without it."""
        self._load(first)
        return [key[len(first) + 1 :] for key in self._templates if key.startswith(first + ".")]

    def all_keys(self) -> list[str]:
        """All keys of the language, sorted."""
        for first in _FILES:
            self._load(first)
        return sorted(self._templates)

    def _compile(self, key: str) -> list[Part]:
        self._load(key)
        template = self._templates.get(key)
        if template is None:
            if self.strict:
                raise KeyError(key)
            return [key.rpartition(".")[2]]  # not kept: such keys may come from anywhere
        parts = compiled(template, self._choose, strict=self.strict)
        self._parts[key] = parts
        return parts

    def _load(self, key: str) -> None:
        name = _FILES.get(key.partition(".")[0])
        if name is None or name in self._loaded:
            return
        self._loaded.add(name)
        tables = tomllib.loads((_FOLDER / self.lang / f"{name}.toml").read_text(encoding="utf-8"))
        self._templates.update(_flat(tables, ""))

    def _choose(self, spec: str, name: str) -> Format:
        simple = _SIMPLE.get(spec)
        if simple is not None:
            return simple
        kind, *arguments = spec.split("/")
        if kind == "label" and len(arguments) <= 1:
            group = arguments[0] if arguments else name
            return lambda value: self.label(group, value)
        if kind == "labels" and len(arguments) == 1:
            return lambda value: self._labels_of(arguments[0], value)
        if kind == "known" and len(arguments) == 1:
            return lambda value: self._known(arguments[0], value)
        if kind == "join" and len(arguments) == 1:
            return lambda value: formats.joined(value, arguments[0])
        if kind == "n" and len(arguments) == 2:
            return formats.counted(*arguments)
        if kind == "cut" and len(arguments) == 1 and arguments[0].isdigit():
            return formats.cut(int(arguments[0]))
        if spec == "bytes":
            return self._size
        if spec == "duration":
            return self._duration
        raise ValueError(f"unknown spec {spec!r}")

    def _labels_of(self, group: str, values: object) -> str:
        """The label of each, with commas."""
        return ", ".join([self.label(group, value) for value in values]) if isinstance(values, tuple) else ""

    def _known(self, group: str, value: object) -> str:
        """A space and the label; nothing for a value without one."""
        return f" {self.label(group, value)}" if self.has(f"label.{group}.{_label_name(value)}") else ""

    def _size(self, value: object) -> str:
        number, has_unit = formats.size(value)
        return number if has_unit else self.say("ui.size.one" if value == 1 else "ui.size.many", {"number": number})

    def _duration(self, value: object) -> str:
        """Nanoseconds in the largest unit of which there are at least two (below that in ms)."""
        if not isinstance(value, int):
            return formats.plain(value)
        seconds = value // 1_000_000_000
        for unit, length in _DURATIONS:
            if abs(seconds) >= 2 * length:
                return self.say(f"ui.duration.{unit}", {"count": round(seconds / length)})
        return formats.milliseconds(value)


def _label_name(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _flat(tables: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in tables.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value
