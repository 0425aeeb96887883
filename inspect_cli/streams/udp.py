"""Packet columns to UDP conversations: grouped by both endpoints, a batch at once.

Python works for each conversation of a batch and for each datagram that a protocol reads
(by port), never for the others. Loaded where the first datagram is met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from inspect_cli.events.base import Event, Side, Where
from inspect_cli.events.capture import HostsNamed, ParserFailed
from inspect_cli.events.udp import DnsAnswer, UdpConversation, UdpDatagram, UdpEnd
from inspect_cli.streams.channel import Report
from inspect_cli.wire.addresses import endpoint_text
from inspect_cli.wire.frames import Int64, Packets, UInt64

IDLE_NS: Final = 300 * 10**9
"""Idle for so long, a conversation is over: NATs forget it then (RFC 4787 §4.3, REQ-5)."""
MOST_CONVERSATIONS: Final = 32_768
"""So many are kept from one look to the next; beyond, those that are idle longest are over."""

Reason = Literal["idle", "capture-end"]
Placed = tuple[int, Event]
"""An event behind the number of the frame that decides it."""


class Told(NamedTuple):
    """An event, and the numbers of the datagrams whose content it tells."""

    event: Event
    datagrams: tuple[int, ...]


class DatagramReader(Protocol):
    """Reads what the datagrams of one protocol say, of all conversations of a capture. Never raises."""

    def take(self, where: Where, data: bytes, source_port: int, target_port: int) -> Iterable[Told]:
        """One datagram."""

    def over(self, channel: str, where: Where) -> Iterable[Told]:
        """A conversation is over."""


@dataclass(slots=True)
class DatagramProtocol:
    """A protocol on UDP: known by its port alone (RFC 6335), at either end."""

    name: str
    ports: tuple[int, ...]
    make: Callable[[], DatagramReader]


class _Conversation:
    __slots__ = ("bytes", "channel", "client_is_high", "datagrams", "ends", "first", "id", "last_ns", "told")

    def __init__(self, number: int, ends: tuple[str, str], *, client_is_high: bool, first: int) -> None:
        self.id = number
        self.channel = f"udp/{number}"
        self.ends = ends
        """Of the client, of the server."""
        self.client_is_high = client_is_high
        self.first = first
        """Number of its first frame."""
        self.datagrams = [0, 0]
        self.bytes = [0, 0]
        self.last_ns = 0
        self.told = 1
        """Datagrams that a row tells of: the first has one."""

    def tell(self, told: Told) -> Event:
        self.told += len(told.datagrams) - (self.first in told.datagrams)
        return told.event


class UdpTable:
    """Every conversation that is not over yet."""

    def __init__(
        self, protocols: Sequence[DatagramProtocol], report: Report, *, verbose: bool = False, strict: bool = False
    ) -> None:
        """`verbose`: every datagram is an event. `strict`: our own faults raise."""
        self._readers = [(protocol, protocol.make()) for protocol in protocols]
        self._report = report
        self._verbose = verbose
        self._strict = strict
        self._ids: dict[int, int] = {}
        """Of all conversations ever met, by the hash of their endpoints."""
        self._open: dict[int, _Conversation] = {}

    def __len__(self) -> int:
        """How many conversations there were."""
        return len(self._ids)

    def feed(self, packets: Packets, rows: Int64, hashes: UInt64) -> list[Placed]:
        """The UDP rows of a batch, with a hash of each one's endpoints; events in frame order."""
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        new = np.ones(len(rows), np.bool_)
        new[1:] = ordered[1:] != ordered[:-1]
        starts = np.flatnonzero(new)
        rows_by = rows[order]
        found = self._groups(packets, rows_by, ordered[starts], starts)
        if self._verbose:
            found += self._datagrams(packets, rows, hashes, found)
        for protocol, reader in self._readers:
            found += self._read(packets, rows, hashes, protocol, reader)
        found.sort(key=lambda placed: placed[0])
        return found

    def look(self, number: int, now_ns: int) -> list[Placed]:
        """End what is idle at frame `number`, as the capture's clock says."""
        if not self._open:
            return []
        gone = [key for key, one in self._open.items() if now_ns - one.last_ns > IDLE_NS]
        left = len(self._open) - len(gone) - MOST_CONVERSATIONS
        if left > 0:
            idlest = sorted(self._open, key=lambda key: (self._open[key].last_ns, self._open[key].id))
            gone = idlest[: len(gone) + left]
        return self._end(gone, number, now_ns, "idle")

    def close(self, number: int, now_ns: int) -> list[Placed]:
        """The capture is over."""
        return self._end(list(self._open), number, now_ns, "capture-end")

    # -- inside --------------------------------------------------------------------------

    def _groups(self, packets: Packets, rows: Int64, keys: UInt64, starts: Int64) -> list[Placed]:
        """Count rows that are sorted by conversation, then frame; an event for each that begins."""
        if not len(rows):
            return []
        ends = np.append(starts[1:], len(rows))
        high = _from_high(packets, rows)
        size = packets.payload_size[rows]
        counts = np.diff(np.append(starts, len(rows))), np.add.reduceat(high.astype(np.int64), starts)
        sizes = np.add.reduceat(size, starts), np.add.reduceat(size * high, starts)
        last = packets.time_ns[rows[ends - 1]].tolist()
        table = zip(keys.tolist(), *(c.tolist() for c in (*counts, *sizes)), last, rows[starts].tolist(), strict=True)
        found: list[Placed] = []
        for key, count, count_high, octets, octets_high, last_ns, row in sorted(table, key=lambda group: group[-1]):
            one = self._open.get(key)
            if one is None:
                one, placed = self._begin(packets, key, row)
                found.append(placed)
            side = 0 if one.client_is_high else 1
            one.datagrams[side] += count_high
            one.datagrams[1 - side] += count - count_high
            one.bytes[side] += octets_high
            one.bytes[1 - side] += octets - octets_high
            one.last_ns = last_ns
        return found

    def _begin(self, packets: Packets, key: int, row: int) -> tuple[_Conversation, Placed]:
        version = int(packets.version[row])
        client, server = (
            endpoint_text(
                int(getattr(packets, f"{end}_hi")[row]),
                int(getattr(packets, f"{end}_lo")[row]),
                version,
                int(getattr(packets, f"{end}_port")[row]),
            )
            for end in ("source", "target")
        )
        resumed = key in self._ids
        high = bool(_from_high(packets, np.array([row]))[0])
        where = self._where(packets, row, f"udp/{self._ids.setdefault(key, len(self._ids))}", Side.CLIENT)
        one = _Conversation(self._ids[key], (client, server), client_is_high=high, first=where.at)
        self._open[key] = one
        return one, (where.at, UdpConversation(where, client, server, int(packets.payload_size[row]), resumed))

    def _datagrams(self, packets: Packets, rows: Int64, hashes: UInt64, begun: list[Placed]) -> list[Placed]:
        """An event for each datagram that begins no conversation; with -v only."""
        firsts = {number for number, _ in begun}
        found: list[Placed] = []
        high = _from_high(packets, rows).tolist()
        for row, key, is_high in zip(rows.tolist(), hashes.tolist(), high, strict=True):
            if int(packets.number[row]) not in firsts:
                where = self._place(packets, row, self._open[key], is_high)
                found.append((where.at, UdpDatagram(where, int(packets.payload_size[row]))))
        return found

    def _read(
        self, packets: Packets, rows: Int64, hashes: UInt64, protocol: DatagramProtocol, reader: DatagramReader
    ) -> list[Placed]:
        """What the datagrams of a protocol say."""
        source, target = packets.source_port[rows], packets.target_port[rows]
        is_its = np.zeros(len(rows), np.bool_)
        for port in protocol.ports:
            is_its |= (source == port) | (target == port)
        found: list[Placed] = []
        if not is_its.any():
            return found
        its = rows[is_its]
        high = _from_high(packets, its).tolist()
        for row, key, is_high in zip(its.tolist(), hashes[is_its].tolist(), high, strict=True):
            one = self._open[key]
            where = self._place(packets, row, one, is_high)
            start = int(packets.payload_offset[row])
            data = bytes(memoryview(packets.buffer)[start : start + int(packets.payload_captured[row])])
            try:
                said = reader.take(where, data, int(packets.source_port[row]), int(packets.target_port[row]))
            except Exception as error:
                if self._strict:
                    raise
                said = [self._failed(where, protocol.name, error)]
            found += [(where.at, one.tell(told)) for told in said]
        return found

    def _failed(self, where: Where, name: str, error: Exception) -> Told:
        self._report.tally.problem("parser-failed")
        return Told(ParserFailed(where, name, f"{type(error).__name__}: {error}"[:200]), ())

    def _end(self, keys: list[int], number: int, now_ns: int, reason: Literal["idle", "capture-end"]) -> list[Placed]:
        found: list[Placed] = []
        for one in sorted((self._open.pop(key) for key in keys), key=lambda one: one.id):
            where = Where(number, now_ns, one.channel, None)
            for _, reader in self._readers:
                found += [(number, one.tell(told)) for told in reader.over(one.channel, where)]
            if sum(one.datagrams) > one.told:
                found.append((number, _end_of(one, where, reason)))
        return found

    def _place(self, packets: Packets, row: int, one: _Conversation, is_high: bool) -> Where:
        return self._where(packets, row, one.channel, Side.CLIENT if is_high == one.client_is_high else Side.SERVER)

    @staticmethod
    def _where(packets: Packets, row: int, channel: str, side: Side) -> Where:
        number = int(packets.number[row])
        return Where(number, int(packets.time_ns[row]), channel, side, (number,))


class UdpNames:
    """A table of which the names of hosts are told and nothing else."""

    def __init__(self, table: UdpTable) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    def feed(self, packets: Packets, rows: Int64, hashes: UInt64) -> list[Placed]:
        """Names that the answers among these rows give, in frame order."""
        found: list[Placed] = []
        for at, event in self._table.feed(packets, rows, hashes):
            if isinstance(event, DnsAnswer) and event.addresses:
                pairs = tuple([(address, event.name) for address in event.addresses])
                found.append((at, HostsNamed(event.where, pairs)))
        return found

    def look(self, number: int, now_ns: int) -> list[Placed]:
        """Nothing: that a conversation is over gives no names."""
        self._table.look(number, now_ns)
        return []

    def close(self, number: int, now_ns: int) -> list[Placed]:
        """Nothing likewise."""
        self._table.close(number, now_ns)
        return []


def _end_of(one: _Conversation, where: Where, reason: Reason) -> UdpEnd:
    client, server = one.ends
    return UdpEnd(where, client, server, one.datagrams[0], one.datagrams[1], one.bytes[0], one.bytes[1], reason)


def _from_high(packets: Packets, rows: Int64) -> NDArray[np.bool_]:
    """Whether a packet was sent from the higher one of its endpoints."""
    s_hi, s_lo, s_port = packets.source_hi[rows], packets.source_lo[rows], packets.source_port[rows]
    t_hi, t_lo, t_port = packets.target_hi[rows], packets.target_lo[rows], packets.target_port[rows]
    is_high: NDArray[np.bool_] = (s_hi > t_hi) | (
        (s_hi == t_hi) & ((s_lo > t_lo) | ((s_lo == t_lo) & (s_port > t_port)))
    )
    return is_high
