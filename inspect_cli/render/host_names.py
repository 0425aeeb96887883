"""Names of hosts, as DNS answers that pass by give them, or the file itself."""

from __future__ import annotations

from typing import Final, NamedTuple

from inspect_cli.events.base import Entry
from inspect_cli.events.capture import HostsNamed

MOST: Final = 10_000
"""Addresses whose names are remembered; the one named first is forgotten first."""


class HostName(NamedTuple):
    """The name that was asked for, and the frame of the answer that gave the address."""

    name: bytes
    frame: int | None
    """None where the file names the host."""


class HostNames:
    """The latest name of each address."""

    def __init__(self) -> None:
        self._names: dict[str, HostName] = {}

    def learn(self, entry: Entry) -> None:
        """See an entry, shown or not."""
        event = entry.event
        if event.kind != "dns-answer":
            return
        found = HostName(getattr(event, "name", b""), event.where.at)
        for address in getattr(event, "addresses", ()):
            self._keep(address, found)

    def take(self, named: HostsNamed) -> None:
        """Take names that no entry gives."""
        frame = named.where.frames[0] if named.where.frames else None
        for address, name in named.pairs:
            self._keep(address, HostName(name, frame))

    def _keep(self, address: str, found: HostName) -> None:
        self._names.pop(address, None)
        self._names[address] = found
        if len(self._names) > MOST:
            del self._names[next(iter(self._names))]

    def of(self, endpoint: str) -> HostName | None:
        """Of an address with its port, `192.0.2.1:80` or `[2001:db8::1]:80`."""
        return self._names.get(endpoint.rpartition(":")[0].strip("[]")) if self._names else None
