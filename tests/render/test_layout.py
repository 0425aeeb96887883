from __future__ import annotations

import unicodedata
from typing import Any

import pytest

from inspect_cli.events.summary import Capture, CaptureFile
from inspect_cli.render.layout import Layout
from inspect_cli.render.measure import widest
from inspect_cli.render.rows import EntryRow, connection_row
from inspect_cli.texts import Words
from tests.render.conversation import ends
from tests.render.making import layout, note, row, text

ENDS = {"client": "10.0.0.1:52814", "server": "10.0.0.2:80"}
NO_COOKIE = "no Cookie, so nothing ties this request to an earlier one; the server sees a stranger"
GOES = "session cookie: it goes when the browser closes"
STORED = "stored sid: this host only"
WIDE = "not stored wide: its Domain is not this host nor a domain above it"
OTHER = {"client": "10.0.0.1:52816", "server": "10.0.0.2:80"}


def laid(made: Layout, *rows: EntryRow) -> list[str]:
    """All lines but the names of the columns."""
    lines = [line for one in rows for line in text(made.entry(one))]
    return lines[1:]


def exchange() -> list[EntryRow]:
    """A handshake, a request, its answer with two cookies, a close."""
    http: dict[str, Any] = {"layer": "http"}
    kept: dict[str, Any] = {"layer": "cookie", "parent": 5, "basis": "inferred", "side": "server"}
    reference = {"reference": "6265bis §5.7"}
    return [
        row(1, "SYN", time_ns=0, fields=ENDS),
        row(2, "SYN, ACK", "server"),
        row(3, "ACK", annotations=[note("three-way handshake: open after 0.04 ms")]),
        row(4, "GET /shop", **http),
        row(5, "200 OK", "server", **http, annotations=[note(NO_COOKIE, "RFC 9110 §3.3")]),
        row(6, STORED, kind="cookie-stored", fields=reference, **kept, annotations=[note(GOES, "6265bis §4.1.2")]),
        row(7, WIDE, kind="cookie-refused", fields=reference, **kept),
        row(8, "GET /account", **http, frames=[8, 9]),
        row(10, "200 OK", "server", **http, frames=[10, 12]),
        row(13, "FIN, ACK", time_ns=98_765_432_100),
    ]  # fmt: skip


def test_exchange_reads_like_a_conversation_at_80_columns() -> None:
    made = layout()
    lines = [
        line for one in exchange() for line in text(made.entry(one, "Set-Cookie: sid=5f" if one["number"] == 6 else ""))
    ]
    expected = """\
  time ms  frame  client                                                  server
           tcp/0  10.0.0.1:52814                                     10.0.0.2:80
    0.000     #1  SYN --------------------------------------------------------->
    2.000     #2  <---------------------------------------------------- SYN, ACK
    3.000     #3  ACK --------------------------------------------------------->
                  * three-way handshake: open after 0.04 ms       RFC 9293 §3.5

    4.000     #4  GET /shop --------------------------------------------------->
    5.000     #5  <------------------------------------------------------ 200 OK
                  * no Cookie, so nothing ties this request to an earlier one;
                    the server sees a stranger                    RFC 9110 §3.3
                  Set-Cookie: sid=5f
                  + stored sid: this host only           inferred, 6265bis §5.7
                    * session cookie: it goes when the browser closes
                                                                 6265bis §4.1.2
                  - not stored wide: its Domain is not this host nor a domain
                    above it                             inferred, 6265bis §5.7

    8.000   #8-9  GET /account ------------------------------------------------>
   10.000  ..#12  <------------------------------------------------------ 200 OK
98765.432    #13  FIN, ACK ---------------------------------------------------->
"""
    assert expected.splitlines() == lines


def test_exchange_in_korean_keeps_its_columns() -> None:
    made = layout(100, "ko")
    lines = text(
        made.entry(
            row(1, "GET /쇼핑", layer="http", fields=ENDS, annotations=[note("비연결성: 응답 뒤에 연결을 닫는다")])
        )
    )
    expected = """\
  시간 ms 프레임  클라이언트                                                                    서버
           tcp/0  10.0.0.1:52814                                                         10.0.0.2:80
    0.000     #1  GET /쇼핑 ----------------------------------------------------------------------->
                  * 비연결성: 응답 뒤에 연결을 닫는다                                 RFC 9293 §3.5
"""
    assert expected.splitlines() == lines


def test_arrow_is_not_stretched_over_a_wide_terminal() -> None:
    assert 100 == max(len(line) for line in laid(layout(240), *exchange()))


def test_times_count_from_the_first_frame_of_a_file_or_from_a_call_before_it() -> None:
    for source, started_ns, expected in (
        ("file", 400_000, "0.600"),
        ("live", 400_000, "0.000"),
        ("file", 2 << 20, "0.000"),
    ):
        made = layout(verbose=True)
        made.begin(Capture(source, [], [], started_ns=started_ns))
        assert f"    {expected}     #1  SYN" == text(made.entry(row(1, "SYN")))[-1][:21]


def test_second_connection_has_a_heading_and_those_that_interleave_say_their_name() -> None:
    lines = laid(
        layout(),
        row(1, "SYN", fields=ENDS),
        row(2, "SYN", channel="tcp/1", fields=OTHER),
        row(3, "SYN, ACK", "server"),
        row(4, "ACK"),
        row(5, "end of the connection", None, channel="tcp/1/tls"),
    )
    expected = """\
           tcp/0  10.0.0.1:52814                                     10.0.0.2:80
    0.000     #1  SYN --------------------------------------------------------->

           tcp/1  10.0.0.1:52816                                     10.0.0.2:80
    1.000     #2  SYN --------------------------------------------------------->
    2.000     #3  <---------------------- tcp/0 ----------------------- SYN, ACK
    3.000     #4  ACK --------------------------------------------------------->
    4.000     #5  * tcp/1: end of the connection
"""
    assert expected.splitlines() == lines


def test_name_of_the_connection_goes_into_the_text_where_the_arrow_is_too_short() -> None:
    long = "GET /a/rather/long/path/that/leaves/no/room/at/all"
    lines = laid(layout(), row(1, "SYN", fields=ENDS), row(2, "SYN", channel="tcp/1"), row(3, long))
    assert f"    2.000     #3  tcp/0 {long} ---->" == lines[-1]


def test_connection_of_which_nothing_more_comes_is_forgotten() -> None:
    made = layout()
    made.entry(row(1, "SYN", fields=ENDS))
    made.connection(connection_row(ends()[0]))
    assert 0 == len(made._ends)


def test_heading_without_endpoints_names_the_channel_alone() -> None:
    assert "           tcp/0" == laid(layout(), row(1, "ACK"))[0]


def test_heading_with_long_endpoints_takes_two_lines() -> None:
    long = {"client": "[2001:db8:1111:2222:3333:4444:5555:6666]:52814", "server": "[2001:db8::1]:41327"}
    expected = [f"           tcp/0  {long['client']}", " " * 61 + long["server"]]
    assert expected == laid(layout(), row(1, "SYN", fields=long))[:2]


def test_sentence_said_before_is_only_named_unless_verbose() -> None:
    first, second = (
        row(n, "GET /", annotations=[note("the same", concept="a"), note(f"{n}", concept="b")]) for n in (1, 2)
    )
    third = row(3, "GET /", annotations=[note("the same", concept="a", level="warning"), note("1", concept="b")])
    lines = laid(layout(), first, second, third)
    assert ["                  * 2" + " " * 45 + "RFC 9293 §3.5", "                  * again: a"] == lines[5:7]
    assert "                  ! again: a, b" == lines[-1]
    assert 3 == sum(
        "* the same" in line or "! the same" in line for line in laid(layout(verbose=True), first, second, third)
    )


def test_warning_has_a_mark_of_its_own() -> None:
    lines = laid(layout(), row(1, "GET /", annotations=[note("in the clear", "6265bis §8.3", level="warning")]))
    assert "                  ! in the clear                                   6265bis §8.3" == lines[-1]


def test_what_was_not_observed_says_so() -> None:
    lines = laid(layout(), row(1, "GET /", annotations=[note("kept", "", basis="inferred")]))
    assert "                  * kept" + " " * 48 + "inferred" == lines[-1]


def test_clause_leaves_a_cell_for_each_sign_that_may_be_wide() -> None:
    made = laid(layout(), row(1, "GET /", annotations=[note("x", "RFC 6455 §4.1, §4.2")]))
    assert 80 == widest(made[-1])
    assert 78 == len(made[-1])


def test_ascii_writes_section_signs_out() -> None:
    made = laid(layout(ascii=True), row(1, "GET /", annotations=[note("as §3 says", "RFC 9293 §3.5")]))
    assert "                  * as sec. 3 says" + " " * 29 + "RFC 9293 sec. 3.5" == made[-1]


def test_socket_calls_are_drawn_only_with_v_or_when_they_warn() -> None:
    call = row(1, "connect() = EINPROGRESS", None, layer="call", channel="", frames=[], basis="reported")
    assert [] == layout().entry(call)
    assert ["    0.000   told  $ connect() = EINPROGRESS"] == laid(layout(verbose=True), call)
    warned: EntryRow = {**call, "annotations": [note("slow", "", level="warning")]}
    assert 2 == len(laid(layout(), warned))


def test_row_told_by_the_client_has_no_frame_and_says_so() -> None:
    lines = laid(layout(), row(1, "GET /", channel="socket/0", frames=[], basis="reported"))
    assert "    0.000   told  GET / ------------------------------------------------------->" == lines[-1]


def test_row_shown_without_its_parent_has_its_own_time() -> None:
    lines = laid(layout(), row(6, "stored sid", "server", parent=5, kind="cookie-stored"))
    assert "    0.000     #6  + stored sid" == lines[-1]


def test_remark_about_a_side_is_no_arrow() -> None:
    made = layout()
    gap = row(2, "1,460 bytes not in the capture", "server", kind="gap", fields={"reference": "RFC 9293 §3.4"})
    made.entry(row(1, "SYN"))
    lines = text(made.entry(gap, "expected them"))
    expected = [
        "    1.000     #2  ! 1,460 bytes not in the capture                RFC 9293 §3.4",
        "                    expected them",
    ]
    assert expected == lines


def test_long_text_of_an_arrow_is_cut_in_the_middle_unless_verbose() -> None:
    long = row(1, "GET /" + "x" * 300)
    expected = f"    0.000     #1  GET /{'x' * 22}..{'x' * 27} ---->"
    assert ["           tcp/0", expected] == laid(layout(), long)
    assert 7 == len(laid(layout(verbose=True), long))
    server = laid(layout(verbose=True), row(1, "200 " + "y" * 100, "server"))
    assert [True, True] == [line.endswith("y") and len(line) == 80 for line in server[1:]]


def test_verbose_shows_the_steps_of_a_decision() -> None:
    steps = [{"clause": "6265bis §5.1.3", "check": "domain-match", "outcome": "failed", "found": "com"}]
    stored = row(2, "refused", "server", parent=1, kind="cookie-refused", fields={"steps": steps})
    lines = laid(layout(verbose=True), row(1, "200 OK", "server"), stored)
    assert [
        "                    - Whose cookie is it? that of com, and this host is neither",
        "                      it nor below                               6265bis §5.1.3",
    ] == lines[-2:]
    assert lines[-1].endswith("6265bis §5.1.3")
    assert 3 == len(laid(layout(), row(1, "200 OK", "server"), stored))


@pytest.mark.parametrize(
    ("time_ns", "frames", "expected"),
    [
        (1_234, [4], "    0.001     #4"),
        (-5_000_000, [4], "   -5.000     #4"),  # captures go backwards
        (99_999_999_000, [99999], "99999.999 #99999"),
        (3_600_000_000_000, [1234567], "3600000.0 #1234567"),
        (5_000_000, [1234567], "  5.000 #1234567"),
        (5 * 10**14, [1], "500000000     #1"),
        (10**18, [1], "1000000000s     #1"),
        (0, [4, 5, 6], "    0.000   #4-6"),
        (0, [4, 6], "    0.000  #4..6"),
        (0, [10, 12], "    0.000  ..#12"),
        (0, [100000, 100001], "   0.000 #100001"),
        (0, [], "    0.000"),
    ],
)
def test_gutter_holds_great_numbers(time_ns: int, frames: list[int], expected: str) -> None:
    made = layout()
    made.entry(row(1, "SYN", time_ns=0))
    line = text(made.entry(row(1, "text", None, frames=frames, time_ns=time_ns)))[-1]
    assert expected == line.removesuffix("  * text").rstrip()


@pytest.mark.parametrize(
    ("capture", "expected"),
    [
        (Capture("file", [CaptureFile("a.pcap", 1, 2), CaptureFile("b.pcap", 3, 4)], []), "a.pcap, b.pcap"),
        (Capture("file", [CaptureFile("a\x1b\udcff.pcap", 1, 2)], ["lo"]), r"a\x1b\xff.pcap, captured on lo"),
        (Capture("live", [], ["lo", "eth0"]), "Live on lo, eth0"),
        (Capture("file", [CaptureFile(name, 1, 1) for name in "abcd"], []), "a, b, c, d"),
        (Capture("file", [CaptureFile(name, 1, 1) for name in "abcde"], ["lo"]), "a, b, c and 2 more, captured on lo"),
    ],
)
def test_first_line_says_what_is_looked_at(capture: Capture, expected: str) -> None:
    assert [expected] == text(layout(100).begin(capture))


def test_reported_run_says_first_that_no_packets_were_seen() -> None:
    assert text(layout().begin(Capture("reported", [], [])))[0].startswith("No packets were seen")


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_no_character_of_ours_has_an_uncertain_width(lang: str) -> None:
    words = Words(lang)
    ours = [
        words.template(key) for key in words.all_keys() if key.partition(".")[0] in ("view", "mark", "entry", "detail")
    ]
    used = {char for template in [*ours, "$*.=-+!<>#"] for char in template}
    assert set() == {char for char in used if unicodedata.east_asian_width(char) not in ("Na", "N", "W")}
    assert set() == {char for char in used if unicodedata.east_asian_width(char) == "W" and not "가" <= char <= "힣"}


def test_a_kind_of_annotation_is_told_twice_then_only_its_concept_is_named() -> None:
    made = layout()
    notes = [note(f"sentence {n}", code="made-up-too.same") for n in range(4)]
    lines = laid(made, *(row(n + 1, "ACK", annotations=[one]) for n, one in enumerate(notes)))

    said = [" ".join(line.split()) for line in lines if "*" in line]
    assert [
        "* sentence 0 RFC 9293 §3.5",
        "* sentence 1 RFC 9293 §3.5",
        "* again: made-up-too",
        "* again: made-up-too",
    ] == said


def test_what_is_whole_at_80_columns_is_whole_at_40() -> None:
    said = " ".join(f"word{n}" for n in range(35))
    for columns in (40, 80):
        lines = text(layout(columns).entry(row(1, "SYN", annotations=[note(said, "")])))
        assert said in " ".join(" ".join(line.split()) for line in lines)


def test_standard_input_has_a_name() -> None:
    for lang, expected in (("en", "standard input"), ("ko", "표준 입력")):
        assert [expected] == text(layout(80, lang).begin(Capture("file", [CaptureFile("-", 1, 0)], [])))
