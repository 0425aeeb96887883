"""The packet socket itself: what it hears, when it begins to, and what it never shows."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time

import pytest

from inspect_cli.errors import NotPermitted
from inspect_cli.sources import packet_socket
from inspect_cli.sources import sniffer as sniffer_module
from inspect_cli.sources.bpf import Target
from inspect_cli.sources.packet_socket import drops_of
from inspect_cli.sources.peek import peek
from inspect_cli.sources.sniffer import Listener, Sniffer
from inspect_cli.wire.gathering import Captured
from tests.sources.servers import http, response, serving

pytestmark = [
    pytest.mark.sniff,
    pytest.mark.skipif(sys.platform != "linux", reason="packet sockets are Linux only"),
]


def opened(sniffer: Sniffer, port: int, address: str = "127.0.0.1") -> socket.socket:
    """Connect as a client of ours does."""
    sniffer.listen(address, port)
    client = socket.create_connection((address, port), 5)
    sniffer.opened(address, port, *client.getsockname()[:2])
    return client


def ask(client: socket.socket) -> None:
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.recv(65536)


def sizes(frames: list[Captured]) -> list[int]:
    return [segment.size for frame in frames if (segment := peek(frame.data, 14)) is not None]


def test_a_listener_hears_nothing_before_it_has_a_target() -> None:
    """scapy's socket is opened with protocol 0: no frame of any interface leaks in."""
    listener = Listener("lo", 0)
    try:
        with serving(http(lambda _: response())) as server, socket.create_connection(("127.0.0.1", server.port)) as c:
            ask(c)
            assert listener.drain() == []
            listener.add(Target("127.0.0.1", server.port))
            found, proven = listener.prove(1)
            assert (found, proven) == ([], True)
            ask(c)
            assert [size for size in sizes(listener.drain()) if size] == [27, 43]
    finally:
        listener.close()


def test_a_listener_of_one_server_does_not_hear_another() -> None:
    listener = Listener("lo", 0)
    try:
        with serving(http(lambda _: response())) as one, serving(http(lambda _: response())) as other:
            listener.add(Target("127.0.0.1", one.port))
            with socket.create_connection(("127.0.0.1", other.port)) as client:
                ask(client)
            assert listener.drain() == []
            listener.add(Target("127.0.0.1", other.port))
            with socket.create_connection(("127.0.0.1", other.port)) as client:
                ask(client)
            assert len(listener.drain()) >= 5
    finally:
        listener.close()


def test_times_are_the_kernels() -> None:
    with serving(http(lambda _: response())) as server:
        sniffer = Sniffer()
        before_ns = time.time_ns()
        with opened(sniffer, server.port) as client:
            ask(client)
            after_ns = time.time_ns()
        sniffer.finish(1)
        times = [frame.time_ns for frame in sniffer.take()]
    assert before_ns < times[0] < times[4] < after_ns
    assert times == sorted(times)


def test_the_nonce_is_no_item_and_the_end_is_proven() -> None:
    with serving(http(lambda _: response())) as server:
        sniffer = Sniffer()
        with opened(sniffer, server.port) as client:
            ask(client)
        assert sniffer.finish(1) is True
        frames = sniffer.take()
    assert sniffer.was_proven
    assert all(peek(frame.data, 14) is not None for frame in frames)


def test_where_the_kernel_cannot_ignore_outgoing_copies_they_are_dropped_by_packet_type(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PACKET_IGNORE_OUTGOING is of Linux 4.20; the option is given a number that no kernel knows."""
    monkeypatch.setattr(packet_socket, "PACKET_IGNORE_OUTGOING", 9999)
    with serving(http(lambda _: response())) as server:
        sniffer = Sniffer()
        with opened(sniffer, server.port) as client:
            ask(client)
        sniffer.finish(1)
        frames = sniffer.take()
    assert len({frame.data for frame in frames}) == len(frames)
    assert [size for size in sizes(frames) if size] == [27, 43]


def test_what_the_kernel_drops_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_socket, "RECEIVE_BUFFER_BYTES", 1)
    listener = Listener("lo", 0)
    with serving(http(lambda _: response(b"x" * 100_000))) as server:
        listener.add(Target("127.0.0.1", server.port))
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            ask(client)
        listener.close()
    assert listener.drops > 0


def test_a_second_counting_begins_at_nought() -> None:
    listener = Listener("lo", 0)
    try:
        assert (drops_of(listener.socket), drops_of(listener.socket)) == (0, 0)
    finally:
        listener.close()


def test_a_frame_of_ours_waits_for_its_port_to_be_told() -> None:
    with serving(http(lambda _: response())) as server:
        sniffer = Sniffer()
        sniffer.listen("127.0.0.1", server.port)
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            ask(client)
            assert sniffer.take() == []
            sniffer.opened("127.0.0.1", server.port, *client.getsockname())
        sniffer.finish(1)
        assert len([size for size in sizes(sniffer.take()) if size]) == 2


def test_finishing_waits_for_the_last_ack_of_a_slow_close() -> None:
    with serving(lambda connection, server: server.receive(connection)) as server:
        sniffer = Sniffer()
        client = opened(sniffer, server.port)
        client.shutdown(socket.SHUT_WR)
        closer = threading.Timer(0.05, client.close)
        closer.start()
        assert sniffer.finish(5) is True
        closer.join()
        frames = sniffer.take()
    last = peek(frames[-1].data, 14)
    assert last is not None
    assert last.flags & 1 == 0


def test_two_interfaces_of_one_run_are_told_apart() -> None:
    """Nothing answers behind the second one: only that its listener is bound is of interest."""
    names = [name for _, name in socket.if_nameindex() if name != "lo"]
    listeners: list[Listener] = []
    for name in names:
        with contextlib.suppress(NotPermitted):  # a kind of interface whose headers are not known
            listeners.append(Listener(name, 1))
    for listener in listeners:
        try:
            listener.add(Target("192.0.2.99", 80))
            assert listener.prove(0.1) == ([], True)
        except OSError:
            pass  # the interface is down
        finally:
            listener.close()


def test_no_right_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    sniffer = Sniffer()
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", refuse)
        with pytest.raises(NotPermitted) as raised:
            sniffer.listen("127.0.0.1", 80)
    assert raised.value.data["reason"] in ("no-capture-right", "no-route")
    assert sniffer.finish(0.1) is True


def test_another_platform_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sniffer_module.sys, "platform", "darwin")
    with pytest.raises(NotPermitted) as raised:
        Listener("lo0", 0)
    assert raised.value.data == {"reason": "platform", "interface": "lo0"}
