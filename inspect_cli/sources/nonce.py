"""A datagram sent to oneself: seeing it on `lo` proves that packets are seen there."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import Final

from inspect_cli.sources.bpf import Target
from inspect_cli.sources.packet_socket import SO_TIMESTAMPNS, kernel_time_ns

_TOKEN_BYTES: Final = 16


class Nonce:
    """A UDP socket on loopback that sends fresh random tokens to itself; never an item."""

    def __init__(self) -> None:
        self._socket = _bound()
        address, port = self._socket.getsockname()[:2]
        self.target = Target(address, port)
        self._sent_ns: dict[bytes, int] = {}

    def send(self) -> None:
        """Send a new token. Those sent before count too: a busy machine may show them late."""
        token = os.urandom(_TOKEN_BYTES)
        self._socket.sendto(token, tuple(self.target))
        self._sent_ns[token] = time.time_ns()

    def sent_ns(self, frame: bytes) -> int | None:
        """When the token that this frame carries had left, Unix ns; None: it carries none of ours."""
        return self._sent_ns.get(frame[-_TOKEN_BYTES:])

    def await_times(self, patience_s: float) -> None:
        """Until the kernel stamps what arrives when it arrives, at most `patience_s`.

        The first who asks for times only sets that going; until it works, times are made
        when something is read. Seen on a datagram to oneself, so no interface matters.
        """
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.settimeout(0.02)
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            self.send()
            with contextlib.suppress(TimeoutError):
                data, ancillary, _, _ = self._socket.recvmsg(_TOKEN_BYTES, 256)
                if kernel_time_ns(ancillary) <= self._sent_ns.get(data, 0):
                    return

    def close(self) -> None:
        self._socket.close()


def _bound() -> socket.socket:
    """A UDP socket on 127.0.0.1, or on ::1 where there is no IPv4."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        found: socket.socket | None = None
        try:
            found = socket.socket(family, socket.SOCK_DGRAM)
            found.bind((address, 0))
        except OSError:
            if found is not None:
                found.close()
            continue
        return found
    raise OSError("no loopback address")
