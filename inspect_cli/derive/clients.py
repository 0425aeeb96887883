"""The jars of all clients of a capture: one per named jar, else per address and User-Agent."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from inspect_cli.cookies.cookie import Cookie, Key
from inspect_cli.cookies.jar import Jar
from inspect_cli.cookies.profiles import PROFILES, RFC6265BIS
from inspect_cli.derive.heads import Recent
from inspect_cli.derive.matching import Known, Outcome, Refused
from inspect_cli.events.calls import Context
from inspect_cli.events.tcp import Syn

MAX_JARS = 1_000
MAX_JAR_BYTES = 64 << 20
"""Of all jars together; the jar used longest ago is forgotten first."""
MAX_CONNECTIONS = 65_536
_MAX_SEEDED = 10_000
_SEED_BYTES = 300
"""Of the name of a cookie that was put in, roughly."""
_MAX_REFUSED = 64
MAX_REFUSED_BYTES = 512
"""Of the name and value of a cookie that was not kept; longer ones are not recognised again."""

Owner = tuple[str, bytes]
"""`#` and the name of a jar, or `=` and the address of a client with its User-Agent."""


@dataclass(slots=True)
class Client:
    """A jar and what was put into it from outside."""

    owner: Owner
    jar: Jar
    seeded: set[tuple[str, Key]] = field(default_factory=set)
    size_bytes: int = 0
    refused: Recent[tuple[bytes, bytes], Refused] = field(default_factory=lambda: Recent(_MAX_REFUSED))
    """By name and value, what other clients keep and this one may have kept too."""
    last: Outcome | None = None
    """Of its last request, where the next one may have the same."""


class Clients:
    """Finds the jar of a request; bounded in jars and bytes."""

    def __init__(self, profile: str | None = None) -> None:
        """`profile`: of all of them, whatever a Context says; None: a Context's, else the draft's."""
        self._profile = profile
        self._clients: OrderedDict[Owner, Client] = OrderedDict()
        self._addresses: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._count_of: dict[str, int] = {}
        self._size_bytes = 0

    def opened(self, event: Syn) -> None:
        """Remember who is at either end of the connection."""
        addresses = self._addresses
        if len(addresses) >= MAX_CONNECTIONS:
            addresses.popitem(last=False)
        addresses[event.where.channel] = (event.client.rpartition(":")[0], event.server.rpartition(":")[0])

    def closed(self, connection: str) -> None:
        self._addresses.pop(connection, None)

    def address_of(self, connection: str) -> str:
        """The client's address; the connection itself where its opening was not captured."""
        known = self._addresses.get(connection)
        return known[0] if known else connection

    def server_of(self, connection: str) -> str:
        """The server's address without brackets, "" where the opening was not captured."""
        known = self._addresses.get(connection)
        return known[1].strip("[]") if known else ""

    def has_any(self, address: str) -> bool:
        """Whether some client at that address has a jar; cheap."""
        return address in self._count_of

    def recorded(self, address: str, user_agent: bytes, *, make: bool) -> Client | None:
        """The jar of a client that is known only by its traffic."""
        owner = ("=" + address, user_agent)
        client = self._find(owner)
        if client is None and make:
            client = self._make(owner, self._profile or RFC6265BIS.name)
            self._count_of[address] = self._count_of.get(address, 0) + 1
        return client

    def named(self, context: Context) -> Client:
        """The jar that a Context names, with the cookies that it was given."""
        owner = ("#" + context.jar, b"")
        client = self._find(owner)
        if client is None:
            said = self._profile or context.profile
            client = self._make(owner, said if said in PROFILES else RFC6265BIS.name)
        self._seed(client, context)
        return client

    def grown(self, client: Client) -> None:
        """The jar changed; forget old ones where all together are too large."""
        size_bytes = client.jar.size_bytes + _SEED_BYTES * len(client.seeded)
        self._size_bytes += size_bytes - client.size_bytes
        client.size_bytes = size_bytes
        while self._size_bytes > MAX_JAR_BYTES and len(self._clients) > 1:
            self._forget_oldest()

    def _find(self, owner: Owner) -> Client | None:
        client = self._clients.get(owner)
        if client is not None:
            self._clients.move_to_end(owner)
        return client

    def _make(self, owner: Owner, profile: str) -> Client:
        client = self._clients[owner] = Client(owner, Jar(profile))
        if len(self._clients) > MAX_JARS:
            self._forget_oldest()
        return client

    def _forget_oldest(self) -> None:
        owner, client = self._clients.popitem(last=False)
        self._size_bytes -= client.size_bytes
        address = owner[0][1:]
        if owner[0].startswith("="):
            self._count_of[address] -= 1
            if not self._count_of[address]:
                del self._count_of[address]

    def _seed(self, client: Client, context: Context) -> None:
        """Put the given cookies in, each once: what the capture did to it since then counts."""
        for given in context.given:
            if given.by_hand or len(client.seeded) >= _MAX_SEEDED:
                continue
            domain = given.domain.removeprefix(".").lower()
            place = (domain, (given.name, given.host_only, given.path, given.partition))
            if place in client.seeded:
                continue
            client.seeded.add(place)
            if (
                client.jar.find(given.name, domain, given.path, host_only=given.host_only, partition=given.partition)
                is None
            ):
                client.jar.add(
                    Cookie(
                        given.name,
                        given.value,
                        domain,
                        given.host_only,
                        given.path,
                        given.secure,
                        given.http_only,
                        given.same_site,
                        given.expires_ns,
                        given.partition,
                        tag=Known((), is_given=True),
                    )
                )
        self.grown(client)
