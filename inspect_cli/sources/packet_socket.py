"""Linux packet sockets: the options that scapy does not set, and reading with kernel times.

Numbers are those of <linux/if_packet.h> and <asm-generic/socket.h>: Python names few of them.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections.abc import Sequence
from typing import Final

from inspect_cli.wire.gathering import Captured

ETH_P_ALL: Final = 3
SOL_PACKET: Final = 263
PACKET_STATISTICS: Final = 6
PACKET_IGNORE_OUTGOING: Final = 23
"""Linux 4.20."""
PACKET_OUTGOING: Final = 4
SO_RCVBUFFORCE: Final = 33
SO_TIMESTAMPNS: Final = 35

ARPHRD_ETHER: Final = 1
ARPHRD_LOOPBACK: Final = 772
_LINK_TYPES: Final = {
    ARPHRD_ETHER: 1,  # LINKTYPE_ETHERNET
    ARPHRD_LOOPBACK: 1,  # lo has Ethernet headers, all zero
    65534: 101,  # ARPHRD_NONE (tun, WireGuard): LINKTYPE_RAW
    768: 101,  # ARPHRD_TUNNEL (ipip)
    769: 101,  # ARPHRD_TUNNEL6
    776: 101,  # ARPHRD_SIT
    519: 101,  # ARPHRD_RAWIP
}
ETHERNET: Final = 1

RECEIVE_BUFFER_BYTES: Final = 64 << 20
FRAME_BYTES: Final = 128 << 10
"""Frames reach 65,549 bytes on loopback: 64 KiB would cut them."""
_READS_AT_ONCE: Final = 512


def link_type_of(hardware_type: int) -> int | None:
    """LINKTYPE_ number for an interface's ARPHRD_ number; None: its headers are not known here."""
    return _LINK_TYPES.get(hardware_type)


def tune(listener: socket.socket, *, loopback: bool) -> None:
    """Large buffer, kernel times, and on loopback each packet once; before it is bound.

    PACKET_IGNORE_OUTGOING only on a socket that will hear `lo` alone: elsewhere it would hide
    all that we send. Where the kernel does not know it, `FrameReader` drops the outgoing copies.
    """
    try:
        listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
    except PermissionError:  # in a user namespace: only up to net.core.rmem_max
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    listener.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    if loopback:
        with contextlib.suppress(OSError):
            listener.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    listener.setblocking(False)


def drops_of(listener: socket.socket) -> int:
    """Frames dropped since this was last asked (asking sets the counter back)."""
    try:
        _, drops = struct.unpack("=II", listener.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
    except OSError:
        return 0
    return int(drops)


def await_frames(listeners: Sequence[socket.socket], limit_s: float) -> list[socket.socket]:
    """Those that have something to read, or [] after `limit_s`; any number of descriptors is fine."""
    poll = select.poll()
    for listener in listeners:
        poll.register(listener, select.POLLIN)
    ready = {fd for fd, _ in poll.poll(limit_s * 1000)}
    return [listener for listener in listeners if listener.fileno() in ready]


class FrameReader:
    """Reads frames of one bound packet socket; never blocks."""

    def __init__(self, listener: socket.socket, link_type: int, interface: int, *, loopback: bool) -> None:
        self._listener = listener
        self._interface = interface
        self._link_type = link_type
        self._loopback = loopback
        self._buffer = bytearray(FRAME_BYTES)
        self._view = memoryview(self._buffer)

    def read(self) -> list[Captured]:
        """What has arrived, at most 512 frames; [] when there is nothing.

        Raises: OSError when the interface went down (ENETDOWN), once.
        """
        found: list[Captured] = []
        for _ in range(_READS_AT_ONCE):
            try:
                size, ancillary, _, address = self._listener.recvmsg_into([self._buffer], 256, socket.MSG_TRUNC)
            except (BlockingIOError, InterruptedError):
                break
            if self._loopback and address[2] == PACKET_OUTGOING:
                continue
            data = bytes(self._view[: min(size, FRAME_BYTES)])
            found.append(Captured(kernel_time_ns(ancillary), data, size, self._link_type, self._interface))
        return found


def kernel_time_ns(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Kernel time of what recvmsg gave, as Unix ns."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= struct.calcsize("@ll"):
            seconds, nanoseconds = struct.unpack_from("@ll", data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()
