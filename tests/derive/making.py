"""Events by hand: a client, a server, the heads between them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from inspect_cli.derive import DERIVERS
from inspect_cli.derive.base import Deriver
from inspect_cli.events.base import OBSERVED, REPORTED, Basis, Event, Secret, Side, Where
from inspect_cli.events.calls import Context, ContextGiven, GivenCookie
from inspect_cli.events.cookies import Asking
from inspect_cli.events.http import RequestForm, RequestHead, ResponseHead
from inspect_cli.events.tcp import Connection, ConnectionEnd, Syn, TcpOptions

NS = 1_000_000_000
NOW = 1_795_000_000 * NS

_T = TypeVar("_T", bound=Event)


class Talk:
    """One connection; frames count up, a head a frame, a second each."""

    def __init__(
        self, client: str = "10.0.0.1:50000", server: str = "10.0.0.2:80", channel: str = "tcp/0", frame: int = 0
    ) -> None:
        self.client, self.server, self.channel = client, server, channel
        self.frame = frame
        self.position = {Side.CLIENT: 0, Side.SERVER: 0}
        self.index = {Side.CLIENT: 0, Side.SERVER: 0}

    def _where(self, side: Side, size: int, basis: Basis = OBSERVED) -> Where:
        self.frame += 1
        start = self.position[side]
        self.position[side] += size
        time_ns = NOW + self.frame * NS
        return Where(self.frame, time_ns, self.channel, side, (self.frame,), start, start + size, basis)

    def syn(self) -> Syn:
        options = TcpOptions(None, None, False, False)
        return Syn(self._where(Side.CLIENT, 0), "SYN", 0, 0, 0, 0, options, 1, self.client, self.server)

    def request(self, text: str | bytes) -> RequestHead:
        head = _head(text)
        event = RequestHead(self._where(Side.CLIENT, len(head)), head, self.index[Side.CLIENT])
        self.index[Side.CLIENT] += 1
        return event

    def response(self, request: RequestHead | None, text: str | bytes) -> ResponseHead:
        head = _head(text)
        event = ResponseHead(self._where(Side.SERVER, len(head)), head, self.index[Side.SERVER], request)
        self.index[Side.SERVER] += 1
        return event

    def form(self, request: RequestHead, *fields: tuple[bytes, bytes | Secret]) -> RequestForm:
        return RequestForm(self._where(Side.CLIENT, 20), request, fields)

    def over(self) -> ConnectionEnd:
        connection = Connection(
            0, self.channel, self.client, self.server, "handshake", "fin", "client", 1, 0, 0, None, ("http/1",)
        )
        where = Where(self.frame, NOW, self.channel, None)
        return ConnectionEnd(where, connection, "fin", (), (None, None), (None, None), None, None)


def _head(text: str | bytes) -> bytes:
    """Lines as written, with CRLF and the empty line behind them."""
    data = text.encode() if isinstance(text, str) else text
    return data.replace(b"\n", b"\r\n") + b"\r\n\r\n"


def context(asking: Asking, *given: GivenCookie, jar: str = "jar", restarted: bool = False) -> ContextGiven:
    where = Where(0, NOW, "", None, basis=REPORTED)
    url = f"{asking.scheme}://{asking.host}{asking.path}"
    return ContextGiven(where, Context(NOW, asking, url, "rfc6265bis", jar, given, restarted=restarted))


def given(name: bytes, value: bytes, domain: str = "a.test", *, by_hand: bool = False) -> GivenCookie:
    secret = Secret(value, "cookie")
    return GivenCookie(name, secret, domain, True, "/", False, False, "default", None, by_hand)


class House:
    """All derivers in their order, as the timeline runs them; gives what they derive, depth first."""

    def __init__(self, *kinds: type[Deriver]) -> None:
        self._derivers = [kind() for kind in (kinds or DERIVERS)]

    def see(self, *events: Event) -> list[Event]:
        found: list[Event] = []
        for event in events:
            self._see(event, found)
        return found

    def _see(self, event: Event, found: list[Event]) -> None:
        for deriver in self._derivers:
            if type(event) in deriver.watches:
                for derived in deriver.see(event):
                    assert type(derived) in deriver.makes
                    found.append(derived)
                    self._see(derived, found)


def of_kind(events: Iterable[Event], kind: type[_T]) -> list[_T]:
    return [event for event in events if type(event) is kind]
