"""A datagram sent to oneself: seeing it on `lo` proves that packets are seen there."""

from __future__ import annotations

import os
import socket
import time
from typing import Final

from inspect_cli.sources.bpf import Target

_TOKEN_BYTES: Final = 16


class Nonce:
    """A UDP socket on loopback that sends fresh random tokens to itself; never an item."""

    def __init__(self) -> None:
        self._socket = _bound()
        address, port = self._socket.getsockname()[:2]
        self.target = Target(address, port)
        self._token = b""

    def send(self) -> int:
        """Send a new token; the time when it had left, Unix ns."""
        self._token = os.urandom(_TOKEN_BYTES)
        self._socket.sendto(self._token, tuple(self.target))
        return time.time_ns()

    def is_in(self, frame: bytes) -> bool:
        """This frame carries the token sent last."""
        return bool(self._token) and frame.endswith(self._token)

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
