"""Templates compiled to parts: literal text and small functions of the data.

Grammar: `{name}`, `{name:spec}`, `{name:spec/argument/...}`, `{name?text}`, `{name!text}`;
`{{` and `}}` are braces (`}}` not inside `?` and `!`). Specs are in docs/architecture.md and in `formats.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Data = Mapping[str, object]
Part = str | Callable[[Data], str]
Format = Callable[[object], str]
Chooser = Callable[[str, str], Format]
"""(spec, name of the field) -> what shows its value; raises ValueError for an unknown spec."""

_TOKEN = re.compile(r"\{\{|\}\}|\{([a-z_][a-z0-9_]*)([:?!}])|\}|\{")


class TemplateError(ValueError):
    """A template that breaks the grammar: ours, found by the tests."""


def compiled(template: str, choose: Chooser, *, strict: bool) -> list[Part]:
    """The template as parts. `strict`: filling it without one of its fields is a KeyError."""
    parts, end = _parts(template, 0, choose, strict)
    if end != len(template):
        raise TemplateError(f"unmatched }} at {end} in {template!r}")
    return parts


def filled(parts: list[Part], data: Data) -> str:
    return "".join([part if part.__class__ is str else part(data) for part in parts])  # type: ignore[operator]


def names(template: str) -> frozenset[str]:
    """Names of all fields that the template asks for."""
    return frozenset(match[1] for match in _TOKEN.finditer(template) if match[1])


def _parts(template: str, start: int, choose: Chooser, strict: bool) -> tuple[list[Part], int]:
    """Parts up to the end or to the unmatched `}` that closes what holds them."""
    parts: list[Part] = []
    at = start
    while match := _TOKEN.search(template, at):
        _literal(parts, template[at : match.start()])
        token = match[0]
        if token in ("{{", "}}") and not (token == "}}" and start):
            _literal(parts, token[0])
            at = match.end()
            continue
        if token[0] == "}":
            return parts, match.start()
        if not match[1]:
            raise TemplateError(f"stray {{ at {match.start()} in {template!r}")
        part, at = _placeholder(template, match, choose, strict)
        parts.append(part)
    _literal(parts, template[at:])
    if start:
        raise TemplateError(f"unclosed {{ in {template!r}")
    return parts, len(template)


def _literal(parts: list[Part], text: str) -> None:
    if not text:
        return
    if parts and isinstance(parts[-1], str):
        parts[-1] += text
    else:
        parts.append(text)


def _placeholder(template: str, match: re.Match[str], choose: Chooser, strict: bool) -> tuple[Part, int]:
    name, sign = match[1], match[2]
    if sign in "?!":
        inner, end = _parts(template, match.end(), choose, strict)
        return _conditional(name, inner, sign == "?", strict), end + 1
    if sign == "}":
        return _shown(name, choose("", name), strict), match.end()
    end = template.find("}", match.end())
    if end < 0:
        raise TemplateError(f"unclosed {{{name} in {template!r}")
    try:
        return _shown(name, choose(template[match.end() : end], name), strict), end + 1
    except ValueError as error:
        raise TemplateError(f"{error} in {template!r}") from None


def _shown(name: str, show: Format, strict: bool) -> Part:
    if strict:
        return lambda data: show(data[name])
    return lambda data: show(data.get(name))


def _conditional(name: str, inner: list[Part], wanted: bool, strict: bool) -> Part:
    def part(data: Data) -> str:
        value = data[name] if strict else data.get(name)
        return filled(inner, data) if bool(value) is wanted else ""

    return part
