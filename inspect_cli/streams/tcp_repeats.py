"""What comes again on a connection: seen twice, sent again and why, or only a probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from inspect_cli.events.tcp import KeepAliveAck, LargeSegment, OutOfOrder, Retransmission, SeenTwice, WindowProbe
from inspect_cli.streams.reader import OPENING
from inspect_cli.streams.tcp_telling import ACK, FIN, SYN, Packet

if TYPE_CHECKING:
    from inspect_cli.streams.lookback import Lookback
    from inspect_cli.streams.reassembly import Half
    from inspect_cli.streams.tcp_state import TcpState

ENOUGH_DUPLICATE_ACKS: Final = 3
"""RFC 5681 §3.2."""


class Probe(NamedTuple):
    """A keep-alive or window probe that nothing has followed yet."""

    direction: int
    frame: int
    time_ns: int


def tell_large(c: TcpState, direction: int, p: Packet) -> None:
    """This segment is larger than the other side's MSS; told once a connection."""
    c.is_large = True
    c.telling.segment(LargeSegment, OPENING, direction, p, c.halves[1 - direction].mss)


def is_seen_twice(c: TcpState, look: Lookback, direction: int, p: Packet, frame: int | None = None) -> bool:
    """Whether this packet was captured before; told once a connection. `frame`: where it probably was."""
    first = look.first_of(p, frame)
    if first is None:
        return False
    c.copies += 1
    if c.copies == 1 and c.telling.wants(SeenTwice):
        again = look.carried(p.number, p.number)
        hops = None if again is None else _hops(first.hop_limit, again.hop_limit)
        waited_ns = p.time_ns - first.time_ns
        c.telling.segment(SeenTwice, OPENING, direction, p, first.number, waited_ns, hops)
    return True


def _hops(first: int | None, again: int | None) -> int | None:
    return None if first is None or again is None else abs(first - again)


def repeated(c: TcpState, look: Lookback, direction: int, start: int, end: int, p: Packet) -> bool:
    """Bytes that were captured before; True if that made an event."""
    half = c.halves[direction]
    carriers = half.carriers(start, end)
    first = next((found for found in carriers if found[0] <= start < found[1]), None)
    if is_seen_twice(c, look, direction, p, None if first is None else first[2]):
        return c.copies == 1
    acknowledged = half.acked >= end
    c.telling.segment(
        Retransmission,
        OPENING,
        direction,
        p,
        start,
        end,
        None if first is None else first[2],
        None if first is None else p.time_ns - first[3],
        False,
        acknowledged,
        0 if acknowledged else look.duplicate_acks(p, p.seq),
        end >= half.top,
        differs(half, look, start, end, p),
        first is not None and first[:2] == (start, end) and _is_damaged(look, first[2], p.number),
        span=(start, end),
    )
    return True


def differs(half: Half, look: Lookback, start: int, end: int, p: Packet) -> bool | None:
    """Are these bytes others than those captured first? None where none of these is at hand."""
    again = look.carried(p.number, p.number)
    compared = False
    for begin, stop, frame, _ in half.carriers(start, end):
        first = look.carried(frame, p.number)
        if first is None or again is None:
            continue
        low, high = max(begin, start), min(stop, end)
        before, now = first.payload[low - begin : high - begin], again.payload[low - start : high - start]
        common = min(len(before), len(now))
        compared = compared or common > 0
        if before[:common] != now[:common]:
            return True
    return False if compared else None


def _is_damaged(look: Lookback, frame: int, now: int) -> bool:
    """The first copy has a wrong checksum, and this one has not: no offload leaves it so."""
    first, again = look.carried(frame, now), look.carried(now, now)
    return first is not None and again is not None and first.is_sound is False and again.is_sound is True


def probed(c: TcpState, look: Lookback, direction: int, start: int, end: int, p: Packet) -> bool:
    """At most one byte that brings nothing new: a question; True if it made an event."""
    if is_seen_twice(c, look, direction, p):
        return c.copies == 1
    other = c.halves[1 - direction]
    if other.window_closed:
        c.telling.segment(WindowProbe, OPENING, direction, p, other.window_frame, span=(start, end))
    else:
        rest = (start, end, None, None, True, c.halves[direction].acked >= end, 0, False, None, False)
        c.telling.segment(Retransmission, OPENING, direction, p, *rest, span=(start, end))
    c.probe = Probe(direction, p.number, p.time_ns)
    c.watched = True
    return True


def answered(c: TcpState, direction: int, p: Packet) -> bool:
    """What follows a probe; True if it is the answer."""
    probe = c.probe
    if probe is None or probe.frame == p.number:
        return False
    c.probe = None
    if probe.direction == direction or p.size or p.flags & (ACK | SYN | FIN) != ACK:
        return False
    c.telling.segment(KeepAliveAck, OPENING, direction, p, probe.frame, p.time_ns - probe.time_ns)
    return True


def out_of_order(c: TcpState, look: Lookback | None, direction: int, start: int, end: int, p: Packet) -> None:
    """Bytes before others that came already: late, or the second copy of what was lost before it got here."""
    if look is None:
        return
    half = c.halves[direction]
    behind = next(held for held in half.waiting if held.start >= end)
    waited_ns = p.time_ns - behind.time_ns
    asked = look.duplicate_acks(p, p.seq)
    # Sending again takes a round trip: the other side, or a timer longer than that, must tell first.
    late = asked >= ENOUGH_DUPLICATE_ACKS or (c.rtt_ns is not None and 0 < c.rtt_ns <= waited_ns)
    c.telling.segment(OutOfOrder, OPENING, direction, p, start, end, waited_ns, asked, late, span=(start, end))
