"""pcap files: a header of 24 bytes, then records (draft-ietf-opsawg-pcap).

Both byte orders; microseconds, nanoseconds, and the records of Kuznetzov's modified libpcap.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator
from typing import Final, Literal

import numpy as np

from inspect_cli.events.base import Item
from inspect_cli.wire.frames import Frames, Int64
from inspect_cli.wire.peeling import Rows, gather

FILE_HEADER_SIZE: Final = 24
MAX_RECORD_SIZE: Final = 256 << 20
USUAL_SNAP_LENGTH: Final = 262_144
"""Largest that tcpdump writes; below it a record longer than its file's snap length is believed."""

MAGICS: Final[dict[bytes, tuple[Literal["<", ">"], int, int]]] = {
    bytes.fromhex("d4c3b2a1"): ("<", 1_000, 16),
    bytes.fromhex("a1b2c3d4"): (">", 1_000, 16),
    bytes.fromhex("4d3cb2a1"): ("<", 1, 16),
    bytes.fromhex("a1b23c4d"): (">", 1, 16),
    bytes.fromhex("34cdb2a1"): ("<", 1_000, 24),
    bytes.fromhex("a1b2cd34"): (">", 1_000, 24),
}
"""First four bytes: byte order, ns in a unit of time, size of a record's header."""


class PcapWalk:
    """Walks over the records of a pcap file; see capture_file.Walk."""

    def __init__(self, magic: bytes, first_number: int) -> None:
        order, self._unit_ns, self._header_size = MAGICS[magic]
        self._size_of = struct.Struct(f"{order}8xI").unpack_from
        self._file_header = struct.Struct(f"{order}4xHHiIII")
        self._record = np.dtype(
            [
                ("seconds", f"{order}u4"),
                ("fraction", f"{order}u4"),
                ("size", f"{order}u4"),
                ("original", f"{order}u4"),
            ]
        )
        self._link_type = -1
        self._max_size = USUAL_SNAP_LENGTH
        self.next_number = first_number
        self.problem = ""
        self.inside = "header"
        self.drops = 0

    def walk(self, buffer: bytearray, start: int, end: int) -> Generator[Item, None, int]:
        """Yield the whole records of buffer[start:end]; returns where the first other begins."""
        if self._link_type < 0:
            if end - start < FILE_HEADER_SIZE:
                return start
            *_, snap_length, link = self._file_header.unpack_from(buffer, start)
            # Above the 16 bits of the link type are flags and the length of a frame check sequence.
            self._link_type = link & 0xFFFF
            self._max_size = max(USUAL_SNAP_LENGTH, min(snap_length, MAX_RECORD_SIZE))
            self.inside = "record"
            start += FILE_HEADER_SIZE
        size_of, header_size = self._size_of, self._header_size
        records: list[int] = []
        append = records.append
        at = start
        last = end - header_size
        while at <= last:
            append(at)
            at += header_size + size_of(buffer, at)[0]
        if not records:
            return at
        offsets = np.array(records, np.int64)
        header = gather(buffer, offsets, self._record)
        whole = len(records) if at <= end else len(records) - 1
        impossible = np.flatnonzero(header["size"] > self._max_size)
        if len(impossible):
            self.problem = "impossible-length"
            whole = int(impossible[0])
        if whole:
            yield self._frames(buffer, offsets[:whole], header[:whole])
        return at if whole == len(records) else records[whole]

    def rest(self) -> Iterator[Item]:
        """Nothing waits for a frame here."""
        return iter(())

    def _frames(self, buffer: bytearray, at: Int64, header: Rows) -> Frames:
        number = self.next_number
        self.next_number += len(at)
        return Frames(
            buffer,
            number,
            header["seconds"].astype(np.int64) * 1_000_000_000 + header["fraction"].astype(np.int64) * self._unit_ns,
            at + self._header_size,
            header["size"].astype(np.int64),
            header["original"].astype(np.int64),
            np.full(len(at), self._link_type, np.int64),
        )
