"""JSON of the commands that are no timeline: one document, or one object a line; and JSON lines read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

import orjson

from inspect_cli.events.summary import SCHEMA
from inspect_cli.render.base import Sink
from inspect_cli.render.encoding import encoded


def write_document(
    out: TextIO, kind: str, document: Mapping[str, Any], lists: Mapping[str, str], *, lines: bool
) -> None:
    """Write it whole; with `lines` what stands in none of the `lists` first, then each of their objects.

    `type` of the first line is `kind`, of the others what `lists` says.
    """
    sink = Sink(out)
    if lines:
        head = {name: value for name, value in document.items() if name not in lists}
        sink.write(encoded({"type": kind, "schema": SCHEMA, **head}) + b"\n")
        for name, one in lists.items():
            for row in document[name]:
                sink.write(encoded({"type": one, **row}) + b"\n")
    else:
        sink.write(encoded({"schema": SCHEMA, **document}) + b"\n")
    sink.flush()


def read_object(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a line; None where it is none."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
