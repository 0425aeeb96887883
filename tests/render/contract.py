"""The JSON contract made from the code: the schema that ships, and the tables of docs/json.md."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator
from dataclasses import fields
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import inspect_cli.events
from inspect_cli.events import base, tcp
from inspect_cli.events.base import Event, Secret
from inspect_cli.events.summary import FRAME_NAMES, SCHEMA, Tally
from inspect_cli.render.values import shown_hints
from tests.render import cookie_contract as cookies

Json = dict[str, Any]

for _module in pkgutil.iter_modules(inspect_cli.events.__path__):
    importlib.import_module(f"inspect_cli.events.{_module.name}")


def entry_types() -> list[type[Event]]:
    """Every event type that can be an entry, by layer and kind."""
    found = {kind for kind in _below(Event) if kind.is_entry or kind.entry_if_annotated}
    kinds = sorted((kind for kind in found if "kind" in vars(kind) or _is_only(kind, found)), key=lambda k: k.kind)
    layers = get_args(base.Layer)
    return sorted(kinds, key=lambda kind: layers.index(kind.layer))


def _is_only(kind: type[Event], found: set[type[Event]]) -> bool:
    """A type that takes its kind from a class that is no entry itself (NotableMessageEnd)."""
    return kind.kind != Event.kind and not any(other.kind == kind.kind for other in found - {kind})


def _below(kind: type[Event]) -> Iterator[type[Event]]:
    for below in kind.__subclasses__():
        # dataclass(slots=True) leaves the class without slots behind: only the real one is in its module.
        if below.__module__.startswith("inspect_cli.") and (
            getattr(inspect.getmodule(below), below.__name__, None) is below
        ):
            yield below
        yield from _below(below)


# -- the schema ----------------------------------------------------------------------------


def schema() -> Json:
    """JSON Schema 2020-12 of the `json` document and of a line of `ndjson`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:inspect-cli:schema:1",
        "title": "inspect-cli/1",
        "description": "A document of --format json, or one line of --format ndjson, of any command.",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in ("document", "line", *cookies.documents(), *cookies.lines())],
        "$defs": {
            **cookies.documents(),
            **cookies.lines(),
            **cookies.parts(),
            "document": _object(
                schema={"const": SCHEMA},
                entries=_array({"$ref": "#/$defs/entry"}),
                connections=_array({"$ref": "#/$defs/connection"}),
                capture={"$ref": "#/$defs/capture"},
                summary={"$ref": "#/$defs/summary"},
            ),
            "line": {
                "oneOf": [
                    _line("capture", "capture", schema={"const": SCHEMA}),
                    _line("entry", "entry"),
                    _line("connection", "connection"),
                    {
                        **_object(
                            type={"const": "summary"},
                            capture={"$ref": "#/$defs/capture"},
                            summary={"$ref": "#/$defs/summary"},
                        )
                    },
                ]
            },
            **_parts(),
        },
    }


def _parts() -> Json:
    layer, basis, level = (list(get_args(name)) for name in (base.Layer, base.Basis, base.Level))
    number: Json = {"type": "integer"}
    count: Json = {"type": "integer", "minimum": 0}
    frames = _array({"type": "integer", "minimum": 1})
    side: Json = {"enum": ["client", "server"]}
    text: Json = {"type": "string"}
    counts: Json = dict.fromkeys(Tally.__dataclass_fields__, count)
    counts["websocket_frames"] = _object(**dict.fromkeys(FRAME_NAMES, count))
    counts["problems"] = {"type": "object", "additionalProperties": count}
    counts["concepts"] = {"type": ["object", "null"], "additionalProperties": count}
    return {
        "capture": _object(
            source={"enum": ["live", "file", "reported"]},
            files=_array(_object(name=text, first_frame=number, frames=count)),
            interfaces=_array(text),
            started_ns=_or_null(number),
            ended_ns=_or_null(number),
            complete={"type": ["boolean", "null"]},
        ),
        "entry": _object(
            number={"type": "integer", "minimum": 1},
            parent=_or_null({"type": "integer", "minimum": 1}),
            time_ns=number,
            frames=frames,
            channel=text,
            side={"enum": ["client", "server", None]},
            layer={"enum": layer},
            kind={"enum": [kind.kind for kind in entry_types()]},
            basis={"enum": basis},
            text=text,
            fields={"type": "object"},
            annotations=_array({"$ref": "#/$defs/annotation"}),
        )
        | {"allOf": [_fields_of(kind) for kind in entry_types()]},
        "annotation": _object(
            concept=text,
            code=text,
            level={"enum": level},
            basis={"enum": basis},
            data={"type": "object"},
            text=text,
            frames=frames,
            span={"anyOf": [{"type": "null"}, _object(channel=text, side=side, start=count, end=count)]},
            reference=text,
        ),
        "connection": _object(
            **{name: json_type(hint) for name, hint in _hinted(tcp.Connection)},
        ),
        "summary": _object(**counts),
    }


def _fields_of(kind: type[Event]) -> Json:
    shown = {name: json_type(hint) for name, hint in shown_hints(kind).items()}
    return {
        "if": {"properties": {"kind": {"const": kind.kind}}},
        "then": {"properties": {"fields": _object(**shown)}},
    }


def _hinted(kind: Any) -> list[tuple[str, Any]]:
    hints = get_type_hints(kind)
    return [(name, hints[name]) for name in getattr(kind, "_fields", None) or [f.name for f in fields(kind)]]


def _object(**properties: Any) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _line(kind: str, of: str, **more: Any) -> Json:
    """An object of the document with its `type` before it."""
    found = _parts()[of]
    return found | _object(type={"const": kind}, **more, **found["properties"])


def _array(items: Json) -> Json:
    return {"type": "array", "items": items}


def _or_null(of: Json) -> Json:
    return {"anyOf": [of, {"type": "null"}]}


def json_type(hint: Any) -> Json:
    """What a declared type is in JSON."""
    plain = {str: "string", bytes: "string", Secret: "string", int: "integer", bool: "boolean", NoneType: "null"}
    if hint in plain:
        return {"type": plain[hint]}
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, UnionType):
        found = [json_type(one) for one in inner]
        distinct = [one for n, one in enumerate(found) if one not in found[:n]]
        return distinct[0] if len(distinct) == 1 else {"anyOf": distinct}
    if origin is list or (origin is tuple and inner[-1] is Ellipsis):
        return _array(json_type(inner[0]))
    if origin is tuple:
        size = len(inner)
        return {"type": "array", "prefixItems": [json_type(one) for one in inner], "minItems": size, "maxItems": size}
    return _object(**{name: json_type(of) for name, of in _hinted(hint)})


# -- the page ------------------------------------------------------------------------------


def tables() -> str:
    """The fields of each kind of entry as Markdown, in the words of the code."""
    parts = []
    for kind in entry_types():
        doc = inspect.cleandoc(kind.__doc__ or "").split("\n\n", 1)[0].replace("\n", " ")
        said = _field_docs(kind)
        rows = [f"| `{name}` | {_written(hint)} | {said.get(name, '')} |" for name, hint in shown_hints(kind).items()]
        parts.append(
            "\n".join([f"### `{kind.kind}` ({kind.layer})", "", doc, "", "| field | type | |", "|---|---|---|", *rows])
        )
    return "\n\n".join(parts) + "\n"


def _written(hint: Any) -> str:
    """A declared type in the words of JSON."""
    plain = {str: "string", bytes: "text", int: "integer", bool: "boolean", NoneType: "null"}
    if hint in plain:
        return plain[hint]
    if hint is Secret:
        return "secret text"
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in inner)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(_written(one) for one in inner))
    if origin is list or (origin is tuple and inner[-1] is Ellipsis):
        return f"list of {_written(inner[0])}"
    if origin is tuple:
        return "[" + ", ".join(_written(one) for one in inner) + "]"
    return "{" + ", ".join(f"{name}: {_written(of)}" for name, of in _hinted(hint)) + "}"


def _field_docs(kind: type[Event]) -> dict[str, str]:
    """First paragraph beneath each attribute, or of each property, nearest class first."""
    said: dict[str, str] = {}
    for owner in reversed(kind.__mro__[:-1]):
        body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        assert isinstance(body, ast.ClassDef)
        for statement, following in zip(body.body, [*body.body[1:], None], strict=True):
            if isinstance(statement, ast.FunctionDef):
                said[statement.name] = _first(ast.get_docstring(statement) or "")
            elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                is_doc = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
                said[statement.target.id] = _first(str(following.value.value)) if is_doc else ""
    return said


def _first(doc: str) -> str:
    return inspect.cleandoc(doc).split("\n\n", 1)[0].replace("\n", " ").replace("|", "\\|")
