"""pcapng files: blocks in sections (draft-ietf-opsawg-pcapng).

Read: SHB, IDB, EPB, SPB and the old packet block, ISB (drops), DSB (TLS keys), comments.
Every other block is skipped by its length. Comments that are our own items become items.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from inspect_cli.events.base import Item
from inspect_cli.events.calls import Secrets
from inspect_cli.wire.frames import Frames, Int64
from inspect_cli.wire.notes import read_notes
from inspect_cli.wire.peeling import Mask, Rows, distinct, gather

SHB, IDB, PACKET, SPB, ISB, EPB, DSB = 0x0A0D0D0A, 1, 2, 3, 5, 6, 10
"""Block types; PACKET is the obsolete packet block (Appendix A)."""
MAX_BLOCK_SIZE: Final = 256 << 20
SMALLEST: Final[dict[int, int]] = {
    SHB: 28,
    IDB: 20,
    PACKET: 32,
    SPB: 16,
    ISB: 24,
    EPB: 32,
    DSB: 20,
}
BYTE_ORDER_MAGIC: Final = bytes.fromhex("1a2b3c4d")
TLS_KEY_LOG: Final = 0x544C534B

END_OF_OPTIONS, COMMENT = 0, 1
IF_NAME, IF_TSRESOL, IF_TSOFFSET = 2, 9, 14
ISB_IFDROP, ISB_OSDROP = 5, 7

LAST_SECOND: Final = (2**63 - 1) // 1_000_000_000 - 1
"""Times are clamped here (year 2262) so that ns fit 64 bits."""
MAX_NAMES: Final = 1024
"""More different names of interfaces than that are not kept."""
QUICK_OPTIONS: Final = 8
"""So many options of a packet are looked through by columns before a row is read by itself."""


@dataclass(slots=True)
class _Interface:
    link_type: int
    snap_length: int
    resolution: int
    """if_tsresol: 10**-n, or 2**-n if its highest bit is set (§4.2)."""
    offset_seconds: int
    name_index: int
    """Index in `interfaces`, -1 where it has no name."""


class PcapngWalk:
    """Walks over the blocks of a pcapng file; see capture_file.Walk."""

    def __init__(self, first_number: int, interfaces: list[str]) -> None:
        self.next_number = first_number
        self.problem = ""
        self.inside = "header"
        self.interfaces = interfaces
        self._names = {name: i for i, name in enumerate(interfaces)}
        self._order: Literal["<", ">"] = "<"
        self._head = struct.Struct("<II")
        self._block = _block_type("<")
        self._section: list[_Interface] = []
        self._drops: dict[int, int] = {}
        self._past_drops = 0
        self._last_time_ns = 0

    @property
    def drops(self) -> int:
        """Packets that the interfaces and the system say they dropped."""
        return self._past_drops + sum(self._drops.values())

    def walk(self, buffer: bytearray, start: int, end: int) -> Generator[Item, None, int]:
        """Yield what the whole blocks of buffer[start:end] hold; returns where the first other begins."""
        at = start
        packets: list[int] = []
        head = self._head.unpack_from
        while at + 12 <= end:
            kind, length = head(buffer, at)
            if kind == EPB and 32 <= length <= MAX_BLOCK_SIZE and not length & 3 and at + length <= end:
                packets.append(at)
                at += length
                continue
            if kind == SHB:
                kind, length = self._section_head(buffer, at)
            # §3.1: the length is a multiple of 4.
            if length < SMALLEST.get(kind, 12) or length & 3 or length > MAX_BLOCK_SIZE:
                self.problem = self.problem or "impossible-length"
                break
            if at + length > end:
                break
            if kind in (SPB, PACKET):
                packets.append(at)
            elif kind in (SHB, IDB, ISB, DSB):
                bad = yield from self._frames(buffer, packets)
                packets = []
                if bad >= 0:
                    return bad
                yield from self._other(buffer, at, kind, length)
                if self.problem:
                    return at
                head = self._head.unpack_from
            at += length
        bad = yield from self._frames(buffer, packets)
        return bad if bad >= 0 else at

    # -- blocks that are no packets ------------------------------------------------------

    def _section_head(self, buffer: bytearray, at: int) -> tuple[int, int]:
        """The type and length of a section header, which tells the byte order of both."""
        magic = bytes(buffer[at + 8 : at + 12])
        order: Literal["<", ">"]
        if magic == BYTE_ORDER_MAGIC:
            order = ">"
        elif magic == BYTE_ORDER_MAGIC[::-1]:
            order = "<"
        else:
            self.problem = "bad-section"
            return SHB, 0
        kind, length = struct.unpack_from(f"{order}II", buffer, at)
        return kind, length

    def _other(self, buffer: bytearray, at: int, kind: int, length: int) -> Iterator[Item]:
        block = bytes(buffer[at : at + length])
        if kind == SHB:
            self._new_section(">" if block[8:12] == BYTE_ORDER_MAGIC else "<")
        if block[4:8] != block[-4:]:
            self.problem = "lengths-differ"
        elif kind == IDB:
            self._add_interface(block)
        elif kind == ISB:
            yield from self._statistics(block)
        elif kind == DSB:
            yield from self._secrets(block)

    def _new_section(self, order: Literal["<", ">"]) -> None:
        self.inside = "record"
        self._past_drops = self.drops
        self._drops = {}
        self._section = []
        self._order = order
        self._head = struct.Struct(f"{order}II")
        self._block = _block_type(order)

    def _add_interface(self, block: bytes) -> None:
        """§4.2. An unreadable option counts as absent."""
        link_type, snap_length = struct.unpack_from(f"{self._order}H2xI", block, 8)
        resolution, offset_seconds, name = 6, 0, ""
        for code, value in _options(block, 16, self._order):
            if code == IF_NAME:
                name = value.decode("utf-8", "replace").rstrip("\0")
            elif code == IF_TSRESOL and len(value) == 1:
                resolution = value[0]
            elif code == IF_TSOFFSET and len(value) == 8:
                offset_seconds = struct.unpack(f"{self._order}q", value)[0]
        if name and name not in self._names and len(self._names) < MAX_NAMES:
            self._names[name] = len(self._names)
            self.interfaces.append(name)
        offset_seconds = max(-LAST_SECOND, min(offset_seconds, LAST_SECOND))
        self._section.append(
            _Interface(
                link_type,
                snap_length,
                resolution,
                offset_seconds,
                self._names.get(name, -1),
            )
        )

    def _statistics(self, block: bytes) -> Iterator[Item]:
        """§4.6. Counters count from the beginning of the capture: the last ISB of an interface holds."""
        (interface,) = struct.unpack_from(f"{self._order}I", block, 8)
        drops = 0
        comments: list[bytes] = []
        for code, value in _options(block, 20, self._order):
            if code in (ISB_IFDROP, ISB_OSDROP) and len(value) == 8:
                drops += struct.unpack(f"{self._order}Q", value)[0]
            elif code == COMMENT:
                comments.append(value)
        if interface < len(self._section):
            self._drops[interface] = drops
        yield from read_notes(comments)[0]

    def _secrets(self, block: bytes) -> Iterator[Item]:
        """§4.7. Secrets other than TLS key logs are skipped."""
        kind, size = struct.unpack_from(f"{self._order}II", block, 8)
        if size > len(block) - 20:
            self.problem = "impossible-length"
            return
        options = _options(block, 16 + _padded(size), self._order)
        yield from read_notes([value for code, value in options if code == COMMENT])[0]
        if kind == TLS_KEY_LOG:
            yield Secrets(block[16 : 16 + size])

    # -- packets -------------------------------------------------------------------------

    def _frames(self, buffer: bytearray, packets: list[int]) -> Generator[Item, None, int]:
        """Yield packet blocks as frames; returns where the first bad block begins, or -1."""
        if not packets:
            return -1
        at = np.array(packets, np.int64)
        header = gather(buffer, at, self._block)
        kind, length = header["kind"], header["length"].astype(np.int64)
        trailer = gather(buffer, at + length - 4, np.dtype([("length", f"{self._order}u4")]))["length"]
        is_simple = kind == SPB
        interface = np.where(
            kind == EPB,
            header["interface"],
            _old_interface(header["interface"], self._order),
        )
        interface = np.where(is_simple, 0, interface).astype(np.int64)
        unknown = interface >= len(self._section)
        size = header["size"].astype(np.int64)
        room = length - 32
        if is_simple.any():
            # §4.4: a simple packet has no size of its own, but what its interface cut it to.
            snap_length = self._section[0].snap_length if self._section else 0
            room = np.where(is_simple, length - 16, room)
            simple_size = np.minimum(header["simple_size"].astype(np.int64), snap_length or MAX_BLOCK_SIZE)
            size = np.where(is_simple, np.minimum(simple_size, room), size)
        wrong = (trailer != header["length"]) | unknown | (size > room)
        count = int(np.argmax(wrong)) if wrong.any() else len(at)
        if count:
            simple = is_simple[:count]
            cut = slice(0, count)
            frames = self._batch(buffer, at[cut], header[cut], interface[cut], size[cut], simple)
            yield from self._with_comments(frames, at[cut], length[cut], simple)
        if count == len(at):
            return -1
        self.problem = "unknown-interface" if unknown[count] else "impossible-length"
        if trailer[count] != header["length"][count]:
            self.problem = "lengths-differ"
        return packets[count]

    def _batch(
        self,
        buffer: bytearray,
        at: Int64,
        header: Rows,
        interface: Int64,
        size: Int64,
        simple: Mask,
    ) -> Frames:
        used = distinct(interface)
        which = np.searchsorted(used, interface)
        section = [self._section[i] for i in used.tolist()]
        link_type = np.array([i.link_type for i in section], np.int64)[which]
        time_ns = self._times(header, section, which, simple)
        original = np.where(simple, header["simple_size"], header["original"]).astype(np.int64)
        index = None
        if self.interfaces:
            index = np.array([i.name_index for i in section], np.int64)[which]
        number = self.next_number
        self.next_number += len(at)
        offset = at + np.where(simple, 12, 28)
        return Frames(buffer, number, time_ns, offset, size, original, link_type, {}, index)

    def _times(self, header: Rows, section: list[_Interface], which: Int64, simple: Mask) -> Int64:
        """Unix ns of each packet; a simple one has no time and takes that of the packet before it."""
        ticks = header["time_hi"].astype(np.uint64) << np.uint64(32) | header["time_lo"].astype(np.uint64)
        resolutions = np.array([i.resolution for i in section], np.int64)[which]
        offsets = np.array([i.offset_seconds for i in section], np.int64)[which]
        times = np.zeros(len(ticks), np.int64)
        for resolution in distinct(resolutions).tolist():
            rows = resolutions == resolution
            times[rows] = _nanoseconds(ticks[rows], resolution, offsets[rows])
        if simple.any():
            before = np.maximum.accumulate(np.where(simple, -1, np.arange(len(times))))
            times = np.where(before < 0, self._last_time_ns, times[before])
        self._last_time_ns = int(times[-1])
        return times

    def _with_comments(self, frames: Frames, at: Int64, length: Int64, simple: Mask) -> Iterator[Item]:
        """The frames, cut before each one whose comments hold items of ours."""
        start = 0
        comments: dict[int, tuple[str, ...]] = {}
        options_at = frames.offset + (frames.size + 3 & ~3)
        options_end = at + length - 4
        for row in _rows_with_comments(frames.buffer, options_at, options_end, ~simple, self._order):
            block = memoryview(frames.buffer)[int(options_at[row]) : int(options_end[row]) + 4]
            values = [value for code, value in _options(block, 0, self._order) if code == COMMENT]
            block.release()
            items, texts = read_notes(values)
            if items:
                if row > start:
                    part = frames.part(start, row)
                    part.comments = comments
                    yield part
                yield from items
                start, comments = row, {}
            if texts:
                comments[frames.first_number + row] = texts
        rest = frames.part(start, len(frames)) if start else frames
        rest.comments = comments
        yield rest


def _block_type(order: Literal["<", ">"]) -> np.dtype[np.void]:
    """Head of a packet block: EPB (§4.3), and its fields where SPB (§4.4) has another."""
    names = [
        "kind",
        "length",
        "interface",
        "time_hi",
        "time_lo",
        "size",
        "original",
        "simple_size",
    ]
    offsets = [0, 4, 8, 12, 16, 20, 24, 8]
    return np.dtype(
        {
            "names": names,
            "formats": [f"{order}u4"] * 8,
            "offsets": offsets,
            "itemsize": 28,
        }
    )


def _old_interface(numbers: Int64, order: Literal["<", ">"]) -> Int64:
    """The obsolete packet block has 16 bits of interface, then 16 of drops."""
    return numbers >> 16 if order == ">" else numbers & 0xFFFF


def _padded(size: int) -> int:
    return size + 3 & ~3


def _options(block: bytes | memoryview, at: int, order: Literal["<", ">"]) -> Iterator[tuple[int, bytes]]:
    """Code and value of each option (§3.5), up to the last that fits before the block's final 4 bytes."""
    end = len(block) - 4
    head = struct.Struct(f"{order}HH")
    while at + 4 <= end:
        code, size = head.unpack_from(block, at)
        if code == END_OF_OPTIONS or at + 4 + size > end:
            return
        yield code, bytes(block[at + 4 : at + 4 + size])
        at += 4 + _padded(size)


def _rows_with_comments(
    buffer: bytes | bytearray,
    at: Int64,
    end: Int64,
    may: Mask,
    order: Literal["<", ">"],
) -> list[int]:
    """Rows whose options hold a comment, or may hold one behind many other options."""
    rows = np.nonzero(may & (at + 4 <= end))[0]
    found: list[Int64] = []
    head = np.dtype([("code", f"{order}u2"), ("size", f"{order}u2")])
    for _ in range(QUICK_OPTIONS):
        if not len(rows):
            break
        option = gather(buffer, at[rows], head)
        code = option["code"]
        found.append(rows[code == COMMENT])
        at = at.copy()
        at[rows] += 4 + (option["size"].astype(np.int64) + 3 & ~3)
        rows = rows[(code != COMMENT) & (code != END_OF_OPTIONS) & (at[rows] + 4 <= end[rows])]
    found.append(rows)
    return sorted(np.concatenate(found).tolist())


def _nanoseconds(
    ticks: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
    resolution: int,
    offset: Int64,
) -> Int64:
    """Ticks of 10**-n or 2**-n seconds as ns, exactly (rounded down), clamped to 64 bits."""
    exponent = resolution & 0x7F
    per_second = (2 if resolution & 0x80 else 10) ** exponent
    if per_second >= 2**63:
        # Less than two seconds fit 64 bits: too fine for columns of 64 bits, and nobody writes it.
        exact = np.array([tick * 1_000_000_000 // per_second for tick in ticks.tolist()], np.int64)
        seconds = np.clip(exact // 1_000_000_000 + offset, 0, LAST_SECOND)
        return np.asarray(seconds * 1_000_000_000 + exact % 1_000_000_000)
    seconds = np.minimum(ticks // np.uint64(per_second), np.uint64(LAST_SECOND)).astype(np.int64)
    fraction = ticks % np.uint64(per_second)
    if 1_000_000_000 % per_second == 0:
        fraction = fraction * np.uint64(1_000_000_000 // per_second)
    elif per_second % 1_000_000_000 == 0:
        fraction = fraction // np.uint64(per_second // 1_000_000_000)
    elif per_second < 2**34:
        fraction = fraction * np.uint64(1_000_000_000) // np.uint64(per_second)
    else:
        fraction = np.array([f * 1_000_000_000 // per_second for f in fraction.tolist()], np.uint64)
    seconds = np.clip(seconds + offset, 0, LAST_SECOND)
    times: Int64 = seconds * 1_000_000_000 + fraction.astype(np.int64)
    return times
