"""A small capture, made by hand: a handshake, one request, its answer."""

from __future__ import annotations

import struct


def frame(payload: bytes, flags: int, seq: int, ack: int, *, from_client: bool) -> bytes:
    """An Ethernet frame of a connection from 10.0.0.1:50000 to 10.0.0.2:80."""
    ends = (b"\x0a\x00\x00\x01", 50000), (b"\x0a\x00\x00\x02", 80)
    (source, source_port), (target, target_port) = ends if from_client else ends[::-1]
    tcp = struct.pack(">HHIIBBHHH", source_port, target_port, seq, ack, 5 << 4, flags, 65535, 0, 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, source, target)
    return bytes(12) + b"\x08\x00" + ip + tcp


def datagram(payload: bytes, source_port: int, target_port: int) -> bytes:
    """An Ethernet frame of UDP between 10.0.0.1 and 10.0.0.53, which has the lower port."""
    ends = b"\x0a\x00\x00\x01", b"\x0a\x00\x00\x35"
    source, target = ends if source_port > target_port else ends[::-1]
    udp = struct.pack(">HHHH", source_port, target_port, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0, source, target)
    return bytes(12) + b"\x08\x00" + ip + udp


def pcap(*frames: bytes, link_type: int = 1) -> bytes:
    records = [struct.pack("<IIII", 1, n, len(data), len(data)) + data for n, data in enumerate(frames)]
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type) + b"".join(records)


EXCHANGE = pcap(
    frame(b"", 2, 100, 0, from_client=True),
    frame(b"", 18, 500, 101, from_client=False),
    frame(b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n", 24, 101, 501, from_client=True),
    frame(b"HTTP/1.1 204 No Content\r\n\r\n", 24, 501, 133, from_client=False),
)
