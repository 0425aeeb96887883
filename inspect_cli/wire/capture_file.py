"""A capture as a stream of items: pcap or pcapng, packed or not, file or pipe.

Bytes are read into one buffer that is used again for each batch; a record that crosses its
end is carried to the front. What a damaged capture holds before the damage is yielded.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import BinaryIO, Final, Protocol

from inspect_cli.errors import CaptureCutOff, EmptyInput, InspectError, NotACapture
from inspect_cli.events.base import Item
from inspect_cli.wire.pcap import MAGICS, PcapWalk
from inspect_cli.wire.pcapng import PcapngWalk
from inspect_cli.wire.pcapng_blocks import SHB
from inspect_cli.wire.unpacking import Unpacked

PCAPNG_MAGIC: Final = SHB.to_bytes(4, "big")
SMALLEST_BATCH: Final = 64
SHOWN_BYTES: Final = 16
"""How many first bytes of what is no capture are told."""
HAR_BYTES: Final = 4_096
"""A HAR shows within so many bytes that it is one."""

_HAR = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{(?:.*[\s,{])?"log"\s*:', re.DOTALL)
_JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*\{")


class HarBegins(Exception):
    """It is no capture of packets but a HAR: what was read of it, and the rest."""

    def __init__(self, begun: bytes, rest: Unpacked) -> None:
        super().__init__()
        self.begun = begun
        self.rest = rest


class Walk(Protocol):
    """A format: yields the whole records of a piece of buffer and says where they end.

    `problem` is the reason why no more can be read, "" while all is well; `inside` what an
    end of the file would cut: `header` or `record`.
    """

    next_number: int
    problem: str
    inside: str

    @property
    def drops(self) -> int: ...

    def walk(self, buffer: bytearray, start: int, end: int) -> Generator[Item, None, int]: ...

    def rest(self) -> Iterator[Item]: ...


class CaptureReader:
    """Iterates over the items of one capture, once: Frames, Secrets, Call, Context.

    A batch is valid until the next item is asked for. After the last item `complete` is True,
    or `error` says where the capture was cut off.
    """

    def __init__(self, stream: BinaryIO, name: str, batch_bytes: int, first_number: int, interfaces: list[str]) -> None:
        self.name = name
        self.interfaces = interfaces
        """Names of interfaces, as far as read; grows."""
        self.complete = False
        self.error: InspectError | None = None
        self._batch_bytes = max(batch_bytes, SMALLEST_BATCH)
        self._source = Unpacked(stream)
        self._buffer = bytearray(self._batch_bytes)
        self._end = 0
        self._passed_bytes = 0
        self._first_number = first_number
        while self._end < 4 and self._fill(0):
            pass
        self._walk = self._format()

    @property
    def drops(self) -> int:
        """Packets that the capture says were dropped, as far as read."""
        return self._walk.drops

    @property
    def frames(self) -> int:
        """Frames read so far."""
        return self._walk.next_number - self._first_number

    def __iter__(self) -> Iterator[Item]:
        at = 0
        while not self.error and not self.complete:
            at = yield from self._walk.walk(self._buffer, at, self._end)
            if self._walk.problem:
                self.error = self._cut_off(at, self._walk.problem)
            elif self._fill(at):
                at = 0
            elif self._source.problem or self._end:
                self.error = self._cut_off(0, self._source.problem or f"ends-inside-{self._walk.inside}")
            else:
                self.complete = True
        yield from self._walk.rest()

    def _format(self) -> Walk:
        start = bytes(self._buffer[: min(self._end, SHOWN_BYTES)])
        magic = start[:4]
        if len(start) < 4 and self._source.problem:
            raise CaptureCutOff(path=self.name, byte=0, frame=0, reason=self._source.problem)
        if not start:
            raise EmptyInput(path=self.name)
        if magic in MAGICS:
            return PcapWalk(magic, self._first_number)
        if magic == PCAPNG_MAGIC:
            return PcapngWalk(self._first_number, self.interfaces)
        while self._end < SHOWN_BYTES and self._fill(0):
            pass
        if _JSON.match(self._buffer[: self._end]):
            while self._end < HAR_BYTES and self._fill(0):
                pass
            if _HAR.match(self._buffer[: min(self._end, HAR_BYTES)]):
                raise HarBegins(bytes(self._buffer[: self._end]), self._source)
        raise NotACapture(path=self.name, first_bytes=bytes(self._buffer[: min(self._end, SHOWN_BYTES)]).hex(" "))

    def _fill(self, at: int) -> bool:
        """Move what is behind `at` to the front and read more; False at the end of the input."""
        rest = self._end - at
        self._passed_bytes += at
        if rest == len(self._buffer):
            # One record is larger than the buffer, which grows only by what is really there.
            larger = bytearray(2 * len(self._buffer))
            larger[:rest] = self._buffer
            self._buffer = larger
        elif len(self._buffer) > self._batch_bytes and rest < self._batch_bytes // 2:
            smaller = bytearray(self._batch_bytes)
            smaller[:rest] = self._buffer[at : self._end]
            self._buffer = smaller
        elif at:
            self._buffer[:rest] = self._buffer[at : self._end]
        with memoryview(self._buffer) as view, view[rest:] as free:
            got = self._source.read_into(free)
        self._end = rest + got
        return got > 0

    def _cut_off(self, at: int, reason: str) -> CaptureCutOff:
        return CaptureCutOff(
            path=self.name,
            byte=self._passed_bytes + at,
            frame=self._walk.next_number - 1,
            reason=reason,
        )


def open_capture(
    stream: BinaryIO,
    name: str,
    *,
    batch_bytes: int = 8 << 20,
    first_number: int = 1,
    interfaces: list[str] | None = None,
) -> CaptureReader:
    """Read the first bytes and choose the format by them; the stream stays the caller's.

    `interfaces`: a list of names to go on with, where several files make one source.
    Raises: EmptyInput, NotACapture, HarBegins.
    """
    return CaptureReader(stream, name, batch_bytes, first_number, [] if interfaces is None else interfaces)
