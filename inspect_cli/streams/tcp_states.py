"""One TCP connection, packet by packet: how it opens, closes, repeats and loses.

This is the truth that the batches of connections.py must equal: a run of plain in-order
segments may be applied at once there, everything else comes through `packet`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from inspect_cli.events.base import Event, Side, Where
from inspect_cli.events.capture import Gap
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import (
    CloseAck,
    ConnectionEnd,
    Fin,
    HandshakeAck,
    MidStream,
    Opened,
    OutOfOrder,
    Overlap,
    Retransmission,
    Rst,
    Segment,
    Syn,
    SynAck,
    TcpOptions,
    ZeroWindow,
)
from inspect_cli.streams.channel import Channel, Placed
from inspect_cli.streams.reader import CLOSING, ENDED, OPENING, OVER, Place
from inspect_cli.streams.reassembly import Half, Waiting
from inspect_cli.streams.tcp_rows import EndReason, end_of
from inspect_cli.streams.tcp_telling import ACK, FIN, RST, SYN, Packet, Telling

REMEMBERED_SYNS = 64
"""Frames of repeated SYNs that are remembered."""


class TcpConnection:
    """State of one connection; `direction` 0 is what its lower endpoint sends."""

    __slots__ = (
        "_end_facts",
        "_options_of",
        "_tally",
        "_tell",
        "_telling",
        "_verbose",
        "channel",
        "client_direction",
        "closed_first",
        "ended_at",
        "ended_ns",
        "endpoints",
        "first_fin",
        "frames",
        "halves",
        "id",
        "last_time_ns",
        "muted",
        "name",
        "opened",
        "oriented",
        "rst_direction",
        "rst_frame",
        "rtt_ns",
    )

    def __init__(
        self,
        number: int,
        endpoints: tuple[str, str],
        client_direction: int,
        channel: Channel | None,
        options_of: Callable[[int, int], TcpOptions],
        wants: Callable[[type[Event]], bool],
        tally: Tally,
        verbose: bool,
    ) -> None:
        self.id = number
        self.name = f"tcp/{number}"
        self.endpoints = endpoints
        """Texts of the endpoints that send in direction 0 and 1."""
        self.client_direction = client_direction
        self.oriented = False
        """A SYN or SYN/ACK told who the client is."""
        self.channel = channel
        self.muted = channel is None
        """Not the connection that was asked for: its frames are counted, nothing is read."""
        self.halves: tuple[Half, Half]
        self.frames = 0
        self.last_time_ns = 0
        self.opened: Opened = "mid-stream"
        self.rtt_ns: int | None = None
        self.first_fin: int | None = None
        """Direction of the first FIN."""
        self.closed_first: Literal["client", "server", "both"] | None = None
        self.rst_frame: int | None = None
        self.rst_direction: int | None = None
        self.ended_at: int | None = None
        self.ended_ns = 0
        self._end_facts: tuple[EndReason, Place, int, int] | None = None
        self._options_of = options_of
        self._telling = Telling(self.name, wants, self.side, muted=self.muted)
        self._tell = self._telling.segment
        self._tally = tally
        self._verbose = verbose

    def side(self, direction: int) -> Side:
        return Side.CLIENT if direction == self.client_direction else Side.SERVER

    @property
    def client_half(self) -> Half:
        return self.halves[self.client_direction]

    @property
    def server_half(self) -> Half:
        return self.halves[1 - self.client_direction]

    @property
    def is_plain(self) -> bool:
        """Nothing is pending: in-order segments may be applied in one go."""
        return (
            not self._verbose
            and self.ended_at is None
            and self.opened in ("handshake", "mid-stream")
            and self.halves[0].is_plain
            and self.halves[1].is_plain
            and (self.channel is None or self.channel.protocol is not None)
        )

    def packet(self, direction: int, p: Packet, buffer: bytes | bytearray) -> None:  # noqa: PLR0912
        """Apply one segment that this direction sent."""
        self.frames += 1
        flags = p.flags
        self.last_time_ns = p.time_ns
        mine, theirs = self.halves[direction], self.halves[1 - direction]
        if mine.base is None:
            mine.base = (p.seq + bool(flags & SYN)) & 0xFFFFFFFF
        if self.ended_at is not None:
            self._after_end(direction, mine, p)
            return
        special = False
        if flags & SYN:
            self._syn(direction, mine, theirs, p)
            special = True
        start = mine.offset_of((p.seq + 1) & 0xFFFFFFFF if flags & SYN else p.seq)
        if flags & RST:
            self._rst(direction, mine, theirs, p)
            return
        if p.size:
            special = self._data(direction, mine, start, p, buffer) or special
        elif start == mine.next - 1 and not flags & (SYN | FIN):
            special = self._repeated(direction, mine, start, start, p, keep_alive=True)
        if flags & FIN:
            self._fin(direction, mine, theirs, start + p.size, p)
            special = True
        if flags & ACK:
            special = self._ack(direction, mine, theirs, p) or special
        if p.window == 0 or mine.window_closed:
            special = self._window(direction, mine, p) or special
        if self._verbose and not special:
            self._tell(Segment, OPENING, direction, p)
        if self.ended_at is None and (mine.is_pending or theirs.is_pending):
            self._settle(p)
        if mine.gaps or theirs.gaps:
            self._take_gaps()
        if self.frames == 1 and self.opened == "mid-stream":
            self._tell_mid_stream(p)

    def _tell_mid_stream(self, p: Packet) -> None:
        if self._telling.wants(MidStream):
            client, server = self.endpoints[self.client_direction], self.endpoints[1 - self.client_direction]
            where = Where(p.number, p.time_ns, self.name, None, (p.number,))
            self._telling.first(MidStream(where, client, server))

    def _after_end(self, direction: int, mine: Half, p: Packet) -> None:
        """A straggler: told, but it changes nothing any more."""
        if p.flags & RST:
            self._tell(Rst, CLOSING, direction, p, False, True, 0)
        elif p.flags & FIN:
            self._tell(Fin, CLOSING, direction, p, False, mine.fin_frame is not None, False)
        elif p.flags & SYN:
            self._tell_syn(direction, mine, p, acks_syn=False)
        elif self._verbose:
            self._tell(Segment, OPENING, direction, p)

    def _syn(self, direction: int, mine: Half, theirs: Half, p: Packet) -> None:
        is_answer = bool(p.flags & ACK)
        if not self.oriented:
            self.oriented = True
            self.client_direction = 1 - direction if is_answer else direction
            if self.channel is not None and self.channel.readers[0] is not self.client_half.reader:
                self.channel.swap()
        mine.isn, mine.syn_time_ns = p.seq, p.time_ns
        del mine.syn_frames[REMEMBERED_SYNS - 1 :]
        mine.syn_frames.append(p.number)
        if self.opened != "handshake":
            self.opened = "incomplete" if is_answer or theirs.isn is not None else "syn-only"
        acks_syn = theirs.isn is not None and 0 <= theirs.offset_of(p.ack) <= theirs.top
        self._tell_syn(direction, mine, p, acks_syn=acks_syn)

    def _tell_syn(self, direction: int, mine: Half, p: Packet, *, acks_syn: bool) -> None:
        mine.syns += 1
        if not self._telling.wants(SynAck if p.flags & ACK else Syn):
            return
        options = self._options_of(p.options_offset, p.options_size)
        if p.flags & ACK:
            self._tell(SynAck, OPENING, direction, p, options, mine.syns, acks_syn)
        else:
            client, server = self.endpoints[direction], self.endpoints[1 - direction]
            self._tell(Syn, OPENING, direction, p, options, mine.syns, client, server)

    def _data(self, direction: int, mine: Half, start: int, p: Packet, buffer: bytes | bytearray) -> bool:
        """Take payload in; True if it made an event of its own."""
        end = start + p.size
        special = False
        if mine.reader.is_finished and end > mine.next:
            self._tally.problem("data-after-fin")
            return False
        if start == mine.next and not mine.waiting:
            mine.remember(start, end, p.number)
            mine.deliver(start, end, buffer, p.offset, p.captured, p.number, p.number, p.time_ns)
        elif end <= mine.next:
            probes = p.size == 1 and end == mine.next and mine.acked >= end
            special = self._repeated(direction, mine, start, end, p, keep_alive=probes)
        elif mine.waits(max(start, mine.next), end):
            differs = mine.differs(start, end, p.payload(buffer))
            if differs:
                special = self._overlap(direction, start, end, p, differs)
            else:
                special = self._repeated(direction, mine, start, end, p, keep_alive=False)
        else:
            special = self._out_of_line(direction, mine, start, end, p, buffer)
        mine.top = max(mine.top, end)
        if self.channel is not None and self.channel.protocol is None:
            self._recognise(p.number)
        return special

    def _out_of_line(
        self, direction: int, mine: Half, start: int, end: int, p: Packet, buffer: bytes | bytearray
    ) -> bool:
        """Bytes that are partly new, leave a hole, or fill one."""
        special = False
        if start < mine.next or mine.overlaps(start, end):
            special = self._overlap(direction, start, end, p, mine.differs(start, end, p.payload(buffer)))
        elif mine.waiting and start < mine.waiting[-1].start:
            special = True
            self._tell(OutOfOrder, OPENING, direction, p, start, end, span=(start, end))
        mine.remember(start, end, p.number)
        data = p.payload(buffer)
        fresh = max(start, mine.next)
        mine.wait(Waiting(fresh, end, data[fresh - start :], p.number, p.time_ns))
        if mine.waiting[0].start <= mine.next:
            mine.drain(p.number)
        return special

    def _repeated(self, direction: int, mine: Half, start: int, end: int, p: Packet, *, keep_alive: bool) -> bool:
        if self._telling.wants(Retransmission):
            first = None if keep_alive else mine.carrier_of(start)
            self._tell(Retransmission, OPENING, direction, p, start, end, first, keep_alive, span=(start, end))
        return True

    def _overlap(self, direction: int, start: int, end: int, p: Packet, differs: bool | None) -> bool:
        self._tally.problem("overlap-differs" if differs else "overlap")
        self._tell(Overlap, OPENING, direction, p, start, end, differs, span=(start, end))
        return True

    def _fin(self, direction: int, mine: Half, theirs: Half, offset: int, p: Packet) -> None:
        repeated = mine.fin_frame is not None
        first = self.first_fin is None
        if not repeated:
            mine.fin_offset, mine.fin_frame, mine.fin_time_ns = offset, p.number, p.time_ns
            mine.top = max(mine.top, offset)
            if first:
                self.first_fin = direction
                self.closed_first = "client" if self.side(direction) is Side.CLIENT else "server"
            elif theirs.fin_acked_frame is None and not theirs.is_fin_acked_by(p.flags, p.ack):
                # Both FINs crossed: neither acknowledges the other (RFC 9293 §3.6, Fig. 13).
                self.closed_first = "both"
        acks = theirs.fin_acked_frame is None and theirs.is_fin_acked_by(p.flags, p.ack)
        self._tell(Fin, CLOSING, direction, p, first and not repeated, repeated, acks)

    def _ack(self, direction: int, mine: Half, theirs: Half, p: Packet) -> bool:
        """Take the acknowledgment number in; True if it made an event."""
        if theirs.base is None:
            return False
        acked = theirs.offset_of(p.ack)
        fin = theirs.fin_offset
        theirs.acked = max(theirs.acked, acked if fin is None else min(acked, fin))
        special = False
        if not theirs.syn_acked and theirs.isn is not None and 0 <= acked <= theirs.top:
            theirs.syn_acked = True
            special = self._opened(direction, mine, theirs, p)
        if fin is not None and acked > fin and theirs.fin_acked_frame is None:
            theirs.fin_acked_frame = p.number
            last = mine.fin_acked_frame is not None
            if not p.flags & FIN:
                special = True
                self._tell(CloseAck, CLOSING, direction, p, theirs.fin_frame, last)
            if last:
                self._end("fin", p.number, p.time_ns)
        return special

    def _opened(self, direction: int, mine: Half, theirs: Half, p: Packet) -> bool:
        """A SYN was acknowledged; if both are now, the connection is open."""
        if mine.isn is None or not mine.syn_acked or self.opened == "handshake":
            return False
        self.opened = "handshake"
        self._tally.handshakes_complete += 1
        client, server = self.client_half, self.server_half
        self.rtt_ns = p.time_ns - client.syn_time_ns
        frames = client.syn_frames[-1], server.syn_frames[-1]
        simultaneous = mine.syn_time_ns != theirs.syn_time_ns and bool(p.flags & SYN)
        self._tell(HandshakeAck, OPENING, direction, p, *frames, self.rtt_ns, simultaneous)
        return True

    def _window(self, direction: int, mine: Half, p: Packet) -> bool:
        closed = p.window == 0 and not p.flags & (SYN | FIN)
        told = closed and not mine.window_closed
        mine.window_closed = closed
        if told:
            self._tell(ZeroWindow, OPENING, direction, p)
        return told

    def _rst(self, direction: int, mine: Half, theirs: Half, p: Packet) -> None:
        refuses = theirs.isn is not None and mine.isn is None and self.opened == "syn-only"
        unread = max(0, theirs.next - theirs.acked)
        self.rst_frame, self.rst_direction = p.number, direction
        if refuses:
            self.opened = "refused"
        self._end("rst", p.number, p.time_ns)
        self._tell(Rst, CLOSING, direction, p, refuses, False, unread)
        self._take_gaps()

    def end_now(self, reason: EndReason, at: int, time_ns: int) -> None:
        """The capture shows no more of it: reused, idle, or the capture is over."""
        if self.ended_at is None:
            self._end(reason, at, time_ns)
            self._take_gaps()

    def _end(self, reason: EndReason, at: int, time_ns: int) -> None:
        for half in self.halves:
            half.lose_all(at, time_ns)
        self._recognise(at, last_chance=True)
        for half in (self.client_half, self.server_half):
            half.finish(Place(at, ENDED), time_ns)
        self.ended_at, self.ended_ns = at, time_ns
        self._end_facts = (reason, Place(at, OVER), time_ns, self.frames)

    def _settle(self, p: Packet) -> None:
        """Give holes up that waited too long; a side whose bytes came up to its FIN is complete."""
        for half in self.halves:
            half.check_hole(self.frames, p.number, p.time_ns)
        for half in self.halves:
            if half.fin_offset is not None and half.fin_offset <= half.next and not half.reader.is_finished:
                half.forget_waiting()
                half.finish(Place(p.number, ENDED), p.time_ns)

    def _recognise(self, at: int, *, last_chance: bool = False) -> None:
        channel = self.channel
        if channel is None or channel.protocol is not None:
            return
        if last_chance and not (self.halves[0].bytes_seen or self.halves[1].bytes_seen):
            return
        before = channel.readers[0]
        channel.recognise(
            at, either_way=not self.oriented, mid_stream=self.opened == "mid-stream", last_chance=last_chance
        )
        if channel.readers[0] is not before:
            self.client_direction = 1 - self.client_direction

    def _take_gaps(self) -> None:
        for direction in (0, 1):
            half = self.halves[direction]
            if not half.gaps:
                continue
            for start, end, at, time_ns in half.gaps:
                self._tally.problem("gap")
                if self._telling.wants(Gap):
                    where = Where(at, time_ns, self.name, self.side(direction), (), start, end)
                    self._telling.place(Gap(where, end - start), OPENING, direction)
            half.gaps.clear()

    def take_events(self) -> list[Placed]:
        """Everything that is known now, in stream order of each side; the end last."""
        taken = self._telling.take()
        if self.channel is not None:
            self.channel.run()
            taken += self.channel.events
            self.channel.events = []
        if self._end_facts is not None:
            reason, place, time_ns, frames = self._end_facts
            self._end_facts = None
            if self._telling.wants(ConnectionEnd):
                taken.append(Placed(place, 2, end_of(self, reason, place.at, time_ns, frames)))
        return taken
