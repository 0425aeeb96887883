"""Plans: bytes that say what a file or a conversation is made of.

A mutated file mostly breaks in its first length. A plan has no lengths that could be wrong:
any bytes are one, so that mutation reaches what lies behind the framing.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from inspect_cli.wire.frames import Frames
from inspect_cli.wire.link import LINKS
from inspect_cli.wire.more_links import MORE_LINKS
from inspect_cli.wire.pcap import MAGICS
from tests.streams.segments import ACK, PSH, Seg
from tests.wire.making import batch

PART: Final = struct.Struct("<BBH")
"""Head of a part of a plan: what, with what, how many bytes follow."""
MAX_PARTS: Final = 64
LINK_TYPES: Final = [*LINKS, *MORE_LINKS, 147]
MAGIC_LIST: Final = list(MAGICS)


def parts_of(plan: bytes) -> Iterator[tuple[int, int, bytes]]:
    """The parts of a plan; the last has what there is."""
    at = 0
    for _ in range(MAX_PARTS):
        if at + PART.size > len(plan):
            return
        what, how, size = PART.unpack_from(plan, at)
        at += PART.size
        yield what, how, plan[at : at + size]
        at += size


def plan_of(parts: Iterable[tuple[int, int, bytes]]) -> bytes:
    return b"".join(PART.pack(what, how, len(data)) + data for what, how, data in parts)


def pcap_of_plan(plan: bytes) -> bytes:
    """Records: `what` their seconds, `how` bytes more on the wire; the first part says which kind of file."""
    first = plan[:4].ljust(4, b"\0")
    magic = MAGIC_LIST[first[0] % len(MAGIC_LIST)]
    order, _, header_size = MAGICS[magic]
    link = LINK_TYPES[first[1] % len(LINK_TYPES)]
    found = [magic, struct.pack(f"{order}HHiIII", 2, 4, 0, 0, first[2] << 8 | first[3], link)]
    for what, how, data in parts_of(plan[4:]):
        found += [struct.pack(f"{order}IIII", what, how, len(data), len(data) + how), bytes(header_size - 16), data]
    return b"".join(found)


def pcapng_of_plan(plan: bytes) -> bytes:
    """Blocks: `what` their type, an odd `how` one that is big-endian."""
    found = []
    for what, how, body in parts_of(plan):
        order = ">" if how & 1 else "<"
        kind = 0x0A0D0D0A if what == 0 else 0x0BAD if what == 255 else what
        magic = struct.pack(f"{order}I", 0x1A2B3C4D) if what == 0 else b""
        whole = magic + body + bytes(-len(magic + body) % 4)
        size = struct.pack(f"{order}I", len(whole) + 12)
        found.append(struct.pack(f"{order}I", kind) + size + whole + size)
    return b"".join(found)


def plan_of_pcapng(data: bytes) -> bytes:
    """The plan of a little-endian file."""
    parts, at = [], 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + size - 4]
        what = 0 if kind == 0x0A0D0D0A else min(kind, 255)
        parts.append((what, 0, body[4:] if what == 0 else body))
        at += size
    return plan_of(parts)


def frames_of_plan(plan: bytes) -> Frames:
    """Frames: `what` their link type, `how` bytes that the snap length cut off."""
    parts = list(parts_of(plan))
    sizes = np.array([len(data) for _, _, data in parts], np.int64)
    ends = np.cumsum(sizes)
    return Frames(
        b"".join(data for _, _, data in parts),
        1,
        np.arange(len(parts), dtype=np.int64) * 1_000_000,
        ends - sizes,
        sizes,
        sizes + np.array([how for _, how, _ in parts], np.int64),
        np.array([LINK_TYPES[what % len(LINK_TYPES)] for what, _, _ in parts], np.int64),
    )


SEND, BACK, AHEAD, FLAGS = range(4)
"""What a segment does, in bits 1 and 2 of `what`."""
SWAP, OTHER_PORT, NO_ACK, NO_ADVANCE = 8, 16, 32, 64


def segments_of_plan(plan: bytes) -> list[Seg]:
    """Segments: bit 0 of `what` is the side; see SEND and what follows.

    BACK begins `how` bytes before what comes next, AHEAD leaves out `how` bytes, FLAGS has
    `how` as TCP flags; SWAP stands before the segment before it.
    """
    ends = {(side, port): 0xFFFFFF00 + side for side in (0, 1) for port in (40000, 40001)}
    segments: list[Seg] = []
    for what, how, data in parts_of(plan):
        side, kind, port = what & 1, what >> 1 & 3, 40001 if what & OTHER_PORT else 40000
        seq, ack = ends[side, port], ends[1 - side, port]
        seq += {BACK: -how, AHEAD: how}.get(kind, 0)
        flags = how if kind == FLAGS else PSH | ACK
        segment = Seg(side, flags, seq, 0 if what & NO_ACK else ack, data, port=port)
        if what & SWAP and segments:
            segments.insert(len(segments) - 1, segment)
        else:
            segments.append(segment)
        if not what & NO_ADVANCE:
            ends[side, port] = seq + len(data) + bool(flags & 2) + bool(flags & 1)
    return segments


UDP_PORTS: Final = (53, 5353, 7777)


def datagrams_of_plan(plan: bytes) -> Frames:
    """UDP over IPv4: bit 0 of `what` is the side, the rest the server's port; `how` is the client's."""
    packets = []
    for what, how, data in parts_of(plan):
        ends = [(bytes([10, 0, 0, 1]), 40000 + how), (bytes([10, 0, 0, 2]), UDP_PORTS[(what >> 1) % len(UDP_PORTS)])]
        (source, port), (target, other) = ends if what & 1 == 0 else ends[::-1]
        udp = struct.pack(">HHHH", port, other, 8 + len(data), 0) + data
        packets.append(
            struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp) & 0xFFFF, 1, 0, 64, 17, 0, source, target) + udp
        )
    return batch(packets, 228)
