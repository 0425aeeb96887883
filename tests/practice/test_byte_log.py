from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from inspect_cli.practice import Practice, running
from inspect_cli.practice.byte_log import ByteLog
from inspect_cli.practice.logged_socket import LoggedListener
from tests.practice.raw_client import connected, get, read_to_end, until, upgrade


@pytest.fixture
def practice() -> Iterator[Practice]:
    with running() as practice:
        yield practice


def test_log_holds_what_the_client_sent_and_got(practice: Practice) -> None:
    with connected(practice.http_url) as client:
        request = get("/size/100000") + get("/close")
        client.sendall(request)
        got, _ = read_to_end(client)
        host, port = client.getsockname()
        seen = practice.log.connection(port)

    assert (request, got) == (seen.received, seen.sent)
    assert (len(request), len(got)) == (seen.received_bytes, seen.sent_bytes)
    assert (host, port, practice.http_url.rpartition(":")[2]) == (
        seen.client_host,
        seen.client_port,
        str(seen.server_port),
    )


def test_log_is_up_to_date_when_an_answer_has_come(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        for _ in range(50):
            client.sendall(get("/"))
            client.recv(1)
            client.recv(1_000)
            assert practice.log.connection(client.getsockname()[1]).received.endswith(get("/"))
        seen = practice.log.connection(client.getsockname()[1])

    assert (50 * get("/"), False, False) == (seen.received, seen.client_finished, seen.closed)


def test_connections_stand_in_the_order_of_their_acceptance(practice: Practice) -> None:
    ports = []
    for url in (practice.http_url, practice.raw_url, practice.http_url):
        with connected(url) as client:
            ports.append(client.getsockname()[1])
            client.sendall(get("/", "Connection: close"))
            read_to_end(client)

    assert ports == [seen.client_port for seen in practice.log]
    assert 3 == len(practice.log)


def test_websocket_bytes_are_logged_as_well(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(upgrade("/ws/fin"))
        got, _ = read_to_end(client)
        seen = practice.log.connection(client.getsockname()[1])

    assert (upgrade("/ws/fin"), got) == (seen.received, seen.sent)


def test_reset_is_noted(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(get("/reset-in-body"))
        got, ending = read_to_end(client)
        seen = practice.log.connection(client.getsockname()[1])

    assert ("rst", True) == (ending, seen.reset)
    assert got == seen.sent


def test_all_is_closed_and_still_readable_when_the_server_is_gone() -> None:
    with running() as practice, connected(practice.raw_url) as client:
        client.sendall(get("/no-answer"))
        until(lambda: practice.log.open_connections == 1)
        assert not next(iter(practice.log)).closed
    seen = list(practice.log)

    assert [(get("/no-answer"), True)] == [(one.received, one.closed) for one in seen]
    assert 0 == practice.log.open_connections


def test_port_that_never_came_is_a_key_error(practice: Practice) -> None:
    with pytest.raises(KeyError):
        practice.log.connection(1)


def test_oldest_closed_connection_is_forgotten_first() -> None:
    log = ByteLog(keep_bytes=10)
    with LoggedListener(socket.AF_INET, log) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        for payload in (b"12345", b"6789", b"abcd"):
            with socket.create_connection(listener.getsockname()), listener.accept()[0] as connection:
                connection.send(payload)

    assert [b"6789", b"abcd"] == [seen.sent for seen in log]
