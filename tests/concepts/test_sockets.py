"""Sockets, ports and layers."""

from __future__ import annotations

from inspect_cli.concepts.sockets import OsiLayers, SocketVsPort
from inspect_cli.events.base import REPORTED
from inspect_cli.events.capture import CaptureEnd
from inspect_cli.events.tcp import MidStream
from tests.concepts.making import (
    CLIENT,
    SERVER,
    C,
    S,
    data_of,
    end,
    frame,
    notes,
    request,
    said,
    syn,
    third,
    triples,
    where,
)

OVER = CaptureEnd(where(99, None, ""), 99, complete=True)
OTHER = "10.0.0.1:50001"


def test_the_first_connection_shows_its_five_tuple() -> None:
    found = notes(SocketVsPort(), syn(1), third(3), syn(4, server="10.0.0.3:80"), third(6))

    assert [("five-tuple", (1, 2, 3), "observed")] == triples(found)
    assert {"client": CLIENT, "server": SERVER} == data_of(found[0])


def test_a_second_socket_shares_the_servers_port() -> None:
    found = notes(SocketVsPort(), syn(1), syn(2, attempt=2), syn(11, client=OTHER), syn(21, client="10.0.0.1:50002"))

    assert [("same-port", (1, 11), "observed")] == triples(found)
    assert {"port": "80", "server": SERVER, "first_client": CLIENT, "client": OTHER} == data_of(found[0])


def test_the_same_5_tuple_may_come_again() -> None:
    first, second = syn(1), syn(2001, channel="tcp/1", seq=7)

    found = notes(SocketVsPort(), first, syn(3, attempt=2), end(1000), second, syn(2003, channel="tcp/1", seq=7))

    assert [("reused", (1, 2001), "observed")] == triples(found)
    assert {"before": "tcp/0", "since_ns": 2_000_000_000} == data_of(found[0])


def test_the_end_counts_the_sockets_of_a_port() -> None:
    ends = [end(5), end(6, client=OTHER), end(7, opened="refused"), end(8, opened="syn-only")]
    found = notes(SocketVsPort(), *ends, OVER)

    assert [{"count": 2, "server": SERVER, "port": "80", "others": 0}] == [data_of(note) for note in found]
    assert (
        "2 connections to 10.0.0.2:80: one port, and as many sockets, told apart by the clients' ends" == said(found[0])
    )  # fmt: skip


def test_one_socket_each_is_nothing_to_tell_apart() -> None:
    assert [] == notes(SocketVsPort(), end(5), end(6, server="10.0.0.3:80"), OVER)


def test_the_layers_of_one_request_and_of_one_frame_are_shown() -> None:
    concept = OsiLayers()
    found = notes(concept, syn(1), request(4), request(6), frame(8, C), frame(9, S), syn(10), end(11))

    assert [("http", (4,), "observed"), ("websocket", (8,), "observed")] == triples(found)
    assert "layers of #4: 2 link, 3 IPv4, 4 TCP (ports 50000, 80), 7 HTTP" == said(found[0])
    assert "layers of #8: 2 link, 3 IPv4, 4 TCP, 7 WebSocket (begun by HTTP)" == said(found[1])


def test_layers_that_were_not_seen_are_not_claimed() -> None:
    found = notes(OsiLayers(), syn(1, client="[::1]:50000"), request(4, channel="tcp/0/tls"))

    assert "layers of #4: 2 link, 3 IPv6, 4 TCP (ports 50000, 80), 6 TLS, 7 HTTP" == said(found[0])
    assert "layers of #4: 2 link, 3 IP, 4 TCP, 7 HTTP" == said(notes(OsiLayers(), syn(1), end(2), request(4))[0])
    begun = MidStream(where(3), CLIENT, SERVER)
    assert "layers of #4: 2 link, 3 IPv4, 4 TCP (ports 50000, 80), 7 HTTP" == said(
        notes(OsiLayers(), begun, request(4))[0]
    )
    assert [] == notes(OsiLayers(), request(4, channel="socket/0", basis=REPORTED))
