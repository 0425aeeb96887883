"""The bytes that each connection of the server took and gave, as its sockets saw them.

The log sits in the sockets themselves: a listening socket whose accept() hands out sockets
that write down what recv() got and what send() took. So it holds exactly what the kernel
took over, adds no connection and no copy on the way, and works beneath any server that
runs on asyncio's selector loop.
"""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

DEFAULT_KEEP_BYTES: Final = 64 << 20
"""Of all connections together; beyond that the oldest closed connections are forgotten."""
MAX_CONNECTIONS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one connection carried, at the moment of asking.

    `received` and `sent` are shorter than their counts where the log was full.
    """

    server_port: int
    client_host: str
    client_port: int
    received: bytes
    sent: bytes
    received_bytes: int
    sent_bytes: int
    client_finished: bool
    """The client's FIN was read."""
    reset: bool
    """The client's RST was seen, or the server was about to send one."""
    closed: bool
    """The server closed its socket."""


@dataclass(slots=True, eq=False)
class _Record:
    server_port: int
    client_host: str
    client_port: int
    received: bytearray = field(default_factory=bytearray)
    sent: bytearray = field(default_factory=bytearray)
    received_bytes: int = 0
    sent_bytes: int = 0
    client_finished: bool = False
    reset: bool = False
    closed: bool = False

    def snapshot(self) -> Traffic:
        return Traffic(
            self.server_port,
            self.client_host,
            self.client_port,
            bytes(self.received),
            bytes(self.sent),
            self.received_bytes,
            self.sent_bytes,
            self.client_finished,
            self.reset,
            self.closed,
        )


class ByteLog:
    """What every connection carried, in the order in which they were accepted.

    May be read from any thread while the server runs: a socket call and its line in the
    log are one step, so who has got an answer finds the request and the answer here.
    """

    def __init__(self, keep_bytes: int = DEFAULT_KEEP_BYTES) -> None:
        self._lock = threading.Lock()
        self._records: deque[_Record] = deque()
        self._open: set[LoggedConnection] = set()
        self._keep_bytes = keep_bytes
        self._kept_bytes = 0
        self._hung_up = False

    def __iter__(self) -> Iterator[Traffic]:
        with self._lock:
            return iter([record.snapshot() for record in self._records])

    def __len__(self) -> int:
        with self._lock:
            return len(self._records)

    def connection(self, client_port: int) -> Traffic:
        """The last connection that came from this port.

        Raises:
            KeyError: none came, or it was forgotten.
        """
        with self._lock:
            for record in reversed(self._records):
                if record.client_port == client_port:
                    return record.snapshot()
        raise KeyError(client_port)

    @property
    def open_connections(self) -> int:
        with self._lock:
            return len(self._open)

    def hang_up(self) -> None:
        """End every open connection, and each one that is still accepted.

        What waits for a client then reads the end of its bytes, so no handler outlives this.
        """
        with self._lock:
            self._hung_up = True
            for connection in self._open:
                connection.end()

    # What follows is for the sockets below.

    def accepted(self, connection: LoggedConnection, record: _Record) -> None:
        with self._lock:
            self._records.append(record)
            self._open.add(connection)
            self._forget()
            if self._hung_up:
                connection.end()

    def took(self, record: _Record, data: bytes | memoryview) -> None:
        """Bytes that recv() got; b"" is the client's FIN. The caller holds the lock."""
        record.received_bytes += len(data)
        record.client_finished = record.client_finished or not data
        self._keep(record.received, data)

    def gave(self, record: _Record, data: bytes | memoryview) -> None:
        """Bytes that the kernel took over from send(). The caller holds the lock."""
        record.sent_bytes += len(data)
        self._keep(record.sent, data)

    def let_go(self, connection: LoggedConnection, record: _Record) -> None:
        with self._lock:
            record.closed = True
            self._open.discard(connection)

    @property
    def lock(self) -> threading.Lock:
        return self._lock

    def _keep(self, into: bytearray, data: bytes | memoryview) -> None:
        if self._kept_bytes + len(data) > self._keep_bytes:
            self._forget(len(data))
        room = self._keep_bytes - self._kept_bytes
        if room >= len(data):
            into += data
            self._kept_bytes += len(data)

    def _forget(self, wanted_bytes: int = 0) -> None:
        """Drop the oldest connections while they are closed and room is missing."""
        records = self._records
        while (
            records
            and records[0].closed
            and (self._kept_bytes + wanted_bytes > self._keep_bytes or len(records) > MAX_CONNECTIONS)
        ):
            oldest = records.popleft()
            self._kept_bytes -= len(oldest.received) + len(oldest.sent)


class LoggedListener(socket.socket):
    """A listening TCP socket whose connections are logged."""

    __slots__ = ("_log",)

    def __init__(self, family: socket.AddressFamily, log: ByteLog) -> None:
        super().__init__(family, socket.SOCK_STREAM)
        self._log = log

    def accept(self) -> tuple[LoggedConnection, Any]:
        plain, address = super().accept()
        return LoggedConnection(plain, address, self._log), address


class LoggedConnection(socket.socket):
    """An accepted TCP socket that logs what passes through it."""

    __slots__ = ("_log", "_record")

    def __init__(self, plain: socket.socket, address: tuple[str, int], log: ByteLog) -> None:
        super().__init__(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self._log = log
        self._record = _Record(self.getsockname()[1], address[0], address[1])
        log.accepted(self, self._record)

    def end(self) -> None:
        with suppress(OSError):  # the client was faster
            self.shutdown(socket.SHUT_RDWR)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        with self._log.lock:
            try:
                data = super().recv(size, flags)
            except ConnectionResetError:
                self._record.reset = True
                raise
            self._log.took(self._record, data)
            return data

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0, /) -> int:
        with self._log.lock:
            try:
                count = super().recv_into(buffer, size, flags)
            except ConnectionResetError:
                self._record.reset = True
                raise
            self._log.took(self._record, memoryview(buffer)[:count])
            return count

    def send(self, data: Any, flags: int = 0, /) -> int:
        with self._log.lock:
            count = super().send(data, flags)
            self._log.gave(self._record, memoryview(data)[:count])
            return count

    def sendmsg(self, buffers: Any, *rest: Any) -> int:
        """Several buffers at once (asyncio does it from Python 3.12 on)."""
        pieces = [bytes(piece) for piece in buffers]
        with self._log.lock:
            count = super().sendmsg(pieces, *rest)
            self._log.gave(self._record, b"".join(pieces)[:count])
            return count

    def setsockopt(self, level: int, option: int, *value: Any) -> None:
        super().setsockopt(level, option, *value)
        if (level, option) == (socket.SOL_SOCKET, socket.SO_LINGER):
            self._record.reset = True

    def close(self) -> None:
        super().close()
        self._log.let_go(self, self._record)
