"""Captures and batches made by hand, and what a reader gives for them."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inspect_cli.errors import InspectError
from inspect_cli.events.base import Item
from inspect_cli.wire.capture_file import open_capture
from inspect_cli.wire.frames import Frames

Row = tuple[int, int, bytes, int, int]
"""Number, time_ns, captured bytes, original size, link type."""


@dataclass
class Read:
    """All that a capture gave, copied out of its buffers."""

    items: list[Any]
    """Rows of frames, other items, and behind its row a frame's ("comment", number, texts)."""
    error: InspectError | None
    complete: bool
    drops: int
    interfaces: list[str]

    @property
    def rows(self) -> list[Row]:
        return [item for item in self.items if isinstance(item, tuple) and item[0] != "comment"]

    @property
    def reason(self) -> str:
        return "" if self.error is None else str(self.error.data["reason"])


def rows_of(frames: Frames) -> list[Row]:
    columns = (frames.time_ns, frames.offset, frames.size, frames.original_size, frames.link_type)
    return [
        (frames.first_number + i, time_ns, bytes(frames.buffer[offset : offset + size]), original, link)
        for i, (time_ns, offset, size, original, link) in enumerate(
            zip(*(column.tolist() for column in columns), strict=True)
        )
    ]


def read(data: bytes, batch_bytes: int = 8 << 20, stream: Any = None) -> Read:
    """Read a capture from its bytes."""
    reader = open_capture(stream or io.BytesIO(data), "x", batch_bytes=batch_bytes)
    items = plain(reader)
    return Read(items, reader.error, reader.complete, reader.drops, reader.interfaces)


def batch(packets: Iterable[bytes], link_type: int | Sequence[int] = 1, cut: int | None = None) -> Frames:
    """A batch of frames; `cut`: the snap length."""
    parts = list(packets)
    kept = [part[:cut] for part in parts]
    sizes = np.array([len(part) for part in kept], np.int64)
    ends = np.cumsum(sizes)
    links = [link_type] * len(parts) if isinstance(link_type, int) else list(link_type)
    return Frames(
        b"".join(kept),
        1,
        np.arange(len(parts), dtype=np.int64),
        ends - sizes,
        sizes,
        np.array([len(part) for part in parts], np.int64),
        np.array(links, np.int64),
    )


def pcap(
    rows: Iterable[tuple[int, int, bytes]], magic: str = "d4c3b2a1", link_type: int = 1, snap: int = 65535
) -> bytes:
    """A pcap file of (seconds, fraction, data)."""
    order = "<" if magic[0] in "d43" else ">"
    parts = [bytes.fromhex(magic), struct.pack(f"{order}HHiIII", 2, 4, 0, 0, snap, link_type)]
    extra = bytes(8) if magic in ("34cdb2a1", "a1b2cd34") else b""
    for seconds, fraction, data in rows:
        parts += (struct.pack(f"{order}IIII", seconds, fraction, len(data), len(data)), extra, data)
    return b"".join(parts)


class Pcapng:
    """Blocks of a pcapng file in one byte order, as the draft draws them."""

    def __init__(self, order: str = "<") -> None:
        self.order = order

    def block(self, kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = len(body) + 12
        return struct.pack(f"{self.order}II", kind, size) + body + struct.pack(f"{self.order}I", size)

    def options(self, *options: tuple[int, bytes]) -> bytes:
        parts = [struct.pack(f"{self.order}HH", c, len(v)) + v + bytes(-len(v) % 4) for c, v in options]
        return b"".join(parts) + bytes(4) if parts else b""

    def shb(self, *options: tuple[int, bytes]) -> bytes:
        head = struct.pack(f"{self.order}IHHq", 0x1A2B3C4D, 1, 0, -1)
        return self.block(0x0A0D0D0A, head + self.options(*options))

    def idb(self, link_type: int = 1, snap: int = 0, *options: tuple[int, bytes]) -> bytes:
        return self.block(1, struct.pack(f"{self.order}HHI", link_type, 0, snap) + self.options(*options))

    def epb(
        self, data: bytes, ticks: int = 0, interface: int = 0, original: int | None = None, *options: tuple[int, bytes]
    ) -> bytes:
        size = len(data) if original is None else original
        head = struct.pack(f"{self.order}IIIII", interface, ticks >> 32, ticks & 0xFFFFFFFF, len(data), size)
        return self.block(6, head + data + bytes(-len(data) % 4) + self.options(*options))

    def spb(self, data: bytes, original: int) -> bytes:
        return self.block(3, struct.pack(f"{self.order}I", original) + data)

    def old_packet(self, data: bytes, ticks: int, interface: int, drops: int = 0xFFFF) -> bytes:
        head = struct.pack(
            f"{self.order}HHIIII", interface, drops, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)
        )
        return self.block(2, head + data)

    def nrb(self, *records: tuple[int, bytes]) -> bytes:
        return self.block(4, (self.options(*records) or bytes(4)))

    def isb(self, interface: int, *options: tuple[int, bytes]) -> bytes:
        return self.block(5, struct.pack(f"{self.order}III", interface, 0, 0) + self.options(*options))

    def dsb(self, lines: bytes, kind: int = 0x544C534B, *options: tuple[int, bytes]) -> bytes:
        head = struct.pack(f"{self.order}II", kind, len(lines))
        return self.block(10, head + lines + bytes(-len(lines) % 4) + self.options(*options))

    def number(self, value: int) -> bytes:
        return struct.pack(f"{self.order}Q", value)


def plain(items: Iterable[Item]) -> list[Any]:
    """Items as Read.items has them."""
    found: list[Any] = []
    for item in items:
        if not isinstance(item, Frames):
            found.append(item)
            continue
        for row in rows_of(item):
            found.append(row)
            if row[0] in item.comments:
                found.append(("comment", row[0], item.comments[row[0]]))
    return found
