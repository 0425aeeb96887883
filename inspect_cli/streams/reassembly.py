"""One direction of a connection: sequence numbers to ordered bytes.

Offsets count stream bytes from 0 (ISN+1, or the first byte captured of a stream that began
earlier). The bytes captured first win. What waits behind a hole is copied and held until
the hole is filled or counts as lost.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Final, NamedTuple

from inspect_cli.events.base import Side
from inspect_cli.streams.reader import Place, Reader
from inspect_cli.streams.unread import Unread

ACK = 16
SEQUENCE_MASK = 0xFFFFFFFF
WAITING_LIMIT_BYTES = 1 << 20
"""A hole is lost when more than this waits behind it."""
WAITING_LIMIT_SEGMENTS = 4096
"""Or when more segments than this wait (tiny ones would cost more than their bytes)."""
WAITING_LIMIT_FRAMES = 64
"""A hole is lost this many frames of the connection after the ACK that passed it."""
REMEMBERED_SEGMENTS = 32
_Remembered = tuple[list[int], list[int], list[int], list[int]]
_NOTHING: Final[_Remembered] = ([], [], [], [])
_NOBODY: Final = Unread("", Side.CLIENT)
"""Reads for those that are over."""


class Waiting(NamedTuple):
    """Bytes behind a hole."""

    start: int
    end: int
    data: bytes
    """What was captured of them; shorter than end - start where the snap length cut."""
    frame: int
    time_ns: int


_NONE_WAITS: Final[list[Waiting]] = []
"""Lists are made when they get something: of a scan there are a hundred thousand halves without any."""


class Half:
    """The bytes that one endpoint sends."""

    __slots__ = (
        "_remembered",
        "acked",
        "base",
        "bytes_seen",
        "fin_acked_frame",
        "fin_frame",
        "fin_offset",
        "fin_time_ns",
        "gaps",
        "hole_deadline",
        "isn",
        "mss",
        "next",
        "reader",
        "remembers",
        "syn_acked",
        "syn_frames",
        "syn_time_ns",
        "syns",
        "top",
        "waiting",
        "waiting_bytes",
        "window_closed",
        "window_frame",
        "window_time_ns",
    )

    def __init__(self, reader: Reader, *, remembers: bool = True) -> None:
        """`remembers`: somebody asks for the carrier of a byte."""
        self.reader = reader
        self.remembers = remembers
        self.base: int | None = None
        """Sequence number of offset 0."""
        self.isn: int | None = None
        self.mss: int | None = None
        """What this side's SYN said of the segments that it takes; None where nobody asked."""
        self.syn_frames: tuple[int, ...] = ()
        self.syns = 0
        """SYNs sent, repeats included; `syn_frames` may hold fewer."""
        self.syn_time_ns = 0
        self.syn_acked = False
        self.next = 0
        """Offset of the first byte not handed to the reader."""
        self.top = 0
        """Highest offset captured."""
        self.bytes_seen = 0
        """Stream bytes handed on, holes apart, each once."""
        self.acked = 0
        """Highest offset that the other side has acknowledged."""
        self.fin_offset: int | None = None
        self.fin_frame: int | None = None
        self.fin_time_ns = 0
        self.fin_acked_frame: int | None = None
        self.window_closed = False
        self.window_frame = 0
        """Frame that closed the window last,"""
        self.window_time_ns = 0
        self.waiting = _NONE_WAITS
        self.waiting_bytes = 0
        self.hole_deadline: int | None = None
        """Frame count of the connection at which the hole at `next` counts as lost."""
        self.gaps: tuple[tuple[int, int, int, int, int], ...] = ()
        """Holes that counted as lost and nobody took yet: (start, end, frame, at, time_ns).

        `frame`: it carried them, and was cut by the snap length; 0 if none did.
        """
        self._remembered = _NOTHING
        """Starts, ends, frames and times of the segments taken in last."""

    def begin(self, isn: int, frame: int, time_ns: int) -> None:
        """The first SYN, which the other side has acknowledged."""
        self.isn = isn
        self.base = (isn + 1) & SEQUENCE_MASK
        self.syn_frames = (frame,)
        self.syns = 1
        self.syn_time_ns = time_ns
        self.syn_acked = True

    def put_down(self) -> None:
        """The connection is over and everything was read: no byte is taken any more."""
        self.reader = _NOBODY
        self.remembers = False
        self._remembered = _NOTHING

    def offset_of(self, seq: int) -> int:
        """Stream offset of a sequence number near `next` (32-bit wrap, RFC 9293 §3.4)."""
        assert self.base is not None
        distance = (seq - self.base - self.next) & SEQUENCE_MASK
        return self.next + (distance - 0x1_0000_0000 if distance >= 0x8000_0000 else distance)

    @property
    def is_pending(self) -> bool:
        """Bytes wait behind a hole, or a FIN was captured."""
        return bool(self.waiting) or self.fin_offset is not None

    @property
    def is_plain(self) -> bool:
        """Nothing waits, nothing is finished, the window is open."""
        return not self.waiting and self.fin_frame is None and not self.window_closed

    @property
    def next_seq(self) -> int:
        """Sequence number of `next`; -1 while none is known."""
        return -1 if self.base is None else (self.base + self.next) & SEQUENCE_MASK

    def is_fin_acked_by(self, flags: int, ack: int) -> bool:
        """Whether a segment of the other side with these flags and number acknowledges our FIN."""
        if not flags & ACK or self.fin_offset is None or self.base is None:
            return False
        return self.offset_of(ack) > self.fin_offset

    def remember(self, start: int, end: int, frame: int, time_ns: int) -> None:
        """Note which frame carried the segment [start, end); only where somebody `remembers`."""
        if self._remembered is _NOTHING:
            self._remembered = ([], [], [], [])
        starts, ends, frames, times = self._remembered
        starts.append(start)
        ends.append(end)
        frames.append(frame)
        times.append(time_ns)
        if len(starts) > 4 * REMEMBERED_SEGMENTS:
            self._forget()

    def remember_many(self, starts: list[int], ends: list[int], frames: list[int], times: list[int]) -> None:
        """`remember` for many segments."""
        if not self.remembers:
            return
        if self._remembered is _NOTHING:
            self._remembered = ([], [], [], [])
        for column, new in zip(self._remembered, (starts, ends, frames, times), strict=True):
            column.extend(new[-REMEMBERED_SEGMENTS:])
        self._forget()

    def deliver_many(
        self,
        starts: list[int],
        ends: list[int],
        buffer: bytes | bytearray,
        offsets: list[int],
        frames: list[int],
        ats: list[int],
        times: list[int],
    ) -> None:
        """`deliver` and `remember` for many whole segments (there is at least one)."""
        if self.remembers:
            self.remember_many(starts, ends, frames, times)
        self.reader.extend(starts, ends, buffer, offsets, frames, ats, times)
        self.bytes_seen += ends[-1] - self.next
        self.next = self.top = ends[-1]

    def carriers(self, start: int, end: int) -> list[tuple[int, int, int, int]]:
        """Starts, ends, frames and times of segments with bytes of [start, end), where still remembered."""
        starts, ends, frames, times = self._remembered
        first = max(0, len(starts) - REMEMBERED_SEGMENTS)
        return [
            (starts[i], ends[i], frames[i], times[i])
            for i in range(first, len(starts))
            if starts[i] < end and ends[i] > start
        ]

    def deliver(
        self,
        start: int,
        end: int,
        buffer: bytes | bytearray,
        offset: int,
        captured: int,
        frame: int,
        at: int,
        time_ns: int,
    ) -> None:
        """Hand the bytes [start, end) to the reader; start is `next`.

        Of them only `captured` bytes stand in `buffer` at `offset`: the rest was cut off by
        the snap length and is a hole from the beginning.
        """
        held = start + min(captured, end - start)
        if held > start:
            self.reader.add(start, held, buffer, offset, frame, at, time_ns)
            self.bytes_seen += held - start
        if held < end:
            self._lose(held, end, frame, at, time_ns)
        self.next = end

    def wait(self, segment: Waiting) -> None:
        """Keep bytes that stand behind a hole; only those parts that nothing waits for yet."""
        start = segment.start
        for held in self._overlapping(segment.start, segment.end):
            if start < held.start:
                self._insert(segment, start, held.start)
            start = max(start, held.end)
        if start < segment.end:
            self._insert(segment, start, segment.end)

    def waits(self, start: int, end: int) -> bool:
        """All of [start, end) waits already."""
        for held in self._overlapping(start, end):
            if held.start <= start:
                start = held.end
        return start >= end

    def overlaps(self, start: int, end: int) -> bool:
        """Some of [start, end) waits already."""
        return bool(self._overlapping(start, end))

    def differs(self, start: int, end: int, data: bytes) -> bool | None:
        """Do these bytes differ from those that wait? None where none of them does."""
        compared = False
        for held in self._overlapping(start, end):
            low, high = max(start, held.start), min(end, held.end)
            first = held.data[low - held.start : high - held.start]
            again = data[low - start : high - start]
            common = min(len(first), len(again))
            compared = compared or common > 0
            if first[:common] != again[:common]:
                return True
        return False if compared else None

    def drain(self, at: int) -> None:
        """Hand on what waits and is contiguous now, knowable at frame `at`."""
        while self.waiting and self.waiting[0].start <= self.next:
            held = self.waiting.pop(0)
            self.waiting_bytes -= len(held.data)
            if held.end > self.next:
                skip = self.next - held.start
                self.deliver(self.next, held.end, held.data, skip, len(held.data) - skip, held.frame, at, held.time_ns)
        self.hole_deadline = None

    def lose_hole(self, at: int, time_ns: int) -> None:
        """The hole at `next` will not be filled: hand on what waits behind it."""
        start = self.waiting[0].start
        self._lose(self.next, start, 0, at, time_ns)
        self.next = start
        self.drain(at)

    def lose_all(self, at: int, time_ns: int) -> None:
        """Nothing more will come: every hole is lost, one before a captured FIN too."""
        while self.waiting:
            self.lose_hole(at, time_ns)
        if self.fin_offset is not None and self.fin_offset > self.next:
            self._lose(self.next, self.fin_offset, 0, at, time_ns)
            self.next = self.fin_offset

    def check_hole(self, frames: int, at: int, time_ns: int) -> None:
        """Count the hole at `next` as lost where its bounds are reached.

        `frames`: how many frames of the connection were seen so far.
        """
        while self.waiting:
            if self.hole_deadline is None and self.acked > self.next:
                self.hole_deadline = frames + WAITING_LIMIT_FRAMES
            bounded = self.waiting_bytes <= WAITING_LIMIT_BYTES and len(self.waiting) <= WAITING_LIMIT_SEGMENTS
            if bounded and (self.hole_deadline is None or frames < self.hole_deadline):
                return
            self.lose_hole(at, time_ns)

    def forget_waiting(self) -> None:
        """Bytes that claim to stand behind the FIN belong to no stream."""
        self.waiting = _NONE_WAITS
        self.waiting_bytes = 0

    def finish(self, place: Place, time_ns: int) -> None:
        self.reader.finish(place, time_ns)

    def _forget(self) -> None:
        for column in self._remembered:
            del column[:-REMEMBERED_SEGMENTS]

    def _overlapping(self, start: int, end: int) -> list[Waiting]:
        """What waits within [start, end), in order; nothing that waits overlaps."""
        waiting = self.waiting
        first = bisect_left(waiting, (start,))
        if first and waiting[first - 1].end > start:
            first -= 1
        last = bisect_left(waiting, (end,), first)
        return waiting[first:last]

    def _insert(self, segment: Waiting, start: int, end: int) -> None:
        data = segment.data[start - segment.start : end - segment.start]
        if self.waiting is _NONE_WAITS:
            self.waiting = []
        insort(self.waiting, Waiting(start, end, data, segment.frame, segment.time_ns))
        self.waiting_bytes += len(data)

    def _lose(self, start: int, end: int, frame: int, at: int, time_ns: int) -> None:
        if end > start:
            self.reader.add(start, end, None, 0, frame, at, time_ns)
            self.gaps += ((start, end, frame, at, time_ns),)
