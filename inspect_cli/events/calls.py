"""What a client tells about itself: socket calls, contexts, secrets, reported bytes."""

from __future__ import annotations

from typing import ClassVar, Literal

from inspect_cli.events.base import Event, Item, Layer, Secret, Side, noun
from inspect_cli.events.cookies import Asking
from inspect_cli.events.http import RequestHead


@noun
class Call(Item):
    """A socket call of our own client; a blocking one is two items, begun and returned.

    `result` is "" while begun; afterwards what it returned ("fd 5", "12 bytes", an errno name).
    """

    time_ns: int
    name: str
    """`socket`, `connect`, `send`, `recv`, `close`, `getsockname`, ..."""
    fd: int
    phase: Literal["begun", "returned"]
    local: str
    remote: str
    """"addr:port" or "" while unknown."""
    arguments: str
    result: str


@noun
class GivenCookie:
    """A cookie that was in the jar at the start, or given by hand (`-b`)."""

    name: bytes
    value: Secret
    domain: str
    host_only: bool
    path: str
    secure: bool
    http_only: bool
    same_site: Literal["strict", "lax", "none", "default"]
    expires_ns: int | None
    by_hand: bool
    """Put into the Cookie field as it is, whatever the jar says."""
    partition: str = ""
    """The top-level site under which it lives alone (CHIPS)."""


@noun
class Context(Item):
    """What the client knows of its next request and the wire does not show."""

    time_ns: int
    asking: Asking
    url: str
    profile: str
    """`rfc6265bis`, `chromium`, ..."""
    jar: str
    """Name of the jar; requests with the same name share one."""
    given: tuple[GivenCookie, ...]
    recorded: bool = False
    """A HAR tells it of another client: what was in its jar before, and what its user set, is not known."""
    restarted: bool = False
    """The client was closed and opened again before: its session cookies are gone."""


@noun
class Secrets(Item):
    """NSS key-log lines (RFC 9850) for TLS."""

    lines: bytes


@noun
class Reported(Item):
    """Bytes that passed the client's sockets, where packets cannot be seen.

    `side` is the side that sent them; `data` b"" with `ended`: the side closed. A HAR tells
    one request and its response on a channel of their own, and no `client` and `server`.
    """

    time_ns: int
    channel: int
    """Number of the socket, from 0: its channel is `socket/N`."""
    side: Side
    data: bytes
    ended: bool
    client: str
    server: str
    unseen_bytes: int = 0
    """So many bytes follow `data` that are not told."""


@noun
class CallMade(Event):
    """A Call in the timeline; drawn only with -v."""

    kind: ClassVar[str] = "call"
    layer: ClassVar[Layer] = "call"
    shown: ClassVar[tuple[str, ...]] = ("name", "fd", "phase", "local", "remote", "arguments", "result")

    call: Call

    @property
    def name(self) -> str:
        return self.call.name

    @property
    def fd(self) -> int:
        return self.call.fd

    @property
    def phase(self) -> str:
        return self.call.phase

    @property
    def local(self) -> str:
        return self.call.local

    @property
    def remote(self) -> str:
        return self.call.remote

    @property
    def arguments(self) -> str:
        return self.call.arguments

    @property
    def result(self) -> str:
        return self.call.result


@noun
class SocketTold(Event):
    """A client's own socket tells its bytes from here on, as its packets cannot be seen."""

    kind: ClassVar[str] = "socket"
    layer: ClassVar[Layer] = "tcp"

    client: str
    server: str


@noun
class ContextGiven(Event):
    """A Context, shown to derivers; no entry."""

    kind: ClassVar[str] = "context"
    layer: ClassVar[Layer] = "call"
    is_entry: ClassVar[bool] = False

    context: Context


@noun
class RequestAsked(Event):
    """A captured request with the Context that tells of it; no entry."""

    kind: ClassVar[str] = "request-asked"
    layer: ClassVar[Layer] = "call"
    is_entry: ClassVar[bool] = False

    of: RequestHead
    context: Context
