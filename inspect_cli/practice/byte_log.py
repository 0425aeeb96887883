"""The bytes that each connection of the server took and gave, as its sockets saw them.

The log is written by the sockets themselves (logged_socket.py), so it holds exactly what the
kernel gave and took, and adds no connection on the way.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

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
class Record:
    """What one connection carried so far; its socket writes it, holding the log's lock."""

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
        self._records: deque[Record] = deque()
        self._open: dict[Record, Callable[[], None]] = {}
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
            for end in self._open.values():
                end()

    # What follows is for the sockets.

    @property
    def lock(self) -> threading.Lock:
        return self._lock

    @property
    def is_hung_up(self) -> bool:
        return self._hung_up

    def accepted(self, record: Record, end: Callable[[], None]) -> None:
        """A connection came; `end` shuts it down from any thread and does not raise."""
        with self._lock:
            self._records.append(record)
            self._open[record] = end
            self._forget()
            if self._hung_up:
                end()

    def received(self, record: Record, data: bytes | memoryview) -> None:
        """Bytes that recv() got; b"" is the client's FIN. The caller holds the lock."""
        record.received_bytes += len(data)
        record.client_finished = record.client_finished or not data
        self._keep(record.received, data)

    def sent(self, record: Record, data: bytes | memoryview) -> None:
        """Bytes that the kernel took over from send(). The caller holds the lock."""
        record.sent_bytes += len(data)
        self._keep(record.sent, data)

    def closed(self, record: Record) -> None:
        with self._lock:
            record.closed = True
            self._open.pop(record, None)

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
