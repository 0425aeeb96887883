"""What the last frames carried, byte for byte: looked at only where a segment comes again.

Of each packet the headers and the first bytes of the payload are held for LOOK_BACK_FRAMES
frames, whatever batch they came in, so that every batch size gives the same answer.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from inspect_cli.streams.tcp_telling import ACK, FIN, RST, SYN, Packet
from inspect_cli.wire.frames import Int64, Packets

LOOK_BACK_FRAMES: Final = 1024
HELD_BYTES: Final = 2048
"""Of each payload."""
ONE_PIECE_BYTES: Final = LOOK_BACK_FRAMES * HELD_BYTES
"""So many are copied in one go, whatever stands between the packets."""
COPY_NS: Final = 1_000_000
"""Equal bytes within this time are one packet captured twice: nobody sends again so soon."""
LATE_COPY_NS: Final = 1_000_000_000
"""Within this time they are, if an IP identification tells so."""
_IP_HEADER = 60


class Carried(NamedTuple):
    """One packet as captured."""

    number: int
    time_ns: int
    ip: bytes
    """The IP header without options; empty where it does not stand right before the TCP header."""
    tcp: bytes
    """The TCP header with its options."""
    payload: bytes
    """Its first HELD_BYTES."""
    size: int
    """Of the payload on the wire."""

    @property
    def identification(self) -> int:
        """RFC 791 §3.1; 0 where there is none (IPv6), or a sender that gives none (RFC 6864 §4.1)."""
        return int.from_bytes(self.ip[4:6]) if len(self.ip) == 20 else 0

    @property
    def hop_limit(self) -> int | None:
        return None if not self.ip else self.ip[8] if len(self.ip) == 20 else self.ip[7]

    @property
    def is_sound(self) -> bool | None:
        """Its checksum is right (RFC 9293 §3.1); None where not all of it is here."""
        if not self.ip or len(self.payload) != self.size:
            return None
        length = len(self.tcp) + self.size
        addresses = self.ip[12:20] if len(self.ip) == 20 else self.ip[8:40]
        segment = self.tcp + self.payload + b"\0" * (length & 1)
        # A sum of 16-bit words in ones' complement is their number modulo 0xffff (RFC 1071 §2).
        return int.from_bytes(addresses + (6).to_bytes(2) + length.to_bytes(4) + segment) % 0xFFFF == 0


class _Rows(NamedTuple):
    """TCP packets as columns, in frame order."""

    buffer: bytes | bytearray
    number: Int64
    time_ns: Int64
    seq: Int64
    ack: Int64
    flags: Int64
    size: Int64
    captured: Int64
    source_port: Int64
    target_port: Int64
    version: Int64
    tcp_at: Int64
    payload_at: Int64


class Lookback:
    """The packets of the last frames, found by number or by what they say."""

    def __init__(self) -> None:
        self._packets: Packets | None = None
        self._current: _Rows | None = None
        self._tail: _Rows | None = None

    def begin(self, packets: Packets) -> None:
        """These are the packets now."""
        self._packets, self._current = packets, None

    def end(self) -> None:
        """Their buffer is going to be reused: copy what may be asked for later."""
        packets = self._packets
        self._packets = self._current = None
        if packets is None or not len(packets):
            return
        floor = int(packets.number[-1]) - LOOK_BACK_FRAMES
        parts = [] if self._tail is None else [_since(self._tail, floor)]
        first = int(packets.number.searchsorted(floor, "right"))
        self._tail = _joined([*parts, _rows_of(packets, first)])

    def carried(self, number: int, now: int) -> Carried | None:
        """The packet of frame `number`, as long as it is at hand at frame `now`."""
        if now - number > LOOK_BACK_FRAMES:
            return None
        for rows in self._parts():
            at = int(rows.number.searchsorted(number))
            if at < len(rows.number) and rows.number[at] == number:
                return _carried(rows, at)
        return None

    def first_of(self, p: Packet, frame: int | None = None) -> Carried | None:
        """The packet of which this one is a copy: captured twice, sent once.

        `frame`: looked at before the others.
        """
        again = self.carried(p.number, p.number)
        if again is None:
            return None
        likely = None if frame is None else self.carried(frame, p.number)
        if likely is not None and self._is_copy(likely, again):
            return likely
        for rows in self._parts():
            low, high = self._range(rows, p.number)
            found = np.flatnonzero(rows.seq[low:high] == p.seq) + low
            for at in found[::-1].tolist():
                if rows.size[at] == p.size and rows.ack[at] == p.ack and rows.flags[at] == p.flags:
                    earlier = _carried(rows, at)
                    if self._is_copy(earlier, again):
                        return earlier
        return None

    def duplicate_acks(self, p: Packet, seq: int) -> int:
        """How often the other side of this packet's sender asked for `seq` again (RFC 5681 §2)."""
        asked: set[bytes] = set()
        own = self._own_ports(p)
        for rows in self._parts():
            low, high = self._range(rows, p.number)
            for at in (np.flatnonzero((rows.ack[low:high] == seq) & (rows.size[low:high] == 0)) + low).tolist():
                is_ack = int(rows.flags[at]) & (ACK | SYN | FIN | RST) == ACK
                if is_ack and (int(rows.target_port[at]), int(rows.source_port[at])) == own:
                    carried = _carried(rows, at)
                    asked.add(carried.ip[4:6] + carried.tcp)  # a copy counts once
        return max(0, len(asked) - 1)

    def _is_copy(self, first: Carried, again: Carried) -> bool:
        same = first.tcp == again.tcp and first.payload == again.payload and first.size == again.size
        if not same or first.identification != again.identification:
            return False
        waited_ns = abs(again.time_ns - first.time_ns)
        return waited_ns <= COPY_NS or (waited_ns <= LATE_COPY_NS and self._tells_apart(first))

    def _tells_apart(self, first: Carried) -> bool:
        """Its sender gives each packet another identification: the last one before it has another."""
        if not first.identification:
            return False
        ports = first.tcp[:4]
        for rows in self._parts():
            low, high = self._range(rows, first.number)
            source, target = int.from_bytes(ports[:2]), int.from_bytes(ports[2:])
            found = (rows.source_port[low:high] == source) & (rows.target_port[low:high] == target)
            for at in (np.flatnonzero(found) + low)[::-1].tolist():
                other = _carried(rows, at)
                if other.tcp != first.tcp:
                    return other.identification != first.identification
        return True

    def _own_ports(self, p: Packet) -> tuple[int, int]:
        own = self.carried(p.number, p.number)
        return (0, 0) if own is None else (int.from_bytes(own.tcp[:2]), int.from_bytes(own.tcp[2:4]))

    def _parts(self) -> list[_Rows]:
        """What is at hand, the newest first."""
        if self._current is None and self._packets is not None:
            self._current = _rows_of(self._packets, 0)
        return [rows for rows in (self._current, self._tail) if rows is not None]

    @staticmethod
    def _range(rows: _Rows, now: int) -> tuple[int, int]:
        """The rows of the LOOK_BACK_FRAMES frames before `now`."""
        low, high = rows.number.searchsorted((now - LOOK_BACK_FRAMES, now))
        return int(low), int(high)


def _rows_of(packets: Packets, first: int) -> _Rows:
    """The TCP packets from row `first` on."""
    rows = np.flatnonzero(packets.protocol[first:] == 6) + first
    return _Rows(
        packets.buffer,
        packets.number[rows],
        packets.time_ns[rows],
        packets.seq[rows],
        packets.ack[rows],
        packets.flags[rows],
        packets.payload_size[rows],
        packets.payload_captured[rows],
        packets.source_port[rows],
        packets.target_port[rows],
        packets.version[rows],
        packets.options_offset[rows] - 20,
        packets.payload_offset[rows],
    )


def _since(rows: _Rows, floor: int) -> _Rows:
    first = int(rows.number.searchsorted(floor, "right"))
    return rows if not first else _Rows(rows.buffer, *(column[first:] for column in rows[1:]))


def _joined(parts: list[_Rows]) -> _Rows:
    """The rows of all parts, with no more of their bytes than is held, or in one piece where that is little."""
    pieces: list[memoryview] = []
    moved: list[_Rows] = []
    size = 0
    for rows in parts:
        if not len(rows.number):
            continue
        start = np.maximum(rows.tcp_at - _IP_HEADER, 0)
        end = rows.payload_at + np.minimum(rows.captured, HELD_BYTES)
        view = memoryview(rows.buffer)
        first, last = int(start.min()), int(end.max())
        if last - first <= ONE_PIECE_BYTES:
            pieces.append(view[first:last])
            shift = np.full(len(start), size - first)
            size += last - first
        else:
            pieces += [view[a:b] for a, b in zip(start.tolist(), end.tolist(), strict=True)]
            shift = size + np.cumsum(end - start) - end
            size += int((end - start).sum())
        moved.append(rows._replace(tcp_at=rows.tcp_at + shift, payload_at=rows.payload_at + shift))
    if not moved:
        return parts[-1]._replace(buffer=b"")
    columns = (np.concatenate(column) for column in zip(*(rows[1:] for rows in moved), strict=True))
    return _Rows(b"".join(pieces), *columns)


def _carried(rows: _Rows, at: int) -> Carried:
    tcp_at, payload_at = int(rows.tcp_at[at]), int(rows.payload_at[at])
    with memoryview(rows.buffer) as view:
        ip = b""
        if rows.version[at] == 4:
            for size in range(20, _IP_HEADER + 1, 4):
                start = tcp_at - size
                if start >= 0 and view[start] == 0x40 | size >> 2 and view[start + 9] == 6:
                    ip = bytes(view[start : start + 20])
                    break
        elif tcp_at >= 40 and view[tcp_at - 40] >> 4 == 6 and view[tcp_at - 34] == 6:
            ip = bytes(view[tcp_at - 40 : tcp_at])
        held = min(int(rows.captured[at]), int(rows.size[at]), HELD_BYTES)
        return Carried(
            int(rows.number[at]),
            int(rows.time_ns[at]),
            ip,
            bytes(view[tcp_at:payload_at]),
            bytes(view[payload_at : payload_at + held]),
            int(rows.size[at]),
        )
