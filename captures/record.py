"""Record the captures of this folder again, by the tool itself, from the practice servers.

    python captures/record.py [NAME ...]

Needs the right to capture (see `inspect-cli doctor`). Every capture gets new ports, times
and session IDs: facts and golden files must be looked at again afterwards.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from inspect_cli.events.calls import Call
from inspect_cli.practice import Practice, running
from inspect_cli.sources.client import Journal, endpoint
from inspect_cli.sources.live import Live
from inspect_cli.wire.pcapng_writer import PcapngWriter

HERE = Path(__file__).parent
Recipe = Callable[[Practice, Path], None]


def trace(*arguments: str) -> Recipe:
    """`cookie-trace` with these arguments; `/path` stands for a path of the site, `!/path` of the raw server."""
    return _command("cookie-trace", arguments, lambda site: (site.http_url, site.raw_url))


def handshake(*arguments: str) -> Recipe:
    """`ws-handshake` likewise."""
    return _command("ws-handshake", arguments, lambda site: (site.ws_url, site.ws_raw_url))


def _command(name: str, arguments: tuple[str, ...], urls: Callable[[Practice], tuple[str, str]]) -> Recipe:
    def record(site: Practice, path: Path) -> None:
        good, bad = urls(site)
        full = [bad + a[1:] if a.startswith("!/") else good + a if a.startswith("/") else a for a in arguments]
        _run(name, *full, "-w", str(path))

    return record


def _run(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "inspect_cli", *arguments, "-q"], stdout=subprocess.DEVNULL, check=False)
    print(f"  exit {done.returncode}: inspect-cli {' '.join(arguments)}")


class Pipeliner:
    """Sends all its requests before it reads the first answer (RFC 9112 §9.3.2), which httpx never does."""

    def __init__(self, port: int, paths: tuple[str, ...]) -> None:
        self._port = port
        self._paths = paths

    def stop(self) -> None:
        """Three requests are over before anybody could want to."""

    def run(self, journal: Journal) -> None:
        import time

        def call(name: str, phase: str, arguments: str = "", result: str = "") -> None:
            local, remote = endpoint(*plug.getsockname()), endpoint("127.0.0.1", self._port)
            journal.tell(Call(time.time_ns(), name, plug.fileno(), phase, local, remote, arguments, result))  # type: ignore[arg-type]

        with socket.socket() as plug:
            plug.bind(("127.0.0.1", 0))
            journal.announce("127.0.0.1", self._port)
            call("connect", "begun")
            plug.connect(("127.0.0.1", self._port))
            call("connect", "returned", result="0")
            journal.opened("127.0.0.1", self._port, *plug.getsockname())
            host = f"127.0.0.1:{self._port}"
            requests = [f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n" for path in self._paths[:-1]]
            requests.append(f"GET {self._paths[-1]} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            data = "".join(requests).encode()
            call("send", "begun", f"{len(data)} bytes")
            plug.sendall(data)
            call("send", "returned", result=f"{len(data)} bytes")
            while plug.recv(65536):
                pass


def pipelining(site: Practice, path: Path) -> None:
    port = int(site.http_url.rsplit(":", 1)[1])
    live = Live(Pipeliner(port, ("/size/10", "/size/2000", "/status/404")), sniff="always")
    with path.open("wb") as file, live as source:
        writer = PcapngWriter(file, source.capture.interfaces)
        for item in source.items():
            writer.write(item)
        writer.close(source.drops)


@contextmanager
def full_listener() -> Iterator[int]:
    """The port of a listener whose backlog is full: the kernel drops further SYNs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        fillers = [socket.socket() for _ in range(2)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for filler in fillers:
            filler.close()


def unanswered(site: Practice, path: Path) -> None:
    with full_listener() as port:
        _run("cookie-trace", f"http://127.0.0.1:{port}/", "--max-time", "3.5", "-w", str(path))


def refused(site: Practice, path: Path) -> None:
    with socket.socket() as plug:
        plug.bind(("127.0.0.1", 0))
        _run("cookie-trace", f"http://127.0.0.1:{plug.getsockname()[1]}/", "-w", str(path))


def ipv6(site: Practice, path: Path) -> None:
    with running("::1") as other:
        trace("/", "--then", "/shop")(other, path)


RECIPES: dict[str, Recipe] = {
    "http-login-logout": lambda site, path: _run("cookie-trace", "-w", str(path)),
    "http-keep-alive": trace("/", "--then", "/theme/dark", "--then", "/shop"),
    "http-connection-close": trace("/close", "--then", "/close", "--then", "/close"),
    "http-pipelining": pipelining,
    "http-redirect-cookie": trace("-L", "/redirect"),
    "http-chunked-gzip": trace("--compressed", "/gzip", "--then", "/chunked", "--then", "!/trailers"),
    "http-cut-body": trace("!/closed-in-body"),
    "http-ipv6": ipv6,
    "cookies-attributes": trace("/cookies/all", "--then", "/cookies", "--then", "/cookies/all"),
    "cookies-bad-practice": trace("/cookies/bad", "--then", "/cookies"),
    "ws-echo": lambda site, path: _run("ws-handshake", "-w", str(path)),
    "ws-fragmented": handshake("!/ws/fragmented"),
    "ws-pushed": handshake("/ws/push", "--listen", "1"),
    "ws-refused": handshake("/ws/refuse/403"),
    "ws-wrong-accept": handshake("!/ws/wrong-accept"),
    "ws-close-code": handshake("/ws/close/4001"),
    "ws-reset": handshake("!/ws/reset", "--listen", "2"),
    "tcp-refused": refused,
    "tcp-syn-unanswered": unanswered,
    "tcp-reset": trace("!/reset-in-body"),
}


def main(names: list[str]) -> None:
    with running() as site:
        for name in names or RECIPES:
            path = HERE / f"{name}.pcapng"
            print(name)
            RECIPES[name](site, path)


if __name__ == "__main__":
    main(sys.argv[1:])
