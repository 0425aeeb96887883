"""One TCP connection, packet by packet: how it opens, closes, repeats and loses.

This is the truth that at_once.py and runs.py must equal: plain segments
may be applied at once there, everything else comes through `packet`.
"""

from __future__ import annotations

from inspect_cli.events.base import Side
from inspect_cli.events.tcp import (
    AfterReset,
    CloseAck,
    Fin,
    HandshakeAck,
    IgnoredRst,
    Overlap,
    Rst,
    Segment,
    Syn,
    SynAck,
    Urgent,
    WindowProbe,
    WindowUpdate,
    ZeroWindow,
)
from inspect_cli.streams.reader import CLOSING, ENDED, OPENING, Place
from inspect_cli.streams.reassembly import SEQUENCE_MASK, Half, Waiting
from inspect_cli.streams.tcp_repeats import Probe, answered, differs, is_seen_twice, out_of_order, probed, repeated
from inspect_cli.streams.tcp_state import TcpState
from inspect_cli.streams.tcp_telling import ACK, FIN, RST, SYN, URG, Packet

REMEMBERED_SYNS = 64
"""Frames of repeated SYNs that are remembered."""
LARGEST_WINDOW = 1 << 30
"""RFC 7323 §2.3."""
_RARE = SYN | URG
Pair = tuple[int, int]


class TcpConnection(TcpState):
    """A connection that takes packets; `direction` 0 is what its lower endpoint sends."""

    __slots__ = ()

    def packet(self, direction: int, p: Packet, buffer: bytes | bytearray) -> None:  # noqa: PLR0912
        """Apply one segment that this direction sent."""
        self.frames += 1
        flags = p.flags
        self.last_time_ns = p.time_ns
        mine, theirs = self.halves[direction], self.halves[1 - direction]
        if self.ended_at is not None:
            self._after_end(direction, mine, p)
            return
        if flags & RST:
            self._rst(direction, mine, theirs, p)
            return
        seq = p.seq
        special = False
        if flags & _RARE:
            seq += flags >> 1 & 1  # a SYN takes a number of its own
            special = self._rare(direction, mine, theirs, p, buffer)
        if mine.base is None:
            mine.base = seq & SEQUENCE_MASK
        start = mine.next
        ahead = (seq - mine.base - start) & SEQUENCE_MASK
        if ahead:  # as Half.offset_of
            start += ahead if ahead < 0x8000_0000 else ahead - 0x1_0000_0000
        if p.size:
            special = self._data(direction, mine, start, p, buffer) or special
        elif ahead == SEQUENCE_MASK and not flags & (SYN | FIN):
            special = self._probed(direction, start, start, p) or special
        if flags & FIN:
            special = self._fin(direction, mine, theirs, start + p.size, p) or special
        if flags & ACK:
            special = self._ack(direction, mine, theirs, p) or special
        if p.window == 0 or self.watched:
            special = self._watch(direction, mine, theirs, p) or special
        if self._verbose and not special:
            self._tell(Segment, OPENING, direction, p)
        if self.ended_at is None and (mine.is_pending or theirs.is_pending):
            self._settle(p)
        if mine.gaps or theirs.gaps:
            self._take_gaps()
        if self.frames == 1 and self.opened == "mid-stream":
            self._tell_mid_stream(p)

    def opened_by(self, direction: int, *rest: int) -> None:
        """What `packet` does with a whole handshake, where nobody asks for it: SYN, SYN/ACK, ACK, without payload.

        `direction`: of the SYN. `rest`: the numbers that both sides begin with, the frames of SYN
        and SYN/ACK, and the times of all three.
        """
        isn, other_isn, frame, other_frame, syn_ns, syn_ack_ns, ack_ns = rest
        mine, theirs = self.halves[direction], self.halves[1 - direction]
        self.oriented = True
        self.client_direction = direction
        if self.channel is not None and self.channel.readers[0] is not mine.reader:
            self.channel.swap()
        mine.begin(isn, frame, syn_ns)
        theirs.begin(other_isn, other_frame, syn_ack_ns)
        self.opened = "handshake"
        self._tally.handshakes_complete += 1
        self.rtt_ns = ack_ns - syn_ns
        self.frames, self.last_time_ns = 3, ack_ns

    def closed_by(self, frames: int, fins: Pair, acks: Pair, fin_times: Pair, end_ns: int) -> None:
        """What `packet` does with FINs right behind the bytes of their sides, where nobody asks for them.

        By direction: the frames of the FINs and of what acknowledges each of them, 0 where there is
        none. `frames`: how many the connection had at the last of the ACKs, which came at `end_ns`.
        """
        first = 0 if fins[0] and not 0 < fins[1] < fins[0] else 1
        self.first_fin = first
        self.closed_first = "client" if self.side(first) is Side.CLIENT else "server"
        if fins[1 - first] and not 0 < acks[first] <= fins[1 - first]:
            # Both FINs crossed: neither acknowledges the other (RFC 9293 §3.6, Fig. 13).
            self.closed_first = "both"
        for direction in (first, 1 - first):
            half, frame = self.halves[direction], fins[direction]
            if frame:
                half.fin_offset, half.fin_frame, half.fin_time_ns = half.next, frame, fin_times[direction]
                half.fin_acked_frame = acks[direction] or None
                half.finish(Place(frame, ENDED), fin_times[direction])
        if acks[0] and acks[1]:
            self.frames = frames
            self._end("fin", max(acks), end_ns)

    def _rare(self, direction: int, mine: Half, theirs: Half, p: Packet, buffer: bytes | bytearray) -> bool:
        """What few segments have; True if it made an event."""
        special = False
        if p.flags & SYN:
            special = self._syn(direction, mine, theirs, p)
        if p.flags & URG and self.telling.wants(Urgent):
            special = True
            pointer = int.from_bytes(memoryview(buffer)[p.options_offset - 2 : p.options_offset])
            self._tell(Urgent, OPENING, direction, p, pointer)
        return special

    def _after_end(self, direction: int, mine: Half, p: Packet) -> None:
        """A straggler: told, but it changes nothing any more."""
        if mine.base is None and not p.flags & RST:
            mine.base = (p.seq + bool(p.flags & SYN)) & SEQUENCE_MASK
        if self._goes_on(direction, p):
            self.rst_seq = None
            self._tell(AfterReset, OPENING, direction, p, self.rst_frame)
        look = self._lookback
        if p.flags & (RST | FIN | SYN) and look is not None and is_seen_twice(self, look, direction, p):
            return
        if p.flags & RST:
            self._tell(Rst, CLOSING, direction, p, False, True, 0, 0)
        elif p.flags & FIN:
            self._tell(Fin, CLOSING, direction, p, False, mine.fin_frame is not None, False)
        elif p.flags & SYN:
            self._tell_syn(direction, mine, self.halves[1 - direction], p)
        elif self._verbose:
            self._tell(Segment, OPENING, direction, p)

    def _goes_on(self, direction: int, p: Packet) -> bool:
        """Who has reset the connection sends what nobody sends who has."""
        if self.rst_seq is None or direction != self.rst_direction or p.flags & RST:
            return False
        behind = (p.seq + p.size - self.rst_seq) & SEQUENCE_MASK
        return bool(p.flags & SYN) or (p.size > 0 and 0 < behind < 0x8000_0000)

    def _syn(self, direction: int, mine: Half, theirs: Half, p: Packet) -> bool:
        look = self._lookback
        if mine.isn == p.seq and look is not None and is_seen_twice(self, look, direction, p):
            return self.copies == 1
        is_answer = bool(p.flags & ACK)
        if not self.oriented and (self.channel is None or self.channel.protocol is None):
            self.oriented = True  # bytes that were recognised before have told who is who
            self.client_direction = 1 - direction if is_answer else direction
            if self.channel is not None and self.channel.readers[0] is not self.client_half.reader:
                self.channel.swap()
        if mine.isn is None and not mine.top:
            mine.base = (p.seq + 1) & SEQUENCE_MASK  # an ACK before it may have had any number
        mine.isn, mine.syn_time_ns = p.seq, p.time_ns
        mine.syn_frames = (*mine.syn_frames[: REMEMBERED_SYNS - 1], p.number)
        if self.opened in ("mid-stream", "syn-only"):
            self.opened = "incomplete" if is_answer or theirs.isn is not None else "syn-only"
        self.split = self.split or (not is_answer and theirs.isn is not None and theirs.syn_acked)
        self._tell_syn(direction, mine, theirs, p)
        return True

    def _tell_syn(self, direction: int, mine: Half, theirs: Half, p: Packet) -> None:
        mine.syns += 1
        if not self.telling.wants(SynAck if p.flags & ACK else Syn):
            return
        options = self._options_of(p.options_offset, p.options_size)
        mine.mss = options.mss
        if p.flags & ACK:
            acks_syn = theirs.isn is not None and 0 <= theirs.offset_of(p.ack) <= theirs.top
            self._tell(SynAck, OPENING, direction, p, options, mine.syns, acks_syn)
        else:
            client, server = self.endpoints[direction], self.endpoints[1 - direction]
            self._tell(Syn, OPENING, direction, p, options, mine.syns, client, server)

    def _data(self, direction: int, mine: Half, start: int, p: Packet, buffer: bytes | bytearray) -> bool:
        """Take payload in; True if it made an event of its own."""
        end = start + p.size
        special = False
        if start == mine.next and not mine.waiting and mine.fin_offset is None:
            if mine.remembers:
                mine.remember(start, end, p.number, p.time_ns)
            mine.deliver(start, end, buffer, p.offset, p.captured, p.number, p.number, p.time_ns)
        else:
            if mine.reader.is_finished and end > mine.next:
                self._tally.problem("data-after-fin")
                return False
            special = self._unusual(direction, mine, start, end, p, buffer)
        mine.top = max(mine.top, end)
        if self.channel is not None and self.channel.protocol is None:
            self._recognise(p.number)
        return special

    def _unusual(self, direction: int, mine: Half, start: int, end: int, p: Packet, buffer: bytes | bytearray) -> bool:
        """Payload that does not simply continue its side."""
        if start == mine.next and not mine.waiting:
            if mine.remembers:
                mine.remember(start, end, p.number, p.time_ns)
            mine.deliver(start, end, buffer, p.offset, p.captured, p.number, p.number, p.time_ns)
        elif end <= mine.next:
            other = self.halves[1 - direction]
            if p.size == 1 and end == mine.next and (mine.acked >= end or other.window_closed):
                return self._probed(direction, start, end, p)
            return self._repeated(direction, start, end, p)
        elif mine.waits(max(start, mine.next), end):
            held_differs = mine.differs(start, end, p.payload(buffer))
            if held_differs:
                return self._overlap(direction, mine, start, end, p, held_differs)
            return self._repeated(direction, start, end, p)
        else:
            return self._out_of_line(direction, mine, start, end, p, buffer)
        return False

    def _out_of_line(
        self, direction: int, mine: Half, start: int, end: int, p: Packet, buffer: bytes | bytearray
    ) -> bool:
        """Bytes that are partly new, leave a hole, or fill one."""
        special = False
        if start < mine.next or mine.overlaps(start, end):
            special = self._overlap(direction, mine, start, end, p, mine.differs(start, end, p.payload(buffer)))
        elif mine.waiting and start < mine.waiting[-1].start:
            special = True
            out_of_order(self, self._lookback, direction, start, end, p)
        if mine.remembers:
            mine.remember(start, end, p.number, p.time_ns)
        data = p.payload(buffer)
        fresh = max(start, mine.next)
        mine.wait(Waiting(fresh, end, data[fresh - start :], p.number, p.time_ns))
        if mine.waiting[0].start <= mine.next:
            mine.drain(p.number)
        return special

    def _repeated(self, direction: int, start: int, end: int, p: Packet) -> bool:
        return self._lookback is None or repeated(self, self._lookback, direction, start, end, p)

    def _probed(self, direction: int, start: int, end: int, p: Packet) -> bool:
        return self._lookback is None or probed(self, self._lookback, direction, start, end, p)

    def _overlap(self, direction: int, mine: Half, start: int, end: int, p: Packet, held: bool | None) -> bool:
        """`held`: whether these bytes differ from those that wait; counted is only what this shows."""
        self._tally.problem("overlap-differs" if held else "overlap")
        if self._lookback is not None and not held:
            found = differs(mine, self._lookback, start, end, p)
            held = held if found is None else found
        self._tell(Overlap, OPENING, direction, p, start, end, held, span=(start, end))
        return True

    def _fin(self, direction: int, mine: Half, theirs: Half, offset: int, p: Packet) -> bool:
        again = mine.fin_frame is not None
        look = self._lookback
        if again and look is not None and is_seen_twice(self, look, direction, p, mine.fin_frame):
            return self.copies == 1
        first = self.first_fin is None
        if not again:
            mine.fin_offset, mine.fin_frame, mine.fin_time_ns = offset, p.number, p.time_ns
            mine.top = max(mine.top, offset)
            if first:
                self.first_fin = direction
                self.closed_first = "client" if self.side(direction) is Side.CLIENT else "server"
            elif theirs.fin_acked_frame is None and not theirs.is_fin_acked_by(p.flags, p.ack):
                # Both FINs crossed: neither acknowledges the other (RFC 9293 §3.6, Fig. 13).
                self.closed_first = "both"
        acks = theirs.fin_acked_frame is None and theirs.is_fin_acked_by(p.flags, p.ack)
        self._tell(Fin, CLOSING, direction, p, first and not again, again, acks)
        return True

    def _ack(self, direction: int, mine: Half, theirs: Half, p: Packet) -> bool:
        """Take the acknowledgment number in; True if it made an event."""
        if theirs.base is None:
            if self.opened == "syn-only":
                self.opened = "incomplete"  # there was an answer, only not here
            return False
        ahead = (p.ack - theirs.base - theirs.next) & SEQUENCE_MASK  # as Half.offset_of
        acked = theirs.next + (ahead if ahead < 0x8000_0000 else ahead - 0x1_0000_0000)
        fin = theirs.fin_offset
        if acked > theirs.acked:
            theirs.acked = acked if fin is None else max(theirs.acked, min(acked, fin))
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
        self._tell(HandshakeAck, OPENING, direction, p, *frames, self.rtt_ns, simultaneous, simultaneous and self.split)
        return True

    def _watch(self, direction: int, mine: Half, theirs: Half, p: Packet) -> bool:
        """Windows that close and open, probes and their answers; True if there was one."""
        special = answered(self, direction, p)
        closed = p.window == 0 and not p.flags & (SYN | FIN)
        if closed and not mine.window_closed:
            special = True
            mine.window_frame, mine.window_time_ns = p.number, p.time_ns
            self._tell(ZeroWindow, OPENING, direction, p)
        elif mine.window_closed and p.window:
            special = True
            closed_ns = p.time_ns - mine.window_time_ns
            self._tell(WindowUpdate, OPENING, direction, p, mine.window_frame, closed_ns)
        mine.window_closed = closed
        if theirs.window_closed and p.size == 1 and self.probe is None and self._lookback is not None:
            special = True
            self.probe = Probe(direction, p.number, p.time_ns)
            self._tell(WindowProbe, OPENING, direction, p, theirs.window_frame)
        self.watched = closed or theirs.window_closed or self.probe is not None
        return special

    def _rst(self, direction: int, mine: Half, theirs: Half, p: Packet) -> None:
        if not self._is_acceptable(mine, theirs, p):
            self._tell(IgnoredRst, OPENING, direction, p, mine.base is None)
            return
        refuses = theirs.isn is not None and mine.isn is None and self.opened == "syn-only"
        unread = max(0, theirs.next - theirs.acked)
        self.rst_frame, self.rst_direction = p.number, direction
        self.rst_seq = p.seq
        ahead = 0 if mine.fin_offset is not None or mine.isn is None else max(0, mine.offset_of(p.seq) - mine.top)
        if refuses:
            self.opened = "refused"
        self._end("rst", p.number, p.time_ns)
        self._tell(Rst, CLOSING, direction, p, refuses, False, unread, ahead)
        self._take_gaps()

    def _is_acceptable(self, mine: Half, theirs: Half, p: Packet) -> bool:
        """Whether the other side may believe this reset, as far as the capture shows."""
        if mine.base is None:
            # RFC 9293 §3.10.7.3: who has sent a SYN believes a reset only if it acknowledges that.
            return theirs.isn is None or (bool(p.flags & ACK) and 0 <= theirs.offset_of(p.ack) <= theirs.top)
        if self.opened not in ("handshake", "mid-stream"):
            return True
        # RFC 9293 §3.10.7.4: its number must lie in the window, which begins at what was acknowledged or behind.
        offset = mine.offset_of(p.seq)
        return min(mine.acked, mine.top) <= offset <= max(mine.acked, mine.top) + LARGEST_WINDOW
