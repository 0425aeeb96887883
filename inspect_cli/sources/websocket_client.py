"""A WebSocket over a socket of ours, on websockets' protocol without its I/O."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

from websockets.client import ClientProtocol
from websockets.exceptions import (
    InvalidHeader,
    InvalidMessage,
    InvalidUpgrade,
    InvalidURI,
    NegotiationError,
    ProtocolError,
)
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response
from websockets.protocol import CLOSED, CONNECTING, OPEN
from websockets.typing import Origin, Subprotocol
from websockets.uri import parse_uri

from inspect_cli.cookies.asking import asking_from
from inspect_cli.cookies.jar import Jar
from inspect_cli.errors import BadUrl, HandshakeRefused, InspectedThingFailed, InspectError, ServerGone, UsageProblem
from inspect_cli.events.calls import Context
from inspect_cli.events.cookies import Asking
from inspect_cli.sources import hops
from inspect_cli.sources.client import ClientOptions, Journal, Stopped
from inspect_cli.sources.connecting import open_socket
from inspect_cli.sources.own_socket import OwnSocket, Teller, errno_name
from inspect_cli.sources.patience import Patience
from inspect_cli.sources.tls_socket import TlsSocket, tls_context

_SCHEMES: Final = ("ws", "wss")
_ANSWER_S: Final = 0.3
"""How long each message waits for an answer before the next one: it reads as a conversation."""
_CLOSE_S: Final = 3.0
"""For the server's Close, and then for it to close TCP."""
_PART_S: Final = 0.5
_DRAIN_S: Final = 2.0
_DRAIN_BYTES: Final = 1 << 20
_HEAD_BYTES: Final = 1 << 16
_MESSAGE_BYTES: Final = 64 << 20
_PING_PAYLOAD: Final = b"inspect-cli"


class WebSocketClient:
    """Opens a WebSocket, sends, listens, closes: each step as RFC 6455 asks of a client.

    `listen_s`: how long to receive after the last message was sent (0: only until each
    message had its chance to be answered); None: until the server closes or `stop`.
    `close_code` goes into our Close frame.
    """

    def __init__(
        self,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        origin: str | None = None,
        subprotocols: Sequence[str] = (),
        send: Sequence[str] = (),
        ping: bool = False,
        close_code: int = 1000,
        listen_s: float | None = 0.0,
        jar: Jar | None = None,
        options: ClientOptions | None = None,
        page: str | None = None,
        top: str | None = None,
        restart: bool = False,
        cookies_by_hand: str = "",
        reported: bool = False,
    ) -> None:
        self._url = url
        self._headers = tuple(headers)
        self._origin = origin
        self._subprotocols = tuple(subprotocols)
        self._messages = tuple(send)
        self._ping = ping
        self._close_code = close_code
        self._listen_s = listen_s
        self._jar = jar if jar is not None else Jar()
        self._options = options or ClientOptions()
        self._page, self._top = page, top
        self._restart = restart
        self._by_hand = hops.joined_cookies([cookies_by_hand, *(v for n, v in headers if n.lower() == "cookie")])
        self._reported = reported
        self._patience = Patience(self._options.timeout_s)
        self._patience.url = url
        self._raw = bytearray()
        self._received: list[Frame] = []

    def stop(self) -> None:
        self._patience.stop()

    def run(self, journal: Journal) -> None:
        """Do all of it; the socket is closed when it returns or raises.

        Raises: BadUrl, HostNotFound, CannotConnect, TimedOut, TlsFailed, HandshakeRefused,
        ServerGone, UsageProblem, NotPermitted; Stopped.
        """
        self._teller = Teller(journal, reported=self._reported)
        self._patience.start()
        try:
            self._protocol = self._make_protocol()
            request = self._prepared(self._protocol.connect())
            self._connection = self._connected()
            try:
                self._open(request)
                self._talk()
                self._close()
            except Stopped:
                self._part()
                raise
            except OSError as error:
                raise self._gone(errno_name(error.errno)) from error
            finally:
                self._connection.close()
        finally:
            self._patience.close()

    # -- before the connection -----------------------------------------------------------

    def _make_protocol(self) -> ClientProtocol:
        self._url = hops.checked(self._url, _SCHEMES)
        quiet = logging.getLogger("inspect_cli.websockets")
        quiet.setLevel(logging.CRITICAL)
        try:
            self._uri = parse_uri(self._url)
        except InvalidURI as error:
            raise BadUrl(url=self._url, problem="not-a-url") from error
        deflate = [ClientPerMessageDeflateFactory(client_max_window_bits=True)]
        return ClientProtocol(
            self._uri,
            origin=Origin(self._origin) if self._origin is not None else None,
            extensions=deflate if self._options.compressed else None,
            subprotocols=[Subprotocol(name) for name in self._subprotocols] or None,
            max_size=_MESSAGE_BYTES,
            logger=quiet,
        )

    def _prepared(self, request: Request) -> Request:
        """The upgrade with our fields; its Context is told."""
        now_ns = self._teller.now_ns()
        # An upgrade is never a top-level navigation (6265bis §5.8.3, Fetch).
        asking = self._asking()
        given = self._jar.given(asking.host)
        if self._restart:
            given = hops.given_at_restart(self._jar.given(), asking.host)
            self._jar.end_session()
        given += hops.cookies_by_hand(self._by_hand)
        options = self._options
        self._teller.tell(
            Context(now_ns, asking, self._url, options.profile, options.jar, given, restarted=self._restart)
        )
        self._cookie = hops.cookie_value(self._jar.header(asking, now_ns), self._by_hand)
        defaults = [*request.headers.raw_items(), ("User-Agent", hops.USER_AGENT)]
        lines = hops.header_lines(self._headers, tuple(defaults))
        if any("\r" in part or "\n" in part for line in lines for part in line):
            raise UsageProblem(problem="line break in a header field")
        for name in list(request.headers):
            del request.headers[name]
        for name, value in lines:
            request.headers[name] = value
            if name.lower() == "sec-websocket-key":
                self._protocol.key = value
        return request

    def _asking(self) -> Asking:
        """Asked by a script of a page; without one, by a page of the site itself."""
        page = self._page or "http" + self._url.removeprefix("ws")
        try:
            return asking_from(self._url, "fetch", page=page, top=self._top)
        except ValueError as error:
            raise BadUrl(url=str(error), problem="no-host") from error

    def _connected(self) -> OwnSocket | TlsSocket:
        uri = self._uri
        with self._patience.at_most(self._options.connect_timeout_s):
            below = open_socket(uri.host, uri.port, self._options, self._teller, self._patience)
            if not uri.secure:
                return below
            tls = TlsSocket(below, tls_context(self._options), uri.host)
            try:
                tls.handshake()
            except OSError as error:
                below.close()
                raise self._gone(errno_name(error.errno), 0) from error
            except BaseException:
                below.close()
                raise
            return tls

    # -- opening handshake ---------------------------------------------------------------

    def _open(self, request: Request) -> None:
        """Send the upgrade and read the answer to it (RFC 6455 §4.1).

        Raises: HandshakeRefused, once the answer's body was read too.
        """
        protocol = self._protocol
        protocol.send_request(request)
        head = b"".join(protocol.data_to_send())
        if self._cookie:
            # Its bytes as they are: websockets would take text.
            head = head[:-2] + b"Cookie: " + self._cookie + b"\r\n\r\n"
        self._connection.send(head)
        until: float | None = None
        while protocol.state is CONNECTING and protocol.handshake_exc is None:
            limit_s = None if until is None else until - time.monotonic()
            if limit_s is not None and (limit_s <= 0 or len(self._raw) > _DRAIN_BYTES):
                break
            data = self._connection.receive(limit_s=limit_s)
            if data is None:
                break
            self._raw += data
            if not data:
                protocol.receive_eof()
                break
            protocol.receive_data(data)
            if until is None and self._head_end() >= 0:
                until = time.monotonic() + _DRAIN_S  # a body follows: no longer than that
            if self._head_end() < 0 and len(self._raw) > _HEAD_BYTES:
                break
        if protocol.state is CONNECTING or protocol.handshake_exc is not None:
            self._refused()
        self._heed_cookies()
        self._raw.clear()
        self._note(protocol.events_received())
        self._flush()  # answers to frames that came right behind the 101

    def _head_end(self) -> int:
        return bytes(self._raw[: _HEAD_BYTES + 4]).find(b"\r\n\r\n")

    def _refused(self) -> NoReturn:
        """Raises: HandshakeRefused; ServerGone where not even a head came."""
        end = self._head_end()
        if end < 0:
            raise self._gone("closed" if len(self._raw) <= _HEAD_BYTES else "malformed-response")
        self._heed_cookies()
        self._drain(end + 4)
        status, reason = _status_line(bytes(self._raw[:end]))
        if status == 101:
            reason = _violation(self._protocol.handshake_exc)
        raise HandshakeRefused(url=self._url, status=status, reason=reason)

    def _drain(self, body_start: int) -> None:
        """Read what is left of the body, boundedly, so that our close is no reset.

        websockets gives up early on answers that it does not take (HTTP/1.0): then the
        body is read to the server's end, or as long as nothing is left to come.
        """
        if not isinstance(self._protocol.handshake_exc, InvalidMessage):
            return  # it has read the body to its end, or `_open` has waited long enough
        until = time.monotonic() + _DRAIN_S
        while (left_s := until - time.monotonic()) > 0 and len(self._raw) - body_start < _DRAIN_BYTES:
            data = self._connection.receive(limit_s=left_s)
            if not data:
                return
            self._raw += data

    def _heed_cookies(self) -> None:
        """Set-Cookie of the answer goes to the jar, also of a refusal."""
        asking = self._asking()
        lines: list[bytes] = []
        head = bytes(self._raw[: max(self._head_end(), 0)])
        for line in head.split(b"\r\n")[1:]:
            name, colon, value = line.partition(b":")
            if colon and name.lower() == b"set-cookie":
                lines.append(value.strip(b" \t"))
        self._jar.store_all(lines, asking, self._teller.now_ns(), steps=False)

    # -- messages ------------------------------------------------------------------------

    def _talk(self) -> None:
        """Send what is to be sent, each with a chance to be answered, then listen."""
        protocol = self._protocol
        for message in self._messages:
            if protocol.state is not OPEN:
                break
            protocol.send_text(message.encode())
            self._flush()
            self._receive_until(lambda: any(_is_data(frame) and frame.fin for frame in self._received), _ANSWER_S)
        if self._ping and protocol.state is OPEN:
            protocol.send_ping(_PING_PAYLOAD)
            self._flush()
            self._receive_until(lambda: any(frame.opcode is Opcode.PONG for frame in self._received), _ANSWER_S)
        if self._listen_s is None or self._listen_s > 0:
            self._receive_until(lambda: False, self._listen_s)

    def _receive_until(self, enough: Callable[[], bool], limit_s: float | None) -> None:
        """Receive until enough has come since this began, the time is over or the server closes."""
        until = None if limit_s is None else time.monotonic() + limit_s
        self._received.clear()
        while self._protocol.state is OPEN and not enough():
            left_s = None if until is None else until - time.monotonic()
            if left_s is not None and left_s <= 0:
                return
            if not self._receive(left_s):
                return

    def _receive(self, limit_s: float | None) -> bool:
        """Take what comes next, answering Pings and Close; False: nothing came, or the end."""
        data = self._connection.receive(limit_s=limit_s)
        if data is None:
            return False
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        self._note(self._protocol.events_received())
        self._flush()
        return bool(data)

    def _note(self, events: Sequence[Frame | Request | Response]) -> None:
        """Remember the kinds of frames that came, not what they carry."""
        self._received += [Frame(event.opcode, b"", event.fin) for event in events if isinstance(event, Frame)]

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:  # b"" is the protocol's wish to close TCP: `_close` does it
                self._connection.send(data)

    # -- closing handshake ---------------------------------------------------------------

    def _close(self) -> None:
        """Close frame, the server's Close, then the server closes TCP first (RFC 6455 §7.1.1).

        Raises: ServerGone where TCP ended without a Close frame of the server (1006).
        """
        protocol = self._protocol
        try:
            if protocol.state is OPEN:
                protocol.send_close(self._close_code)
                self._flush()
        except ProtocolError as error:
            raise UsageProblem(problem=str(error)) from error
        until = time.monotonic() + _CLOSE_S
        try:
            while protocol.state is not CLOSED and (left_s := until - time.monotonic()) > 0:
                if not self._receive(left_s):
                    break
        except OSError:
            if protocol.close_rcvd is None:
                raise
        failure = protocol.parser_exc
        if failure is not None and not isinstance(failure, EOFError):
            raise InspectedThingFailed(url=self._url, reason="protocol-error", detail=str(failure))
        if protocol.close_rcvd is None and protocol.state is CLOSED:
            raise self._gone("closed-without-close")

    def _part(self) -> None:
        """We were stopped: close as one should, but soon."""
        self._patience.resume(_PART_S)
        if self._protocol.state is OPEN:
            with contextlib.suppress(OSError, InspectError, Stopped):
                self._close()

    def _gone(self, reason: str, seen_bytes: int | None = None) -> ServerGone:
        seen = self._connection.received_bytes if seen_bytes is None else seen_bytes
        return ServerGone(url=self._url, seen_bytes=seen, reason=reason)


def _is_data(frame: Frame) -> bool:
    return frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


def _status_line(head: bytes) -> tuple[int, str]:
    """Status and reason phrase; 0 where there is no status."""
    parts = head.split(b"\r\n", 1)[0].split(b" ", 2)
    status = int(parts[1]) if len(parts) > 1 and parts[1].isdigit() and len(parts[1]) == 3 else 0
    return status, parts[2].decode("utf-8", "replace") if len(parts) > 2 else ""


def _violation(error: Exception | None) -> str:
    """Name of the broken rule of RFC 6455 §4.1 (response 2-6), as protocols name it."""
    if isinstance(error, InvalidUpgrade):
        return "connection-wrong" if error.name == "Connection" else "upgrade-wrong"
    if isinstance(error, InvalidHeader):
        if error.name.lower() == "sec-websocket-accept":
            return "accept-missing" if error.value is None else "accept-mismatch"
        return "subprotocol-many"
    if isinstance(error, NegotiationError):
        return "subprotocol-not-offered" if "subprotocol" in str(error) else "extension-not-offered"
    return "malformed-response"
