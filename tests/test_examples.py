"""The examples of `explain`: what replay shows of a capture, for each concept and in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from inspect_cli.concepts import CONCEPTS
from inspect_cli.events.base import Entry
from inspect_cli.render.base import Look
from inspect_cli.render.layout import Layout
from inspect_cli.render.redact import Redactor
from inspect_cli.render.rows import EntryRow, RowMaker
from inspect_cli.texts import LANGUAGES, Words
from tests.reading import read

ROOT = Path(__file__).parent.parent
CAPTURE_OF = {
    "tcp": "tcp-loss",
    "udp": "udp-dns",
    "rst": "tcp-refused",
    "websocket": "ws-pushed",
    "websocket-handshake": "ws-echo",
    "websocket-frames": "ws-fragmented",
    "websocket-close": "ws-echo",
    "socket-vs-port": "http-connection-close",
    "connectionless": "http-connection-close",
    "cookie-attributes": "cookies-attributes",
    "cookie-clients": "cookies-attributes",
}
"""The capture whose first note of a concept is its example, if not the login."""


def example(concept: str, capture: str, words: Words) -> str:
    """The first row that has a note of this concept, as the text view draws it, with those notes alone."""
    maker = RowMaker(words, Redactor("none"))
    layout = Layout(words, Look(lang=words.lang, width=80))
    entries = [row for row in read(ROOT / "captures" / f"{capture}.pcapng")[0] if isinstance(row, Entry)]
    rows: dict[int, EntryRow] = {}
    for entry in entries:
        rows[entry.number] = row = maker.row(entry)
        if row["kind"] == "syn" and row["frames"] == [1]:
            layout.entry({**row, "annotations": []})  # times count from here
        row["annotations"] = [note for note in row["annotations"] if note["concept"] == concept]
        if row["annotations"]:
            above = [rows[row["parent"]]] if row["parent"] is not None else []
            lines = [line for one in [*above, row] for line in layout.entry(one)]
            # Without the names of columns and endpoints.
            drawn = ["".join(piece for piece, _ in line).rstrip() for line in lines]
            first = next(i for i, line in enumerate(drawn) if "#" in line)
            return "\n".join(drawn[first:])
    raise AssertionError(f"{capture} shows nothing of {concept}")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_concept_has_an_example_that_replay_really_shows(lang: str, request: pytest.FixtureRequest) -> None:
    words = Words(lang)
    parts = ["# Examples of `explain`, made from captures/ by `pytest tests/test_examples.py --update-golden`.\n"]
    for concept in CONCEPTS:
        capture = CAPTURE_OF.get(concept.id, "http-login-logout")
        lines = example(concept.id, capture, words).replace("{", "{{").replace("}", "}}")
        parts.append(f"[example.{concept.id}]\ncapture = \"{capture}\"\nlines = '''\n{lines}'''\n")
    expected = "\n".join(parts)
    path = ROOT / "inspect_cli" / "texts" / lang / "examples.toml"
    if request.config.getoption("--update-golden"):
        path.write_text(expected, encoding="utf-8")

    assert expected == path.read_text(encoding="utf-8")
