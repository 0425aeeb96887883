"""Record the captures of this folder again, by the tool itself, from the practice servers.

    python -m captures.record [NAME ...]

Needs the right to capture (see `inspect-cli doctor`); WAYS and APART need root. Every capture
gets new ports, times and session IDs: facts and golden files must be looked at again afterwards.

Each capture is held at once against what the server's own sockets wrote down; a difference
ends the script with exit code 1.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from captures.clients import Pipeliner, SlowReader, SocketClient
from captures.lossy import SERVER, Way, joined, namespace
from captures.names import ADDRESS, NAME, ask, name_server, recorded
from inspect_cli.events.base import Entry
from inspect_cli.events.tcp import Connection
from inspect_cli.practice import TOUR, WS_TOUR, Practice, running
from inspect_cli.practice.byte_log import ByteLog, Traffic
from inspect_cli.practice.server import serving
from inspect_cli.sources.client import endpoint
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
    shown = [word if len(word) < 100 else f"{word[:20]}..." for word in arguments]
    print(f"  exit {done.returncode}: inspect-cli {' '.join(shown)}")


def pipelining(site: Practice, path: Path) -> None:
    record_live(Pipeliner(port_of(site), ("/size/10", "/size/2000", "/status/404")), path)


def zero_window(site: Practice, path: Path) -> None:
    record_live(SlowReader(port_of(site)), path)


def port_of(site: Practice) -> int:
    return int(site.http_url.rsplit(":", 1)[1])


def record_live(client: SocketClient, path: Path) -> None:
    """A client of this folder, with the tool's sniffer and writer."""
    with path.open("wb") as file, Live(client, sniff="always") as source:
        writer = PcapngWriter(file, source.capture.interfaces)
        for item in source.items():
            writer.write(item)
        writer.close(source.drops)


def named(site: Practice, path: Path) -> None:
    with name_server(), recorded(path):
        ask(f"http://{NAME}:{port_of(site)}/")
        await_ends(site.log)


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


FOUR_SEGMENTS = "".join(f"{number:04}" for number in range(4 * 1448 // 4))
"""A body in as many segments: of 1,500 bytes that a packet holds, IP and TCP take 52."""

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
    "tcp-loss": trace("/echo", "-d", FOUR_SEGMENTS, "--then", "/size/10"),
    "tcp-out-of-order": trace("/size/4000"),
    "tcp-zero-window": zero_window,
    "udp-dns": named,
}


HOSTS = {"http-ipv6": "::1", "udp-dns": ADDRESS}
"""Where the practice servers listen for a recipe, if not on 127.0.0.1."""
WAYS = {
    # Client: 1 is the head of POST, 2 to 5 its body, 6 is 2 again, 7 is GET, 8 is 7 again. Server: 1 is a head too.
    "tcp-loss": Way(client_lost=frozenset({2, 7}), server_lost=frozenset({2})),
    "tcp-out-of-order": Way(server_late=frozenset({2})),
}
"""Recipes whose servers are behind a way on which packets get lost."""
APART = ("udp-dns",)
"""Recipes in a network namespace of their own."""


@contextmanager
def practising(name: str) -> Iterator[Practice]:
    """The practice servers of a recipe, in the place that it is for."""
    with ExitStack() as stack:
        if name in WAYS:
            server = stack.enter_context(joined(WAYS[name]))
            with namespace(server):
                site = stack.enter_context(serving(SERVER))
        else:
            if name in APART:
                stack.enter_context(namespace())
            site = stack.enter_context(running(HOSTS.get(name, "127.0.0.1")))
        yield site


def differences(path: Path, log: Iterable[Traffic], server: str = "") -> list[str]:
    """What the connections of a capture carried, where the server's sockets say otherwise.

    `server`: its address, if not the client's.
    """
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
        (
            endpoint(t.client_host, t.client_port),
            endpoint(server or t.client_host, t.server_port),
            t.received_bytes,
            t.sent_bytes,
        )
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
        with practising(name) as site:
            RECIPES[name](site, path)
            await_ends(site.log)
            for difference in differences(path, site.log, urlsplit(site.http_url).hostname or ""):
                code = 1
                print(f"  WRONG: {difference}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
