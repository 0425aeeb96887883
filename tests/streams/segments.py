"""Conversations as real frames: Ethernet, IPv4 and TCP headers around given bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

from inspect_cli.wire.frames import Frames

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START_NS = 1_700_000_000_000_000_000


@dataclass
class Seg:
    """One segment. `d` 0 goes from the client (10.0.0.1:port) to the server (10.0.0.2:80)."""

    d: int
    flags: int
    seq: int
    ack: int = 0
    data: bytes = b""
    window: int = 1000
    port: int = 40000
    cut: int = 0
    options: bytes = b""
    urgent: int = 0
    id: int | None = None
    """IP identification; None: another one in each frame, as senders give them."""
    damaged: bool = False
    """The payload is not the one that its checksum was made for."""
    ttl: int = 64

    def frame(self, number: int = 1) -> bytes:
        ends = (bytes([10, 0, 0, 1]), self.port), (bytes([10, 0, 0, 2]), 80)
        source, target = ends[self.d], ends[1 - self.d]
        size = 20 + len(self.options)
        tcp = struct.pack(
            ">HHIIBBHHH",
            source[1],
            target[1],
            self.seq & 0xFFFFFFFF,
            self.ack & 0xFFFFFFFF,
            size // 4 << 4,
            self.flags,
            self.window,
            0,
            self.urgent,
        )
        payload = tcp + self.options + self.data
        pseudo = source[0] + target[0] + struct.pack(">HH", 6, len(payload))
        total = int.from_bytes(pseudo + payload + b"\0" * (len(payload) & 1)) % 0xFFFF
        payload = payload[:16] + struct.pack(">H", (0xFFFF - total) ^ self.damaged) + payload[18:]
        identification = number & 0xFFFF if self.id is None else self.id
        ip = struct.pack(
            ">BBHHHBBH4s4s",
            *(0x45, 0, 20 + len(payload), identification, 0x4000, self.ttl, 6, 0, source[0], target[0]),
        )
        return b"\x02" * 6 + b"\x04" * 6 + b"\x08\x00" + ip + payload


def frames_of(segments: list[Seg], first_number: int = 1, step_ns: int = 1000) -> Frames:
    """The segments as one batch, `step_ns` apart."""
    buffer = bytearray()
    offsets, sizes, originals = [], [], []
    for number, segment in enumerate(segments, first_number):
        frame = segment.frame(number)
        offsets.append(len(buffer))
        originals.append(len(frame))
        kept = frame[: len(frame) - segment.cut] if segment.cut else frame
        sizes.append(len(kept))
        buffer += kept
    count = len(segments)
    times = START_NS + (first_number - 1 + np.arange(count, dtype=np.int64)) * step_ns
    return Frames(
        buffer,
        first_number,
        times,
        np.array(offsets, np.int64),
        np.array(sizes, np.int64),
        np.array(originals, np.int64),
        np.full(count, 1, np.int64),
    )


@dataclass
class Talk:
    """Writes a connection segment by segment and keeps both sequence numbers."""

    port: int = 40000
    isn: tuple[int, int] = (1000, 9000)
    segments: list[Seg] = field(default_factory=list)
    sent: list[int] = field(default_factory=lambda: [0, 0])

    def seq(self, d: int) -> int:
        return (self.isn[d] + 1 + self.sent[d]) & 0xFFFFFFFF

    def open(self) -> Talk:
        c, s = self.isn
        self.segments += [
            Seg(0, SYN, c, port=self.port),
            Seg(1, SYN | ACK, s, c + 1, port=self.port),
            Seg(0, ACK, c + 1, s + 1, port=self.port),
        ]
        return self

    def say(self, d: int, data: bytes, flags: int = PSH | ACK) -> Talk:
        self.segments.append(Seg(d, flags, self.seq(d), self.seq(1 - d), data, port=self.port))
        self.sent[d] += len(data) + bool(flags & FIN)
        return self

    def acks(self, d: int) -> Talk:
        self.segments.append(Seg(d, ACK, self.seq(d), self.seq(1 - d), port=self.port))
        return self

    def close(self, first: int = 0) -> Talk:
        return self.say(first, b"", FIN | ACK).acks(1 - first).say(1 - first, b"", FIN | ACK).acks(first)
