"""One side of a channel as ordered bytes, each knowing its frame.

A parser reads from here and never sees a packet. "Not enough yet", a hole and the end are
values (`Missing`), not exceptions. Bytes are pieces of the capture's buffer, never joined
until a read crosses a border.
"""

from __future__ import annotations

import enum
import re
from bisect import bisect_right
from typing import Any, Final, NamedTuple

from inspect_cli.events.base import OBSERVED, Basis, Side, Where


class Missing(enum.Enum):
    """Why a read gave no bytes."""

    BYTES = "not enough bytes yet"
    GAP = "a hole that will not be filled stands before the end of what was asked for"
    END = "the side ended before what was asked for"


class Place(NamedTuple):
    """When something became knowable: `at` a frame, `depth` what it waited for within it.

    Places order the events of one connection: opening and analysis of a segment (OPENING),
    bytes (DATA, one more for each thing waited for), its FIN or RST (CLOSING), what the end
    of a side decides (ENDED and above), the connection's end (OVER).
    """

    at: int
    depth: int


OPENING, DATA, CLOSING, ENDED, OVER = 0, 1, 1 << 20, (1 << 20) + 1, 1 << 30
NOWHERE = Place(0, OPENING)
_new = tuple.__new__  # makes a Where in half the time of its own


_NOTHING: Final[list[Any]] = []


class Reader:
    """Ordered bytes of one side. Offsets count from 0 at the first byte of the stream."""

    __slots__ = (
        "_ats",
        "_buffers",
        "_end",
        "_end_place",
        "_end_time_ns",
        "_ends",
        "_first",
        "_floor",
        "_frames",
        "_offsets",
        "_placed",
        "_starts",
        "_times",
        "basis",
        "channel",
        "position",
        "reached",
        "side",
    )

    def __init__(self, channel: str, side: Side, basis: Basis = OBSERVED) -> None:
        self.channel = channel
        self.side = side
        self.basis: Basis = basis
        self.position = 0
        """Offset of the first byte not consumed."""
        self.reached = 0
        """Highest offset that a read looked at without consuming it."""
        self._floor = NOWHERE
        self._placed = 0
        """Offset that `_floor` takes into account."""
        self._first = 0
        # Of a scan there are a hundred thousand readers without a byte: they share one list of nothing.
        self._starts: list[int] = _NOTHING
        self._ends: list[int] = _NOTHING
        self._buffers: list[bytes | bytearray | None] = _NOTHING  # None: a hole
        self._offsets: list[int] = _NOTHING
        self._frames: list[int] = _NOTHING
        self._ats: list[int] = _NOTHING
        self._times: list[int] = _NOTHING
        self._end: int | None = None
        self._end_place = NOWHERE
        self._end_time_ns = 0

    # -- filled by reassembly ------------------------------------------------------------

    def add(
        self, start: int, end: int, buffer: bytes | bytearray | None, offset: int, frame: int, at: int, time_ns: int
    ) -> None:
        """Append the bytes [start, end); start is where the piece before ended.

        `buffer` None: a hole. `frame`: number of the frame that carried them, 0 if none did.
        `at`: highest number among the frames that had to come first, rising from piece to piece.
        """
        if self._starts is _NOTHING:
            self._begin()
        self._starts.append(start)
        self._ends.append(end)
        self._buffers.append(buffer)
        self._offsets.append(offset)
        self._frames.append(frame)
        self._ats.append(at)
        self._times.append(time_ns)

    def extend(
        self,
        starts: list[int],
        ends: list[int],
        buffer: bytes | bytearray,
        offsets: list[int],
        frames: list[int],
        ats: list[int],
        times: list[int],
    ) -> None:
        """`add` for many contiguous pieces of one buffer."""
        if self._starts is _NOTHING:
            self._begin()
        self._starts += starts
        self._ends += ends
        self._buffers += [buffer] * len(starts)
        self._offsets += offsets
        self._frames += frames
        self._ats += ats
        self._times += times

    def finish(self, place: Place, time_ns: int) -> None:
        """No byte will come behind those added; `place` is where that became known."""
        if self._end is None:
            self._end = self._ends[-1] if self._ends else self.position
            self._end_place = place
            self._end_time_ns = time_ns

    def keep(self) -> None:
        """Copy what is unread out of shared buffers and forget what was read."""
        first = self._first
        ends = self._ends
        # One consumed piece stays: a span may still end in it.
        while first < len(ends) - 1 and ends[first] <= self.position:
            first += 1
        if first:
            del self._starts[:first], ends[:first], self._buffers[:first], self._offsets[:first]
            del self._frames[:first], self._ats[:first], self._times[:first]
        self._first = 0
        for i, buffer in enumerate(self._buffers):
            if buffer is None or (type(buffer) is bytes and self._offsets[i] == 0):
                continue
            size = self._ends[i] - self._starts[i]
            if self._ends[i] <= self.position:
                self._buffers[i] = b""  # consumed: only its frame and end are needed
            else:
                self._buffers[i] = bytes(memoryview(buffer)[self._offsets[i] : self._offsets[i] + size])
            self._offsets[i] = 0

    # -- read by parsers -----------------------------------------------------------------

    @property
    def unread_bytes(self) -> int:
        """Bytes added and not consumed, holes included."""
        return (self._ends[-1] if self._ends else self.position) - self.position

    @property
    def at_end(self) -> bool:
        """Everything was consumed and no byte will come; whoever hears so waited for the end."""
        if self._end is None or self.position < self._end:
            return False
        self.heed_end()
        return True

    @property
    def is_dry(self) -> bool:
        """Everything was consumed, and more may come."""
        return self._end is None and (not self._ends or self.position >= self._ends[-1])

    @property
    def is_finished(self) -> bool:
        """No byte will come behind those that are here."""
        return self._end is not None

    @property
    def gap_bytes(self) -> int:
        """Size of the hole that stands at `position`; 0 if there is none."""
        i = self._piece(self.position)
        if i < len(self._ends) and self._buffers[i] is None:
            self.reached = max(self.reached, self.position + 1)
            return self._ends[i] - self.position
        return 0

    def match(self, pattern: re.Pattern[bytes], limit: int, ahead: int = 0) -> re.Match[bytes] | None:
        """What `pattern` matches at the first unread byte, or so many `ahead` of it, not consumed.

        Looks at one piece, so None says nothing: `read_until` looks over the borders of pieces.
        """
        start, ends, i = self.position + ahead, self._ends, self._first
        if i == len(ends) or ends[i] <= start:
            i = self._piece(start)
        if i == len(ends) or (buffer := self._buffers[i]) is None:
            return None
        begin = self._offsets[i] + start - self._starts[i]
        return pattern.match(buffer, begin, begin + min(limit, ends[i] - start))

    def look(self, size: int) -> bytes | Missing:
        """The next `size` bytes, not consumed; or why not."""
        start = self.position
        found = self._contiguous(self._piece(start), size)
        if len(found) < size:
            return self._why(start + len(found))
        self.reached = max(self.reached, start + size)
        return found

    def read_until(self, pattern: re.Pattern[bytes], limit: int) -> bytes | Missing:
        """Bytes through the end of the first match of `pattern`, consumed.

        Looks at no more than `limit` bytes: where they hold no match, Missing.GAP is given
        if a hole follows, else Missing.BYTES (a caller that has `unread_bytes` >= limit has
        its answer: it is too long).
        """
        start, ends, i = self.position, self._ends, self._first
        if i == len(ends) or ends[i] <= start:
            i = self._piece(start)
        if i == len(ends) or (buffer := self._buffers[i]) is None:
            return self._why(start)
        begin = self._offsets[i] + start - self._starts[i]
        match = pattern.search(buffer, begin, begin + min(ends[i] - start, limit))
        if match is not None:
            end = match.end()
            self.position = start + end - begin
            return bytes(memoryview(buffer)[begin:end])
        joined = self._contiguous(i, limit)
        match = pattern.search(joined)
        if match is not None:
            self.position = start + match.end()
            return joined[: match.end()]
        return Missing.BYTES if len(joined) >= limit else self._why(start + len(joined))

    def peek(self, limit: int) -> bytes:
        """What is there up to `limit` bytes or a hole, not consumed; may be b"".

        Does not move `reached`: who decides by it must `reach` what it looked at.
        """
        return self._contiguous(self._piece(self.position), limit)

    def head(self, limit: int) -> bytes:
        """The first unread bytes up to `limit`, behind a hole if one stands first."""
        i = self._piece(self.position)
        if i < len(self._ends) and self._buffers[i] is None:
            return self._contiguous(i + 1, limit) if i + 1 < len(self._ends) else b""
        return self._contiguous(i, limit)

    def reach(self, size: int) -> None:
        """Say that a decision rests on the next `size` bytes."""
        self.reached = max(self.reached, self.position + size)

    def skip(self, size: int) -> int:
        """Consume up to `size` bytes, holes included, without looking; how many were there."""
        there = min(size, self.unread_bytes)
        self.position += there
        return there

    def skip_all(self, size: int) -> bool:
        """Consume `size` bytes, if all of them are here, and say so; else nothing."""
        if not self._ends or self._ends[-1] - self.position < size:
            return False
        self.position += size
        return True

    def skipped_gaps(self, start: int, end: int) -> int:
        """How many bytes of [start, end) are holes, as far as pieces are remembered."""
        first, last = self._index(start), self._index(end - 1)
        if None not in self._buffers[first : last + 1]:
            return 0
        holes = [i for i in range(first, last + 1) if self._buffers[i] is None]
        return sum(max(0, min(end, self._ends[i]) - max(start, self._starts[i])) for i in holes)

    # -- where it was --------------------------------------------------------------------

    def at_of(self, offset: int) -> int | None:
        """`Place.at` of the byte at `offset` (not yet read); None while it is not there."""
        if not self._ends or offset >= self._ends[-1]:
            return None
        return self._ats[self._index(offset)]

    def heed(self, place: Place) -> None:
        """What is read from now on also waited for something that became known at `place`."""
        at, depth = place
        if (at, depth + 1) > self._floor:
            self._floor = Place(at, depth + 1)

    @property
    def place(self) -> Place:
        """Where what was reached so far became knowable; never goes back."""
        reached = max(self.position, self.reached)
        if reached > self._placed and self._ends:
            self._placed = reached
            i = bisect_right(self._ends, reached - 1)
            at = self._ats[i] if i < len(self._ats) else self._ats[-1]
            floor = self._floor
            if at > floor.at or (at == floor.at and floor.depth < DATA):
                self._floor = Place(at, DATA)
        return self._floor

    def heed_end(self) -> None:
        """What comes now follows from the side having ended."""
        self._floor = max(self._floor, self._end_place)

    def where(self, start: int, end: int, since: int | None = None) -> Where:
        """Where the bytes [start, end) are, knowable at the present `place`.

        Ask before more than one further batch was read: older pieces are forgotten. An empty
        range has no frames. `since`: the range is said to begin there, its frames are these.
        """
        at = self.place.at
        if end <= start:
            ended = self._end is not None and start >= self._end
            time_ns = self._end_time_ns if ended or not self._times else self._times[self._index(start - 1)]
            return Where(at, time_ns, self.channel, self.side, (), start, end, self.basis)
        begin = start if since is None else since
        first = bisect_right(self._ends, start)
        if first < len(self._ends) and end <= self._ends[first]:
            frame = self._frames[first]
            found: tuple[int, ...] = (frame,) if frame else ()
            return _new(Where, (at, self._times[first], self.channel, self.side, found, begin, end, self.basis))
        first, last = self._index(start), self._index(end - 1)
        found = tuple(sorted({f for f in self._frames[first : last + 1] if f}))
        time_ns = self._time_of(found[-1], first, last) if found else self._times[last]
        return Where(at, time_ns, self.channel, self.side, found, begin, end, self.basis)

    def end_where(self) -> Where:
        """Where the end of the side is; call `heed_end` first."""
        position = self.position
        return Where(self.place.at, self._end_time_ns, self.channel, self.side, (), position, position, self.basis)

    # -- inside --------------------------------------------------------------------------

    def _begin(self) -> None:
        self._starts, self._ends, self._buffers, self._offsets = [], [], [], []
        self._frames, self._ats, self._times = [], [], []

    def _time_of(self, frame: int, first: int, last: int) -> int:
        return next((self._times[i] for i in range(last, first - 1, -1) if self._frames[i] == frame), self._times[last])

    def _piece(self, offset: int) -> int:
        """Index of the piece that holds `offset`, len() if none; remembers where it was."""
        ends = self._ends
        i = self._first
        if i < len(ends) and ends[i] > offset:
            return i
        i = bisect_right(ends, offset, i)
        if offset == self.position:
            self._first = i
        return i

    def _index(self, offset: int) -> int:
        """Index of the piece that holds `offset`, the nearest remembered one if none does."""
        i = bisect_right(self._ends, offset)
        return i if i < len(self._ends) else max(i - 1, 0)

    def _contiguous(self, i: int, size: int) -> bytes:
        """Bytes from `position` over piece borders, up to `size` or a hole."""
        if i == len(self._ends):
            return b""
        start = max(self.position, self._starts[i])
        piece = self._slice(i, start, size)
        if len(piece) == size:
            return piece
        parts: list[bytes] = []
        while piece:
            parts.append(piece)
            size -= len(piece)
            start += len(piece)
            i += 1
            piece = self._slice(i, start, size) if i < len(self._ends) else b""
        return b"".join(parts)

    def _slice(self, i: int, start: int, size: int) -> bytes:
        """Up to `size` bytes from `start` in piece `i`; none of a hole."""
        buffer = self._buffers[i]
        if buffer is None:
            return b""
        begin = self._offsets[i] + start - self._starts[i]
        return bytes(memoryview(buffer)[begin : begin + min(self._ends[i] - start, size)])

    def _why(self, offset: int) -> Missing:
        """Why nothing stands at `offset`; what follows from a hole or an end waited for it."""
        i = self._piece(offset)
        if i < len(self._ends):
            self.reached = max(self.reached, offset + 1)
            return Missing.GAP
        if self._end is None:
            return Missing.BYTES
        self.heed_end()
        return Missing.END
