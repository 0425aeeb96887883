from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.concepts import CONCEPTS
from inspect_cli.errors import BadFilter
from inspect_cli.events.base import Entry, Secret, Side
from inspect_cli.events.cookies import CookieStored
from inspect_cli.events.http import RequestHead, ResponseHead
from inspect_cli.events.summary import Capture
from inspect_cli.events.tcp import Connection, Segment
from inspect_cli.render import compile_filter, make_renderer
from inspect_cli.render.filter_names import Names
from inspect_cli.render.redact import Policy, Redactor
from inspect_cli.render.rows import RowMaker, connection_row
from inspect_cli.render.select import Select
from inspect_cli.texts import Words
from tests.reading import read
from tests.render.contract import entry_types
from tests.render.conversation import capture, tally, where, whole
from tests.render.filter_reference import Question, prepared, questions

CAPTURES = Path(__file__).parents[2] / "captures"
READ, _ = read(
    [
        CAPTURES / f"{name}.pcapng"
        for name in (
            "cookies-bad-practice",
            "http-login-logout",
            "tcp-refused",
            "tcp-reset",
            "ws-close-code",
            "ws-reset",
        )
    ]
)
ENTRIES = [row for row in READ if isinstance(row, Entry)]
CONNECTIONS = [row for row in READ if isinstance(row, Connection)]
STARTED_NS = min(entry.event.where.time_ns for entry in ENTRIES)


def compiled(text: str, maker: RowMaker | None = None) -> Select:
    select = compile_filter(text)
    select.begin(Capture("file", [], [], STARTED_NS), maker or RowMaker(Words("en"), Redactor("none")))
    select.learn(CONNECTIONS)
    return select


def shown(text: str, entries: list[Entry] | None = None, policy: Policy = "none") -> list[int]:
    """Numbers of the rows that a renderer makes."""
    maker = RowMaker(Words("en"), Redactor(policy))
    select = compiled(text, maker)
    return [maker.row(entry)["number"] for entry in (whole() if entries is None else entries) if select.shows(entry)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("kind == syn", [1, 16]),
        ("kind==syn", [1, 16]),
        ('kind == "syn"', [1, 16]),
        ("kind eq 'syn' && channel == tcp/1", [16]),
        ("syn", [1, 16]),
        ("syn or syn-ack", [1, 2, 16, 17]),
        ("syn || syn-ack and channel == tcp/1", [1, 16, 17]),
        ("(syn or syn-ack) and connection == 1", [16, 17]),
        ("kind in {syn, syn-ack} and connection == 1", [16, 17]),
        ("kind in (syn) and connection in {1..9}", [16]),
        ("! connection == 0 and kind != websocket-frame and not kind == syn", [17, 18, 19, 20, 25, 26]),
        ("concept == cookie-flow", [5]),
        ("cookie-flow", [5]),
        ("not not syn", [1, 16]),
        ("parent == 5", [6, 8]),
        ("number < 3 or number ge 26", [1, 2, 26]),
        ("frame in {1, 3}", [1, 3]),
        ("masked and opcode == 1", [21]),
        ("status >= 400", []),
        ("status in {200..299} and connection == 0", [5, 12]),
    ],
)
def test_filter_shows_the_rows_it_names(text: str, expected: list[int]) -> None:
    assert expected == shown(text)


def test_what_is_not_there_equals_nothing_and_differs_from_nothing() -> None:
    responses = shown("kind == response")
    assert responses == shown("status")
    assert sorted([*shown("status == 200"), *shown("status != 200")]) == responses
    assert len(whole()) == len(shown("status == 200")) + len(shown("not status == 200"))


def test_host_holds_for_what_follows_its_request_on_that_channel() -> None:
    # 24 is a segment of tcp/0 in the midst of tcp/1.
    assert [*range(4, 16), *range(19, 27)] == shown("host == 127.0.0.1")
    assert shown("host == 127.0.0.1") == shown("host == 127.0.0.1:41327")
    assert [] == shown("host == 127.0.0.1:80")


def _asked(channel: str, host: str, number: int = 1) -> Entry:
    head = b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % host.encode()
    return Entry(number, None, RequestHead(where(1, Side.CLIENT, 0, channel), head, 0), ())


def _segment(channel: str) -> Entry:
    return Entry(9, None, Segment(where(2, Side.SERVER, 1, channel), "ACK", 1, 1, 1, 0), ())


def test_host_is_compared_without_case_and_port() -> None:
    select = compiled("host == Shop.Example or host == [::1]")
    entries = [_asked("tcp/0", "SHOP.example:8080"), _asked("tcp/1", "[::1]"), _asked("tcp/2", "[::1]:80")]
    assert [True, True, True, False] == [select.shows(entry) for entry in (*entries, _asked("tcp/3", "[::2]"))]


def test_host_of_a_pipelined_response_is_that_of_its_own_request() -> None:
    first, second = _asked("tcp/0", "a"), _asked("tcp/0", "b")
    assert isinstance(first.event, RequestHead)
    answer = ResponseHead(where(3, Side.SERVER, 2), b"HTTP/1.1 200 OK\r\n\r\n", 0, first.event)
    stored = next(entry.event for entry in whole() if isinstance(entry.event, CookieStored))
    cookie = dataclasses.replace(stored, of=answer)
    select = compiled("host == a")
    entries = [first, second, Entry(3, None, answer, ()), Entry(4, 3, cookie, ()), _segment("tcp/0")]
    assert [True, False, True, True, False] == [select.shows(entry) for entry in entries]


def test_channels_inside_and_around_have_the_host_of_a_request_until_it_is_let_go() -> None:
    select = compiled("host == a")
    assert select.shows(_asked("tcp/0/tls", "a"))
    assert select.shows(_segment("tcp/0/tls/h2/1"))
    assert select.shows(_segment("tcp/0"))
    assert not select.shows(_segment("tcp/01/tls"))
    select.let_go("tcp/0")
    assert not select.shows(_segment("tcp/0/tls"))


def test_channel_holds_those_inside_it() -> None:
    select = compiled("channel == tcp/1")
    assert [True, True, False, False] == [select.shows(_segment(c)) for c in ("tcp/1", "tcp/1/tls", "tcp/11", "")]


def test_outcome_of_a_connection_holds_from_its_first_row() -> None:
    expected = [c.id for c in CONNECTIONS if c.closed == "rst"]
    assert expected
    select = compiled("closed == rst and syn")
    assert expected == [int(e.event.where.channel[4:]) for e in ENTRIES if select.shows(e)]
    assert compile_filter("closed == rst or kind == syn").asks_outcomes
    assert not compile_filter("kind == syn").asks_outcomes


@pytest.mark.parametrize(
    ("text", "problem", "at", "near"),
    [
        ("color == red", "unknown-field", 0, ""),
        ("knd == syn", "unknown-field", 0, "kind"),
        ("syn and cookie-flw", "unknown-name", 8, "cookie-flow"),
        ("kind == respons", "unknown-value", 8, "response"),
        ("concept == three-way-handshak", "unknown-value", 11, "three-way-handshake"),
        ("code == cookie-flow.sett", "unknown-value", 8, "cookie-flow.set"),
        ("side == sender", "unknown-value", 8, "server"),
        ("kind syn", "joint-expected", 5, ""),
        ("kind = syn", "single-equals", 5, ""),
        ("kind ==", "value-expected", 7, ""),
        ("", "name-expected", 0, ""),
        ("syn and", "name-expected", 7, ""),
        ('"syn"', "name-expected", 0, ""),
        ("kind == ==", "value-expected", 8, ""),
        ("(kind == syn", "closing-expected", 12, ""),
        ("(kind == syn kind", "closing-expected", 13, ""),
        ("kind == syn)", "closing-stray", 11, ""),
        ("kind == syn kind == x", "joint-expected", 12, ""),
        ("status in 200", "list-expected", 10, ""),
        ("status in {200 201}", "closing-expected", 15, ""),
        ("status in {200, }", "value-expected", 16, ""),
        ('kind == "syn', "quote-open", 8, ""),
        ("kind == syn & x", "stray", 12, ""),
        ("text matches x", "no-regex", 5, ""),
        ("status == abc", "number-expected", 10, ""),
        ('status == "200"', "number-expected", 10, ""),
        ("status in {200..x}", "number-expected", 11, ""),
        ("masked == 1", "flag-expected", 10, ""),
        ("host < x", "no-order", 5, ""),
        ("status contains 2", "no-text", 7, ""),
        ("not " * 51 + "syn", "too-deep", None, ""),
    ],
)
def test_bad_filter_is_told_with_its_place_and_what_is_near(text: str, problem: str, at: int | None, near: str) -> None:
    with pytest.raises(BadFilter) as caught:
        compile_filter(text)
    data = caught.value.data
    assert f"filter-{problem}" == data["problem"]
    assert near in str(data["near"])
    if at is not None:
        assert (text, " " * at + "^") == (data["filter"], data["caret"])


def test_place_in_a_long_or_wide_filter_stands_under_it() -> None:
    with pytest.raises(BadFilter) as caught:
        compile_filter('text contains "쿠키" and knd')
    assert {"filter": 'text contains "쿠키" and knd', "caret": " " * 25 + "^"} == {
        name: caught.value.data[name] for name in ("filter", "caret")
    }
    with pytest.raises(BadFilter) as caught:
        compile_filter("syn or " * 100 + "knd and " + "syn or " * 100 + "syn")
    line, caret = str(caught.value.data["filter"]), str(caught.value.data["caret"])
    assert len(line) <= 70
    assert line[len(caret) - 1 :].startswith("knd")


PIECES = (
    "( ) not and or in { } , == < contains matches kind syn time status host level warning "
    "200 1..2 'x' masked true \x1b code steps"
)


@given(
    st.text("kindhost()=!\"' notadr{},.&|<>01", max_size=40)
    | st.text(max_size=40)
    | st.lists(
        st.sampled_from(PIECES.split(" ")),
        max_size=12,
    ).map(" ".join)
)
@settings(max_examples=300)
def test_any_text_is_a_filter_or_a_usage_problem(text: str) -> None:
    try:
        select = compiled(text)
    except BadFilter as found:
        problem = found
    else:
        problem = None
    if problem is not None:
        assert all(str(value).isprintable() for value in problem.data.values())
        return
    assert all(isinstance(select.shows(entry), bool) for entry in whole())


def _rows(policy: Policy) -> list[dict[str, Any]]:
    maker = RowMaker(Words("en"), Redactor(policy))
    rows: list[Any] = json.loads(json.dumps([maker.row(entry) for entry in ENTRIES]))
    ends = {c.channel: dict(connection_row(c)) for c in CONNECTIONS}
    return prepared(rows, ends, STARTED_NS)


ROWS: dict[Policy, list[dict[str, Any]]] = {"none": _rows("none"), "all": _rows("all")}


@pytest.mark.parametrize("policy", ["none", "all"])
@given(st.data())
@settings(max_examples=150)
def test_filter_shows_what_a_slow_reading_of_the_rows_shows(policy: Policy, data: st.DataObject) -> None:
    text, asks = data.draw(ASKED[policy])
    assert [row["number"] for row in ROWS[policy] if asks(row)] == shown(text, ENTRIES, policy), text


ASKED: dict[Policy, st.SearchStrategy[Question]] = {policy: questions(rows) for policy, rows in ROWS.items()}


@pytest.mark.parametrize("policy", ["none", "credentials", "all"])
@pytest.mark.parametrize(
    "text", ["kind == cookie-sent", "status >= 300", "number > 40", "session", "ws-frame or close"]
)
def test_rows_that_are_shown_are_those_of_a_run_without_filter(policy: Policy, text: str) -> None:
    if text == "ws-frame or close":
        text = "websocket"
    everything = _ndjson(None, policy)
    filtered = _ndjson(text, policy)
    assert filtered
    assert [line for line in everything if line in set(filtered)] == filtered


def _ndjson(text: str | None, policy: Policy) -> list[str]:
    out = io.StringIO()
    select = compile_filter(text) if text else None
    renderer = make_renderer("ndjson", out, redact=policy, select=select)
    renderer.begin(capture())
    for entry in ENTRIES:
        renderer.entry(entry)
    renderer.end(capture(), tally())
    return [line for line in out.getvalue().splitlines() if line.startswith('{"type":"entry"')]


def test_redacted_secret_is_no_oracle() -> None:
    stored = [e for e in whole() if isinstance(e.event, CookieStored)]
    value = stored[0].event.value  # type: ignore[attr-defined]
    assert isinstance(value, Secret)
    guess = value.value.decode()
    assert [stored[0].number] == shown(f"value == {guess}", stored)
    for question in (
        f"value == {guess}",
        f"value contains {guess[:2]}",
        f"headers contains {guess}",
        f"text contains {guess}",
    ):
        assert [] == shown(question, policy="all")
    assert [stored[0].number] == shown('value == "<cookie 1>"', stored, policy="all")


def test_every_kind_concept_and_key_of_fields_can_be_asked_for() -> None:
    names = Names(Words("en"))
    assert {kind.kind for kind in entry_types()} == names.known("kind")
    assert {concept.id for concept in CONCEPTS} == names.known("concept")
    assert {code for concept in CONCEPTS for code in concept.codes} <= names.known("code")
    from inspect_cli.render.values import shown_hints

    keys = {name for kind in entry_types() for name in shown_hints(kind)}
    assert [] == [name for name in sorted(keys) if names.field(name) is None]
