"""Clients that do what the tool's own never do: they speak through plain sockets, and tell what they call."""

from __future__ import annotations

import socket
import time
from typing import Final, Literal

from inspect_cli.events.calls import Call
from inspect_cli.sources.client import Journal, endpoint

HOST: Final = "127.0.0.1"


class SocketClient:
    """One connection to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    def stop(self) -> None:
        """It is over before anybody could want to."""

    def run(self, journal: Journal) -> None:
        with socket.socket() as plug:
            self.prepare(plug)
            plug.bind((HOST, 0))
            journal.announce(HOST, self._port)
            self.tell(journal, plug, "connect", "begun")
            plug.connect((HOST, self._port))
            self.tell(journal, plug, "connect", "returned", result="0")
            journal.opened(HOST, self._port, *plug.getsockname())
            data = self.requests()
            self.tell(journal, plug, "send", "begun", f"{len(data)} bytes")
            plug.sendall(data)
            self.tell(journal, plug, "send", "returned", result=f"{len(data)} bytes")
            self.read(plug)

    def prepare(self, plug: socket.socket) -> None:
        """Set options before anything is connected."""

    def requests(self) -> bytes:
        """What is sent, all at once."""
        raise NotImplementedError

    def read(self, plug: socket.socket) -> None:
        """Take what comes, to its end."""
        while plug.recv(65536):
            pass

    def request(self, path: str, *, last: bool = False) -> bytes:
        end = "Connection: close\r\n\r\n" if last else "\r\n"
        return f"GET {path} HTTP/1.1\r\nHost: {HOST}:{self._port}\r\n{end}".encode()

    def tell(
        self,
        journal: Journal,
        plug: socket.socket,
        name: Literal["connect", "send"],
        phase: Literal["begun", "returned"],
        arguments: str = "",
        result: str = "",
    ) -> None:
        local, remote = endpoint(*plug.getsockname()), endpoint(HOST, self._port)
        journal.tell(Call(time.time_ns(), name, plug.fileno(), phase, local, remote, arguments, result))


class Pipeliner(SocketClient):
    """Sends all its requests before it reads the first answer (RFC 9112 §9.3.2), which httpx never does."""

    def __init__(self, port: int, paths: tuple[str, ...]) -> None:
        super().__init__(port)
        self._paths = paths

    def requests(self) -> bytes:
        last = len(self._paths) - 1
        return b"".join(self.request(path, last=at == last) for at, path in enumerate(self._paths))


class SlowReader(SocketClient):
    """Has room for little, and reads nothing for a while: its window closes (RFC 9293 §3.8.6)."""

    _BUFFER_BYTES: Final = 4_096
    _PAUSE_S: Final = 0.5
    """Long enough for one probe of the server, after 200 ms; the next would come after 600 ms."""

    def prepare(self, plug: socket.socket) -> None:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._BUFFER_BYTES)

    def requests(self) -> bytes:
        return self.request("/size/9000", last=True)

    def read(self, plug: socket.socket) -> None:
        time.sleep(self._PAUSE_S)
        super().read(plug)
