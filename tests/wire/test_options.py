from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import TCP

from inspect_cli.events.tcp import TcpOptions
from inspect_cli.wire.options import tcp_options

LINUX_SYN = "020405b40402080a000000010000000001030307"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (LINUX_SYN, TcpOptions(1460, 7, True, True)),
        ("", TcpOptions(None, None, False, False)),
        ("020405b4", TcpOptions(1460, None, False, False)),
        ("00020405b4", TcpOptions(None, None, False, False)),  # behind the end of the list
        ("0201", TcpOptions(None, None, False, False)),  # a length that does not count itself
        ("0204", TcpOptions(None, None, False, False)),  # cut off
        ("02", TcpOptions(None, None, False, False)),
        ("020305020405b4", TcpOptions(1460, None, False, False)),  # an MSS of the wrong length, then a right one
        ("020405b4020400c8", TcpOptions(200, None, False, False)),  # the last one counts
        ("fe0600000000030309", TcpOptions(None, 9, False, False)),  # an unknown one is passed
    ],
)
def test_options_of_a_syn_are_read(data: str, expected: TcpOptions) -> None:
    assert tcp_options(bytes.fromhex(data)) == expected


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("MSS"), st.integers(0, 65535)),
            st.tuples(st.just("WScale"), st.integers(0, 255)),
            st.tuples(st.just("SAckOK"), st.just(b"")),
            st.tuples(st.just("Timestamp"), st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))),
            st.tuples(st.just("NOP"), st.none()),
        ),
        max_size=4,
    )
)
def test_options_that_scapy_writes_are_read(options: list[tuple[str, Any]]) -> None:
    last = dict(options)
    expected = TcpOptions(last.get("MSS"), last.get("WScale"), "SAckOK" in last, "Timestamp" in last)
    assert tcp_options(bytes(TCP(options=options))[20:]) == expected


@given(st.binary(max_size=40))
def test_no_bytes_break_the_reading_of_options(data: bytes) -> None:
    tcp_options(data)
