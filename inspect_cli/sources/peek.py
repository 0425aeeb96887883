"""As much of one TCP segment as the sniffer must know: whose it is, and whether it closes.

What packets mean is read elsewhere, from columns; here a frame is only let through or let go.
"""

from __future__ import annotations

import socket
import struct
from typing import Final, NamedTuple

FIN: Final = 1
SYN: Final = 2
RST: Final = 4
ACK: Final = 16

_PORTS_SEQ_ACK = struct.Struct(">HHII")


class Peek(NamedTuple):
    """Ends and sequence numbers of a segment; addresses are packed (4 or 16 bytes)."""

    source: bytes
    source_port: int
    target: bytes
    target_port: int
    seq: int
    ack: int
    flags: int
    size: int
    """Payload bytes by the IP length."""


def peek(data: bytes | memoryview, ip_offset: int) -> Peek | None:
    """The TCP segment of a frame whose IP header stands at `ip_offset`; None: it has none."""
    if len(data) < ip_offset + 40:
        return None
    version = data[ip_offset] >> 4
    if version == 4:
        header_size = (data[ip_offset] & 15) * 4
        ip_size = int.from_bytes(data[ip_offset + 2 : ip_offset + 4], "big")
        if data[ip_offset + 9] != socket.IPPROTO_TCP or header_size < 20:
            return None
        source, target = data[ip_offset + 12 : ip_offset + 16], data[ip_offset + 16 : ip_offset + 20]
    elif version == 6:
        header_size = 40
        ip_size = 40 + int.from_bytes(data[ip_offset + 4 : ip_offset + 6], "big")
        if data[ip_offset + 6] != socket.IPPROTO_TCP:
            return None
        source, target = data[ip_offset + 8 : ip_offset + 24], data[ip_offset + 24 : ip_offset + 40]
    else:
        return None
    at = ip_offset + header_size
    if len(data) < at + 20:
        return None
    source_port, target_port, seq, ack = _PORTS_SEQ_ACK.unpack_from(data, at)
    # Segments longer than 65,535 bytes (BIG TCP) say 0: what was captured is all there is.
    whole = ip_size if ip_size > (40 if version == 6 else 0) else len(data) - ip_offset
    size = max(0, whole - header_size - (data[at + 12] >> 4) * 4)
    return Peek(bytes(source), source_port, bytes(target), target_port, seq, ack, data[at + 13], size)


class Closing:
    """Whether one connection of ours is over, as far as its segments show."""

    __slots__ = ("_acked", "_fins", "is_reset", "was_answered")

    def __init__(self) -> None:
        self._fins: list[int | None] = [None, None]
        self._acked = [False, False]
        self.is_reset = False
        self.was_answered = False
        """Something came from the server."""

    def see(self, segment: Peek, side: int) -> None:
        """One more segment; `side` 0: the client sent it."""
        if side:
            self.was_answered = True
        if segment.flags & RST:
            self.is_reset = True
        other = self._fins[1 - side]
        if other is not None and segment.flags & ACK and (segment.ack - other) & 0xFFFFFFFF < 1 << 31:
            self._acked[1 - side] = True
        if segment.flags & FIN:
            self._fins[side] = (segment.seq + segment.size + 1) & 0xFFFFFFFF

    @property
    def is_over(self) -> bool:
        """Reset, or both FINs acknowledged (RFC 9293 §3.6)."""
        return self.is_reset or all(self._acked)
