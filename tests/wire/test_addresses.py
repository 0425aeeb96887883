from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspect_cli.wire.addresses import address_text, endpoint_text


@given(st.binary(min_size=4, max_size=4))
def test_an_ipv4_address_is_written_with_dots(address: bytes) -> None:
    assert address_text(0, 0xFFFF << 32 | int.from_bytes(address, "big"), 4) == socket.inet_ntop(
        socket.AF_INET, address
    )


@given(st.binary(min_size=16, max_size=16))
def test_an_ipv6_address_is_written_as_others_write_it(address: bytes) -> None:
    hi, lo = int.from_bytes(address[:8], "big"), int.from_bytes(address[8:], "big")
    assert address_text(hi, lo, 6) == socket.inet_ntop(socket.AF_INET6, address)


@pytest.mark.parametrize(
    ("hi", "lo", "text"),
    [
        (0, 0, "::"),
        (0, 1, "::1"),
        (0x20010DB8 << 32, 1, "2001:db8::1"),
        (0, 0xFFFF_C000_0201, "::ffff:192.0.2.1"),
        (0x2001_0DB8_0000_0001, 0x0001_0001_0001_0001, "2001:db8:0:1:1:1:1:1"),
    ],
)
def test_ipv6_text_follows_rfc_5952(hi: int, lo: int, text: str) -> None:
    assert address_text(hi, lo, 6) == text


def test_an_ipv6_endpoint_has_brackets() -> None:
    assert endpoint_text(0, 1, 6, 443) == "[::1]:443"
    assert endpoint_text(0, 0xFFFF_7F00_0001, 4, 80) == "127.0.0.1:80"
