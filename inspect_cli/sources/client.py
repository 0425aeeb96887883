"""What a source and a client are, and what a client is asked to do."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self

from inspect_cli.errors import InspectError
from inspect_cli.events.base import Item
from inspect_cli.events.calls import Call, Context, Reported, Secrets
from inspect_cli.events.summary import Capture


class Source(Protocol):
    """A context manager that yields items in one order; entered once, read once."""

    capture: Capture
    drops: int
    """Frames that the kernel dropped for want of room."""
    error: InspectError | None
    """A problem to raise once everything that was read has been shown."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @abstractmethod
    def items(self) -> Iterator[Item]:
        """All items; the buffer of a Frames is valid until the next item is asked for."""


class Journal(Protocol):
    """What a client tells while it runs; called from the client's thread only."""

    @abstractmethod
    def announce(self, address: str, port: int) -> bool:
        """A connect() to there follows: returns once the sniffer listens there.

        True: its packets will be seen. False: nobody can see them, so the client is to tell
        the bytes of this connection itself (Reported).

        Raises: NotPermitted, where packets were asked for and cannot be had.
        """

    @abstractmethod
    def opened(self, address: str, port: int, local_address: str, local_port: int) -> None:
        """The announced connect() has begun from there; local_port 0: it could not begin."""

    @abstractmethod
    def tell(self, item: Call | Context | Secrets | Reported) -> None:
        """One more item; their times do not go back."""


class Client(Protocol):
    """Somebody who causes traffic. One object runs once."""

    @abstractmethod
    def run(self, journal: Journal) -> None:
        """Do everything, close every socket, return. Blocks; called in a worker thread.

        Raises: InspectError, after every socket was closed.
        """

    @abstractmethod
    def stop(self) -> None:
        """Make `run` end soon (it raises `Stopped`); called from another thread, any time."""


class Stopped(Exception):
    """`Client.stop` was called: the run ends early and nothing is wrong."""


ELSEWHERE: Final = "https://cross-site.invalid/"
"""A page of some other site (RFC 6761 §6.4: no such name will ever be)."""


@dataclass(frozen=True, slots=True)
class RequestStep:
    """One request to make, with the redirects that follow from it.

    `headers` are curl's -H: `("Accept", "")` takes a default field away, `("X-Empty;", "")`
    sends a field without a value; an ordinary one replaces the default of its name.
    `cookies_by_hand` is curl's -b "name=value; name2=value2": sent as it is, to the first
    origin only. `via`, `page` and `top` say who asks (cookies/asking.py). `restart`: the browser
    was closed and opened again before: its connections and its session cookies are gone.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    via: str = "navigate"
    page: str | None = None
    """URL of the page where the request began; None: one of the URL's own site, or none."""
    top: str | None = None
    """URL of the top-level page around it; None: `page`."""
    restart: bool = False
    cookies_by_hand: str = ""
    follow: bool = False
    max_redirects: int = 50


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """What holds for all requests of a client."""

    timeout_s: float | None = None
    """--max-time: for the whole run; None: no bound."""
    connect_timeout_s: float | None = None
    """For each name and its addresses: looking up, connecting, TLS handshake."""
    resolve: Mapping[tuple[str, int], str] = field(default_factory=dict)
    """--resolve: address of a host (lower case) and port, without asking anybody."""
    insecure: bool = False
    cacert: str | None = None
    cert: str | None = None
    key: str | None = None
    proxy: str | None = None
    compressed: bool = False
    """Accept-Encoding of curl's --compressed; for a WebSocket, offer permessage-deflate."""
    profile: str = "rfc6265bis"
    jar: str = "jar"
    """Name of the jar in Contexts."""


def endpoint(address: str, port: int) -> str:
    """An address as "addr:port", "[addr]:port" for IPv6; "" for no port."""
    if not port:
        return ""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
