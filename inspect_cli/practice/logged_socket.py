"""Sockets that write down what passes through them, and that close politely.

They lie beneath any server on asyncio's selector loop, whose transports call recv(), send(),
sendmsg() and close(): so neither hypercorn nor the misbehaving server knows of them.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import Any, Final

from inspect_cli.practice.byte_log import ByteLog, Record

ANSWER_FIN_S: Final = 0.005
"""How long after the client's FIN ours follows; what the server had begun to send is out by then."""
LINGER_S: Final = 2.0
"""How long a closed socket still reads what the client sends, waiting for its FIN."""


class LoggedListener(socket.socket):
    """A listening TCP socket whose connections are logged.

    `answers_fin`: a client's FIN is answered with ours soon, whatever the server does.
    hypercorn would keep an idle connection half-closed until its keep-alive time is over.
    """

    __slots__ = ("_answers_fin", "_log")

    def __init__(self, family: socket.AddressFamily, log: ByteLog, *, answers_fin: bool = False) -> None:
        # asyncio sets TCP_NODELAY only where the protocol is named; without it each body waits 40 ms
        # for the delayed ACK of its head.
        super().__init__(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._log = log
        self._answers_fin = answers_fin

    def accept(self) -> tuple[LoggedConnection, Any]:
        plain, address = super().accept()
        return LoggedConnection(plain, address, self._log, answers_fin=self._answers_fin), address


class LoggedConnection(socket.socket):
    """An accepted TCP socket that logs what passes through it; it should not block."""

    __slots__ = ("_answers_fin", "_lingering", "_log", "_record")

    def __init__(
        self, plain: socket.socket, address: tuple[str, int], log: ByteLog, *, answers_fin: bool = False
    ) -> None:
        super().__init__(plain.family, plain.type, plain.proto, fileno=plain.detach())
        self._log = log
        self._answers_fin = answers_fin
        self._record = Record(self.getsockname()[1], address[0], address[1])
        self._lingering: tuple[asyncio.AbstractEventLoop, asyncio.TimerHandle] | None = None
        log.accepted(self._record, self._end)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        with self._log.lock:
            try:
                data = super().recv(size, flags)
            except ConnectionResetError:
                self._record.reset = True
                raise
            self._log.received(self._record, data)
        if not data and self._answers_fin:
            self._answers_fin = False
            asyncio.get_running_loop().call_later(ANSWER_FIN_S, self._finish)
        return data

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0, /) -> int:
        with self._log.lock:
            try:
                count = super().recv_into(buffer, size, flags)
            except ConnectionResetError:
                self._record.reset = True
                raise
            self._log.received(self._record, memoryview(buffer)[:count])
            return count

    def send(self, data: Any, flags: int = 0, /) -> int:
        with self._log.lock:
            count = super().send(data, flags)
            self._log.sent(self._record, memoryview(data)[:count])
            return count

    def sendmsg(self, buffers: Any, *rest: Any) -> int:
        """Several buffers at once (asyncio does it from Python 3.12 on)."""
        pieces = [bytes(piece) for piece in buffers]
        with self._log.lock:
            count = super().sendmsg(pieces, *rest)
            self._log.sent(self._record, b"".join(pieces)[:count])
            return count

    def setsockopt(self, level: int, option: int, *value: Any) -> None:
        super().setsockopt(level, option, *value)
        if (level, option) == (socket.SOL_SOCKET, socket.SO_LINGER):
            self._record.reset = True

    def close(self) -> None:
        """Send FIN, and let go when the client has finished too.

        A socket closed at once answers whatever still comes with RST (RFC 9293 §3.6.1); so a client
        that answers a Close frame, as it must (RFC 6455 §5.5.1), would be told that the connection broke.
        Hence RFC 9112 §9.6 asks servers to close in stages.
        """
        record = self._record
        if self.fileno() < 0 or self._lingering is not None:
            return
        if record.client_finished or record.reset or self._log.is_hung_up or not self._linger():
            self._let_go()

    def _linger(self) -> bool:
        """Read on in the running loop; False where there is none."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        with suppress(OSError):  # both FINs may have passed already; what is unread is read all the same
            self.shutdown(socket.SHUT_WR)
        self._lingering = loop, loop.call_later(LINGER_S, self._let_go)
        loop.add_reader(self.fileno(), self._read_on)
        return True

    def _read_on(self) -> None:
        try:
            if self.recv(65_536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass  # the client has reset the connection: that is an end as well
        self._let_go()

    def _let_go(self) -> None:
        if self._lingering is not None:
            loop, timer = self._lingering
            timer.cancel()
            loop.remove_reader(self.fileno())
            self._lingering = None
        super().close()
        self._log.closed(self._record)

    def _finish(self) -> None:
        with suppress(OSError):  # closed meanwhile
            self.shutdown(socket.SHUT_WR)

    def _end(self) -> None:
        with suppress(OSError):  # the client was faster
            self.shutdown(socket.SHUT_RDWR)
