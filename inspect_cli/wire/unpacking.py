"""The bytes of a capture, unpacked where they begin like gzip, Zstandard or LZ4.

What a file is called says nothing: each member or frame is known by its first bytes, and several
may stand one after another. A library is loaded when its first frame is met.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, Final, NamedTuple, Protocol

READ_BYTES: Final = 2 << 20
"""Packed bytes are read in pieces of this size, or as a pipe gives them,"""
FEED_BYTES: Final = 8 << 10
"""and unpacked in pieces of this: no more than that is lost where they turn out to be broken."""
GIVEN_BYTES: Final = 1 << 20
"""What a decoder may give at once, whatever the reader has room for: how much comes before
broken bytes must not depend on that."""
START_BYTES: Final = 16
"""So many are asked for to see what it is."""
GZIP: Final = zlib.MAX_WBITS | 16


class Decoder(Protocol):
    """One member or frame, as Python's own decompressors read it (PEP 784)."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes | None: ...

    def decompress(self, data: Any, /, max_length: int) -> bytes: ...


class Broken(Exception):
    """These bytes cannot be unpacked."""


class _Gzip:
    """A member of a gzip file as a Decoder (RFC 1952)."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(GZIP)
        self._full = False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._full and not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: Any, /, max_length: int) -> bytes:
        given = data if len(data) else self._inner.unconsumed_tail
        try:
            got = self._inner.decompress(given, max_length)
        except zlib.error as error:
            raise Broken from error
        self._full = len(got) == max_length
        return got


class _Foreign:
    """A Decoder of a library, its errors translated."""

    def __init__(self, inner: Any, errors: type[Exception]) -> None:
        self._inner = inner
        self._errors = errors

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof)

    @property
    def needs_input(self) -> bool:
        return bool(self._inner.needs_input)

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data or b""

    def decompress(self, data: Any, /, max_length: int) -> bytes:
        try:
            return bytes(self._inner.decompress(data, max_length=max_length))
        except self._errors as error:
            raise Broken from error


def _zstd() -> Decoder:
    """RFC 8878; its window is at most 128 MiB, as the library has it."""
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return _Foreign(zstd.ZstdDecompressor(), zstd.ZstdError)


def _lz4() -> Decoder:
    from lz4 import frame

    return _Foreign(frame.LZ4FrameDecompressor(), RuntimeError)


class Format(NamedTuple):
    """A way of packing, and how its members or frames begin."""

    name: str
    magic: bytes
    make: Callable[[], Decoder]


FORMATS: Final = (
    Format("gzip", b"\x1f\x8b", _Gzip),  # RFC 1952 §2.3.1
    Format("zstd", b"\x28\xb5\x2f\xfd", _zstd),  # RFC 8878 §3.1.1
    Format("lz4", b"\x04\x22\x4d\x18", _lz4),
)
SKIPPABLE: Final = b"\x2a\x4d\x18"
"""Behind a byte of 50 to 5f: a frame of Zstandard or LZ4 to be skipped (RFC 8878 §3.1.2)."""
HEAD_BYTES: Final = 8
"""Of a skippable frame: magic number and size."""


class Unpacked:
    """Reads a stream, unpacked if it is packed.

    `problem` is set where the input broke off by itself; it then gives no more bytes.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.problem = ""
        # A buffered stream's readinto waits until all is there, readinto1 does not.
        once: Callable[[memoryview], int | None] | None = getattr(stream, "readinto1", None)
        self._read: Callable[[memoryview], int | None] = once or getattr(stream, "readinto")  # noqa: B009
        self._data = memoryview(b"")
        """What was read and not yet given or unpacked."""
        self._ready = memoryview(b"")
        """What was unpacked and not yet given."""
        self._decoder: Decoder | None = None
        self._name = ""
        self._room = bytearray()
        try:
            while len(self._data) < 4 and self._more(START_BYTES):
                pass
        except OSError:
            self.problem = "read-failed"
        start = bytes(self._data[:4])
        self.is_packed = _format(start) is not None or _is_skippable(start)

    def read_into(self, free: memoryview) -> int:
        """Bytes put into `free`: what a pipe has now, or as much as fits; 0 at the end."""
        if self.problem:
            return 0
        if self.is_packed:
            return self._unpack(free)
        if size := min(len(free), len(self._data)):
            free[:size] = self._data[:size]
            self._data = self._data[size:]
            return size
        try:
            return self._read(free) or 0
        except OSError:
            self.problem = "read-failed"
            return 0

    def _unpack(self, free: memoryview) -> int:
        """Fill `free` with what one reading gave, or with the first reading that gives anything."""
        got = 0
        try:
            while got < len(free):
                if len(self._ready):
                    got += self._give(free[got:])
                    continue
                if (self._decoder is None or self._decoder.needs_input) and not len(self._data) and got:
                    break  # more may be long in coming
                if self._decoder is None and not self._begin():
                    break
                self._step()
        except Broken:
            self.problem = f"{self._name}-broken"
        except EOFError:
            self.problem = f"{self._name}-cut-off"
        except OSError:
            self.problem = "read-failed"
        return got

    def _give(self, free: memoryview) -> int:
        size = min(len(free), len(self._ready))
        free[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _step(self) -> None:
        """Unpack one piece. Raises: EOFError in mid-frame, Broken, OSError."""
        assert self._decoder is not None
        piece = memoryview(b"")
        if self._decoder.needs_input:
            if not len(self._data) and not self._more():
                raise EOFError
            piece, self._data = self._data[:FEED_BYTES], self._data[FEED_BYTES:]
        self._ready = memoryview(self._decoder.decompress(piece, GIVEN_BYTES))
        if self._decoder.eof:
            self._data = _joined(self._decoder.unused_data or b"", self._data)
            self._decoder = None

    def _begin(self) -> bool:
        """Make the decoder of the next frame or member; False where there is none.

        Raises: EOFError, Broken, OSError.
        """
        while True:
            self._look(4)
            if self._name == "gzip":
                self._skip_zeros()
            start = bytes(self._data[:4])
            if not start:
                return False
            form = _format(start)
            if form is not None:
                self._name, self._decoder = form.name, form.make()
                return True
            self._name = self._name or "zstd"
            if len(start) < 4 and start[:1] in b"\x1f\x28\x04PQRSTUVWXYZ[\\]^_":
                raise EOFError
            if not _is_skippable(start):
                raise Broken
            self._skip_frame()

    def _skip_zeros(self) -> None:
        """Zeros that fill up the last block of a tape may follow a gzip file."""
        while len(self._data) and self._data[0] == 0:
            self._data = memoryview(bytes(self._data).lstrip(b"\0"))
            self._look(4)

    def _skip_frame(self) -> None:
        self._look(HEAD_BYTES)
        if len(self._data) < HEAD_BYTES:
            raise EOFError
        left = HEAD_BYTES + int.from_bytes(self._data[4:HEAD_BYTES], "little")
        while left > len(self._data):
            left -= len(self._data)
            self._data = memoryview(b"")
            if not self._more():
                raise EOFError
        self._data = self._data[left:]

    def _look(self, size: int) -> None:
        """Have at least `size` bytes of data, unless the input ends before."""
        while len(self._data) < size and self._more(size):
            pass

    def _more(self, size: int = READ_BYTES) -> bool:
        """Read a piece behind what is there; False at the end of the input."""
        if len(self._data) or size < READ_BYTES:
            room = bytearray(size)
            got = self._read(memoryview(room)) or 0
            self._data = _joined(bytes(self._data), memoryview(room)[:got])
        else:
            self._room = self._room or bytearray(READ_BYTES)
            got = self._read(memoryview(self._room)) or 0
            self._data = memoryview(self._room)[:got]
        return got > 0


def _joined(first: bytes, second: memoryview) -> memoryview:
    """Both, without copying the second where the first is empty."""
    return memoryview(first + bytes(second)) if first else second


def _format(start: bytes) -> Format | None:
    return next((form for form in FORMATS if start.startswith(form.magic)), None)


def _is_skippable(start: bytes) -> bool:
    return len(start) == 4 and start[0] >> 4 == 5 and start[1:] == SKIPPABLE
