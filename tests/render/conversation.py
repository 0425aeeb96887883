"""A conversation of some forty events, made by hand: what every view must show well."""

from __future__ import annotations

from inspect_cli.events.base import Annotation, Basis, Entry, Event, Secret, Side, Where
from inspect_cli.events.calls import Call, CallMade
from inspect_cli.events.cookies import (
    CookieRefused,
    CookieSent,
    CookieStored,
    CookieWithheld,
    Decision,
    Sending,
    SessionIssued,
    Step,
    Withholding,
)
from inspect_cli.events.http import RequestHead, ResponseHead
from inspect_cli.events.summary import Capture, CaptureFile, Tally
from inspect_cli.events.tcp import (
    CloseAck,
    Connection,
    ConnectionEnd,
    Fin,
    HandshakeAck,
    Segment,
    Syn,
    SynAck,
    TcpOptions,
)
from inspect_cli.events.websocket import WebSocketClose, WebSocketFrame

START_NS = 1_795_250_000_000_000_000
CLIENT, SERVER = "127.0.0.1:52814", "127.0.0.1:41327"
OPTIONS = TcpOptions(65495, 7, sack_permitted=True, timestamps=True)
STEPS = (
    Step("6265bis §5.7 step 10", "domain-match", "passed", "127.0.0.1"),
    Step("6265bis §5.7 step 11", "default-path", "applied", "/shop"),
)


def where(
    number: int, side: Side | None, time_us: float, channel: str = "tcp/0", frames: tuple[int, ...] | None = None
) -> Where:
    return Where(number, START_NS + round(time_us * 1000), channel, side, (number,) if frames is None else frames, 0, 9)


def note(code: str, reference: str, basis: Basis = "observed", **data: object) -> Annotation:
    return Annotation(code.partition(".")[0], code, (1,), reference, basis=basis, data=data)


def entry(number: int, event: Event, *annotations: Annotation, parent: int | None = None) -> Entry:
    return Entry(number, parent, event, annotations)


def opening(channel: str = "tcp/0", first: int = 1, frame: int = 1, client: str = CLIENT) -> list[Entry]:
    c, s = Side.CLIENT, Side.SERVER
    return [
        entry(first, Syn(where(frame, c, 0, channel), "SYN", 1, 0, 65495, 0, OPTIONS, 1, client, SERVER)),
        entry(first + 1, SynAck(where(frame + 1, s, 31, channel), "SYN,ACK", 9, 2, 65483, 0, OPTIONS, 1, True)),
        entry(
            first + 2,
            HandshakeAck(
                where(frame + 2, c, 40, channel), "ACK", 2, 10, 512, 0, frame, frame + 1, 40_000, False, False
            ),
            note("three-way-handshake.complete", "RFC 9293 §3.5", rtt_ns=40_000, syn=1, syn_ack=2, ack=3),
        ),
    ]


def cookies() -> list[Entry]:
    c, s = Side.CLIENT, Side.SERVER
    get = RequestHead(where(4, c, 912), b"GET /shop HTTP/1.1\r\nHost: 127.0.0.1:41327\r\n\r\n", 0)
    line = b"sid=5f1c9a02b7de44e8; Path=/; HttpOnly; SameSite=Lax"
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: " + line + b"\r\nContent-Length: 0\r\n\r\n"
    ok = ResponseHead(where(6, s, 2105), head, 0, get)
    sid = Secret(b"5f1c9a02b7de44e8", "cookie")
    attributes = ((b"Path", b"/"), (b"HttpOnly", b""), (b"SameSite", b"Lax"))
    inferred = ok.where._replace(basis="inferred")
    stored = CookieStored(
        inferred, ok, Decision(b"sid", sid, "127.0.0.1", "/", "Stored", "6265bis §5.7", STEPS),
        attributes, True, None, False, True, "lax", False, False,
    )  # fmt: skip
    refused = CookieRefused(
        inferred, ok,
        Decision(b"wide", Secret(b"1", "cookie"), "com", "/", "InvalidDomain", "6265bis §5.7 step 9", STEPS),
        ((b"Domain", b"com"),),
    )  # fmt: skip
    again = RequestHead(
        where(8, c, 2390), b"GET /account HTTP/1.1\r\nHost: 127.0.0.1:41327\r\nCookie: sid=5f\r\n\r\n", 1
    )
    sending = Sending(b"sid", sid, "127.0.0.1", "/", "Sent", "6265bis §5.8.3", STEPS, "stored", True, (6,))
    sent = CookieSent(again.where, again, sending)
    withheld = CookieWithheld(
        again.where._replace(basis="inferred"), again,
        Withholding(
            b"theme", Secret(b"dark", "cookie"), "127.0.0.1", "/shop", "NotOnPath", "6265bis §5.8.3", STEPS, True
        ),
    )  # fmt: skip
    done = ResponseHead(where(10, s, 3001), b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 1, again)
    return [
        entry(4, get, note("stateless.nothing-ties", "RFC 9110 §3.3")),
        entry(5, ok, note("cookie-flow.made", "6265bis §3", "inferred", name=b"sid", names=(b"sid",))),
        entry(6, stored, note("session-cookie.kept", "6265bis §4.1.2", name=b"sid"), parent=5),
        entry(7, SessionIssued(inferred, stored, b"sid", sid, "", 64), parent=6),
        entry(8, refused, parent=5),
        entry(9, again),
        entry(10, sent, note("stateless.nothing-ties", "RFC 9110 §3.3"), parent=9),
        entry(11, withheld, parent=9),
        entry(12, done),
    ]


def closing() -> list[Entry]:
    c, s = Side.CLIENT, Side.SERVER
    return [
        entry(13, Fin(where(11, c, 3301), "FIN,ACK", 2, 10, 512, 0, True, False, False)),
        entry(14, Fin(where(12, s, 3340), "FIN,ACK", 10, 3, 512, 0, False, False, True)),
        entry(
            15,
            CloseAck(where(13, c, 3351), "ACK", 3, 11, 512, 0, 12, True),
            note("four-way-close.three-segments", "RFC 9293 §3.6", fins=(11, 12), acks=(12, 13)),
        ),
    ]


def websocket() -> list[Entry]:
    c, s = Side.CLIENT, Side.SERVER
    channel = "tcp/1"
    key = b"GET /ws/echo HTTP/1.1\r\nHost: 127.0.0.1:41327\r\nUpgrade: websocket\r\n\r\n"
    ask = RequestHead(where(17, c, 5000, channel), key, 0)
    answer = ResponseHead(where(18, s, 5400, channel), b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 0, ask)
    hello = "안녕하세요, WebSocket".encode()
    frame = WebSocketFrame(where(19, c, 6000, channel), 1, True, 0, True, b"\1\2\3\4", 26, hello, 1, False, None)
    echo = WebSocketFrame(where(20, s, 6100, channel), 1, True, 0, False, b"", 26, hello, 1, False, None)
    ping = WebSocketFrame(where(21, s, 6200, channel), 9, True, 0, False, b"", 0, b"", 9, False, None)
    bye = WebSocketClose(
        where(23, c, 7000, channel), 8, True, 0, True, b"\1\2\3\4", 2, b"\x03\xe8", 8, False, None, 1000, b"", None
    )
    return [
        *opening(channel, 16, 14, "127.0.0.1:52816"),
        entry(19, ask, note("stateless.nothing-ties", "RFC 9110 §3.3")),
        entry(20, answer),
        entry(21, frame),
        entry(22, echo),
        entry(23, ping),
        entry(24, Segment(where(22, c, 6300), "ACK", 2, 10, 512, 0)),
        entry(25, bye),
    ]


def ends() -> list[Connection]:
    return [
        Connection(0, "tcp/0", CLIENT, SERVER, "handshake", "fin", "client", 13, 300, 400, 40_000, ("http/1",)),
        Connection(1, "tcp/1", "127.0.0.1:52816", SERVER, "handshake", "open", None, 9, 99, 88, 40_000, ("websocket",)),
    ]


def end_of_second() -> Entry:
    over = ConnectionEnd(
        where(23, None, 7000, "tcp/1", ()), ends()[1], "capture-end", (14,), (None, None), (None, None), None, None
    )
    return entry(26, over, note("four-way-close.still-open", "RFC 9293 §3.6", "not observable"))


def calls() -> list[Entry]:
    call = Call(START_NS, "connect", 5, "returned", CLIENT, SERVER, "5, 127.0.0.1:41327", "EINPROGRESS")
    return [entry(1, CallMade(Where(0, START_NS, "", None, basis="reported"), call))]


def whole() -> list[Entry]:
    return [*opening(), *cookies(), *closing(), *websocket(), end_of_second()]


def capture() -> Capture:
    return Capture("file", [CaptureFile("shop.pcapng", 1, 23)], ["lo"], START_NS, START_NS + 7_000_000, True)


def tally() -> Tally:
    counts = Tally(packets=23, bytes=4012, connections=2, syn=2, syn_ack=2, fin=2, handshakes_complete=2)
    counts.http_requests, counts.http_responses, counts.set_cookie, counts.cookie = 3, 3, 2, 1
    counts.websocket_handshakes = 1
    counts.websocket_frames |= {"text": 2, "ping": 1, "close": 1}
    counts.concepts = {"three-way-handshake": 2, "stateless": 3, "cookie-flow": 1, "four-way-close": 2}
    counts.problems = {"close-not-answered": 1}
    return counts
