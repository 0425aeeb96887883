"""Small real servers on loopback, each answering as it is told."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

PATIENCE_S = 10.0

Handler = Callable[[socket.socket, "Server"], None]


@dataclass
class Server:
    """Where it listens, and the bytes of each connection by the client's port."""

    address: str
    port: int
    received: dict[int, bytes] = field(default_factory=dict)
    sent: dict[int, bytes] = field(default_factory=dict)
    failures: list[BaseException] = field(default_factory=list)

    @property
    def url(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"http://{host}:{self.port}"

    @property
    def ws_url(self) -> str:
        return self.url.replace("http", "ws")

    def receive(self, connection: socket.socket, size: int = 65536) -> bytes:
        data = connection.recv(size)
        port = connection.getpeername()[1]
        self.received[port] = self.received.get(port, b"") + data
        return data

    def send(self, connection: socket.socket, data: bytes) -> None:
        port = connection.getpeername()[1]
        self.sent[port] = self.sent.get(port, b"") + data
        connection.sendall(data)


@contextlib.contextmanager
def serving(handler: Handler, address: str = "127.0.0.1") -> Iterator[Server]:
    """Each connection runs `handler` in a thread of its own, and is closed when that returns."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, 0), family=family, backlog=64)
    server = Server(address, listener.getsockname()[1])
    threads: list[threading.Thread] = []

    def handle(connection: socket.socket) -> None:
        connection.settimeout(PATIENCE_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with connection:
                handler(connection, server)
        except OSError:
            pass
        except BaseException as error:
            server.failures.append(error)
            raise

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=handle, args=(connection,), daemon=True))
            threads[-1].start()

    acceptor = threading.Thread(target=accept, daemon=True)
    acceptor.start()
    try:
        yield server
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)  # wakes accept(); close() alone does not
        listener.close()
        acceptor.join(PATIENCE_S)
        for thread in threads:
            thread.join(PATIENCE_S)
        assert server.failures == []


def http(answer: Callable[[bytes], bytes | None]) -> Handler:
    """Give each request's head (with its body) to `answer`; its None closes the connection."""

    def handler(connection: socket.socket, server: Server) -> None:
        waiting = b""
        while True:
            while b"\r\n\r\n" not in waiting:
                data = server.receive(connection)
                if not data:
                    return
                waiting += data
            head, _, waiting = waiting.partition(b"\r\n\r\n")
            size = 0
            for line in head.split(b"\r\n")[1:]:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    size = int(value)
            while len(waiting) < size:
                waiting += server.receive(connection)
            body, waiting = waiting[:size], waiting[size:]
            said = answer(head + b"\r\n\r\n" + body)
            if said is None:
                return
            server.send(connection, said)
            if b"connection: close" in said.split(b"\r\n\r\n")[0].lower():
                return

    return handler


def response(body: bytes = b"hello", *lines: str, status: str = "200 OK") -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines])
    return head.encode() + b"\r\n\r\n" + body


def target_of(request: bytes) -> str:
    return request.split(b" ", 2)[1].decode()


def fields_of(request: bytes) -> list[tuple[str, str]]:
    lines = request.split(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
