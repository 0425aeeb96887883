"""UDP is explained once."""

from __future__ import annotations

from inspect_cli.concepts.udp import Udp
from inspect_cli.events.base import Annotation, Side, Where
from inspect_cli.events.udp import UdpConversation
from tests.concepts.making import notes


def conversation(number: int) -> UdpConversation:
    where = Where(number, number, f"udp/{number}", Side.CLIENT, (number,))
    return UdpConversation(where, "10.0.0.1:4000", "10.0.0.2:53", 30, resumed=False)


def test_the_first_datagram_of_a_capture_shows_that_nothing_came_before_it() -> None:
    found = notes(Udp(), conversation(1), conversation(2))

    assert found == [Annotation("udp", "udp.no-handshake", (1,), "RFC 768", data={})]
