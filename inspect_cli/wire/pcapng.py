"""pcapng files: blocks in sections (draft-ietf-opsawg-pcapng).

Read: SHB, IDB, EPB, SPB and the old packet block, NRB (names of hosts), ISB (drops), DSB (TLS
keys), comments of sections, interfaces and packets (those of ISBs are dumpcap's boilerplate).
Every other block is skipped by its length. Comments that are our own items become items.
"""

from __future__ import annotations

import struct
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from inspect_cli.events.base import Item
from inspect_cli.events.calls import Secrets
from inspect_cli.events.capture import About, Comment, Names
from inspect_cli.wire.frames import Frames, Int64
from inspect_cli.wire.notes import read_notes
from inspect_cli.wire.pcapng_blocks import (
    BYTE_ORDER_MAGIC,
    COMMENT,
    DSB,
    EPB,
    EPB_DROPCOUNT,
    IDB,
    IF_NAME,
    IF_TSOFFSET,
    IF_TSRESOL,
    ISB,
    ISB_IFDROP,
    ISB_OSDROP,
    LAST_SECOND,
    MAX_BLOCK_SIZE,
    MAX_NAMES,
    NRB,
    PACKET,
    SHB,
    SMALLEST,
    SPB,
    TLS_KEY_LOG,
    UNKNOWN_DROPS,
    block_type,
    host_names,
    nanoseconds,
    old_interface,
    options_of,
    padded,
    rows_with_options,
)
from inspect_cli.wire.peeling import Mask, Rows, distinct, gather


@dataclass(slots=True)
class _Interface:
    link_type: int
    snap_length: int
    resolution: int
    """if_tsresol: 10**-n, or 2**-n if its highest bit is set (§4.2)."""
    offset_seconds: int
    name_index: int
    """Index in `interfaces`, -1 where it has no name."""
    lost: int = 0
    """Packets that blocks of packets say were dropped before them."""
    drops: int | None = None
    """All that were dropped so far, by the last statistics."""


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
        self._block = block_type("<")
        self._section: list[_Interface] = []
        self._past_drops = 0
        self._last_time_ns = 0
        self._comments: list[tuple[About, str, str]] = []
        """They wait for the next frame, which knows their time: what they are about, its name, and the text."""

    @property
    def drops(self) -> int:
        """Packets that the interfaces and the system say they dropped."""
        return self._past_drops + sum(i.lost if i.drops is None else i.drops for i in self._section)

    def rest(self) -> Iterator[Item]:
        """What waits for a frame when none comes any more."""
        yield from self._told(self._last_time_ns)

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
            elif kind in (SHB, IDB, NRB, ISB, DSB):
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
        elif kind == SHB:
            self._keep("section", "", options_of(block, 24, self._order))
        elif kind == IDB:
            self._add_interface(block)
        elif kind == NRB:
            pairs, options_at = host_names(block, self._order)
            options = options_of(block, options_at, self._order)
            yield from read_notes([value for code, value in options if code == COMMENT])[0]
            if pairs:
                yield Names(tuple(pairs))
        elif kind == ISB:
            yield from self._statistics(block)
        elif kind == DSB:
            yield from self._secrets(block)

    def _new_section(self, order: Literal["<", ">"]) -> None:
        self.inside = "record"
        self._past_drops = self.drops
        self._section = []
        self._order = order
        self._head = struct.Struct(f"{order}II")
        self._block = block_type(order)

    def _add_interface(self, block: bytes) -> None:
        """§4.2. An unreadable option counts as absent."""
        link_type, snap_length = struct.unpack_from(f"{self._order}H2xI", block, 8)
        resolution, offset_seconds, name = 6, 0, ""
        for code, value in options_of(block, 16, self._order):
            if code == IF_NAME:
                name = value.decode("utf-8", "replace").rstrip("\0")
            elif code == IF_TSRESOL and len(value) == 1:
                resolution = value[0]
            elif code == IF_TSOFFSET and len(value) == 8:
                offset_seconds = struct.unpack(f"{self._order}q", value)[0]
        if name and name not in self._names and len(self._names) < MAX_NAMES:
            self._names[name] = len(self._names)
            self.interfaces.append(name)
        self._keep("interface", name, options_of(block, 16, self._order))
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
        drops: int | None = None
        comments: list[bytes] = []
        for code, value in options_of(block, 20, self._order):
            if code in (ISB_IFDROP, ISB_OSDROP) and len(value) == 8:
                drops = (drops or 0) + struct.unpack(f"{self._order}Q", value)[0]
            elif code == COMMENT:
                comments.append(value)
        if interface < len(self._section) and drops is not None:
            self._section[interface].drops = drops
        yield from read_notes(comments)[0]

    def _secrets(self, block: bytes) -> Iterator[Item]:
        """§4.7. Secrets other than TLS key logs are skipped."""
        kind, size = struct.unpack_from(f"{self._order}II", block, 8)
        if size > len(block) - 20:
            self.problem = "impossible-length"
            return
        options = options_of(block, 16 + padded(size), self._order)
        yield from read_notes([value for code, value in options if code == COMMENT])[0]
        if kind == TLS_KEY_LOG:
            yield Secrets(block[16 : 16 + size])

    def _keep(self, about: About, name: str, options: Iterator[tuple[int, bytes]]) -> None:
        texts = [value.decode("utf-8", "replace") for code, value in options if code == COMMENT]
        self._comments += [(about, name, text) for text in texts]

    def _told(self, time_ns: int) -> Iterator[Item]:
        comments, self._comments = self._comments, []
        for comment in comments:
            yield Comment(time_ns, *comment)

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
            old_interface(header["interface"], self._order)[0],
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
            self._lose(kind[cut], header["interface"][cut], interface[cut])
            if self._comments:
                yield from self._told(int(frames.time_ns[0]))
            yield from self._with_comments(frames, at[cut] + length[cut] - 4, simple, interface)
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
            times[rows] = nanoseconds(ticks[rows], resolution, offsets[rows])
        if simple.any():
            before = np.maximum.accumulate(np.where(simple, -1, np.arange(len(times))))
            times = np.where(before < 0, self._last_time_ns, times[before])
        self._last_time_ns = int(times[-1])
        return times

    def _lose(self, kind: Rows, word: Rows, interface: Int64) -> None:
        """Count what old packet blocks say was dropped before them (Appendix A)."""
        old = np.flatnonzero(kind == PACKET)
        if len(old):
            _, drops = old_interface(word[old].astype(np.int64), self._order)
            for number, lost in zip(interface[old].tolist(), drops.tolist(), strict=True):
                self._section[number].lost += lost if lost != UNKNOWN_DROPS else 0

    def _with_comments(self, frames: Frames, options_end: Int64, simple: Mask, interface: Int64) -> Iterator[Item]:
        """The frames, cut before each one whose comments hold items of ours."""
        start = 0
        comments: dict[int, tuple[str, ...]] = {}
        options_at = frames.offset + (frames.size + 3 & ~3)
        for row in rows_with_options(frames.buffer, options_at, options_end, ~simple, self._order):
            block = memoryview(frames.buffer)[int(options_at[row]) : int(options_end[row]) + 4]
            options = list(options_of(block, 0, self._order))
            block.release()
            for code, value in options:
                if code == EPB_DROPCOUNT and len(value) == 8:
                    self._section[int(interface[row])].lost += struct.unpack(f"{self._order}Q", value)[0]
            items, texts = read_notes([value for code, value in options if code == COMMENT])
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
