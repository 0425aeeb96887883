"""curl over loopback: a server that answers with the lines of a case, and what curl then keeps and sends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import BinaryIO, Self

LIMIT = 20_000
"""Requests that one server answers before it hangs up: nothing here runs for ever."""


class Server:
    """Answers each request with the next response of `script` and notes the Cookie field it came with."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.script: list[Sequence[bytes]] = []
        self.cookies: list[bytes] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while len(self.cookies) < LIMIT:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            # curl keeps connections to other names open meanwhile.
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as wire:
            while self._answer(wire):
                pass

    def _answer(self, wire: BinaryIO) -> bool:
        cookie = b""
        line = wire.readline()
        if not line:
            return False
        while line not in (b"\r\n", b""):
            line = wire.readline()
            if line.lower().startswith(b"cookie:"):
                cookie = line[7:].strip(b" \r\n")
        self.cookies.append(cookie)
        lines = self.script.pop(0) if self.script else ()
        head = b"".join(b"Set-Cookie: " + one + b"\r\n" for one in lines)
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + head + b"\r\n")
        wire.flush()
        return True
