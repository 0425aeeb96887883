from __future__ import annotations

import gc
import os
import socket
import threading
import time

import pytest

from inspect_cli.errors import UsageProblem
from inspect_cli.practice import running
from inspect_cli.practice.byte_log import ByteLog
from inspect_cli.practice.server import listening, loopback_address
from tests.practice.raw_client import connected, get, read_exactly, read_head, read_to_end, until, upgrade


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def ask(url: str) -> bytes:
    with connected(url) as client:
        client.sendall(get("/cookies", "Connection: close"))
        return read_to_end(client)[0]


def test_twenty_starts_and_stops_leave_no_thread_and_no_socket() -> None:
    with running() as practice:
        ask(practice.http_url)
    gc.collect()
    before = threading.active_count(), open_descriptors()
    for _ in range(20):
        with running() as practice:
            assert ask(practice.http_url).startswith(b"HTTP/1.1 200")
    gc.collect()

    assert before == (threading.active_count(), open_descriptors())


def test_two_sites_at_once_know_nothing_of_each_other() -> None:
    with running() as one, running() as other:
        ask(one.http_url)

        assert one.http_url != other.http_url
        assert (1, 0) == (len(one.log), len(other.log))


@pytest.mark.skipif(not socket.has_ipv6, reason="this Python has no IPv6")
def test_ipv6_loopback_is_served_and_its_url_has_brackets() -> None:
    with running("::1") as practice:
        assert practice.http_url.startswith("http://[::1]:")
        assert ask(practice.http_url).startswith(b"HTTP/1.1 200")
        assert ask(practice.raw_url).startswith(b"HTTP/1.1 404")
        assert ["::1", "::1"] == [seen.client_host for seen in practice.log]


def test_body_does_not_wait_for_the_ack_of_its_head() -> None:
    with running() as practice, connected(practice.http_url) as client:
        took_s = []
        for _ in range(5):  # the first ACKs of a connection are never delayed
            began = time.perf_counter()
            client.sendall(get("/size/3"))
            read_head(client)
            assert b"012" == read_exactly(client, 3)
            took_s.append(time.perf_counter() - began)

    assert min(took_s[1:]) < 0.03


def test_urls_name_both_servers_in_both_schemes() -> None:
    with running() as practice:
        assert practice.http_url.removeprefix("http") == practice.ws_url.removeprefix("ws")
        assert practice.raw_url.removeprefix("http") == practice.ws_raw_url.removeprefix("ws")
        assert practice.raw_url != practice.http_url


@pytest.mark.parametrize(
    ("request_bytes", "is_answered"),
    [
        (get("/slow?ms=60000"), False),
        (upgrade("/ws/echo"), True),
        (get("/size/16000000"), True),
        (get("/"), True),
        (b"GET /", False),
    ],
    ids=["slow page", "WebSocket", "unread body", "keep-alive", "half a head"],
)
def test_stop_does_not_wait_for_those_who_stay(request_bytes: bytes, is_answered: bool) -> None:
    with running() as practice, connected(practice.http_url) as client:
        client.sendall(request_bytes)
        until(lambda: [request_bytes] == [seen.received for seen in practice.log])
        if is_answered:
            read_head(client)
        began = time.perf_counter()
    took_s = time.perf_counter() - began

    assert took_s < 1
    assert [True] == [seen.closed for seen in practice.log]


@pytest.mark.parametrize("path", ["/no-answer", "/ws/close-unanswered", "/half-close", "/ws/push"])
def test_stop_does_not_wait_for_the_misbehaving_server(path: str) -> None:
    with running() as practice, connected(practice.raw_url) as client:
        client.sendall(upgrade(path))
        until(lambda: practice.log.open_connections == 1)
        began = time.perf_counter()
    took_s = time.perf_counter() - began

    assert took_s < 1


def test_port_that_was_asked_for_is_used() -> None:
    with running() as practice:
        port = int(practice.http_url.rpartition(":")[2])
    with running(port=port) as practice:
        assert f"http://127.0.0.1:{port}" == practice.http_url


def test_port_in_use_is_a_usage_problem() -> None:
    with running() as practice:
        port = int(practice.http_url.rpartition(":")[2])
        with pytest.raises(UsageProblem) as caught, running(port=port):
            pass

    expected = {"problem": "cannot-listen", "host": "127.0.0.1", "port": port, "reason": "Address already in use"}
    assert expected == caught.value.data


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_only_loopback_is_served(host: str) -> None:
    with pytest.raises(UsageProblem) as caught, running(host):
        pass

    assert {"problem": "not-loopback", "host": host} == caught.value.data


def test_loopback_addresses_are_known_by_any_name() -> None:
    assert ["127.0.0.1", "127.0.0.2", "::1", "::1"] == [
        loopback_address(host) for host in ("localhost", "127.0.0.2", "::1", "[::1]")
    ]


def test_failure_inside_shows_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("no site today")

    monkeypatch.setattr("inspect_cli.practice.server.make_site", fail)
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="no site today"), running():
        pass

    assert before == threading.active_count()


def test_ready_within_a_tenth_of_a_second() -> None:
    began = time.perf_counter()
    with running():
        took_s = time.perf_counter() - began

    assert took_s < 0.5  # 0.01 s measured; a busy machine may be slower


def test_connections_wait_in_the_queue_as_soon_as_the_port_is_known() -> None:
    with listening("127.0.0.1", 0, ByteLog()) as listener, socket.create_connection(listener.getsockname(), 5):
        pass
