"""Options of a TCP header; read only for the segments that open a connection."""

from __future__ import annotations

from typing import Final

from inspect_cli.events.tcp import TcpOptions

END_OF_LIST, NO_OPERATION, MSS, WINDOW_SCALE, SACK_PERMITTED, TIMESTAMPS, FAST_OPEN, EXPERIMENT = (
    0,
    1,
    2,
    3,
    4,
    8,
    34,
    254,
)
EXPERIMENTAL_FAST_OPEN: Final = b"\xf9\x89"
"""What kind 254 began with before 34 was assigned (RFC 7413 §7)."""

# RFC 9293 §3.7.1, RFC 7323 §2.2 and §3.2, RFC 2018 §2: kind to length, both bytes included.
LENGTHS: Final[dict[int, int]] = {
    MSS: 4,
    WINDOW_SCALE: 3,
    SACK_PERMITTED: 2,
    TIMESTAMPS: 10,
}


def tcp_options(data: bytes) -> TcpOptions:
    """What the options offer; reading stops at a length that cannot be. Never raises.

    An option repeated counts as it was last given; one whose length is not its own counts not at all.
    """
    found: dict[int, int] = {}
    at = 0
    while at < len(data):
        kind = data[at]
        if kind == END_OF_LIST:
            break
        if kind == NO_OPERATION:
            at += 1
            continue
        length = data[at + 1] if at + 1 < len(data) else 0
        # RFC 9293 §3.1: the length counts kind and length themselves.
        if length < 2 or at + length > len(data):
            break
        if kind == FAST_OPEN:
            found[kind] = length - 2  # RFC 7413 §4.1.1
        elif kind == EXPERIMENT and data[at + 2 : at + 4] == EXPERIMENTAL_FAST_OPEN and length >= 4:
            found[FAST_OPEN] = length - 4
        elif LENGTHS.get(kind) == length:
            found[kind] = int.from_bytes(data[at + 2 : at + length], "big")
        at += length
    return TcpOptions(
        found.get(MSS),
        found.get(WINDOW_SCALE),
        SACK_PERMITTED in found,
        TIMESTAMPS in found,
        found.get(FAST_OPEN),
    )
