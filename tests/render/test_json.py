from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from inspect_cli.events.base import Entry
from inspect_cli.events.capture import CaptureComment
from inspect_cli.events.http import RequestHead
from inspect_cli.events.summary import Capture
from inspect_cli.render import json as rendered
from inspect_cli.render import make_renderer
from inspect_cli.render.encoding import encoded
from inspect_cli.render.select import compile_filter
from tests.render.conversation import calls, capture, ends, tally, where, whole

SCHEMA = Path(rendered.__file__).with_name("schema.json")
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))


def written(form: str, entries: list[Entry], **options: Any) -> str:
    out = io.StringIO()
    renderer = make_renderer(form, out, **options)
    renderer.begin(Capture("file", [], []))
    for entry in entries:
        renderer.entry(entry)
    for connection in ends():
        renderer.connection(connection)
    renderer.end(capture(), tally())
    return out.getvalue()


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_ndjson_is_capture_entries_connections_summary(lang: str) -> None:
    lines = [json.loads(line) for line in written("ndjson", [*calls(), *whole()], lang=lang).splitlines()]
    for line in lines:
        VALIDATOR.validate(line)
    expected = ["capture", *["entry"] * (len(whole()) + 1), "connection", "connection", "summary"]
    assert expected == [line["type"] for line in lines]
    assert ["type", "schema", "source", "files", "interfaces", "started_ns", "ended_ns", "complete"] == list(lines[0])
    assert {"type": "summary", "capture": capture().as_dict(), "summary": lines[-1]["summary"]} == lines[-1]


def test_json_is_the_same_as_one_document() -> None:
    lines = [json.loads(line) for line in written("ndjson", whole()).splitlines()]
    document = json.loads(written("json", whole()))
    VALIDATOR.validate(document)
    assert ["schema", "entries", "connections", "capture", "summary"] == list(document)
    rows = {
        kind: [{k: v for k, v in o.items() if k != "type"} for o in lines if o["type"] == kind]
        for kind in ("entry", "connection")
    }
    assert rows["entry"] == document["entries"]
    assert rows["connection"] == document["connections"]
    assert lines[-1]["summary"] == document["summary"]


def test_json_of_nothing_is_a_whole_document() -> None:
    out = io.StringIO()
    renderer = make_renderer("json", out)
    renderer.begin(Capture("file", [], []))
    renderer.end(Capture("file", [], []), tally())
    document = json.loads(out.getvalue())
    VALIDATOR.validate(document)
    assert ([], []) == (document["entries"], document["connections"])


def test_connections_of_a_document_wait_outside_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered, "SPOOLED_BYTES", 10)
    assert [0, 1] == [row["id"] for row in json.loads(written("json", whole()))["connections"]]


def test_filter_hides_entries_and_nothing_else() -> None:
    select = compile_filter("kind == syn")
    lines = [json.loads(line) for line in written("ndjson", whole(), select=select).splitlines()]
    assert ["capture", "entry", "entry", "connection", "connection", "summary"] == [line["type"] for line in lines]
    document = json.loads(written("json", whole(), select=compile_filter("kind == syn")))
    assert [1, 16] == [row["number"] for row in document["entries"]]
    assert 2 == len(document["connections"])


def test_schema_refuses_what_the_contract_does_not_know() -> None:
    line = json.loads(written("ndjson", whole()).splitlines()[1])
    assert VALIDATOR.is_valid(line)
    assert not VALIDATOR.is_valid({**line, "colour": "red"})
    assert not VALIDATOR.is_valid({**line, "fields": {**line["fields"], "seq": "1"}})
    del line["fields"]["seq"]
    assert not VALIDATOR.is_valid(line)


@given(st.binary(max_size=60), st.text(max_size=20))
@settings(max_examples=100)
def test_any_bytes_in_a_head_give_one_valid_line(junk: bytes, comment: str) -> None:
    head = RequestHead(where(1, None, 0), b"GET " + junk + b" HTTP/1.1\r\nHost: " + junk + b"\r\n\r\n", 0)
    for event in (head, CaptureComment(where(2, None, 0), comment)):
        lines = written("ndjson", [Entry(1, None, event, ())]).split("\n")
        assert 6 == len(lines)  # capture, entry, two connections, summary, and nothing behind the last line end
        VALIDATOR.validate(json.loads(lines[1]))


def test_what_a_terminal_would_obey_is_escaped_and_reads_back_the_same() -> None:
    text = "\x1b[31m\x7f\x9b31m\u061c\u200b\u202e\u2028\u2066\ufeff 쿠키 §"
    data = encoded(text)
    assert text == json.loads(data)
    assert rb'"\u001b[31m\u007f\u009b31m\u061c\u200b\u202e\u2028\u2066\ufeff' == data.split(b" ")[0]
    assert " 쿠키 §".encode() in data


@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_no_text_is_beyond_json(text: str) -> None:
    assert encoded([text, 1 << 80, {text: None}]).isascii() or text
    json.loads(encoded([text, 1 << 80, {text: (None,)}]))
