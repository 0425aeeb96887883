"""JSON lines in and out."""

from __future__ import annotations

import io
import json

import pytest

from inspect_cli.render.documents import read_object, write_document


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'  {"a": "\xea\xb0\x80"}\r', {"a": "가"}),
        (b"[1]", None),
        (b"1", None),
        (b"", None),
        (b"{", None),
        (b'{"a": "\xff"}', None),
        (b"[" * 100_000, None),
    ],
)
def test_only_an_object_is_one(line: bytes, expected: object) -> None:
    assert expected == read_object(line)


def test_a_document_is_one_line_or_one_for_each_of_its_rows() -> None:
    document = {"name": "a\u202e", "rows": [{"n": 1}, {"n": 2}]}
    texts = []
    for lines in (False, True):
        out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        write_document(out, "page", document, {"rows": "row"}, lines=lines)
        out.seek(0)
        texts.append(out.read())

    assert {"schema": "inspect-cli/1", **document} == json.loads(texts[0])
    assert [
        {"type": "page", "schema": "inspect-cli/1", "name": "a\u202e"},
        {"type": "row", "n": 1},
        {"type": "row", "n": 2},
    ] == [json.loads(line) for line in texts[1].splitlines()]
    assert "\u202e" not in texts[0] + texts[1]
