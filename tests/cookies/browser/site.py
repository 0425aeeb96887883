"""Sites for a browser on loopback: every host name, https and http, hypercorn and hand-made bytes.

What a URL answers is said beforehand (`Sites.answers`); what came is kept (`Sites.arrivals`), its
Cookie fields as they came. Hosts beneath `RAW` are served by hand-made bytes, all others by
hypercorn; `PRACTICE` is the practice site itself.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import hashlib
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypercorn.asyncio import serve
from hypercorn.config import Config, Sockets

from inspect_cli.practice.raw_talk import MAX_HEAD_BYTES, RawTalk
from inspect_cli.practice.site import make_site
from tests.cookies.browser.shapes import filled

RAW: Final = "raw.test"
PRACTICE: Final = "practice.test"
SCHEMES: Final = ("https", "http")

_PAGE: Final = (
    b'<!doctype html><link rel="icon" href="data:,"><title>page</title><body>page'
    b"<script>addEventListener('message', async e => e.ports[0].postMessage(await (0, eval)(e.data)))</script>\n"
)
_PIXEL: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one URL answers: these Set-Cookie lines, and perhaps where to go instead."""

    lines: tuple[str, ...] = ()
    """As `shapes.filled` takes them: they mean the time of the answer."""

    status: int = 200
    location: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as it came."""

    scheme: str
    method: str
    host: str
    target: str
    cookies: tuple[bytes, ...]
    at_s: float = field(default_factory=time.time)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}{self.target}"


@dataclass(slots=True)
class Sites:
    """Running servers. The two collections are the test's to fill and to clear, between requests."""

    ports: dict[tuple[str, bool], int]
    """(scheme, whether by hand-made bytes): port."""

    key_hash: str
    """SHA-256 of the certificate's public key, base64: what Chromium is told to trust."""

    answers: dict[str, Answer] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)

    def resolver_rules(self, hosts: list[str]) -> str:
        """`--host-resolver-rules` under which these hosts (as in URLs, perhaps with a port) are here, and no other."""
        rules = []
        for host in sorted(hosts):
            raw = is_raw(host)
            name, _, port = host.rpartition(":") if host.rpartition(":")[2].isdigit() else (host, "", "")
            for scheme, usual in (("https", "443"), ("http", "80")):
                if not port or scheme == "https":
                    rules.append(f"MAP {name}:{port or usual} 127.0.0.1:{self.ports[scheme, raw]}")
        return ", ".join([*rules, "MAP * ~NOTFOUND"])

    def respond(self, arrival: Arrival, fields: dict[str, str]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Keep the arrival; give status, fields and body of the answer."""
        origin = fields.get("origin", "*").encode("latin-1")
        head = [
            (b"cache-control", b"no-store"),
            (b"access-control-allow-origin", origin),
            (b"access-control-allow-credentials", b"true"),
        ]
        if arrival.method == "OPTIONS" and "access-control-request-method" in fields:
            asked = fields["access-control-request-method"].encode("latin-1")
            return 204, [*head, (b"access-control-allow-methods", asked)], b""
        self.arrivals.append(arrival)
        answer = self.answers.get(arrival.url, Answer())
        head += [(b"set-cookie", filled(line, arrival.at_s)) for line in answer.lines]
        if answer.location:
            head.append((b"location", answer.location.encode("latin-1")))
        if fields.get("accept", "").startswith("image/"):
            return answer.status, [*head, (b"content-type", b"image/gif")], _PIXEL
        return answer.status, [*head, (b"content-type", b"text/html")], _PAGE


def is_raw(host: str) -> bool:
    return host.partition(":")[0].endswith(RAW)


class _App:
    """The sites as an ASGI application; the practice site is reached through it."""

    def __init__(self, sites: Sites, stopping: asyncio.Event) -> None:
        self._sites = sites
        self._practice = make_site(stopping)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"nobody asks for {scope['type']} here")
        fields = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        query = scope["query_string"].decode("latin-1")
        arrival = Arrival(
            scope["scheme"],
            scope["method"],
            fields.get("host", ""),
            scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""),
            tuple(value for name, value in scope["headers"] if name == b"cookie"),
        )
        if arrival.host == PRACTICE:
            if arrival.target != "/favicon.ico":  # asked for whenever the browser likes
                self._sites.arrivals.append(arrival)
            await self._practice(scope, receive, send)
            return
        while (await receive()).get("more_body"):
            pass
        status, head, body = self._sites.respond(arrival, fields)
        head.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})


async def _serve_raw(sites: Sites, scheme: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    talk = RawTalk(reader, writer)
    while (request := await talk.request()) is not None:
        await talk.body(request)
        fields = dict(reversed(request.fields))
        cookies = tuple(value.encode("latin-1") for name, value in request.fields if name == "cookie")
        arrival = Arrival(scheme, request.method, fields.get("host", ""), request.target, cookies)
        status, head, body = sites.respond(arrival, fields)
        lines = [b"HTTP/1.1 %d Said" % status, *(name + b": " + value for name, value in head)]
        await talk.send(b"\r\n".join([*lines, b"content-length: %d" % len(body), b"", body]))
        if request.wants_close:
            break
    await talk.end()


class _BoundConfig(Config):
    """hypercorn's settings, with a socket that is bound already, and silent."""

    accesslog = None
    errorlog = None
    graceful_timeout = 1.0
    alpn_protocols = ["http/1.1"]  # noqa: RUF012 - one Cookie field as it came, not the crumbs of HTTP/2

    def __init__(self, listener: socket.socket, certificate: Path | None) -> None:
        super().__init__()
        self._listener = listener
        if certificate:
            self.certfile = self.keyfile = str(certificate)

    def create_sockets(self) -> Sockets:
        return Sockets([self._listener], [], []) if self.certfile else Sockets([], [self._listener], [])


def _not_when_closing(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A browser that closes a TLS connection does not always say good-bye."""
    if not isinstance(context.get("exception"), TimeoutError | ssl.SSLError | ConnectionError):
        loop.default_exception_handler(context)


async def _run(
    sites: Sites,
    listeners: dict[tuple[str, bool], socket.socket],
    certificate: Path,
    started: threading.Event,
    stopping: asyncio.Event,
) -> None:
    asyncio.get_running_loop().set_exception_handler(_not_when_closing)
    app = _App(sites, stopping)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listening = [asyncio.Event() for _ in SCHEMES]
    tasks = []
    for scheme, event in zip(SCHEMES, listening, strict=True):

        async def until_stopped(event: asyncio.Event = event) -> None:
            event.set()
            await stopping.wait()

        config = _BoundConfig(listeners[scheme, False], certificate if scheme == "https" else None)
        tasks.append(asyncio.create_task(serve(app, config, shutdown_trigger=until_stopped)))  # type: ignore[arg-type]
    raw = [
        await asyncio.start_server(
            lambda reader, writer, scheme=scheme: _serve_raw(sites, scheme, reader, writer),
            sock=listeners[scheme, True],
            limit=MAX_HEAD_BYTES,
            ssl=context if scheme == "https" else None,
        )
        for scheme in SCHEMES
    ]
    await asyncio.gather(*(event.wait() for event in listening))
    started.set()
    await stopping.wait()
    for server in raw:
        server.close()
    await asyncio.gather(*tasks)


@contextmanager
def serving() -> Iterator[Sites]:
    """Serve until left, with a certificate that is made now."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = Path(folder, "site.pem")
        key_hash = make_certificate(certificate)
        listeners = {(scheme, raw): _listener() for scheme in SCHEMES for raw in (False, True)}
        sites = Sites({which: listener.getsockname()[1] for which, listener in listeners.items()}, key_hash)
        started = threading.Event()
        loop = asyncio.new_event_loop()
        stopping = asyncio.Event()
        failures: list[BaseException] = []

        def run() -> None:
            try:
                with asyncio.Runner(loop_factory=lambda: loop) as runner:
                    runner.run(_run(sites, listeners, certificate, started, stopping))
            except BaseException as failure:  # noqa: BLE001 - raised below, in the thread that waits
                failures.append(failure)
            finally:
                started.set()

        thread = threading.Thread(target=run, name="sites", daemon=True)
        thread.start()
        started.wait()
        try:
            if not failures:
                yield sites
        finally:
            if not failures:
                loop.call_soon_threadsafe(stopping.set)
            thread.join()
            for listener in listeners.values():
                listener.close()
        if failures:
            raise failures[0]


def _listener() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    return listener


def make_certificate(path: Path) -> str:
    """Write key and certificate, self-signed, for a day and no name; give the hash of the key, which is trusted."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests of inspect-cli")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(public).digest()).decode()
