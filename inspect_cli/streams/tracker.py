"""Batches of frames to events in their order: the door of this room.

Everything that frames decide comes out sorted by (frame, connection, depth, side), so that
it never depends on how the capture was cut into batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from inspect_cli.events.base import REPORTED, Event, Side, Where
from inspect_cli.events.calls import Reported, SocketTold
from inspect_cli.events.capture import CaptureComment, FragmentOverlap, Undecoded
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import Connection
from inspect_cli.streams.channel import Channel, Placed, Protocol, Report
from inspect_cli.streams.connections import LOOK_EVERY_FRAMES, ConnectionTable
from inspect_cli.streams.distinct import Distinct
from inspect_cli.streams.reader import ENDED, OPENING, Place, Reader
from inspect_cli.streams.tcp_states import TcpConnection
from inspect_cli.wire.frames import Frames, Int64, Packets, UInt64
from inspect_cli.wire.packets import Decoder

if TYPE_CHECKING:
    from inspect_cli.streams.udp import UdpNames, UdpTable
    from inspect_cli.wire.fragments import FragmentNote

_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
MOST_FRAMES = 12_288
"""So many are read at once: of tiny frames a batch holds a hundred thousand, each with its events."""
_OTHERS = 0
"""Protocol of packets that another reader counts."""
_NO_CONNECTION = -1
_Sorted = tuple[list[Event], list[Connection]]


class Share(NamedTuple):
    """Which of the conversations are read here, where several readers share a capture.

    Together they count what one reader of the whole counts: each conversation belongs to one
    of them, and what belongs to none (frames, bytes, what gave no packet) to the first.
    """

    number: int
    """From 0."""
    of: int

    @property
    def is_first(self) -> bool:
        return self.number == 0

    def holds(self, conversations: UInt64) -> NDArray[np.bool_]:
        """Which of these hashes are of conversations that are read here."""
        # The first has begun when it begins the others: its part is an eighth larger.
        start = 0 if self.is_first else 2 + 15 * self.number
        slot = conversations % np.uint64(2 + 15 * self.of)
        held: NDArray[np.bool_] = (slot >= np.uint64(start)) & (slot < np.uint64(17 + 15 * self.number))
        return held


class Tracker:
    """Frames and reported bytes in; events in order and let-go connections out."""

    def __init__(
        self,
        protocols: Sequence[Protocol],
        report: Report,
        *,
        verbose: bool = False,
        only: int | None = None,
        picked: Callable[[list[int]], None] | None = None,
        at_once: bool = True,
        strict: bool = False,
        share: Share | None = None,
        make_udp: Callable[[], UdpTable | UdpNames] | None = None,
    ) -> None:
        """`only`: parse this connection alone. `picked`, `at_once`, `strict`: see ConnectionTable, Channel.

        `make_udp`: called at the first datagram; without it UDP conversations are only counted.
        """
        self._share = share
        self._protocols = protocols
        self._report = report
        # The summary counts what frames show: what sockets report has counters that nobody reads.
        self._told = Report(Tally(), report.wanted)
        self._verbose = verbose
        self._strict = strict
        self._table = ConnectionTable(
            self._make_channel, report.wants, report.tally, verbose=verbose, only=only, picked=picked, at_once=at_once
        )
        self._sockets: dict[int, _Socket] = {}
        self._udp = Distinct()
        self._make_udp = make_udp
        self._udp_table: UdpTable | UdpNames | None = None
        self._decoder = Decoder()
        self.last_number = 0
        """Number of the last frame fed; 0 before any."""
        self.last_time_ns = 0
        self.first_time_ns: int | None = None

    def feed(self, frames: Frames) -> Iterator[_Sorted]:
        """Events of these frames in order; cut where connections are looked over."""
        start = 0
        while start < len(frames):
            number = frames.first_number + start
            next_look = (number + LOOK_EVERY_FRAMES - 1) // LOOK_EVERY_FRAMES * LOOK_EVERY_FRAMES
            end = min(len(frames), next_look - frames.first_number + 1, start + MOST_FRAMES)
            part = frames if start == 0 and end == len(frames) else frames.part(start, end)
            yield self._part(part)
            if self.last_number % LOOK_EVERY_FRAMES == 0:
                found, rows = self._table.look(self.last_number, self.last_time_ns)
                table = self._udp_table
                idle = table.look(self.last_number, self.last_time_ns) if table is not None else []
                yield self._in_order(found, idle), rows
            start = end

    def reported(self, item: Reported) -> list[Event]:
        """Bytes that passed a client's socket: the same parsers read them."""
        socket = self._sockets.get(item.channel)
        events: list[Event] = []
        if socket is None:
            socket = self._sockets[item.channel] = _Socket(item.channel, self._socket_channel)
            if item.client and self._told.wants(SocketTold):
                where = Where(self.last_number, item.time_ns, socket.name, None, basis=REPORTED)
                events.append(SocketTold(where, item.client, item.server))
        socket.take(item, self.last_number)
        if not socket.has_client and all(reader.is_finished for reader in socket.readers):
            socket.finish(self.last_number)
            del self._sockets[item.channel]  # of a HAR, which has thousands
        return events + self._socket_events(socket)

    def close(self) -> Iterator[_Sorted]:
        """What only the end of the capture decides."""
        for socket in self._sockets.values():
            if not socket.has_client:
                continue  # of a HAR, which does not tell what a WebSocket or a tunnel carried, and how it ended
            socket.finish(self.last_number)
            yield self._socket_events(socket), []
        loose: list[tuple[int, Event]] = []
        if self._share is None or self._share.is_first:
            loose = self._fragments(self._decoder.close(self.last_number))
        if self._udp_table is not None:
            loose += self._udp_table.close(self.last_number, self.last_time_ns)
        found, rows = self._table.close(self.last_number, self.last_time_ns)
        yield self._in_order(found, loose), rows

    def _make_channel(self, readers: tuple[Reader, Reader]) -> Channel:
        return Channel(readers, self._protocols, self._report, strict=self._strict)

    def _socket_channel(self, readers: tuple[Reader, Reader]) -> Channel:
        return Channel(readers, self._protocols, self._told, strict=self._strict)

    def _part(self, frames: Frames) -> _Sorted:
        tally = self._report.tally
        packets = self._decoder.decode(frames)
        share = self._share
        loose: list[tuple[int, Event]] = []
        if share is None or share.is_first:
            tally.packets += len(frames)
            tally.bytes += int(frames.original_size.sum())
            loose = self._undecoded(frames, packets) + self._fragments(packets.fragments) + self._comments(frames)
        if share is not None:
            packets.protocol[~share.holds(conversations(packets))] = _OTHERS
        loose += self._count(packets)
        found = self._table.feed(packets)
        self.last_number = frames.first_number + len(frames) - 1
        self.last_time_ns = int(frames.time_ns[-1])
        if self.first_time_ns is None:
            self.first_time_ns = int(frames.time_ns[0])
        return self._in_order(found, loose), []

    def _count(self, packets: Packets) -> list[tuple[int, Event]]:
        """Count flags and conversations; what happened in those of UDP."""
        tally = self._report.tally
        tcp = packets.protocol == 6
        flags = packets.flags[tcp]
        syn, ack = (flags & _SYN) != 0, (flags & _ACK) != 0
        tally.syn += int(np.count_nonzero(syn & ~ack))
        tally.syn_ack += int(np.count_nonzero(syn & ack))
        tally.fin += int(np.count_nonzero(flags & _FIN))
        tally.rst += int(np.count_nonzero(flags & _RST))
        rows = np.flatnonzero(packets.protocol == 17)
        if not len(rows):
            return []
        keys = conversations(packets)[rows]
        if self._make_udp is None:
            self._udp.add(keys)
            tally.udp_conversations = len(self._udp)
            return []
        table = self._udp_table
        if table is None:
            table = self._udp_table = self._make_udp()
        told = table.feed(packets, rows, keys)
        tally.udp_conversations = len(table)
        return told

    def _undecoded(self, frames: Frames, packets: Packets) -> list[tuple[int, Event]]:
        tally = self._report.tally
        tally.undecoded_packets += len(packets.undecoded)
        wanted = self._report.wants(Undecoded)
        found: list[tuple[int, Event]] = []
        for frame in packets.undecoded:
            other_protocol = frame.reason == "protocol"
            if not other_protocol:
                tally.problem(f"undecoded-{frame.reason}")
            if wanted and (self._verbose or not other_protocol):
                number = frames.first_number + frame.row
                where = Where(number, int(frames.time_ns[frame.row]), "", None, (number,))
                found.append((number, Undecoded(where, frame.reason, frame.detail)))
        return found

    def _fragments(self, notes: list[FragmentNote]) -> list[tuple[int, Event]]:
        tally = self._report.tally
        found: list[tuple[int, Event]] = []
        for note in notes:
            where = Where(note.at, note.time_ns, "", None, note.frames)
            if note.overlaps:
                tally.problem("fragment-overlap")
                if self._report.wants(FragmentOverlap):
                    found.append((note.at, FragmentOverlap(where, note.identification)))
                continue
            tally.undecoded_packets += note.counted
            for _ in range(note.counted):
                tally.problem("undecoded-fragment")
            if note.counted and self._report.wants(Undecoded):
                found.append((note.at, Undecoded(where, "fragment", str(note.identification))))
        return found

    def _comments(self, frames: Frames) -> list[tuple[int, Event]]:
        if not self._report.wants(CaptureComment):
            return []
        found: list[tuple[int, Event]] = []
        for number, comments in frames.comments.items():
            where = Where(number, int(frames.time_ns[number - frames.first_number]), "", None, (number,))
            found += [(number, CaptureComment(where, comment)) for comment in comments]
        return found

    @staticmethod
    def _in_order(found: list[tuple[TcpConnection, list[Placed]]], loose: list[tuple[int, Event]]) -> list[Event]:
        keyed = [((number, _NO_CONNECTION, OPENING, 0), event) for number, event in loose]
        for connection, placed in found:
            number = connection.id
            keyed += [((place.at, number, place.depth, side), event) for place, side, event in placed]
        keyed.sort(key=lambda pair: pair[0])
        return [event for _, event in keyed]

    @staticmethod
    def _socket_events(socket: _Socket) -> list[Event]:
        placed = sorted(socket.channel.events, key=lambda p: (p.place, p.side))
        socket.channel.events = []
        return [p.event for p in placed]


class _Socket:
    """Two sides of one socket of a client, as it reported them."""

    def __init__(self, number: int, make_channel: object) -> None:
        name = self.name = f"socket/{number}"
        self.readers = Reader(name, Side.CLIENT, REPORTED), Reader(name, Side.SERVER, REPORTED)
        assert callable(make_channel)
        self.channel: Channel = make_channel(self.readers)
        self.has_client = False
        """A client of ours tells it, to its end."""
        self._ends = [0, 0]
        self._time_ns = 0

    def take(self, item: Reported, at: int) -> None:
        reader = self.readers[item.side]
        self.has_client = self.has_client or bool(item.client)
        self._time_ns = item.time_ns
        if item.data and not reader.is_finished:
            start = self._ends[item.side]
            end = self._ends[item.side] = start + len(item.data)
            reader.add(start, end, item.data, 0, 0, at, item.time_ns)
        if item.unseen_bytes and not reader.is_finished:
            start = self._ends[item.side]
            end = self._ends[item.side] = start + item.unseen_bytes
            reader.add(start, end, None, 0, 0, at, item.time_ns)
        if self.channel.protocol is None:
            self.channel.recognise(at, either_way=False)
        if item.ended:
            reader.finish(Place(at, ENDED), item.time_ns)
        self.channel.run()
        self.channel.keep()

    def finish(self, at: int) -> None:
        if self.channel.protocol is None and any(self._ends):
            self.channel.recognise(at, either_way=False, last_chance=True)
        for reader in self.readers:
            reader.finish(Place(at, ENDED), self._time_ns)
        self.channel.run()


def conversations(packets: Packets) -> UInt64:
    """A hash of each packet's conversation: both endpoints, whichever sent."""

    def mixed(hi: UInt64, lo: UInt64, port: Int64) -> UInt64:
        value = hi * np.uint64(0x9E3779B97F4A7C15) ^ lo
        value = value * np.uint64(0xBF58476D1CE4E5B9) ^ port.astype(np.uint64)
        value = (value ^ (value >> np.uint64(31))) * np.uint64(0x94D049BB133111EB)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x9E3779B97F4A7C15)
        # Not a product last: in the sum of both ends the differences of two conversations would cancel out.
        return np.asarray(value ^ (value >> np.uint64(32)))

    both = mixed(packets.source_hi, packets.source_lo, packets.source_port)
    both = both + mixed(packets.target_hi, packets.target_lo, packets.target_port)
    return both ^ (both >> np.uint64(33))
