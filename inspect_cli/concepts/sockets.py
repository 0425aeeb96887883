"""Sockets and ports, and the layers beneath one message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.memory import Recent, connection_of
from inspect_cli.events.base import Annotation, Event
from inspect_cli.events.capture import CaptureEnd
from inspect_cli.events.http import RequestHead
from inspect_cli.events.tcp import ConnectionEnd, HandshakeAck, MidStream, Syn
from inspect_cli.events.websocket import WebSocketFrame


def _port(endpoint: str) -> str:
    return endpoint.rpartition(":")[2]


@dataclass(slots=True)
class _Shared:
    """Connections to one server address and port."""

    frames: tuple[int, ...]
    client: str
    count: int = 0
    is_said: bool = False


class SocketVsPort(Concept):
    """A port is an address within a host; sockets are told apart by the whole 5-tuple."""

    id = "socket-vs-port"
    reference = "RFC 9293 §3.3.1"
    watches = (Syn, HandshakeAck, ConnectionEnd, CaptureEnd)
    codes = (
        "socket-vs-port.five-tuple",
        "socket-vs-port.same-port",
        "socket-vs-port.reused",
        "socket-vs-port.told-apart",
    )

    def __init__(self) -> None:
        self._servers: Recent[str, _Shared] = Recent(4096)
        self._pairs: Recent[tuple[str, str], Syn] = Recent()
        """Client and server -> the last connection's first SYN."""
        self._first: tuple[str, str, str] | None = None
        """Channel, client and server of the first opening."""
        self._is_first_said = False

    def see(self, event: Event) -> Iterable[Annotation]:
        if isinstance(event, Syn):
            return self._syn(event)
        if isinstance(event, ConnectionEnd):
            self._count(event)
        elif isinstance(event, HandshakeAck):
            return self._open(event)
        elif isinstance(event, CaptureEnd):
            return self._all(event)
        return ()

    def _syn(self, event: Syn) -> Iterable[Annotation]:
        if self._first is None:
            self._first = (event.where.channel, event.client, event.server)
        pair = (event.client, event.server)
        before = self._pairs.get(pair)
        if before is None or before.where.channel != event.where.channel:
            self._pairs[pair] = event
        if before is not None and before.where.channel != event.where.channel:
            return (self._reused(event, before),)
        shared = self._servers.get(event.server)
        if shared is None:
            self._servers[event.server] = _Shared(event.where.frames, event.client)
            return ()
        if shared.is_said or shared.client == event.client:
            return ()
        shared.is_said = True
        return (
            self.note(
                event,
                "same-port",
                frames=shared.frames + event.where.frames,
                port=_port(event.server),
                server=event.server,
                first_client=shared.client,
                client=event.client,
            ),
        )

    def _reused(self, event: Syn, before: Syn) -> Annotation:
        return self.note(
            event,
            "reused",
            frames=before.where.frames + event.where.frames,
            reference="RFC 9293 §3.4.1",
            before=before.where.channel,
            since_ns=event.where.time_ns - before.where.time_ns,
        )

    def _open(self, event: HandshakeAck) -> Iterable[Annotation]:
        if self._is_first_said or self._first is None or self._first[0] != event.where.channel:
            return ()
        self._is_first_said = True
        frames = (event.syn_frame, event.syn_ack_frame, *event.where.frames)
        return (self.note(event, "five-tuple", frames=frames, client=self._first[1], server=self._first[2]),)

    def _count(self, event: ConnectionEnd) -> None:
        connection = event.connection
        if connection.opened in ("syn-only", "refused"):
            return  # no socket at the server
        shared = self._servers.get(connection.server)
        if shared is None:
            shared = self._servers[connection.server] = _Shared(event.where.frames, connection.client)
        shared.count += 1

    def _all(self, event: CaptureEnd) -> Iterable[Annotation]:
        many = [(shared.count, server) for server, shared in self._servers.items() if shared.count > 1]
        if not many:
            return ()
        count, server = max(many)
        return (
            self.note(
                event, "told-apart", frames=(), count=count, server=server, port=_port(server), others=len(many) - 1
            ),
        )


class OsiLayers(Concept):
    """TCP is layer 4 on IP; HTTP and WebSocket are layer 7 on TCP: shown on one frame of each."""

    id = "osi-layers"
    reference = "RFC 1122 §1.1.3"
    watches = (MidStream, Syn, RequestHead, WebSocketFrame, ConnectionEnd)
    codes = ("osi-layers.http", "osi-layers.websocket")

    def __init__(self) -> None:
        self._ends: Recent[str, tuple[str, str]] = Recent()
        self._open = {RequestHead: "http", WebSocketFrame: "websocket"}

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Annotation]]]:
        return {
            MidStream: self._began,
            Syn: self._began,
            RequestHead: self._first,
            WebSocketFrame: self._first,
            ConnectionEnd: self._over,
        }

    def _began(self, event: Syn | MidStream) -> Iterable[Annotation]:
        if self._open:
            self._ends[event.where.channel] = (event.client, event.server)
        return ()

    def _over(self, event: ConnectionEnd) -> Iterable[Annotation]:
        self._ends.pop(event.where.channel, None)
        return ()

    def _first(self, event: Event) -> Iterable[Annotation]:
        if event.__class__ not in self._open or not event.where.frames:
            return ()  # told before, or by a socket: no frame shows its layers
        return (self._layers(event, self._open.pop(event.__class__)),)

    def _layers(self, event: Event, name: str) -> Annotation:
        client, server = self._ends.get(connection_of(event.where.channel), ("", ""))
        return self.note(
            event,
            name,
            frame=event.where.frames[0],
            ip="" if not client else "IPv6" if client.startswith("[") else "IPv4",
            client_port=_port(client),
            server_port=_port(server),
            tls="/tls" in event.where.channel,
        )
