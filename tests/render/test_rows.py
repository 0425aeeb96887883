from __future__ import annotations

from typing import get_type_hints

from inspect_cli.events.base import Annotation, Entry, Side, Span
from inspect_cli.events.summary import Capture, CaptureFile
from inspect_cli.render.redact import Redactor
from inspect_cli.render.rows import (
    AnnotationRow,
    ConnectionRow,
    EntryRow,
    RowMaker,
    capture_row,
    connection_row,
    summary_row,
)
from inspect_cli.texts import Words
from tests.render.conversation import START_NS, cookies, ends, opening, tally


def maker(policy: str = "none", lang: str = "en") -> RowMaker:
    return RowMaker(Words(lang), Redactor(policy))  # type: ignore[arg-type]


def test_syn_is_the_object_of_the_contract() -> None:
    expected = {
        "number": 1,
        "parent": None,
        "time_ns": START_NS,
        "frames": [1],
        "channel": "tcp/0",
        "side": "client",
        "layer": "tcp",
        "kind": "syn",
        "basis": "observed",
        "text": "SYN",
        "fields": {
            "flags": "SYN",
            "seq": 1,
            "ack": 0,
            "window": 65495,
            "size": 0,
            "options": {"mss": 65495, "window_scale": 7, "sack_permitted": True, "timestamps": True, "fast_open": None},
            "attempt": 1,
            "client": "127.0.0.1:52814",
            "server": "127.0.0.1:41327",
        },
        "annotations": [],
    }
    row = maker().row(opening()[0])
    assert expected == row
    assert list(expected) == list(row) == list(get_type_hints(EntryRow))


def test_annotation_is_the_object_of_the_contract() -> None:
    span = Span("tcp/0", Side.SERVER, 3, 9)
    annotation = Annotation("cookie", "cookie.set", (6,), "6265bis §3", "notice", "inferred", span, {"name": b"sid"})
    row = maker().row(Entry(5, None, cookies()[1].event, (annotation,)))["annotations"][0]
    expected = {
        "concept": "cookie",
        "code": "cookie.set",
        "level": "notice",
        "basis": "inferred",
        "data": {"name": "sid"},
        "text": Words("en").say("annotation.cookie.set", {"name": b"sid", "frames": (6,)}),
        "frames": [6],
        "span": {"channel": "tcp/0", "side": "server", "start": 3, "end": 9},
        "reference": "6265bis §3",
    }
    assert expected == row
    assert list(expected) == list(row) == list(get_type_hints(AnnotationRow))


def test_redaction_reaches_fields_headers_words_and_details_alike() -> None:
    made = maker("all")
    rows = [made.row_with_detail(one) for one in cookies()]
    assert ["Set-Cookie", "sid=<cookie 1>; Path=/; HttpOnly; SameSite=Lax"] == rows[1][0]["fields"]["headers"][0]
    assert "<cookie 1>" == rows[2][0]["fields"]["value"] == rows[6][0]["fields"]["value"]
    assert "Set-Cookie: sid=<cookie 1>; Path=/; HttpOnly; SameSite=Lax" == rows[2][1]
    assert "5f1c9a02b7de44e8" not in repr(rows)


def test_steps_of_a_decision_are_objects() -> None:
    step = maker().row(cookies()[2])["fields"]["steps"][1]
    assert {
        "clause": "6265bis §5.7 step 11",
        "check": "default-path",
        "outcome": "applied",
        "found": "/shop",
    } == step


def test_kind_without_a_detail_has_none() -> None:
    assert "" == maker().row_with_detail(opening()[0])[1]


def test_both_languages_differ_in_their_words_alone() -> None:
    english, korean = ([maker(lang=lang).row(one) for one in cookies()] for lang in ("en", "ko"))
    for one, other in zip(english, korean, strict=True):
        for annotation in (*one["annotations"], *other["annotations"]):
            annotation["text"] = ""
        assert {**one, "text": ""} == {**other, "text": ""}


def test_connection_is_the_object_of_the_contract() -> None:
    expected = {
        "id": 0,
        "channel": "tcp/0",
        "client": "127.0.0.1:52814",
        "server": "127.0.0.1:41327",
        "opened": "handshake",
        "closed": "fin",
        "closed_first": "client",
        "frames": 13,
        "bytes_client": 300,
        "bytes_server": 400,
        "handshake_rtt_ns": 40_000,
        "protocols": ["http/1"],
    }
    row = connection_row(ends()[0])
    assert expected == row
    assert list(expected) == list(row) == list(get_type_hints(ConnectionRow))


def test_file_name_that_is_no_utf8_is_escaped() -> None:
    name = b"a\xff.pcap".decode("utf-8", "surrogateescape")
    row = capture_row(Capture("file", [CaptureFile(name, 1, 2)], ["lo"]))
    assert {
        "source": "file",
        "files": [{"name": r"a\xff.pcap", "first_frame": 1, "frames": 2}],
        "interfaces": ["lo"],
        "started_ns": None,
        "ended_ns": None,
        "complete": None,
    } == row


def test_summary_has_the_keys_of_the_contract_in_its_order() -> None:
    names = """packets undecoded_packets bytes connections udp_conversations syn syn_ack fin rst handshakes_complete
        http_requests http_responses http_interim_responses set_cookie cookie websocket_handshakes websocket_frames
        tls_connections tls_decrypted http2_streams concepts problems capture_drops"""
    row = summary_row(tally())
    assert names.split() == list(row)
    assert {"continuation": 0, "text": 2, "binary": 0, "close": 1, "ping": 1, "pong": 0, "other": 0} == row[
        "websocket_frames"
    ]
