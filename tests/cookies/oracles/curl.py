"""curl over loopback: a server that answers with the lines of a case, and what curl then keeps and sends."""

from __future__ import annotations

import importlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

LIMIT = 20_000
"""Requests that one server answers before it hangs up: nothing here runs for ever."""


class Kept(NamedTuple):
    """A row of curl's jar; the expiry in Unix seconds, 0: session."""

    name: bytes
    value: bytes
    domain: str
    host_only: bool
    path: str
    secure: bool
    http_only: bool
    expires_s: int


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
            while len(self.cookies) < LIMIT and self._answer(wire):
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


class Libcurl:
    """The libcurl inside pycurl, with one jar."""

    def __init__(self, server: Server) -> None:
        self._pycurl = importlib.import_module("pycurl")
        self._server = server
        self._curl: Any = self._pycurl.Curl()
        for option, value in (
            (self._pycurl.COOKIEFILE, ""),
            (self._pycurl.WRITEFUNCTION, lambda _: None),
            (self._pycurl.PATH_AS_IS, 1),
            (self._pycurl.NOPROXY, "*"),
            (self._pycurl.CONNECT_TO, [f"::127.0.0.1:{server.port}"]),
            (self._pycurl.TIMEOUT, 10),
        ):
            self._curl.setopt(option, value)

    @property
    def version(self) -> str:
        return f"libcurl {self._pycurl.version_info()[1]}"

    def close(self) -> None:
        self._curl.close()

    def clear(self) -> None:
        self._curl.setopt(self._pycurl.COOKIELIST, "ALL")

    def add(self, row: str) -> None:
        """Put in a line of a cookies.txt."""
        self._curl.setopt(self._pycurl.COOKIELIST, row)

    def ask(self, url: str, lines: Sequence[bytes] = ()) -> bytes:
        """The Cookie field that goes out; `lines` come back."""
        self._server.script[:] = [lines]
        self._curl.setopt(self._pycurl.URL, url)
        self._curl.perform()
        return self._server.cookies[-1]

    def kept(self) -> list[Kept]:
        """In the order of curl's store."""
        return [row_of(row) for row in self._curl.getinfo_raw(self._pycurl.INFO_COOKIELIST)]


def row_of(row: bytes) -> Kept:
    """A line of curl's jar."""
    domain, below, path, secure, expires, name, value = row.removeprefix(b"#HttpOnly_").split(b"\t")
    return Kept(
        name,
        value,
        domain.removeprefix(b".").decode("latin-1").lower(),
        below == b"FALSE",
        path.decode("latin-1"),
        secure == b"TRUE",
        row.startswith(b"#HttpOnly_"),
        int(expires),
    )


def program() -> tuple[str, tuple[int, int]] | None:
    """The curl of this machine and its version."""
    path = shutil.which("curl")
    if path is None:
        return None
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout
    major, minor = said.split()[1].split(".")[:2]
    return path, (int(major), int(minor))


def run(path: str, server: Server, steps: Sequence[tuple[str, Sequence[bytes]]]) -> list[bytes]:
    """The Cookie fields of one run of the program that asks for each URL in turn."""
    server.script[:] = [lines for _, lines in steps]
    before = len(server.cookies)
    subprocess.run(
        [path, "-q", "-s", "-b", "", "--path-as-is", "--noproxy", "*", "--max-time", "10",
         "--connect-to", f"::127.0.0.1:{server.port}", *[url for url, _ in steps]],
        check=True, timeout=20, capture_output=True,
    )  # fmt: skip
    return server.cookies[before:]
