from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.events.base import Annotation, Entry, Side, Where
from inspect_cli.events.http import RequestHead
from inspect_cli.render.encoding import Encoder, encoded
from inspect_cli.render.redact import Policy, Redactor
from inspect_cli.render.rows import RowMaker
from inspect_cli.texts import Words
from tests.render.conversation import whole

PLACE = Where(1, 5, "tcp/0", Side.CLIENT, (1,), 0, 9)


def maker(policy: Policy = "none", lang: str = "en") -> RowMaker:
    return RowMaker(Words(lang), Redactor(policy))


@pytest.mark.parametrize("policy", ["none", "credentials", "all"])
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_conversation_said_twice_is_encoded_as_its_rows_are(policy: Policy, lang: str) -> None:
    rows, encoder = maker(policy, lang), Encoder(maker(policy, lang))
    conversation = [*whole(), *whole()]
    assert [encoded(rows.row(entry)) for entry in conversation] == [encoder.entry(entry) for entry in conversation]


LINES = (
    b"Host: a",
    b"HOST:\tb ",
    b"Cookie: sid=1; x",
    b" folded",
    b"\tfolded",
    b"no colon",
    b"",
    b"X:\r",
    b":",
    b"\x9b:\xff",
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(LINES)), st.sampled_from((b"\r\n", b"\n", b"\r\r\n")), st.booleans())
def test_any_head_is_encoded_as_its_row_is(lines: list[bytes], end: bytes, is_ended: bool) -> None:
    head = end.join([b"GET /\xe2\x80\xae HTTP/1.1", *lines]) + end * is_ended
    rows, encoder = maker("all"), Encoder(maker("all"))
    entry = Entry(1, None, RequestHead(PLACE, head, 0), ())
    fields = [value for name, value in RequestHead(PLACE, head, 0).fields if name.lower() == b"host"]
    assert fields == entry.event.values(b"host")  # type: ignore[attr-defined]
    assert [encoded(rows.row(entry))] * 2 == [encoder.entry(entry), encoder.entry(entry)]


@pytest.mark.parametrize("value", [1 << 80, "\ud800", {"a": [b"\x7f"]}, [["x"]], float("nan"), None, (1, b"\xff")])
def test_any_data_of_an_annotation_is_encoded_as_its_row_is(value: object) -> None:
    note = Annotation("tcp", "tcp.gap", (1,), "", data={"missing_bytes": value, "frames": (7,)})
    entry = Entry(1, None, RequestHead(PLACE, b"GET / HTTP/1.1\r\n\r\n", 0), (note,))
    rows, encoder = maker(), Encoder(maker())
    assert [encoded(rows.row(entry))] * 2 == [encoder.entry(entry), encoder.entry(entry)]
