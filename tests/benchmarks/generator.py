"""Large captures, made fast, with the truth about them.

    python tests/benchmarks/generator.py --packets 100000 --seed 1 OUT.pcap

writes a pcap file of exactly so many packets and prints what is in it as JSON, under the
names of the tool's summary. The same arguments give the same bytes. Memory is bounded by the
connections that are open at once, never by the number of packets.

Traffic: many connections interleaved in time; HTTP/1.1 with keep-alive, cookies, bodies over
several segments, some chunked; WebSockets; connections that are no HTTP; refused ones; closes
by FIN and RST; UDP and ARP in between. Of the data segments, 1 % are lost (half of them
before the capture point) and sent again, and 1 % arrive behind the one that was sent later.
Every stream is complete in the file. tshark (4.0.17, `tcp.reassemble_out_of_order:TRUE`) counts
the same, but for a chunked response whose last byte stands alone in a segment: it calls that
malformed (1 of 8,226 with the arguments above). TCP checksums are left unfilled, as on loopback.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import heapq
import json
import random
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal

Shape = Literal["web", "small"]
Side = Literal[0, 1]
CLIENT: Side = 0
SERVER: Side = 1

START_NS = 1_790_000_000_000_000_000
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MSS = 1448
OPEN_AT_ONCE = 200
CHUNK_BYTES = 4 << 20
ARP_EVERY, UDP_EVERY = 400, 60
OPCODES = {0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
SYN_OPTIONS = bytes.fromhex("020405b40402080a000000000000000001030307")
TIMESTAMP_OPTION = bytes.fromhex("0101080a0000000000000000")

HEAD = struct.Struct(">12sHBBHHHBBHIIHHIIBBHHH")
RECORD = struct.Struct("<IIII")
MACS = (bytes.fromhex("020000000002020000000001"), bytes.fromhex("020000000001020000000002"))


def new_truth() -> dict[str, int]:
    """Counters under the names of the tool's summary; `as_summary` gathers those of WebSocket frames."""
    names = "packets bytes undecoded_packets udp_conversations connections syn syn_ack fin rst handshakes_complete"
    names += " http_requests http_responses set_cookie cookie websocket_handshakes lost_segments reordered_segments"
    return dict.fromkeys([*names.split(), *(f"websocket_{name}" for name in (*OPCODES.values(), "other"))], 0)


def as_summary(truth: dict[str, int]) -> dict[str, object]:
    """The truth with `websocket_frames` as an object of its own, as in the summary."""
    frames = {name: truth[f"websocket_{name}"] for name in (*OPCODES.values(), "other")}
    return {**{name: n for name, n in truth.items() if name[10:] not in frames}, "websocket_frames": frames}


@dataclass
class Flow:
    """One TCP connection being planned: its packets with their times."""

    number: int
    address: tuple[int, int]
    port: tuple[int, int]
    now_ns: int
    rng: random.Random
    truth: dict[str, int]
    packets: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    seq: list[int] = field(default_factory=list)
    acked: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.seq = [self.rng.getrandbits(32), self.rng.getrandbits(32)]
        self.acked = [0, 0]  # by each side, of the other's bytes
        self.rtt_ns = self.rng.randrange(200_000, 20_000_000)

    def put(
        self, time_ns: int, side: Side, flags: int, seq: int, payload: bytes = b"", options: bytes = TIMESTAMP_OPTION
    ) -> None:
        """One captured packet."""
        ack = self.acked[side] if flags & ACK else 0
        total = 40 + len(options) + len(payload)
        identification = len(self.packets) + self.number & 0xFFFF
        source, target = self.address[side], self.address[1 - side]
        # RFC 1071, the words summed up beforehand where they are constant.
        words = 0x4500 + total + identification + 0x4000 + 0x4006
        words += (source >> 16) + (source & 0xFFFF) + (target >> 16) + (target & 0xFFFF)
        words = (words & 0xFFFF) + (words >> 16)
        words = (words & 0xFFFF) + (words >> 16)
        head = HEAD.pack(
            MACS[side], 0x0800, 0x45, 0, total, identification, 0x4000, 64, 6, words ^ 0xFFFF, source, target,
            self.port[side], self.port[1 - side], seq & 0xFFFFFFFF, ack & 0xFFFFFFFF,
            (20 + len(options)) << 2, flags, 512, 0, 0,
        )  # fmt: skip
        self.packets.append((time_ns, head + options, payload))
        truth = self.truth
        if flags & SYN:
            truth["syn_ack" if flags & ACK else "syn"] += 1
        if flags & FIN:
            truth["fin"] += 1
        if flags & RST:
            truth["rst"] += 1

    def pause(self, low_ns: int, high_ns: int) -> None:
        self.now_ns += self.rng.randrange(low_ns, high_ns)

    def open(self) -> None:
        """SYN, SYN/ACK, ACK; now and then the SYN is sent twice."""
        self.truth["connections"] += 1
        self.put(self.now_ns, CLIENT, SYN, self.seq[CLIENT], options=SYN_OPTIONS)
        if self.rng.random() < 0.005:
            self.now_ns += 1_000_000_000
            self.put(self.now_ns, CLIENT, SYN, self.seq[CLIENT], options=SYN_OPTIONS)
        self.seq[CLIENT] += 1
        self.acked[SERVER] = self.seq[CLIENT]
        self.now_ns += self.rtt_ns
        self.put(self.now_ns, SERVER, SYN | ACK, self.seq[SERVER], options=SYN_OPTIONS)
        self.seq[SERVER] += 1
        self.acked[CLIENT] = self.seq[SERVER]
        self.now_ns += 30_000
        self.put(self.now_ns, CLIENT, ACK, self.seq[CLIENT])
        self.truth["handshakes_complete"] += 1

    def refused(self) -> None:
        """A SYN answered by a RST."""
        self.truth["connections"] += 1
        self.put(self.now_ns, CLIENT, SYN, self.seq[CLIENT], options=SYN_OPTIONS)
        self.acked[SERVER] = self.seq[CLIENT] + 1
        self.put(self.now_ns + self.rtt_ns, SERVER, RST | ACK, 0, options=b"")

    def send(self, side: Side, data: bytes, mss: int = MSS) -> None:
        """Bytes of one side in segments, some lost or late; the other side acknowledges what it has."""
        rng, other = self.rng, SERVER if side == CLIENT else CLIENT
        arrivals: list[tuple[int, bool, int, bytes]] = []  # time, received, seq, payload
        time_ns = self.now_ns
        begin = self.seq[side]
        for at in range(0, len(data), mss):
            payload = data[at : at + mss]
            time_ns += 12_000
            fate = rng.random()
            if fate < 0.01:
                self.truth["lost_segments"] += 1
                if fate < 0.005:  # lost behind the capture point: seen, but not received
                    arrivals.append((time_ns, False, begin + at, payload))
                arrivals.append((time_ns + self.rtt_ns + 200_000, True, begin + at, payload))
            elif fate < 0.02 and at + mss < len(data):
                self.truth["reordered_segments"] += 1
                arrivals.append((time_ns + 18_000, True, begin + at, payload))
            else:
                arrivals.append((time_ns, True, begin + at, payload))
        self.seq[side] = begin + len(data)
        arrivals.sort(key=lambda arrival: arrival[0])
        beyond: dict[int, int] = {}
        unacknowledged = 0
        for time_ns, received, seq, payload in arrivals:
            self.put(time_ns, side, ACK | PSH, seq, payload)
            if not received:
                continue
            beyond[seq] = seq + len(payload)
            while (after := beyond.pop(self.acked[other], None)) is not None:
                self.acked[other] = after
            unacknowledged += 1
            if unacknowledged == 2:
                unacknowledged = 0
                self.put(time_ns + 3_000, other, ACK, self.seq[other])
        self.now_ns = arrivals[-1][0] + self.rtt_ns // 2

    def close(self) -> None:
        """By FIN of either side, or now and then by RST."""
        rng = self.rng
        self.pause(100_000, 5_000_000)
        if rng.random() < 0.1:
            self.put(self.now_ns, CLIENT, RST | ACK, self.seq[CLIENT], options=b"")
            return
        first: Side = CLIENT if rng.random() < 0.7 else SERVER
        second: Side = SERVER if first == CLIENT else CLIENT
        self.put(self.now_ns, first, FIN | ACK, self.seq[first])
        self.seq[first] += 1
        self.acked[second] += 1
        self.now_ns += self.rtt_ns // 2
        if rng.random() < 0.4:
            self.put(self.now_ns, second, ACK, self.seq[second])
            self.now_ns += 50_000
        self.put(self.now_ns, second, FIN | ACK, self.seq[second])
        self.seq[second] += 1
        self.acked[first] += 1
        self.put(self.now_ns + self.rtt_ns // 2, first, ACK, self.seq[first])


class Generator:
    """Plans connections one by one and writes their packets merged by time."""

    def __init__(self, packets: int, seed: int, shape: Shape) -> None:
        self.packets = packets
        self.shape = shape
        self.rng = random.Random(seed)
        self.truth = new_truth()
        self.blob = base64.b64encode(self.rng.randbytes(400_000))
        self.number = 0

    # -- connections ---------------------------------------------------------------------

    def flow(self, now_ns: int, server_port: int) -> Flow:
        number = self.number
        self.number += 1
        # A new 5-tuple each time: 200 client addresses, then the next port of each.
        client = 0x0A000000 | 2 + number % 200
        server = 0xC0000200 | 1 + number % 7
        port = 1024 + number // 200 % 64_000
        return Flow(number, (client, server), (port, server_port), now_ns, self.rng, self.truth)

    def connection(self, now_ns: int) -> Flow:
        chance = self.rng.random()
        if self.shape == "small" or chance < 0.80:
            return self.http(now_ns)
        if chance < 0.88:
            return self.websocket(now_ns)
        flow = self.flow(now_ns, 5432 if chance < 0.98 else 81)
        if chance < 0.98:
            self.not_http(flow)
        else:
            flow.refused()
        return flow

    def http(self, now_ns: int) -> Flow:
        flow = self.flow(now_ns, 8080)
        flow.open()
        session = b""
        for _ in range(self.rng.randrange(4, 40) if self.shape == "small" else self.rng.randrange(2, 14)):
            flow.pause(50_000, 30_000_000)
            flow.send(CLIENT, self.request(flow, session))
            flow.pause(100_000, 20_000_000)
            response, session = self.response(session)
            flow.send(SERVER, response, 400 if self.shape == "small" else MSS)
        flow.close()
        return flow

    def request(self, flow: Flow, session: bytes) -> bytes:
        rng = self.rng
        self.truth["http_requests"] += 1
        # One connection in 50 has another host, of the same length.
        host = b"rare" if flow.number % 50 == 0 else b"shop"
        lines = [b"Host: %b.example:8080" % host, b"User-Agent: generator/1", b"Accept: */*"]
        if session and (self.shape == "small" or rng.random() < 0.9):
            self.truth["cookie"] += 1
            lines.append(b"Cookie: sid=%b; theme=dark; visits=%d" % (session, flow.number))
        body = b""
        if rng.random() < 0.15:
            body = b"name=" + self.text(rng.randrange(5, 60 if self.shape == "small" else 4000))
            lines += [b"Content-Type: application/x-www-form-urlencoded", b"Content-Length: %d" % len(body)]
        line = b"%b /page/%d?q=%d HTTP/1.1" % (b"POST" if body else b"GET", rng.randrange(1000), flow.number)
        return b"\r\n".join([line, *lines, b"", body])

    def response(self, session: bytes) -> tuple[bytes, bytes]:
        """A response, and the session ID that holds after it."""
        rng, small = self.rng, self.shape == "small"
        self.truth["http_responses"] += 1
        lines = [b"Server: generator", b"Date: Sat, 21 Nov 2026 10:00:00 GMT"]
        if small or not session or rng.random() < 0.1:
            session = b"%032x" % rng.getrandbits(128)
            cookies = [b"Set-Cookie: sid=%b; Path=/; HttpOnly; SameSite=Lax" % session]
            if small or rng.random() < 0.5:
                cookies.append(b"Set-Cookie: theme=dark; Path=/; Max-Age=86400")
            self.truth["set_cookie"] += len(cookies)
            lines += cookies
        chance = rng.random()
        if chance < 0.05:
            return b"\r\n".join([b"HTTP/1.1 304 Not Modified", *lines, b"", b""]), session
        body = self.text(rng.randrange(0, 40) if small else int(rng.paretovariate(1.3) * 2500) % 150_000)
        lines.append(b"Content-Type: text/plain")
        if chance < 0.2:
            lines.append(b"Transfer-Encoding: chunked")
            half = len(body) // 2
            chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:]) if part]
            body = b"".join(chunks) + b"0\r\n\r\n"
        else:
            lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", body]), session

    def websocket(self, now_ns: int) -> Flow:
        flow = self.flow(now_ns, 8080)
        rng, truth = self.rng, self.truth
        flow.open()
        key = base64.b64encode(rng.randbytes(16))
        upgrade = [
            b"Host: shop.example:8080",
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Sec-WebSocket-Version: 13",
        ]
        lines = [
            b"GET /chat HTTP/1.1",
            *upgrade,
            b"Sec-WebSocket-Key: " + key,
            b"Cookie: sid=%08x" % rng.getrandbits(32),
        ]
        flow.send(CLIENT, b"\r\n".join([*lines, b"", b""]))
        flow.pause(100_000, 2_000_000)
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        lines = [b"HTTP/1.1 101 Switching Protocols", b"Connection: Upgrade", b"Upgrade: websocket"]
        flow.send(SERVER, b"\r\n".join([*lines, b"Sec-WebSocket-Accept: " + accept, b"", b""]))
        for name in ("http_requests", "http_responses", "cookie", "websocket_handshakes"):
            truth[name] += 1
        for _ in range(rng.randrange(3, 40)):
            flow.pause(100_000, 50_000_000)
            side = CLIENT if rng.random() < 0.4 else SERVER
            flow.send(side, self.message(side))
            if rng.random() < 0.1:
                flow.send(SERVER, self.frame(SERVER, 9, b"are you there"))
                flow.send(CLIENT, self.frame(CLIENT, 10, b"are you there"))
        closing = struct.pack(">H", 1000)
        flow.send(CLIENT, self.frame(CLIENT, 8, closing))
        flow.send(SERVER, self.frame(SERVER, 8, closing))
        flow.close()
        return flow

    def message(self, side: Side) -> bytes:
        """A text or binary message, some in two frames."""
        rng = self.rng
        data = self.text(rng.randrange(1, 100) if rng.random() < 0.8 else rng.randrange(100, 6000))
        opcode = 1 if rng.random() < 0.7 else 2
        if rng.random() < 0.1:
            half = len(data) // 2
            return self.frame(side, opcode, data[:half], fin=False) + self.frame(side, 0, data[half:])
        return self.frame(side, opcode, data)

    def frame(self, side: Side, opcode: int, data: bytes, fin: bool = True) -> bytes:
        """RFC 6455 §5.2."""
        self.truth[f"websocket_{OPCODES[opcode]}"] += 1
        first = opcode | (0x80 if fin else 0)
        masked = 0x80 if side == CLIENT else 0
        size = len(data)
        if size < 126:
            head = struct.pack(">BB", first, masked | size)
        elif size < 65536:
            head = struct.pack(">BBH", first, masked | 126, size)
        else:
            head = struct.pack(">BBQ", first, masked | 127, size)
        if side == SERVER:
            return head + data
        key = self.rng.randbytes(4)
        stream = int.from_bytes((key * (size // 4 + 1))[:size], "big")
        return head + key + (int.from_bytes(data, "big") ^ stream).to_bytes(size, "big")

    def not_http(self, flow: Flow) -> None:
        flow.open()
        for _ in range(self.rng.randrange(1, 20)):
            flow.send(CLIENT, b"\x00\x01" + self.text(self.rng.randrange(10, 200)))
            flow.send(SERVER, b"\x00\x02" + self.text(self.rng.randrange(10, 8000)))
        flow.close()

    def text(self, size: int) -> bytes:
        start = self.rng.randrange(len(self.blob) - size)
        return self.blob[start : start + size]

    # -- packets in order of time --------------------------------------------------------

    def connections(self) -> Iterator[tuple[int, bytes, bytes]]:
        """Packets of all connections by time, from connections that together fit the number."""
        room = self.packets
        waiting: list[tuple[int, int, int, list[tuple[int, bytes, bytes]]]] = []
        now_ns = START_NS
        spread_ns = 1_000_000_000
        full = False
        while True:
            while not full and len(waiting) < OPEN_AT_ONCE:
                before = dict(self.truth)
                flow = self.connection(now_ns + self.rng.randrange(spread_ns))
                flow.packets.sort(key=lambda packet: packet[0])
                if len(flow.packets) > room:
                    self.truth.update(before)
                    full = True
                    break
                room -= len(flow.packets)
                heapq.heappush(waiting, (flow.packets[0][0], flow.number, 0, flow.packets))
            if not waiting:
                return
            time_ns, number, index, packets = waiting[0]
            now_ns = time_ns
            spread_ns = 50_000_000
            yield packets[index]
            if index + 1 < len(packets):
                heapq.heapreplace(waiting, (packets[index + 1][0], number, index + 1, packets))
            else:
                heapq.heappop(waiting)

    def all_packets(self) -> Iterator[tuple[int, bytes, bytes]]:
        """The connections' packets with UDP and ARP in between, exactly as many as asked for."""
        truth, rng = self.truth, self.rng
        conversations: set[int] = set()
        noise = self.packets // UDP_EVERY + self.packets // ARP_EVERY
        self.packets -= noise
        left = self.packets + noise
        time_ns = START_NS
        connections = self.connections()
        count = 0
        while left:
            count += 1
            if noise and count % ARP_EVERY == 0:
                noise -= 1
                truth["undecoded_packets"] += 1
                packet = (time_ns, ARP, b"")
            elif noise and count % UDP_EVERY == 0:
                noise -= 1
                packet = (time_ns, self.udp(rng, conversations), b"")
            else:
                found = next(connections, None)
                packet = found or (time_ns + 1000, self.udp(rng, conversations), b"")
            time_ns = packet[0]
            left -= 1
            yield packet
        truth["udp_conversations"] = len(conversations)

    def udp(self, rng: random.Random, conversations: set[int]) -> bytes:
        port = 20_000 + rng.randrange(500)
        conversations.add(port)
        payload = self.text(rng.randrange(20, 300))
        total = 28 + len(payload)
        address = struct.pack(">II", 0x0A000001, 0xC0000264)
        ip = struct.pack(">BBHHHBBH", 0x45, 0, total, 0, 0x4000, 64, 17, 0) + address
        checksum = sum(struct.unpack(">10H", ip))
        checksum = (checksum & 0xFFFF) + (checksum >> 16)
        checksum = (checksum & 0xFFFF) + (checksum >> 16) ^ 0xFFFF
        ip = ip[:10] + struct.pack(">H", checksum) + ip[12:]
        return MACS[0] + b"\x08\x00" + ip + struct.pack(">HHHH", port, 7777, 8 + len(payload), 0) + payload

    def write(self, out: BinaryIO) -> dict[str, int]:
        """Write a little-endian microsecond pcap file; returns the truth."""
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262_144, 1))
        parts: list[bytes] = []
        waiting = 0
        for time_ns, head, payload in self.all_packets():
            size = len(head) + len(payload)
            seconds, rest = divmod(time_ns, 1_000_000_000)
            parts += (RECORD.pack(seconds, rest // 1000, size, size), head, payload)
            self.truth["packets"] += 1
            self.truth["bytes"] += size
            waiting += size
            if waiting > CHUNK_BYTES:
                out.write(b"".join(parts))
                parts, waiting = [], 0
        out.write(b"".join(parts))
        return self.truth


ARP = b"\xff" * 6 + MACS[0][6:] + bytes.fromhex("08060001080006040001") + bytes(20)


def generate(path: str | Path, packets: int, seed: int = 1, shape: Shape = "web") -> dict[str, object]:
    """Write a capture of exactly `packets` packets; returns what the summary must say of it.

    `lost_segments` and `reordered_segments` are told besides.
    """
    with open(path, "wb") as out:
        return as_summary(Generator(packets, seed, shape).write(out))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", metavar="OUT.pcap")
    parser.add_argument("--packets", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shape", choices=("web", "small"), default="web")
    arguments = parser.parse_args()
    truth = generate(arguments.out, arguments.packets, arguments.seed, arguments.shape)
    json.dump(truth, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
