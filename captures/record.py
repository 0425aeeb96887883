"""Record the captures of this folder again, by the tool itself, from the practice servers.

    python captures/record.py [NAME ...]

Needs the right to capture (see `inspect-cli doctor`). Every capture gets new ports, times
and session IDs: facts and golden files must be looked at again afterwards.

Each capture is held at once against what the server's own sockets wrote down; a difference
ends the script with exit code 1.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from inspect_cli.events.base import Entry
from inspect_cli.events.calls import Call
from inspect_cli.events.tcp import Connection
from inspect_cli.practice import TOUR, WS_TOUR, Practice, running
from inspect_cli.practice.byte_log import ByteLog, Traffic
from inspect_cli.sources.client import Journal, endpoint
from inspect_cli.sources.file import CaptureFiles
from inspect_cli.sources.live import Live
from inspect_cli.timeline import Timeline
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
    done = subprocess.run(
        [sys.executable, "-m", "inspect_cli", *arguments, "-q"], stdout=subprocess.DEVNULL, check=False
    )
    print(f"  exit {done.returncode}: inspect-cli {' '.join(arguments)}")


class Pipeliner:
    """Sends all its requests before it reads the first answer (RFC 9112 §9.3.2), which httpx never does."""

    def __init__(self, port: int, paths: tuple[str, ...]) -> None:
        self._port = port
        self._paths = paths

    def stop(self) -> None:
        """Three requests are over before anybody could want to."""

    def run(self, journal: Journal) -> None:
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


def tour() -> list[str]:
    """What `cookie-trace` does without a URL, as its command line with one: this server keeps the log."""
    arguments: list[str] = []
    for stop in TOUR:
        arguments += ["--then", stop.path]
        arguments += ["-d", urlencode(stop.form)] if stop.form else [] if stop.method == "GET" else ["-X", stop.method]
    return [*arguments[1:], "-H", "Connection: close"]


def messages() -> list[str]:
    """What `ws-handshake` sends without a URL."""
    return [word for text in WS_TOUR for word in ("--send", text)]


RECIPES: dict[str, Recipe] = {
    "http-login-logout": trace(*tour()),
    "http-keep-alive": trace("/", "--then", "/theme/dark", "--then", "/shop"),
    "http-connection-close": trace("/close", "--then", "/close", "--then", "/close"),
    "http-pipelining": pipelining,
    "http-redirect-cookie": trace("-L", "/redirect"),
    "http-chunked-gzip": trace("--compressed", "/gzip", "--then", "/chunked", "--then", "!/trailers"),
    "http-cut-body": trace("!/closed-in-body"),
    "http-ipv6": trace("/", "--then", "/shop"),
    "cookies-attributes": trace("/cookies/all", "--then", "/cookies", "--then", "/cookies/all"),
    "cookies-bad-practice": trace("/cookies/bad", "--then", "/cookies"),
    "ws-echo": handshake("/ws/echo", *messages()),
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


HOSTS = {"http-ipv6": "::1"}
"""Where the practice servers listen for a recipe, if not on 127.0.0.1."""


def differences(path: Path, log: Iterable[Traffic]) -> list[str]:
    """What the connections of a capture carried, where the server's sockets say otherwise."""
    timeline = Timeline(strict=True)
    rows: list[Entry | Connection] = []
    with CaptureFiles([str(path)]) as source:
        for item in source.items():
            rows += timeline.feed(item)
    rows += timeline.close()
    # A connection that was refused, or never answered, comes to no server's socket.
    captured = [row for row in rows if isinstance(row, Connection) and row.opened == "handshake"]
    told = sorted((row.client, row.server, row.bytes_client, row.bytes_server) for row in captured)
    logged = sorted(
        (endpoint(t.client_host, t.client_port), endpoint(t.client_host, t.server_port), t.received_bytes, t.sent_bytes)
        for t in log
    )
    return [f"only the capture says {row}" for row in told if row not in logged] + [
        f"only the server says {row}" for row in logged if row not in told
    ]


def await_ends(log: ByteLog) -> None:
    """Return when the server has read the end of every connection."""
    deadline = time.monotonic() + 5
    while not all(t.client_finished or t.reset or t.closed for t in log) and time.monotonic() < deadline:
        time.sleep(0.01)


def main(names: list[str], folder: Path = HERE) -> int:
    """Record, and hold what was recorded against the server's log; the exit code."""
    code = 0
    for name in names or RECIPES:
        path = folder / f"{name}.pcapng"
        print(name)
        with running(HOSTS.get(name, "127.0.0.1")) as site:
            RECIPES[name](site, path)
            await_ends(site.log)
            for difference in differences(path, site.log):
                code = 1
                print(f"  WRONG: {difference}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
