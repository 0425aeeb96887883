from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from inspect_cli.practice import Practice, running
from inspect_cli.practice.byte_log import ByteLog
from inspect_cli.practice.logged_socket import LoggedConnection, LoggedListener
from tests.practice.raw_client import connected, get, read_to_end, until


@pytest.fixture
def practice() -> Iterator[Practice]:
    with running() as practice:
        yield practice


@pytest.fixture
def pair() -> Iterator[tuple[ByteLog, LoggedConnection, socket.socket]]:
    """A log that keeps 10 bytes, and a connection through it."""
    log = ByteLog(keep_bytes=10)
    with LoggedListener(socket.AF_INET, log) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()) as client:
            connection, _ = listener.accept()
            with connection:
                yield log, connection, client


def test_every_way_to_send_and_receive_is_logged(pair: tuple[ByteLog, LoggedConnection, socket.socket]) -> None:
    log, connection, client = pair
    client.sendall(b"abcd")
    connection.recv(2)
    connection.recv_into(bytearray(9))
    connection.send(b"12")
    connection.sendmsg([b"3", b"45"])
    seen = next(iter(log))

    assert (b"abcd", b"12345") == (seen.received, seen.sent)


def test_beyond_its_limit_the_log_counts_without_keeping(
    pair: tuple[ByteLog, LoggedConnection, socket.socket],
) -> None:
    log, connection, _ = pair
    connection.send(b"12345678")
    connection.send(b"12345678")
    connection.send(b"9")
    seen = next(iter(log))

    assert (b"123456789", 17) == (seen.sent, seen.sent_bytes)


def test_who_connects_after_the_end_is_ended_at_once() -> None:
    log = ByteLog()
    with LoggedListener(socket.AF_INET, log) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        log.hang_up()
        with socket.create_connection(listener.getsockname()) as client, listener.accept()[0]:
            assert b"" == client.recv(1)


def test_what_comes_after_the_servers_fin_is_read_and_answered_by_no_rst(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(get("/closed"))
        assert (b"", "fin") == read_to_end(client)
        client.sendall(b"late")
        port = client.getsockname()[1]
        until(lambda: practice.log.connection(port).received.endswith(b"late"))
        client.sendall(b"r")
        client.shutdown(socket.SHUT_WR)
        until(lambda: practice.log.connection(port).closed)
        seen = practice.log.connection(port)

    assert (get("/closed") + b"later", True, False) == (seen.received, seen.client_finished, seen.reset)


def test_client_that_never_finishes_is_let_go(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inspect_cli.practice.logged_socket.LINGER_S", 0.01)
    with connected(practice.raw_url) as client:
        client.sendall(get("/closed"))
        until(lambda: [True] == [seen.closed for seen in practice.log])
        seen = next(iter(practice.log))

    assert (False, False) == (seen.client_finished, seen.reset)


def test_client_that_resets_a_lingering_connection_ends_it(practice: Practice) -> None:
    with connected(practice.raw_url) as client:
        client.sendall(get("/closed"))
        read_to_end(client)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    until(lambda: practice.log.open_connections == 0)

    assert [(True, True)] == [(seen.reset, seen.closed) for seen in practice.log]


def test_socket_outside_a_loop_closes_at_once(pair: tuple[ByteLog, LoggedConnection, socket.socket]) -> None:
    log, connection, client = pair
    connection.close()
    connection.close()

    assert (b"", 0) == (client.recv(1), log.open_connections)


def test_site_answers_a_fin_at_once_though_the_connection_could_live_on(practice: Practice) -> None:
    """hypercorn alone would wait until its keep-alive time is over."""
    with connected(practice.http_url) as client:
        client.settimeout(2)
        client.sendall(get("/shop"))
        client.recv(65_536)
        client.shutdown(socket.SHUT_WR)
        last = read_to_end(client)

    assert "fin" == last[1]
