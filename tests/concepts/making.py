"""Events made by hand, and what a concept says of them, held against its words at once."""

from __future__ import annotations

from typing import Any, Literal

from inspect_cli.concepts.base import Concept
from inspect_cli.events.base import OBSERVED, Annotation, Basis, Event, Secret, Side, Where
from inspect_cli.events.cookies import (
    CookieDeleted,
    CookieRefused,
    CookieSent,
    CookieStored,
    CookieWithheld,
    Decision,
    SameSite,
    Sending,
    Step,
    Withholding,
)
from inspect_cli.events.http import MessageEnd, RequestHead, ResponseHead
from inspect_cli.events.tcp import (
    CloseAck,
    Closed,
    Connection,
    ConnectionEnd,
    Fin,
    HandshakeAck,
    Opened,
    Retransmission,
    Rst,
    Syn,
    SynAck,
    TcpOptions,
)
from inspect_cli.events.websocket import WebSocketClose, WebSocketFrame
from inspect_cli.texts import Words

C, S = Side.CLIENT, Side.SERVER
CLIENT, SERVER = "10.0.0.1:50000", "10.0.0.2:80"
WORDS = [Words("en", strict=True), Words("ko", strict=True)]
ALL = TcpOptions(1460, 7, sack_permitted=True, timestamps=True)
NONE = TcpOptions(None, None, sack_permitted=False, timestamps=False)


def notes(concept: Concept, *events: Event) -> list[Annotation]:
    """All annotations of these events, in order; each is one of the concept's codes and can be said."""
    found: list[Annotation] = []
    for event in events:
        assert type(event) in concept.watches
        found += concept.see(event)
    for note in found:
        assert note.code in concept.codes
        assert note.concept == concept.id
        assert note.code.startswith(f"{concept.id}.")
        assert note.reference
        assert list(note.frames) == sorted(set(note.frames))
        for words in WORDS:
            assert words.say(f"annotation.{note.code}", note.data or {}).isprintable()
    return found


def codes(concept: Concept, *events: Event) -> list[str]:
    """Their codes without the concept's name."""
    return [note.code.removeprefix(f"{concept.id}.") for note in notes(concept, *events)]


def said(note: Annotation) -> str:
    return WORDS[0].say(f"annotation.{note.code}", note.data or {})


def where(at: int, side: Side | None = C, channel: str = "tcp/0", basis: Basis = OBSERVED) -> Where:
    """A frame at as many milliseconds as its number."""
    frames = (at,) if at and not channel.startswith("socket") else ()
    return Where(at, at * 1_000_000, channel, side, frames, 0, 10, basis)


def syn(
    at: int,
    *,
    channel: str = "tcp/0",
    side: Side = C,
    attempt: int = 1,
    seq: int = 100,
    options: TcpOptions = ALL,
    client: str = CLIENT,
    server: str = SERVER,
    size: int = 0,
) -> Syn:
    return Syn(where(at, side, channel), "SYN", seq, 0, 1000, size, options, attempt, client, server)


def syn_ack(at: int, *, attempt: int = 1, ack: int = 101, options: TcpOptions = ALL, acks_syn: bool = True) -> SynAck:
    return SynAck(where(at, S), "SYN,ACK", 500, ack, 1000, 0, options, attempt, acks_syn)


def third(at: int, *, simultaneous: bool = False, split: bool = False, channel: str = "tcp/0") -> HandshakeAck:
    segment = (where(at, C, channel), "ACK", 101, 501, 1000, 0)
    return HandshakeAck(*segment, at - 2, at - 1, 2_000_000, simultaneous=simultaneous, split=split)


def fin(
    at: int,
    side: Side = C,
    *,
    seq: int = 1000,
    size: int = 0,
    first: bool = True,
    repeated: bool = False,
    acks_fin: bool = False,
) -> Fin:
    return Fin(where(at, side), "FIN,ACK", seq, 0, 1000, size, first=first, repeated=repeated, acks_fin=acks_fin)


def close_ack(at: int, side: Side, fin_frame: int, *, seq: int = 2000, size: int = 0, last: bool = False) -> CloseAck:
    return CloseAck(where(at, side), "ACK", seq, 0, 1000, size, fin_frame, last=last)


def rst(
    at: int,
    side: Side = S,
    *,
    flags: str = "RST,ACK",
    refuses: bool = False,
    after_close: bool = False,
    unread: int = 0,
    ahead: int = 0,
) -> Rst:
    segment = (where(at, side), flags, 1, 1, 0, 0)
    return Rst(*segment, refuses=refuses, after_close=after_close, unread_bytes=unread, ahead=ahead)


def end(
    at: int,
    *,
    opened: Opened = "handshake",
    closed: Closed = "fin",
    reason: Literal["fin", "rst", "reused", "idle", "capture-end"] = "capture-end",
    syns: tuple[int, ...] = (1,),
    fins: tuple[int | None, int | None] = (None, None),
    number: int = 0,
    client: str = CLIENT,
    server: str = SERVER,
    only: Literal["client", "server"] | None = None,
    unseen: tuple[int, int] = (0, 0),
) -> ConnectionEnd:
    connection = Connection(number, f"tcp/{number}", client, server, opened, closed, None, 9, 1, 1, None, ())
    place = Where(at, at * 1_000_000, f"tcp/{number}", None)
    return ConnectionEnd(place, connection, reason, syns, fins, (None, None), None, None, only, unseen)


def again(
    at: int,
    side: Side = C,
    *,
    start: int = 0,
    original: int | None = 3,
    keep_alive: bool = False,
    acknowledged: bool = False,
    duplicate_acks: int = 0,
    last: bool = False,
    differs: bool | None = False,
    damaged: bool = False,
) -> Retransmission:
    """20 bytes sent again, a second after frame 3."""
    return Retransmission(
        *(where(at, side), "ACK", 1, 1, 1000, 20),
        *(start, start + 20, original, None if original is None else 1_000_000_000),
        *(keep_alive, acknowledged, duplicate_acks, last, differs, damaged),
    )


def request(at: int, *lines: str, channel: str = "tcp/0", basis: Basis = OBSERVED) -> RequestHead:
    """`request(4, "GET / HTTP/1.1", "Host: x")`."""
    head = "\r\n".join([*(lines or ("GET / HTTP/1.1", "Host: x.test")), "", ""]).encode()
    return RequestHead(where(at, C, channel, basis), head, 0)


def response(at: int, asked: RequestHead | None, *lines: str, channel: str = "tcp/0") -> ResponseHead:
    head = "\r\n".join([*(lines or ("HTTP/1.1 200 OK",)), "", ""]).encode()
    return ResponseHead(where(at, S, channel), head, 0, asked)


def whole(at: int, of: RequestHead | ResponseHead) -> MessageEnd:
    """The end of a message."""
    return MessageEnd(where(at, of.where.side, of.where.channel), of, "length", 3, complete=True, trailers=b"")


def stored(
    of: ResponseHead,
    name: bytes = b"sid",
    value: bytes = b"v",
    *attributes: tuple[bytes, bytes],
    domain: str = "x.test",
    path: str = "/",
    host_only: bool = True,
    expires_ns: int | None = None,
    secure: bool = False,
    http_only: bool = False,
    same_site: SameSite = "default",
    replaces: bool = False,
    steps: tuple[Step, ...] = (),
    basis: Basis = "inferred",
) -> CookieStored:
    return CookieStored(
        of.where._replace(basis=basis),
        of,
        Decision(name, Secret(value, "cookie"), domain, path, "Stored", "6265bis §5.7 step 24", steps),
        attributes,
        host_only=host_only,
        expires_ns=expires_ns,
        secure=secure,
        http_only=http_only,
        same_site=same_site,
        replaces=replaces,
        value_changed=replaces,
    )


def deleted(of: ResponseHead, *, existed: bool = True) -> CookieDeleted:
    secret = Secret(b"", "cookie")
    decision = Decision(b"sid", secret, "x.test", "/", "Expired", "6265bis §5.7 step 24", ())
    return CookieDeleted(of.where, of, decision, (), existed=existed)


def refused(of: ResponseHead, reason: str = "SecureOnly") -> CookieRefused:
    secret = Secret(b"v", "cookie")
    return CookieRefused(of.where, of, Decision(b"sid", secret, "x.test", "/", reason, "6265bis §5.7 step 13", ()), ())


def sent(
    of: RequestHead,
    name: bytes = b"sid",
    value: bytes = b"v",
    *,
    origin: Literal["stored", "given", "unknown"] = "stored",
    reason: str = "Sent",
    expected: bool = True,
    set_frames: tuple[int, ...] = (6,),
) -> CookieSent:
    domain, path = ("", "") if origin == "unknown" else ("x.test", "/")
    secret = Secret(value, "cookie")
    sending = Sending(name, secret, domain, path, reason, "6265bis §5.8.3", (), origin, expected, set_frames)
    return CookieSent(of.where, of, sending)


def withheld(of: RequestHead, *, expected: bool = True, basis: Basis = "inferred") -> CookieWithheld:
    place = of.where._replace(basis=basis)
    reason = "NotOnPath" if expected else "NotSent"
    secret = Secret(b"v", "cookie")
    withholding = Withholding(b"sid", secret, "x.test", "/", reason, "6265bis §5.8.3", (), expected=expected)
    return CookieWithheld(place, of, withholding)


def frame(
    at: int,
    side: Side,
    payload: bytes = b"hi",
    *,
    opcode: int = 1,
    fin: bool = True,
    masked: bool | None = None,
    compressed: bool = False,
    inflated: bytes | None = None,
    first_opcode: int = 1,
    channel: str = "tcp/0",
) -> WebSocketFrame:
    is_masked = side is C if masked is None else masked
    key = b"\1\2\3\4" if is_masked else b""
    size = len(payload)
    return WebSocketFrame(
        where(at, side, channel), opcode, fin, 4 * compressed, is_masked, key, size, payload, first_opcode, compressed,
        inflated,
    )  # fmt: skip


def close(
    at: int, side: Side, code: int | None = 1000, *, answers: int | None = None, channel: str = "tcp/0"
) -> WebSocketClose:
    body = b"" if code is None else code.to_bytes(2, "big")
    return WebSocketClose(
        where(at, side, channel), 8, True, 0, side is C, b"", len(body), body, 8, False, None, code, b"", answers
    )


def triples(found: list[Annotation]) -> list[tuple[str, tuple[int, ...], str]]:
    """What each annotation rests on: its code without the concept, its frames, how it is known."""
    return [(note.code.removeprefix(f"{note.concept}."), note.frames, note.basis) for note in found]


def data_of(note: Annotation) -> dict[str, Any]:
    return note.data or {}
