"""A socket of our own client: non-blocking, each call of it told, its bytes where asked for."""

from __future__ import annotations

import errno
import itertools
import os
import socket
import time
from collections.abc import Iterator
from typing import Final, Literal

from inspect_cli.events.base import Side
from inspect_cli.events.calls import Call, Context, Reported
from inspect_cli.sources.client import Journal, endpoint
from inspect_cli.sources.patience import Patience

READ_BYTES: Final = 65536


def errno_name(number: int | None) -> str:
    """`ECONNREFUSED` for 111."""
    return errno.errorcode.get(number or 0, "EIO")


class Teller:
    """Tells the items of one client in time order; numbers its reported channels."""

    def __init__(self, journal: Journal, *, reported: bool) -> None:
        self.journal = journal
        self.reported = reported
        """Tell all bytes, even where packets are seen."""
        self._last_ns = 0
        self._numbers: Iterator[int] = itertools.count()

    def next_channel(self) -> int:
        return next(self._numbers)

    def now_ns(self) -> int:
        """Unix time that never goes back, not even where the clock is set back."""
        self._last_ns = max(self._last_ns, time.time_ns())
        return self._last_ns

    def tell(self, item: Call | Context | Reported) -> None:
        self.journal.tell(item)


class OwnSocket:
    """A TCP connection, from socket() to close(); raises OSError as the calls do.

    Announced before it exists. Where its packets are not seen, its bytes are told.
    """

    def __init__(self, family: int, address: str, port: int, teller: Teller, patience: Patience) -> None:
        self._teller = teller
        self.patience = patience
        self.local = ""
        self.remote = endpoint(address, port)
        self.received_bytes = 0
        self.is_closed = False
        self._channel: int | None = None
        self._address, self._port = address, port
        seen = teller.journal.announce(address, port)
        self._tells_bytes = teller.reported or not seen
        try:
            self._socket = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        except OSError:  # no descriptor left, or no such family here
            teller.journal.opened(address, port, "", 0)
            raise
        self._socket.setblocking(False)
        self._fd = self._socket.fileno()
        arguments = f"{socket.AddressFamily(family).name}, SOCK_STREAM"
        self._call("socket", "returned", arguments, f"fd {self._fd}", teller.now_ns())
        # Small writes leave at once: what the client does is seen when it does it.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connect(self, where: tuple[str, int] | tuple[str, int, int, int]) -> None:
        """Connect and wait for it; `where` is the socket address of what was announced."""
        begun_ns = self._teller.now_ns()
        local_address, local_port = "", 0
        try:
            code = self._socket.connect_ex(where)
            if code in (0, errno.EINPROGRESS):
                # The kernel has chosen the port: the frames on their way can be known for ours.
                local_address, local_port = self._socket.getsockname()[:2]
        finally:
            self._teller.journal.opened(self._address, self._port, local_address, local_port)
        self.local = endpoint(local_address, local_port)
        self._call("connect", "begun", "", "", begun_ns)
        if code == errno.EINPROGRESS:
            self.patience.wait_writable(self._socket)
            code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._call("connect", "returned", "", errno_name(code) if code else "0", self._teller.now_ns())
        if code:
            raise OSError(code, os.strerror(code))
        if self._tells_bytes:
            self._channel = self._teller.next_channel()

    def receive(self, max_bytes: int = READ_BYTES, limit_s: float | None = None) -> bytes | None:
        """What has arrived, b"" at the server's end; None: nothing within `limit_s`."""
        arguments = f"at most {max_bytes} bytes"
        self._call("recv", "begun", arguments, "", self._teller.now_ns())
        while True:
            if not self.patience.wait_readable(self._socket, limit_s):
                self._call("recv", "returned", arguments, "EAGAIN", self._teller.now_ns())
                return None
            try:
                data = self._socket.recv(max_bytes)
            except (BlockingIOError, InterruptedError):
                continue
            except OSError as error:
                self._call("recv", "returned", arguments, errno_name(error.errno), self._teller.now_ns())
                raise
            break
        now_ns = self._teller.now_ns()
        self.received_bytes += len(data)
        self._report(Side.SERVER, data, now_ns, ended=not data)
        self._call("recv", "returned", arguments, f"{len(data)} bytes", now_ns)
        return data

    def send(self, data: bytes) -> None:
        """Send all of it; waits where the kernel takes no more."""
        rest = memoryview(data)
        while rest:
            begun_ns = self._teller.now_ns()
            arguments = f"{len(rest)} bytes"
            try:
                sent = self._socket.send(rest)
            except (BlockingIOError, InterruptedError):
                self.patience.wait_writable(self._socket)
                continue
            except OSError as error:
                self._call("send", "begun", arguments, "", begun_ns)
                self._call("send", "returned", arguments, errno_name(error.errno), self._teller.now_ns())
                raise
            self._call("send", "begun", arguments, "", begun_ns)
            self._report(Side.CLIENT, bytes(rest[:sent]), begun_ns, ended=False)
            self._call("send", "returned", arguments, f"{sent} bytes", self._teller.now_ns())
            rest = rest[sent:]

    def close(self) -> None:
        """close(): the kernel sends what is left and then FIN, or RST where bytes lie unread."""
        if self.is_closed:
            return
        self.is_closed = True
        begun_ns = self._teller.now_ns()
        self._socket.close()
        self._call("close", "begun", "", "", begun_ns)
        self._report(Side.CLIENT, b"", begun_ns, ended=True)
        self._call("close", "returned", "", "0", self._teller.now_ns())

    @property
    def is_readable(self) -> bool:
        """Something has arrived, or the server has closed; never waits."""
        return self.is_closed or self.patience.wait_readable(self._socket, 0)

    def tell_plaintext_instead(self) -> None:
        """From now on TLS tells the bytes, decrypted, by `report_plaintext`."""
        self._tells_bytes = False

    def report_plaintext(self, side: Side, data: bytes, *, ended: bool = False) -> None:
        """Tell bytes that passed inside TLS (where bytes are told at all)."""
        if self._channel is not None and not self._tells_bytes:
            self._tell_bytes(side, data, self._teller.now_ns(), ended)

    def _report(self, side: Side, data: bytes, time_ns: int, *, ended: bool) -> None:
        if self._tells_bytes and self._channel is not None:
            self._tell_bytes(side, data, time_ns, ended)

    def _tell_bytes(self, side: Side, data: bytes, time_ns: int, ended: bool) -> None:
        assert self._channel is not None
        self._teller.tell(Reported(time_ns, self._channel, side, data, ended, self.local, self.remote))

    def _call(self, name: str, phase: Literal["begun", "returned"], arguments: str, result: str, time_ns: int) -> None:
        self._teller.tell(Call(time_ns, name, self._fd, phase, self.local, self.remote, arguments, result))
