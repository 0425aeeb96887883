from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.events.base import Annotation, Entry, Event, Secret, Side
from inspect_cli.events.capture import Malformed
from inspect_cli.events.cookies import CookieStored
from inspect_cli.events.http import RequestHead, ResponseHead
from inspect_cli.events.summary import Capture, CaptureFile, Tally
from inspect_cli.events.websocket import WebSocketFrame
from inspect_cli.render import compile_filter, make_renderer
from inspect_cli.render.measure import widest
from tests.render.conversation import calls, capture, ends, tally, where, whole


def shown(entries: list[Entry], of: Capture | None = None, **options: Any) -> str:
    out = io.StringIO()
    renderer = make_renderer("text", out, **options)
    renderer.begin(of or capture())
    for entry in entries:
        renderer.entry(entry)
    for connection in ends():
        renderer.connection(connection)
    renderer.end(of or capture(), tally())
    return out.getvalue()


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("width", [40, 80, 100, 200])
@pytest.mark.parametrize("verbose", [False, True])
def test_no_row_breaks_at_any_width_even_where_ambiguous_characters_are_wide(
    lang: str, width: int, verbose: bool
) -> None:
    text = shown([*calls(), *whole()], lang=lang, width=width, verbose=verbose)
    assert min(width, 100) >= max(widest(line) for line in text.splitlines())


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_conversation_is_told_with_its_frames_marks_and_clauses(lang: str) -> None:
    lines = shown(whole(), lang=lang).splitlines()
    assert "    0.031     #2  <---------------------------------------------------- SYN, ACK" in lines
    assert "    0.912     #4  GET /shop --------------------------------------------------->" in lines
    assert "           tcp/1  127.0.0.1:52816                                127.0.0.1:41327" in lines
    detail = lines.index("                  Set-Cookie: sid=5f1c9a02b7de44e8; Path=/; HttpOnly;")
    assert lines[detail + 2].startswith("                  + ")
    assert any(line.startswith("                  - ") and "theme" in line for line in lines)
    assert any(line.endswith("6265bis §5.8.3") for line in lines)


def test_ascii_leaves_only_ascii_in_what_is_ours() -> None:
    entries = [entry for entry in whole() if not isinstance(entry.event, WebSocketFrame)]
    assert shown(entries, ascii=True).isascii()


def test_redacted_view_shows_no_secret() -> None:
    assert "5f1c9a02b7de44e8" in shown(whole())
    assert "5f1c9a02b7de44e8" not in shown(whole(), redact=True)
    assert "Set-Cookie: sid=<cookie 1>; Path=/; HttpOnly; SameSite=Lax" in shown(whole(), redact=True)


def test_filter_hides_rows_but_not_the_summary() -> None:
    lines = shown(whole(), select=compile_filter("kind == syn")).splitlines()
    assert 2 == sum(" SYN -" in line for line in lines)
    assert not any("GET" in line for line in lines)
    assert "  HTTP       3 requests, 3 responses" in lines


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_run_that_failed_before_it_listened_has_no_title(lang: str) -> None:
    out = io.StringIO()
    renderer = make_renderer("text", out, lang=lang)
    renderer.begin(Capture("live", [], []))
    renderer.end(Capture("live", [], []), Tally(concepts={}))
    assert "" == out.getvalue()


def test_each_row_is_written_at_once_where_the_capture_comes_slowly() -> None:
    for of, expected in ((Capture("live", [], ["lo"]), True), (Capture("file", [CaptureFile("a", 1, 1)], []), False)):
        raw = io.BytesIO()
        out = io.TextIOWrapper(io.BufferedWriter(raw, 1 << 16), encoding="utf-8")  # type: ignore[arg-type]
        renderer = make_renderer("text", out)
        renderer.begin(of)
        renderer.entry(whole()[0])
        assert expected == (b"SYN" in raw.getvalue())
        renderer.end(of, tally())
        assert b"SYN" in raw.getvalue()


def _hostile(junk: bytes) -> list[Event]:
    c, s = Side.CLIENT, Side.SERVER
    request = RequestHead(where(1, c, 0), b"GET " + junk + b" HTTP/1.1\r\nHost: " + junk + b"\r\n\r\n", 0)
    response = ResponseHead(where(2, s, 9), b"HTTP/1.1 200 " + junk + b"\r\n\r\n", 0, request)
    stored = next(entry.event for entry in whole() if isinstance(entry.event, CookieStored))
    decision = dataclasses.replace(stored.decision, name=junk, value=Secret(junk, "cookie"))
    return [
        request,
        response,
        dataclasses.replace(stored, decision=decision, attributes=((junk, junk),)),
        Malformed(where(3, c, 10), "bare-lf", "CRLF", junk, "RFC 9112 §2.2"),
        WebSocketFrame(where(4, s, 11), 1, True, 0, False, b"", len(junk), junk, 1, False, None),
    ]


@given(
    st.binary(max_size=300)
    | st.text(max_size=100).map(str.encode)
    | st.text("\x1b[31m\r\n\u202e\u200b§é키", max_size=80).map(str.encode),
    st.sampled_from(["en", "ko"]),
    st.sampled_from([40, 80, 100]),
    st.booleans(),
)
@settings(max_examples=100)
def test_no_bytes_of_the_wire_reach_the_terminal_unescaped_or_break_a_row(
    junk: bytes, lang: str, width: int, verbose: bool
) -> None:
    note = Annotation("cookie", "cookie.set", (1,), "6265bis §3", data={"name": junk, "names": (junk,)})
    entries = [Entry(n, 1 if n == 3 else None, event, (note,)) for n, event in enumerate(_hostile(junk), 1)]
    text = shown(entries, lang=lang, width=width, verbose=verbose)
    for line in text.split("\n"):
        assert line.isprintable()
        assert widest(line) <= width
