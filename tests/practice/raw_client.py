"""A client of bare sockets for tests: what was sent and read is known to the byte."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

# The sample of RFC 6455 §1.3.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=5) as client:
        yield client


def get(path: str, *fields: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: x", *fields)).encode() + b"\r\n\r\n"


def upgrade(path: str, key: str = KEY) -> bytes:
    return get(
        path, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}"
    )


def until(is_true: Callable[[], bool], timeout_s: float = 5) -> None:
    """Spin until something that another thread does at once is done."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0)  # lets the other thread run


def read_to_end(client: socket.socket) -> tuple[bytes, str]:
    """(what came, "fin" or "rst")."""
    came = bytearray()
    try:
        while data := client.recv(65_536):
            came += data
    except ConnectionResetError:
        return bytes(came), "rst"
    return bytes(came), "fin"


def read_exactly(client: socket.socket, count: int) -> bytes:
    came = bytearray()
    while len(came) < count and (data := client.recv(count - len(came))):
        came += data
    return bytes(came)


def read_head(client: socket.socket) -> bytes:
    """Up to the empty line, byte by byte, so that nothing behind it is taken."""
    came = bytearray()
    while not came.endswith(b"\r\n\r\n") and (data := client.recv(1)):
        came += data
    return bytes(came)
