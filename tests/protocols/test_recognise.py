"""HTTP/1 or not, by the first bytes of both sides."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.protocols.recognise import looks_like_http1
from inspect_cli.streams.channel import Recognition

YES, NO, MORE = Recognition.YES, Recognition.NO, Recognition.MORE


@pytest.mark.parametrize(
    ("client", "server", "expected"),
    [
        (b"", b"", MORE),
        (b"GET / HTTP/1.1\r\n", b"", YES),
        (b"GET /", b"", YES),
        (b"\r\nGET /", b"", YES),
        (b"GE", b"", MORE),
        (b"OPTIONS\nHost: a", b"", YES),
        (b"GET/ HTTP/1.1\n", b"", YES),
        (b"OPTIONSHTTP/1.1\n", b"", YES),
        (b"\xc3\x83 / HTTP/1.", b"", YES),
        (b"MYMETHOD * HTTP/1.1\r\n", b"", YES),
        (b"CONNECT a:443", b"", MORE),
        (b"CONNECT a:443 HTTP/1.1\r\n", b"", YES),
        (b"X" * 64, b"", MORE),
        (b"", b"HTTP/1.1 200", YES),
        (b"", b"HTTP/1.", YES),
        (b"", b"HTT", MORE),
        (b"\x00\x01\x02", b"HTTP/1.0 ", YES),
        (b"le of a body", b"HTTP/1.0 ", YES),
        (b"\x16\x03\x01\x02\x00\x01", b"", NO),
        (b"\x16\x03\x01\x02\x00\x01", b"HTTP/1.1 400 ", NO),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"", MORE),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x00\x00\x12\x04", NO),
        (b"OPTIONS rtsp://a/ RTSP/1.0\r\n", b"RTSP/1.0 200 OK\r\n", NO),
        (b"", b"SSH-2.0-x\r\n", MORE),
        (b"SSH-2.0-y\r\n", b"SSH-2.0-x\r\n", NO),
        (b"HTTP/1.1 200 OK\r\n", b"GET / HTTP/1.1\r\n", NO),
        (b"*1\r\n$4\r\nPING\r\n", b"+PONG\r\n", NO),
    ],
)
def test_either_side_may_show_it(client: bytes, server: bytes, expected: Recognition) -> None:
    expected = NO if client == b"X" * 64 and server else expected
    assert expected == looks_like_http1(client, server)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.binary(max_size=64), st.text("GETPOSTHRI/ *.12\r\nabc", max_size=64).map(str.encode)),
    st.one_of(st.binary(max_size=64), st.text("HTP/1. 20\r\n", max_size=64).map(str.encode)),
    st.integers(0, 64),
    st.integers(0, 64),
)
def test_more_bytes_never_change_an_answer(client: bytes, server: bytes, i: int, j: int) -> None:
    early = looks_like_http1(client[:i], server[:j])

    assert early is MORE or early is looks_like_http1(client, server)
