"""Client and sniffer together, on real packets of loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from inspect_cli.cookies.jar import Jar
from inspect_cli.errors import CannotConnect, NotPermitted, ServerGone, TimedOut
from inspect_cli.events.base import Item, Side
from inspect_cli.events.calls import Call, Context, Reported
from inspect_cli.sources import live as live_module
from inspect_cli.sources.client import Client, ClientOptions, RequestStep
from inspect_cli.sources.http_client import HttpClient
from inspect_cli.sources.live import Live, Sniff
from inspect_cli.sources.peek import ACK, FIN, RST, SYN
from inspect_cli.sources.websocket_client import WebSocketClient
from inspect_cli.wire.frames import Frames
from tests.sources.notebook import payloads, segments, told
from tests.sources.servers import Server, http, response, serving, target_of
from tests.sources.test_websocket_client import echo, upgrading


def asking(*urls: str, timeout_s: float = 10, follow: bool = False) -> HttpClient:
    steps = [RequestStep("GET", url, follow=follow) for url in urls]
    return HttpClient(steps, Jar(), ClientOptions(timeout_s=timeout_s))


def observed(client: Client, sniff: Sniff = "always") -> tuple[Live, list[Item]]:
    with Live(client, sniff=sniff) as live:
        return live, list(live.items())


def flags(items: list[Item], port: int) -> list[tuple[str, int]]:
    """Who sent it, and SYN, FIN or RST; each connection's other segments are left out."""
    found = []
    for segment in segments(items):
        side = "server" if segment.source_port == port else "client"
        if segment.flags & (SYN | FIN | RST):
            found.append((side, segment.flags & (SYN | FIN | RST)))
    return found


@pytest.mark.sniff
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_each_packet_of_a_run_is_captured_exactly_once(address: str) -> None:
    with serving(http(lambda _: response(b"hello")), address) as server:
        live, items = observed(asking(server.url, f"{server.url}/two"))
    assert live.error is None
    assert live.drops == 0
    assert (live.capture.source, live.capture.interfaces, live.capture.complete) == ("live", ["lo"], True)
    seen = segments(items)
    assert flags(items, server.port) == [("client", SYN), ("server", SYN), ("client", FIN), ("server", FIN)]
    assert [segment.flags for segment in seen[:3]] == [SYN, SYN | ACK, ACK]
    assert seen[-1].flags == ACK
    assert len(set(seen)) == len(seen)
    (port,) = server.received
    assert payloads(items, server.port) == {
        (port, server.port): server.received[port],
        (server.port, port): server.sent[port],
    }
    assert sum(segment.size for segment in seen) == len(server.received[port]) + len(server.sent[port])


@pytest.mark.sniff
def test_frames_of_64_kib_are_whole() -> None:
    body = bytes(range(256)) * 8192
    with serving(http(lambda _: response(body))) as server:
        live, items = observed(asking(server.url))
    (port,) = server.sent
    assert live.drops == 0
    assert payloads(items, server.port)[server.port, port] == server.sent[port]
    assert max(segment.size for segment in segments(items)) > 32768


@pytest.mark.sniff
def test_connections_of_others_to_the_same_server_are_let_go() -> None:
    """They run before, while and after ours, from the same address too."""
    done = threading.Event()

    def others(port: int) -> None:
        while not done.is_set():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5) as connection:
                connection.sendall(b"GET /other HTTP/1.1\r\n\r\n")
                connection.recv(65536)

    with serving(http(lambda _: response(b"x" * 1000))) as server:
        other = threading.Thread(target=others, args=(server.port,))
        other.start()
        try:
            _, items = observed(asking(*[f"{server.url}/{n}" for n in range(20)]))
        finally:
            done.set()
            other.join()
    ports = {port for segment in segments(items) for port in (segment.source_port, segment.target_port)}
    ours = {port for port, data in server.received.items() if b"/other" not in data}
    assert len(server.received) > len(ours)
    assert ports == {server.port, *ours}
    assert sum(data.count(b"GET ") for data in payloads(items, server.port).values()) == 20


@pytest.mark.sniff
def test_a_call_stands_before_the_frames_that_it_caused() -> None:
    with serving(http(lambda _: response())) as server:
        _, items = observed(asking(server.url))
    told_: list[str] = []
    for item in items:
        if isinstance(item, Context):
            told_.append("context")
        elif isinstance(item, Call):
            told_.append(f"{item.name} {item.phase}")
        elif isinstance(item, Frames):
            told_ += [f"frame {item.first_number + i}" for i in range(len(item))]
    assert told_.index("context") == 0
    assert told_.index("connect begun") < told_.index("frame 1")
    assert told_.index("frame 3") < told_.index("send begun") < told_.index("frame 4")
    assert [name for name in told_ if name.startswith("frame")] == [
        f"frame {n + 1}" for n in range(len(segments(items)))
    ]
    assert told_[-1].startswith("frame") or told_[-1] == "close returned"


@pytest.mark.sniff
def test_no_item_goes_before_a_frame_that_was_earlier() -> None:
    with serving(http(lambda _: response(b"x" * 100_000))) as server:
        _, items = observed(asking(*[f"{server.url}/{n}" for n in range(10)]))
    last_frame_ns = 0
    for item in items:
        if isinstance(item, Frames):
            assert item.time_ns.min() >= last_frame_ns
            last_frame_ns = int(item.time_ns.max())
        elif isinstance(item, (Call, Context)):
            assert item.time_ns >= last_frame_ns


@pytest.mark.sniff
def test_a_redirect_to_another_server_is_captured_too() -> None:
    moved: list[str] = []

    def answer(_: bytes) -> bytes:
        return response(b"", f"Location: {moved[0]}/", status="302 Found")

    with serving(http(lambda _: response(b"there")), "::1") as other, serving(http(answer)) as server:
        moved.append(other.url)
        live, items = observed(asking(server.url, follow=True))
    assert live.error is None
    opened = [s.target_port for s in segments(items) if s.flags == SYN]
    assert opened == [server.port, other.port]
    assert len([s for s in segments(items) if s.flags & FIN]) == 4
    assert len([item for item in items if isinstance(item, Context)]) == 2


@pytest.mark.sniff
def test_a_refused_connection_is_syn_and_rst() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    live, items = observed(asking(f"http://127.0.0.1:{port}/"))
    assert isinstance(live.error, CannotConnect)
    assert flags(items, port) == [("client", SYN), ("server", RST)]
    assert live.capture.complete is True


@pytest.mark.sniff
def test_what_came_before_a_server_was_gone_is_kept() -> None:
    def cut(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        server.send(connection, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")

    with serving(cut) as server:
        live, items = observed(asking(server.url))
    assert isinstance(live.error, ServerGone)
    (port,) = server.sent
    assert payloads(items, server.port)[server.port, port] == server.sent[port]


def silent(connection: socket.socket, server: Server) -> None:
    while server.receive(connection):
        pass


@pytest.mark.sniff
def test_a_server_that_never_answers_ends_with_its_handshake_captured() -> None:
    with serving(silent) as server:
        live, items = observed(asking(server.url, timeout_s=0.5))
    assert isinstance(live.error, TimedOut)
    assert flags(items, server.port) == [("client", SYN), ("server", SYN), ("client", FIN), ("server", FIN)]


@pytest.mark.sniff
def test_a_server_that_never_closes_is_waited_for_no_longer_than_the_grace() -> None:
    release = threading.Event()

    def stays(connection: socket.socket, server: Server) -> None:
        server.receive(connection)
        server.send(connection, response())
        release.wait(10)

    with serving(stays) as server:
        begun = time.monotonic()
        with Live(asking(server.url), sniff="always", grace_s=0.05) as live:
            items = list(live.items())
        took_s = time.monotonic() - begun
        release.set()
    assert flags(items, server.port) == [("client", SYN), ("server", SYN), ("client", FIN)]
    assert took_s < 5
    assert live.capture.complete is True


@pytest.mark.sniff
def test_a_websocket_from_syn_to_the_last_ack() -> None:
    with serving(upgrading(echo)) as server:
        live, items = observed(WebSocketClient(server.ws_url, send=["one", "two"], options=ClientOptions(timeout_s=10)))
    assert live.error is None
    # RFC 6455 §7.1.1: the server closes TCP first.
    assert flags(items, server.port) == [("client", SYN), ("server", SYN), ("server", FIN), ("client", FIN)]
    (port,) = server.sent
    assert payloads(items, server.port) == {
        (port, server.port): server.received[port],
        (server.port, port): server.sent[port],
    }


@pytest.mark.sniff
def test_interrupted_it_gives_what_there_is() -> None:
    with serving(silent) as server, Live(asking(server.url, timeout_s=30), sniff="always") as live:
        items: list[Item] = []
        for item in live.items():
            items.append(item)
            if isinstance(item, Frames):
                live.interrupt()
    assert (live.interrupted, live.capture.complete, live.error) == (True, False, None)
    assert flags(items, server.port)[:2] == [("client", SYN), ("server", SYN)]
    assert flags(items, server.port)[-1][1] == FIN


@pytest.mark.sniff
def test_leaving_in_the_middle_stops_everything() -> None:
    with serving(silent) as server:
        with Live(asking(server.url, timeout_s=30), sniff="always") as live:
            next(iter(live.items()))
        assert not [thread for thread in threading.enumerate() if thread.name in ("client", "sniffer")]


@pytest.mark.sniff
def test_every_address_of_loopback_is_captured() -> None:
    with serving(http(lambda _: response()), "127.7.7.7") as server:
        live, items = observed(asking(server.url))
    assert live.capture.interfaces == ["lo"]
    assert len(flags(items, server.port)) == 4


@pytest.mark.sniff
def test_an_interface_that_does_not_exist_is_not_permitted() -> None:
    with serving(http(lambda _: response())) as server:
        with Live(asking(server.url), sniff="always", interface="nowhere0") as live:
            assert [item for item in live.items() if isinstance(item, Frames)] == []
        assert isinstance(live.error, NotPermitted)
        assert live.error.data["reason"] == "no-interface"
        assert server.received == {}


@pytest.mark.sniff
def test_where_one_interface_cannot_be_heard_the_sockets_tell() -> None:
    with (
        serving(http(lambda _: response())) as server,
        Live(asking(server.url), sniff="auto", interface="nowhere0") as live,
    ):
        items = list(live.items())
    assert live.error is None
    assert (live.capture.source, live.not_permitted) == ("reported", "no-interface")
    assert told(items, Side.SERVER) == response()


def test_without_sniffing_the_sockets_tell_all_bytes_in_order() -> None:
    def answer(request: bytes) -> bytes:
        if target_of(request) == "/":
            return response(b"", "Location: /in", "Set-Cookie: a=1", status="302 Found")
        return response(b"x" * 200_000)

    with serving(http(answer)) as server:
        live, items = observed(asking(f"{server.url}/", follow=True), "never")
    (port,) = server.sent
    assert told(items, Side.CLIENT) == server.received[port]
    assert told(items, Side.SERVER) == server.sent[port]
    assert not [item for item in items if isinstance(item, Frames)]
    assert (live.capture.source, live.capture.interfaces, live.drops, live.capture.complete) == (
        "reported",
        [],
        0,
        True,
    )
    last = [item for item in items if isinstance(item, Reported)][-1]
    assert (last.side, last.ended) == (Side.CLIENT, True)


@pytest.fixture
def no_rights(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_module, "may_capture", lambda: "no-capture-right")


@pytest.mark.usefixtures("no_rights")
def test_without_rights_auto_lets_the_sockets_tell_and_always_says_so() -> None:
    with serving(http(lambda _: response())) as server:
        live, items = observed(asking(server.url), "auto")
        assert (live.capture.source, live.not_permitted) == ("reported", "no-capture-right")
        assert told(items, Side.SERVER) == response()
        with pytest.raises(NotPermitted) as raised:
            observed(asking(server.url), "always")
        assert raised.value.data == {"reason": "no-capture-right"}


class _Endless:
    """A client that tells more than anybody reads."""

    def __init__(self) -> None:
        self.told = 0
        self.stopped = threading.Event()

    def run(self, journal: object) -> None:
        tell: Callable[[Reported], None] = journal.tell  # type: ignore[attr-defined]
        while not self.stopped.is_set():
            tell(Reported(time.time_ns(), 0, Side.SERVER, bytes(1 << 20), ended=False, client="", server=""))
            self.told += 1

    def stop(self) -> None:
        self.stopped.set()


def test_a_client_that_is_faster_than_its_reader_has_to_wait() -> None:
    client = _Endless()
    with Live(client, sniff="never") as live:
        items: Iterator[Item] = live.items()
        next(items)
        deadline = time.monotonic() + 5
        before = -1
        while before != client.told and time.monotonic() < deadline:
            before = client.told
            client.stopped.wait(0.05)
        assert client.told < 400
        assert before == client.told


def test_a_fault_of_ours_is_raised_behind_the_last_item() -> None:
    class Broken:
        def run(self, journal: object) -> None:
            raise ZeroDivisionError

        def stop(self) -> None:
            pass

    with Live(Broken(), sniff="never") as live, pytest.raises(ZeroDivisionError):
        list(live.items())
