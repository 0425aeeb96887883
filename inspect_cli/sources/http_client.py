"""HTTP/1.1 requests on httpx, over sockets of our own, with the jar of cookies/."""

from __future__ import annotations

import base64
import contextlib
import ssl
from collections.abc import Iterable, Iterator, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import httpcore
import httpx

from inspect_cli.cookies.jar import Jar
from inspect_cli.errors import BadUrl, InspectedThingFailed, InspectError, ServerGone, UsageProblem
from inspect_cli.events.calls import Context, GivenCookie
from inspect_cli.events.cookies import Asking
from inspect_cli.sources import hops
from inspect_cli.sources.client import ClientOptions, Journal, RequestStep, Stopped
from inspect_cli.sources.connecting import open_socket
from inspect_cli.sources.hops import Hop
from inspect_cli.sources.own_socket import OwnSocket, Teller, errno_name
from inspect_cli.sources.patience import Patience
from inspect_cli.sources.tls_socket import TlsSocket, tls_context

_SCHEMES: Final = ("http", "https")
_SERVER_CLOSES_S: Final = 0.5
"""How long to wait for the server to close where it said that it will."""
_IDEMPOTENT: Final = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))


class _Stream(httpcore.NetworkStream):
    """One connection as httpcore wants it. Bounds of time are the client's, not httpcore's."""

    def __init__(self, connection: OwnSocket | TlsSocket, host: str, backend: _Backend) -> None:
        self._connection = connection
        self._host = host
        self._backend = backend
        self.answers = 0
        """Responses that came over it."""
        self.answered_bytes = 0
        """Received since the last request began."""
        self.server_closes = False
        """The server has said that it will close (RFC 9112 §9.6)."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            data = self._connection.receive(max_bytes) or b""
        except OSError as error:
            raise httpcore.ReadError(errno_name(error.errno)) from error
        self.answered_bytes += len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._backend.current is not self or self.answered_bytes:
            self._backend.current, self.answered_bytes = self, 0
        try:
            if buffer:  # httpcore writes nothing too: no call of the socket
                self._connection.send(buffer)
        except OSError as error:
            raise httpcore.WriteError(errno_name(error.errno)) from error

    def close(self) -> None:
        if self.server_closes and not self._connection.is_closed:
            # So that who announced the close is who closes first, as it would be with time.
            with contextlib.suppress(OSError, InspectError, Stopped):
                while self._connection.receive(limit_s=_SERVER_CLOSES_S):
                    pass
        self._connection.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        assert isinstance(self._connection, OwnSocket)
        tls = TlsSocket(self._connection, ssl_context, server_hostname or self._host)
        try:
            with self._backend.while_connecting():
                tls.handshake()
        except OSError as error:
            raise httpcore.ConnectError(errno_name(error.errno)) from error
        finally:
            self._connection = tls
        return self

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._connection.is_readable
        if info == "ssl_object" and isinstance(self._connection, TlsSocket):
            return self._connection.tls
        return None


class _Backend(httpcore.NetworkBackend):
    """Opens our sockets for httpcore, closes them at the end, knows the one in use."""

    def __init__(self, options: ClientOptions, teller: Teller, patience: Patience) -> None:
        self._options = options
        self._teller = teller
        self._patience = patience
        self._streams: list[_Stream] = []
        self.current: _Stream | None = None
        """The connection that a request was last written to."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        with self.while_connecting():
            connection = open_socket(host, port, self._options, self._teller, self._patience)
        stream = _Stream(connection, host, self)
        self._streams.append(stream)
        return stream

    def while_connecting(self) -> contextlib.AbstractContextManager[None]:
        """The shorter patience for connecting holds."""
        return self._patience.at_most(self._options.connect_timeout_s)

    def close(self) -> None:
        for stream in self._streams:
            stream.close()


class _Transport(httpx.BaseTransport):
    """httpx over a pool of httpcore that uses our backend; foreign errors pass through."""

    def __init__(self, backend: _Backend, options: ClientOptions) -> None:
        context = tls_context(options)
        if options.proxy is None:
            self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=backend)
            return
        proxy = hops.checked(options.proxy if "://" in options.proxy else f"http://{options.proxy}", ("http",))
        parts = urlsplit(proxy)
        credentials = (parts.username, parts.password or "") if parts.username else None
        self._pool = httpcore.HTTPProxy(
            f"http://{parts.netloc.rpartition('@')[2]}",
            proxy_auth=credentials,
            ssl_context=context,
            network_backend=backend,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        answer = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        assert isinstance(answer.stream, Iterable)
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer.stream), extensions=answer.extensions
        )

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """A body as it comes from httpcore."""

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        yield from self._stream

    def close(self) -> None:
        if hasattr(self._stream, "close"):
            self._stream.close()


class HttpClient:
    """Makes the requests of its steps, one after another, over as few connections as it can.

    Bodies of responses are read and forgotten: the packets tell. `reported`: tell all bytes
    even where packets are seen.
    """

    def __init__(self, steps: Sequence[RequestStep], jar: Jar, options: ClientOptions, reported: bool = False) -> None:
        self._steps = steps
        self._jar = jar
        self._options = options
        self._reported = reported
        self._patience = Patience(options.timeout_s)
        self._given: tuple[GivenCookie, ...] = ()
        self._restarted = False
        """The client was closed and opened again, and its next Context has to say so."""

    def stop(self) -> None:
        self._patience.stop()

    def run(self, journal: Journal) -> None:
        """Make all requests; every socket is closed when it returns or raises.

        Raises: BadUrl, HostNotFound, CannotConnect, TimedOut, TlsFailed, ServerGone,
        UsageProblem, NotPermitted, InspectedThingFailed; Stopped.
        """
        self._given = self._jar.given()
        self._teller = Teller(journal, reported=self._reported)
        self._patience.start()
        try:
            for step in self._steps:  # a bad URL is said before anything is sent
                hops.checked(step.url, _SCHEMES)
            steps = list(self._steps)
            while steps:
                first, *later = steps
                self._restarted = first.restart
                ahead = next((i for i, step in enumerate(later, 1) if step.restart), len(steps))
                self._session(steps[:ahead])
                steps = steps[ahead:]
        finally:
            self._patience.close()

    def _session(self, steps: Sequence[RequestStep]) -> None:
        """What is asked from one start of the client to its end: then its connections close."""
        self._backend = _Backend(self._options, self._teller, self._patience)
        nothing_allowed = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
        try:
            with httpx.Client(
                transport=_Transport(self._backend, self._options),
                cookies=nothing_allowed,
                timeout=None,
                trust_env=False,
                follow_redirects=False,
            ) as client:
                for step in steps:
                    self._take(step, client)
        finally:
            self._backend.close()

    def _take(self, step: RequestStep, client: httpx.Client) -> None:
        """One request and its redirects, hop by hop."""
        hop = hops.first_hop(step)
        for _ in range(step.max_redirects + 1):
            status, location = self._exchange(hop, client)
            if not step.follow or status not in hops.REDIRECTS or location is None:
                return
            hop = hops.redirected(hop, status, location)
        raise InspectedThingFailed(url=hop.url, reason="too-many-redirects", redirects=step.max_redirects)

    def _exchange(self, hop: Hop, client: httpx.Client) -> tuple[int, str | None]:
        """One request, said again if the kept connection had been closed meanwhile.

        Status and Location of the response.
        """
        try:
            return self._ask(hop, client)
        except ServerGone:
            stream = self._backend.current
            # RFC 9112 §9.3.1: an idempotent request on a kept connection that was closed
            # before any answer may be repeated on a new one.
            if stream is None or not stream.answers or stream.answered_bytes or hop.method not in _IDEMPOTENT:
                raise
        return self._ask(hop, client)

    def _ask(self, hop: Hop, client: httpx.Client) -> tuple[int, str | None]:
        request, asking = self._prepared(hop)
        self._patience.url = hop.url
        try:
            response = client.send(request, stream=True)
            try:
                self._heed(response, asking)
                if response.status_code != 101:
                    for _ in response.iter_raw():
                        pass
            finally:
                response.close()
        except (httpcore.ReadError, httpcore.WriteError, httpcore.ConnectError) as error:
            raise self._gone(hop, str(error)) from error
        except httpcore.RemoteProtocolError as error:
            raise self._broken(hop, str(error)) from error
        except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol) as error:
            raise UsageProblem(problem=str(error)) from error
        except httpcore.ProxyError as error:
            raise InspectedThingFailed(url=hop.url, reason="proxy-refused", detail=str(error)) from error
        if self._backend.current is not None:
            self._backend.current.answers += 1
        return response.status_code, response.headers.get("location")

    def _prepared(self, hop: Hop) -> tuple[httpx.Request, Asking]:
        """The request with its fields in curl's order; its Context is told."""
        url, authorization = _without_credentials(hops.checked(hop.url, _SCHEMES))
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise BadUrl(url=hop.url, problem="not-a-url") from error
        now_ns = self._teller.now_ns()
        asking = hops.asking_of(hop, str(parsed))
        given = self._given_for(asking) + hops.cookies_by_hand(hop.by_hand)
        profile, jar = self._options.profile, self._options.jar
        self._teller.tell(Context(now_ns, asking, str(parsed), profile, jar, given, restarted=self._restarted))
        self._restarted = False
        cookie = hops.cookie_value(self._jar.header(asking, now_ns), hop.by_hand)
        defaults = [("Host", parsed.netloc.decode("ascii")), ("User-Agent", hops.USER_AGENT), ("Accept", "*/*")]
        if self._options.compressed:
            defaults.append(("Accept-Encoding", hops.ENCODINGS))
        if authorization:
            defaults.append(("Authorization", authorization))
        lines = [(n.encode(), v.encode()) for n, v in hops.header_lines(hop.headers, tuple(defaults))]
        if cookie:
            lines.append((b"Cookie", cookie))
        try:
            request = httpx.Request(hop.method, parsed, headers=lines, content=hop.body)
        except (UnicodeError, ValueError) as error:
            raise UsageProblem(problem=str(error)) from error
        return request, asking

    def _given_for(self, asking: Asking) -> tuple[GivenCookie, ...]:
        """Of the jar at the start what concerns this request; a restart takes the session cookies."""
        if not self._restarted:
            return hops.concerning(self._given, asking.host)
        given = hops.given_at_restart(self._given, asking.host)
        self._jar.end_session()
        self._given = tuple([cookie for cookie in self._given if cookie.expires_ns is not None])
        return given

    def _heed(self, response: httpx.Response, asking: Asking) -> None:
        """Cookies to the jar; whether the server is going to close."""
        now_ns = self._teller.now_ns()
        lines = [value for name, value in response.headers.raw if name.lower() == b"set-cookie"]
        self._jar.store_all(lines, asking, now_ns, steps=False)
        options = response.headers.get("connection", "").lower()
        old = response.extensions.get("http_version") == b"HTTP/1.0" and "keep-alive" not in options
        if self._backend.current is not None and (old or "close" in options):
            self._backend.current.server_closes = True

    def _gone(self, hop: Hop, reason: str) -> ServerGone:
        stream = self._backend.current
        return ServerGone(url=hop.url, seen_bytes=stream.answered_bytes if stream else 0, reason=reason)

    def _broken(self, hop: Hop, message: str) -> InspectError:
        """httpcore says one class for a server that is gone and for one that talks nonsense."""
        if "disconnected" in message or "closed connection" in message:
            return self._gone(hop, "closed")
        return InspectedThingFailed(url=hop.url, reason="malformed-response", detail=message)


def _without_credentials(url: str) -> tuple[str, str]:
    """The URL without user and password, and the Basic field that they make (RFC 7617)."""
    with_, at, rest = urlsplit(url).netloc.rpartition("@")
    if not at:
        return url, ""
    token = base64.b64encode(unquote(with_).encode()).decode()
    return urlsplit(url)._replace(netloc=rest).geturl(), f"Basic {token}"
