from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_cli.errors import UsageProblem
from inspect_cli.render.redact import Redactor
from inspect_cli.render.rows import RowMaker
from inspect_cli.render.select import compile_filter
from inspect_cli.texts import Words
from tests.render.conversation import whole

ROWS = [RowMaker(Words("en"), Redactor("none")).row(entry) for entry in whole()]


def shown(text: str, rows: list[Any] = ROWS) -> list[int]:
    select = compile_filter(text)
    return [row["number"] for row in rows if select.shows(row)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind == syn", [1, 16]),
        ("kind==syn", [1, 16]),
        ('kind == "syn"', [1, 16]),
        ("kind == 'syn' and channel == tcp/1", [16]),
        ("kind == syn or kind == syn-ack", [1, 2, 16, 17]),
        ("kind == syn or kind == syn-ack and channel == tcp/1", [1, 16, 17]),
        ("(kind == syn or kind == syn-ack) and channel == tcp/1", [16, 17]),
        ("not channel == tcp/0 and kind != websocket-frame and not kind == syn", [17, 18, 19, 20, 25, 26]),
        ("concept == cookie-flow", [5]),
        ("not not kind == syn", [1, 16]),
        ("kind == nothing", []),
    ],
)
def test_filter_shows_the_rows_it_names(text: str, expected: list[int]) -> None:
    assert expected == shown(text)


def test_host_holds_for_what_follows_its_request_on_that_channel() -> None:
    # 24 is a segment of tcp/0 in the midst of tcp/1.
    assert [*range(4, 16), *range(19, 27)] == shown("host == 127.0.0.1")
    assert shown("host == 127.0.0.1") == shown("host == 127.0.0.1:41327")
    assert [] == shown("host == 127.0.0.1:80")


def _row(channel: str, host: str | None = None) -> dict[str, Any]:
    return {"number": 1, "channel": channel, "kind": "x", "fields": {"host": host} if host else {}, "annotations": []}


def test_host_is_compared_without_case_and_port() -> None:
    select = compile_filter("host == Shop.Example or host == [::1]")
    rows = [
        _row("tcp/0", "SHOP.example:8080"),
        _row("tcp/1", "[::1]"),
        _row("tcp/2", "[::1]:80"),
        _row("tcp/3", "[::2]"),
    ]
    assert [True, True, True, False] == [select.shows(row) for row in rows]


def test_channel_inside_a_channel_has_its_host_until_it_is_let_go() -> None:
    select = compile_filter("host == a")
    assert select.shows(_row("tcp/0/tls", "a"))
    assert select.shows(_row("tcp/0/tls/h2/1"))
    assert not select.shows(_row("tcp/0"))
    assert not select.shows(_row("tcp/01/tls"))
    select.let_go("tcp/0")
    assert not select.shows(_row("tcp/0/tls"))


def test_channel_holds_those_inside_it() -> None:
    select = compile_filter("channel == tcp/1")
    assert [True, True, False, False] == [select.shows(_row(c)) for c in ("tcp/1", "tcp/1/tls", "tcp/11", "")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "concept, kind, host or channel expected, not the end (character 1)"),
        ("color == red", "concept, kind, host or channel expected, not color (character 1)"),
        ("kind syn", "== or != expected, not syn (character 6)"),
        ("kind = syn", "unexpected = (character 6)"),
        ("kind ==", "a value expected, not the end (character 8)"),
        ("kind == and (", "'and' or 'or' expected, not ( (character 13)"),
        ("kind == ==", "a value expected, not == (character 9)"),
        ("(kind == syn", ") expected, not the end (character 13)"),
        ("(kind == syn kind", ") expected, not kind (character 14)"),
        ("kind == syn kind == x", "'and' or 'or' expected, not kind (character 13)"),
        ('kind == "syn', 'unexpected " (character 9)'),
        ("not " * 51 + "kind == x", "nested too deep (character 201)"),
    ],
)
def test_bad_filter_is_a_sentence_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        compile_filter(text)
    assert {"problem": f"-Y {text}: {problem}"} == caught.value.data


@given(st.text("kindhost()=!\"' notadr", max_size=40))
def test_any_text_is_a_filter_or_a_usage_problem(text: str) -> None:
    try:
        select = compile_filter(text)
    except UsageProblem:
        return
    assert isinstance(select.shows(ROWS[0]), bool)
