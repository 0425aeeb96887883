"""What an annotation takes from its event."""

from __future__ import annotations

from inspect_cli.concepts import CONCEPTS
from inspect_cli.concepts.tcp import Tcp
from inspect_cli.events.base import NOT_OBSERVABLE, Annotation, Event, Span
from inspect_cli.events.websocket import WebSocketOpened
from tests.concepts.making import C, request, response, where


def test_an_annotation_stands_where_its_event_does_unless_told_otherwise() -> None:
    event = Event(where(4))
    concept = Tcp()

    assert Annotation(
        "tcp", "tcp.gap", (4,), "RFC 9293 §3.8", "info", "observed", Span("tcp/0", C, 0, 10), {}
    ) == concept.note(event, "gap")
    assert Annotation(
        "tcp", "tcp.gap", (2, 9), "RFC 1", "notice", "not observable", Span("tcp/0", C, 0, 10), {"name": b"x"}
    ) == concept.note(
        event, "gap", frames=(9, None, 2, 0, 9), reference="RFC 1", level="notice", basis=NOT_OBSERVABLE, name=b"x"
    )


def test_every_concept_names_itself_once_and_cites_a_clause() -> None:
    ids = [concept.id for concept in CONCEPTS]

    assert len(set(ids)) == len(ids)
    assert {
        *("three-way-handshake", "four-way-close", "rst", "connectionless", "stateless", "cookie", "cookie-flow"),
        *("cookie-attributes", "session-cookie", "persistent-cookie", "cookie-security", "session-id"),
        *("session-login", "socket-vs-port", "osi-layers", "websocket", "websocket-handshake", "websocket-frames"),
        *("websocket-close", "tcp", "udp", "cookie-clients", "same-site"),
    } == set(ids)
    for concept in CONCEPTS:
        assert concept.reference
        assert len(set(concept.codes)) == len(concept.codes)
        assert all(code.startswith(f"{concept.id}.") for code in concept.codes)


def test_a_concept_says_nothing_of_a_type_that_it_knows_nothing_of() -> None:
    asked = request(1, "GET / HTTP/1.1", "Upgrade: websocket")
    opened = WebSocketOpened(where(2), response(2, asked), asked, b"", b"", b"", b"", b"")
    for make in CONCEPTS:
        concept = make()
        for event in (asked, opened):
            if type(event) in make.watches:
                list(concept.see(event))

        assert [] == list(concept.see(Event(where(3))))
