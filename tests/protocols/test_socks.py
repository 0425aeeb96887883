"""SOCKS 5, 4 and 4a: what a proxy is asked for, and the HTTP behind it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_cli.events.base import Side, Where
from inspect_cli.events.http import RequestHead
from inspect_cli.events.socks import SocksReply, SocksRequest
from inspect_cli.protocols.socks import SOCKS
from inspect_cli.streams.channel import Recognition
from tests.protocols.conversation import C, S, Said, lost, talk

GET = C(b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
NO_CONTENT = S(b"HTTP/1.1 204 No Content\r\n\r\n")
GREETING, CHOSEN = C(b"\x05\x02\x00\x02"), S(b"\x05\x00")
BY_NAME = C(b"\x05\x01\x00\x03\x06a.test\x00\x50")
CONNECTED = S(b"\x05\x00\x00\x01\x0a\x00\x00\x02\x00\x50")


def said(*turns: Said) -> list[tuple[object, ...]]:
    """The SOCKS messages and the targets of HTTP requests."""
    found: list[tuple[object, ...]] = []
    for event in talk(SOCKS, *turns):
        if isinstance(event, SocksRequest):
            found.append((event.version, event.command, event.host, event.port, event.login))
        elif isinstance(event, SocksReply):
            found.append((event.version, event.reply))
        elif isinstance(event, RequestHead):
            found.append(event.head.split()[:2])
    return found


def test_http_behind_a_name_that_a_proxy_connected_to() -> None:
    assert said(GREETING, CHOSEN, BY_NAME, CONNECTED, GET, NO_CONTENT) == [
        (5, 1, b"a.test", 80, False),
        (5, "succeeded"),
        [b"GET", b"/"],
    ]


def test_a_request_has_the_place_of_its_own_bytes() -> None:
    first = talk(SOCKS, GREETING, CHOSEN, BY_NAME, CONNECTED)[0]

    assert isinstance(first, SocksRequest)
    assert isinstance(first.where, Where)
    assert (first.where.side, first.where.start, first.where.end) == (Side.CLIENT, 4, 4 + len(BY_NAME.data or b""))


def test_a_login_is_told_and_its_password_is_not_kept() -> None:
    login = C(b"\x01\x03bob\x06secret")
    events = talk(SOCKS, GREETING, S(b"\x05\x02"), login, S(b"\x01\x00"), BY_NAME, CONNECTED, GET, NO_CONTENT)

    assert "secret" not in repr([e for e in events if isinstance(e, SocksRequest)])
    assert said(GREETING, S(b"\x05\x02"), login, S(b"\x01\x00"), BY_NAME, CONNECTED)[0] == (5, 1, b"a.test", 80, True)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        (b"\x01\x7f\x00\x00\x01", b"127.0.0.1"),
        (b"\x04" + bytes(15) + b"\x01", b"::1"),
        (b"\x03\x01a", b"a"),
    ],
)
def test_addresses_of_every_type(address: bytes, host: bytes) -> None:
    asked = C(b"\x05\x01\x00" + address + b"\x01\xbb")

    assert said(GREETING, CHOSEN, asked, CONNECTED) == [(5, 1, host, 443, False), (5, "succeeded")]


@pytest.mark.parametrize(
    ("code", "reply"), [(1, "general-failure"), (5, "refused"), (8, "address-type-not-supported"), (9, "reply-9")]
)
def test_what_a_proxy_refuses_is_told_and_nothing_behind_it_is_http(code: int, reply: str) -> None:
    refused = S(b"\x05" + bytes([code]) + b"\x00\x01" + bytes(6))

    assert said(GREETING, CHOSEN, BY_NAME, refused, GET) == [(5, 1, b"a.test", 80, False), (5, reply)]


def test_socks_4_and_a_name_in_4a() -> None:
    granted = S(b"\x00\x5a" + bytes(6))

    assert said(C(b"\x04\x01\x00\x50\x0a\x00\x00\x02bob\x00"), granted, GET, NO_CONTENT) == [
        (4, 1, b"10.0.0.2", 80, True),
        (4, "succeeded"),
        [b"GET", b"/"],
    ]
    assert said(C(b"\x04\x01\x00\x50\x00\x00\x00\x01\x00a.test\x00"), S(b"\x00\x5b" + bytes(6))) == [
        (4, 1, b"a.test", 80, False),
        (4, "general-failure"),
    ]


def test_what_is_no_http_behind_it_is_opaque_and_a_hole_ends_the_reading() -> None:
    assert said(GREETING, CHOSEN, BY_NAME, CONNECTED, C(b"\x16\x03\x01\x00\x05hello")) == [
        (5, 1, b"a.test", 80, False),
        (5, "succeeded"),
    ]
    assert said(GREETING, CHOSEN, lost(Side.CLIENT, 3), BY_NAME, CONNECTED) == [(5, "succeeded")]


def test_both_sides_must_show_it() -> None:
    def known(client: bytes, server: bytes) -> Recognition:
        return SOCKS.looks_like(client, server)

    assert known(b"\x05\x01\x00", b"\x05\x00") is Recognition.YES
    assert known(b"\x05\x01\x00", b"\x05\x02") is Recognition.NO, "a method that was not offered"
    assert known(b"\x05\x01\x00", b"") is not Recognition.NO
    assert known(b"\x05\x01\x00", b"HTTP/1.1 400") is Recognition.NO
    assert known(b"\x04\x01\x00\x50", b"\x00\x5a") is Recognition.YES
    assert known(b"\x04\x07", b"\x00\x5a") is Recognition.NO
    assert known(b"hello", b"\x05\x00") is Recognition.NO


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_bytes_behind_a_greeting_are_read_without_an_exception(client: bytes, server: bytes) -> None:
    talk(SOCKS, GREETING, CHOSEN, C(client), S(server))


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_an_answer_never_changes_with_more_bytes(client: bytes, server: bytes) -> None:
    last: Recognition | None = None
    for size in range(65):
        found = SOCKS.looks_like(client[:size], server[:size])
        if last in (Recognition.YES, Recognition.NO):
            assert found is last
        last = found
