from __future__ import annotations

import dataclasses
import io
import shlex
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.events.base import Annotation, Entry, Side
from inspect_cli.events.capture import Malformed
from inspect_cli.events.http import RequestHead
from inspect_cli.events.tcp import Connection
from inspect_cli.render import compile_filter, make_renderer
from inspect_cli.render.base import Look
from inspect_cli.render.measure import widest
from inspect_cli.render.overview import MOST_CONNECTIONS, MOST_ROWS, OverviewRenderer
from inspect_cli.render.overview_counts import LARGEST, MOST_NAMES, MOST_SOCKETS, Counts, Ranking
from inspect_cli.render.plain import PlainRenderer
from inspect_cli.render.redact import Redactor
from inspect_cli.render.rows import RowMaker
from inspect_cli.texts import Words
from tests.reading import read
from tests.render.conversation import CLIENT, SERVER, capture, ends, tally, where, whole

CAPTURES = Path(__file__).parents[2] / "captures"


def malformed(number: int = 40, problem: str = "bare-lf") -> Entry:
    note = Annotation("http", "http.made-up", (number,), "", "warning")
    at = where(number, Side.CLIENT, 9000, f"tcp/{number}")
    return Entry(number, None, Malformed(at, problem, "CRLF", b"LF", "RFC 9112 §2.2"), (note,))


def shown(
    rows: list[Entry | Connection], most_connections: int = 1, most_rows: int = 999, width: int = 80, lang: str = "en"
) -> list[str]:
    out = io.StringIO()
    inner = PlainRenderer(out, RowMaker(Words(lang), Redactor("all")), Look(lang, width))
    renderer = OverviewRenderer(inner, most_connections, most_rows)
    renderer.begin(capture())
    for row in rows:
        renderer.entry(row) if isinstance(row, Entry) else renderer.connection(row)
    renderer.end(capture(), tally())
    return out.getvalue().splitlines()


ROWS: list[Entry | Connection] = [*whole(), malformed(), malformed(41), *ends()]


def test_large_capture_is_told_by_what_is_in_it_and_how_to_go_on() -> None:
    lines = shown(ROWS)
    assert (
        """\
Connections              FIN  open
  opened by a handshake    1     1

Protocols    connections
  http/1               1
  websocket            1

Hosts              requests  1xx  2xx
  127.0.0.1:41327         3    1    2

Cookies  stored  refused  sent  withheld
  sid         1        0     1         0
  theme       0        0     0         1
  wide        0        1     0         0

WebSockets                                  frames  seconds  close
  tcp/1  127.0.0.1:52816 > 127.0.0.1:41327       4      0.0   1000

Problems   times  first frames  first in
  bare-lf      2       #40 #41    tcp/40

Warnings        times  first frames  first in
  http.made-up      2       #40 #41    tcp/40

Busiest connections                         frames  bytes
  tcp/0  127.0.0.1:52814 > 127.0.0.1:41327      13    700
  tcp/1  127.0.0.1:52816 > 127.0.0.1:41327       9    187

28 rows: too many to read. To go on:
  --connection 0                the rows of one connection
  -Y 'host == 127.0.0.1:41327'  the rows of a host
  -Y 'name == sid'              what becomes of a cookie
  -Y 'problem == bare-lf'       the rows with this problem
  -Y 'level >= warning'         the rows with a warning
  --all                         every row""".splitlines()
        == lines[lines.index("Connections              FIN  open") :]
    )
    assert not any(" SYN -" in line for line in lines)
    assert any(line.startswith("  HTTP ") for line in lines)


def test_filters_that_are_offered_are_filters_that_show_something() -> None:
    offered = [shlex.split(line.split("  the rows")[0].split("  what")[0]) for line in shown(ROWS) if "  -Y " in line]
    entries = [row for row in ROWS if isinstance(row, Entry)]
    assert 4 == len(offered)
    for _, text in offered:
        select = compile_filter(text)
        assert any(map(select.shows, entries)), text


@pytest.mark.parametrize(("connections", "rows"), [(len(ROWS), len(ROWS)), (MOST_CONNECTIONS, MOST_ROWS)])
def test_small_capture_is_shown_row_by_row(connections: int, rows: int) -> None:
    out = io.StringIO()
    plain = make_renderer("text", out, redact="all")
    plain.begin(capture())
    for row in ROWS:
        plain.entry(row) if isinstance(row, Entry) else plain.connection(row)
    plain.end(capture(), tally())
    assert out.getvalue().splitlines() == shown(ROWS, connections, rows)


def test_many_rows_of_few_connections_are_large_too() -> None:
    assert "29 rows: too many to read. To go on:" in shown([*ROWS, malformed(42)], 99, 28)
    assert not any("too many" in line for line in shown(ROWS, 99, 28))


def test_connections_count_by_their_rows_and_by_their_ends() -> None:
    over = [dataclasses.replace(ends()[0], id=n, channel=f"tcp/{n}") for n in range(4)]
    assert any("too many" in line for line in shown(list(over), 3))
    assert not any("too many" in line for line in shown(list(over), 4))


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_overview_keeps_its_columns_at_any_width(lang: str, width: int) -> None:
    lines = shown(ROWS, width=width, lang=lang)
    assert min(width, 100) >= max(map(widest, lines))
    table = lines[next(n for n, line in enumerate(lines) if line.startswith(("Cookies", "쿠키"))) :][:4]
    assert 1 == len({widest(line) for line in table})
    ours = "".join(lines)
    assert {} == {c: 1 for c in ours if unicodedata.east_asian_width(c) == "A" and c != "§"}


def test_overview_is_that_of_the_capture_however_its_rows_come() -> None:
    rows, _ = read([CAPTURES / f"{name}.pcapng" for name in ("http-login-logout", "ws-close-code", "tcp-reset")])
    lines = shown(rows, 1)
    assert lines[-1].endswith("every row")
    assert any(line.startswith("WebSockets") for line in lines)


def test_a_warning_about_what_never_came_names_the_frames_that_waited_for_it() -> None:
    rows, _ = read([CAPTURES / "tcp-syn-unanswered.pcapng"])
    lines = shown(rows, 0)
    warning = next(line.split() for line in lines if "three-way-handshake.unanswered" in line)
    assert ["three-way-handshake.unanswered", "1", "#1", "tcp/0"] == warning


def test_a_count_of_rows_has_its_thousands_apart_in_every_language() -> None:
    many = [malformed(n) for n in range(1, 1001)]
    assert "1,000 rows: too many to read. To go on:" in shown(list(many), 0)
    assert "모두 1,000줄이라 다 읽기에는 너무 많습니다. 이어서 보려면:" in shown(list(many), 0, lang="ko")


def test_names_are_counted_in_bounded_memory_and_that_is_said() -> None:
    ranking = Ranking()
    for _ in range(3):
        ranking.count("often")
    for n in range(3 * MOST_NAMES):
        ranking.count(f"rare {n}")
    assert ranking.capped
    assert len(ranking.names) <= MOST_NAMES
    assert ("often", 3) == (ranking.ranked()[0][0], ranking.ranked()[0][1].total)
    requests: list[Entry | Connection] = [
        Entry(n, None, RequestHead(where(n, Side.CLIENT, n), b"GET / HTTP/1.1\r\nHost: h%d\r\n\r\n" % n, 0), ())
        for n in range(1, MOST_NAMES + 3)
    ]
    assert any("(rare ones were not all counted)" in line for line in shown(requests, 99, 9))


def test_of_connections_and_websockets_the_largest_are_kept() -> None:
    counts = Counts()
    for n in range(100):
        counts.connection(Connection(n, f"tcp/{n}", CLIENT, SERVER, "handshake", "fin", "client", n, n, n, 1, ()))
    assert [198, 196, 194, 192, 190] == sorted((size for size, _, _ in counts.busiest), reverse=True)
    frame = next(row for row in ROWS if isinstance(row, Entry) and row.event.kind == "websocket-frame")
    for n in range(MOST_SOCKETS + 9):
        event = dataclasses.replace(frame.event, where=frame.event.where._replace(channel=f"tcp/{n}"))
        for _ in range(1 + (n == 7)):
            counts.entry(Entry(n, None, event, ()))
    counts.close()
    assert LARGEST == len(counts.sockets)
    assert (2, "tcp/7") == max(counts.sockets)[:2]
    assert {None: MOST_SOCKETS + 9} == dict(counts.closes)


@given(st.binary(max_size=400) | st.text("\x1b[31m\r\n\u202e\u200b§é키'", max_size=80).map(str.encode))
@settings(max_examples=50)
def test_no_name_of_the_wire_breaks_a_line_or_reaches_the_terminal_unescaped(junk: bytes) -> None:
    request = RequestHead(where(1, Side.CLIENT, 1), b"GET / HTTP/1.1\r\nHost: %b\r\n\r\n" % junk, 0)
    for line in shown([Entry(1, None, request, ()), *ROWS]):
        assert line.isprintable()
        assert widest(line) <= 80


def test_a_filter_or_a_terminal_changes_nothing_of_who_gets_an_overview() -> None:
    made = make_renderer("text", io.StringIO(), overview=True, color=True)
    assert isinstance(made, OverviewRenderer)
    assert isinstance(make_renderer("text", io.StringIO()), PlainRenderer)
