from __future__ import annotations

import enum
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_cli.events.base import Secret, Side
from inspect_cli.events.cookies import CookieStored, Step
from inspect_cli.events.http import RequestHead, ResponseHead
from inspect_cli.events.tcp import Connection, Syn
from inspect_cli.render.redact import Redactor
from inspect_cli.render.values import conversions, exact_bytes, exact_text, pair_of, shown_hints
from tests.render.conversation import cookies, ends, opening


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"plain", "plain"),
        ("쿠키".encode(), "쿠키"),
        (b"a\0\x1b[31m", "a\0\x1b[31m"),
        (b"C:\\temp", "C:\\temp"),
        (b"\xff\\", r"\xff\\"),
        (rb"\xff", r"\\xff"),
        (b"", ""),
    ],
)
def test_bytes_are_text_where_they_are_utf8_and_escaped_elsewhere(data: bytes, expected: str) -> None:
    assert expected == exact_text(data)


@given(st.binary() | st.text().map(str.encode) | st.lists(st.sampled_from([b"\\", b"x", b"ff", b"\xff"])).map(b"".join))
def test_text_of_any_bytes_reads_back_as_these_bytes(data: bytes) -> None:
    assert data == exact_bytes(exact_text(data))


class Colour(enum.Enum):
    RED = b"red"


@pytest.mark.parametrize(
    ("value", "expected", "said"),
    [
        (None, None, None),
        (7, 7, 7),
        ("x", "x", "x"),
        (b"x\xff", r"x\xff", b"x\xff"),
        (Secret(b"x", "password"), "<password 1>", b"<password 1>"),
        (Side.SERVER, "server", "server"),
        ((b"a", (1, None)), ["a", [1, None]], (b"a", (1, None))),
        ({b"k": b"v"}, {"k": "v"}, {"k": b"v"}),
        (frozenset({b"b", b"a"}), ["a", "b"], (b"a", b"b")),
        (Colour.RED, "red", b"red"),
        (bytearray(b"x"), "x", b"x"),
        (Step("c", "check", "passed", "f"), {"clause": "c", "check": "check", "outcome": "passed", "found": "f"}, ...),
        (cookies()[0].event, "request", "request"),
        (1j, "1j", "1j"),
    ],
)
def test_every_value_of_an_event_has_a_json_form(value: Any, expected: Any, said: Any) -> None:
    found = pair_of(value, Redactor("credentials"))
    assert expected == found[0]
    assert said is ... or said == found[1]
    json.dumps(found[0])


def test_plain_fields_are_not_converted() -> None:
    plain = [name for name, convert in conversions(Syn) if convert is None]
    assert ["flags", "seq", "ack", "window", "size", "attempt", "client", "server"] == plain


def test_types_of_fields_and_properties_are_known() -> None:
    assert {"method", "target", "version", "host"} == {
        n for n, hint in shown_hints(RequestHead).items() if hint is bytes
    }
    assert bool is shown_hints(ResponseHead)["request_missing"]
    assert ["where", "of"] != list(shown_hints(CookieStored))[:2]


def test_nouns_within_nouns_become_objects() -> None:
    options = opening()[0].event.options  # type: ignore[attr-defined]
    expected = {"mss": 65495, "window_scale": 7, "sack_permitted": True, "timestamps": True, "fast_open": None}
    assert expected == pair_of(options, Redactor("none"))[0]
    assert ends()[0].channel == pair_of(ends()[0], Redactor("none"))[0]["channel"]
    assert isinstance(ends()[0], Connection)
