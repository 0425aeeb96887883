from __future__ import annotations

import dataclasses

import pytest

from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import Closed
from inspect_cli.render.measure import width
from inspect_cli.render.rows import capture_row, connection_row, summary_row
from inspect_cli.render.summary import Summary
from tests.render.conversation import capture, ends, tally
from tests.render.making import layout, text


def said(lang: str = "en", columns: int = 80, counts: Tally | None = None, complete: bool = True) -> list[str]:
    summary = Summary(layout(columns, lang))
    for connection in ends():
        summary.connection(connection_row(connection))
    whole = dataclasses.replace(capture(), complete=complete)
    return text(summary.lines(capture_row(whole), summary_row(counts or tally())))


def test_summary_is_a_few_calm_lines() -> None:
    expected = """
  frames     23 frames, 4,012 bytes
  TCP        2 connections, 2 handshakes, 1 closed by FIN, client first,
             1 still open
  HTTP       3 requests, 3 responses
  cookies    2 Set-Cookie, 1 Cookie
  WebSocket  1 handshake, 4 frames (2 text, 1 close, 1 ping)
  problems   close-not-answered 1
  concepts   three-way-handshake, stateless, cookie-flow, four-way-close
             `inspect-cli explain NAME` tells more
"""
    assert expected.splitlines() == said()


def test_summary_in_korean() -> None:
    expected = """
  프레임     프레임 23개, 4,012바이트
  TCP        연결 2개, 핸드셰이크 2번, 1개는 FIN으로 닫힘(클라이언트가 먼저),
             1개는 아직 열림
  HTTP       요청 3개, 응답 3개
  쿠키       Set-Cookie 2개, Cookie 1개
  WebSocket  핸드셰이크 1번, 프레임 4개 (2 text, 1 close, 1 ping)
  문제       close-not-answered 1
  개념       three-way-handshake, stateless, cookie-flow, four-way-close
             `inspect-cli explain 이름`으로 더 볼 수 있습니다
"""
    assert expected.splitlines() == said("ko")


def test_nothing_is_said_of_what_is_not_there() -> None:
    told = {**capture_row(capture()), "source": "reported"}

    assert [] == Summary(layout()).lines(told, summary_row(Tally(concepts={})))


def test_a_file_without_frames_says_that_it_has_none() -> None:
    assert ["", "  frames  0 frames, 0 bytes"] == said(counts=Tally(concepts={}))


def test_cut_and_undecoded_captures_say_so() -> None:
    counts = Tally(packets=1, bytes=9, undecoded_packets=1, capture_drops=3, concepts={})
    line = "  frames  1 frame, 9 bytes, 3 frames lost by the capture, 1 not decoded; the capture is"
    assert [line, "          cut off"] == said(columns=88, counts=counts, complete=False)[1:]


def test_problems_are_listed_by_how_often_they_come() -> None:
    counts = Tally(concepts={}, problems={f"kind-{n:02}": n for n in range(20)})
    lines = " ".join(said(counts=counts))
    assert "kind-19 19, kind-18 18" in lines
    assert "kind-08" in lines
    assert "kind-07" not in lines


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("how", ["fin", "rst", "half-closed", "open"])
@pytest.mark.parametrize("by", ["client", "server", "both", None])
def test_every_way_to_close_has_words(lang: str, how: Closed, by: str | None) -> None:
    summary = Summary(layout(lang=lang))
    summary.connection(connection_row(dataclasses.replace(ends()[0], closed=how, closed_first=by)))
    assert summary._closes()[0].startswith("1")
    assert summary._closes()[0] not in (by, "none")


def test_summary_alone_is_a_table_of_all_counts() -> None:
    counts = dataclasses.replace(tally(), concepts=None)
    lines = said(counts=counts)
    assert 28 == len(lines)
    assert "  frames                             23" == lines[0]
    assert "  bytes                           4,012" == lines[2]
    assert "  WebSocket frames: text              2" == lines[17]
    assert "  problem: close-not-answered         1" == lines[-2]


def test_table_in_korean_is_aligned_by_cells() -> None:
    lines = said("ko", counts=dataclasses.replace(tally(), concepts=None))
    assert {width(lines[0])} == {width(line) for line in lines}
    assert lines[9].startswith("  끝까지 이루어진 3-way 핸드셰이크  ")


def test_summary_fits_a_narrow_terminal() -> None:
    for counts in (tally(), dataclasses.replace(tally(), concepts=None, problems={"x" * 99: 1})):
        assert 40 >= max(len(line) for line in said(columns=40, counts=counts))


def test_a_live_run_says_that_nothing_was_lost_and_a_file_that_cannot_know_does_not() -> None:
    counts = summary_row(Tally(packets=1, bytes=9, concepts={}))
    live = {**capture_row(capture()), "source": "live"}
    file = {**capture_row(capture()), "source": "file"}

    lines = [text(Summary(layout()).lines(one, counts))[1] for one in (live, file)]
    assert ["  frames  1 frame, 9 bytes, 0 frames lost by the capture", "  frames  1 frame, 9 bytes"] == lines
