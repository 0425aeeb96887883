"""What each target begins with: our own captures, and the pieces that the tests are made of."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from scapy.layers.dns import DNSRR
from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6
from scapy.packet import Raw

from inspect_cli.events.base import Secret
from inspect_cli.events.calls import Call, Context, GivenCookie
from inspect_cli.events.cookies import Asking
from inspect_cli.wire.capture_file import open_capture
from inspect_cli.wire.frames import Frames
from inspect_cli.wire.notes import write_note
from inspect_cli.wire.packets import decode
from tests.corpus import CORPUS, manifest
from tests.fuzz.plans import AHEAD, BACK, FLAGS, LINK_TYPES, NO_ACK, OTHER_PORT, SEND, SWAP, plan_of, plan_of_pcapng
from tests.fuzz.targets import PACKERS
from tests.protocols.test_dns import answer, query
from tests.protocols.test_properties import ASK, CLIENT_WORDS, SERVER_WORDS
from tests.sources.hars import CHROMIUM, FIREFOX, MITMPROXY, entry
from tests.sources.hars import har as har_of
from tests.wire.layering import IPV4, IPV6, LINKS, WRAPS, Content
from tests.wire.making import Pcapng, pcap

CAPTURES: Final = Path(__file__).parents[2] / "captures"
MAX_SEED_BYTES: Final = 40_000
RAW, PLANNED = b"\0", b"\1"
"""First byte of the input of targets that take two kinds."""
Part = tuple[int, int, bytes]


def seeds_of(name: str) -> list[bytes]:
    """The seeds of a target, none twice."""
    return list(dict.fromkeys(SEEDS[name]()))


def captures() -> Iterator[bytes]:
    for path in sorted(CAPTURES.glob("*.pcapng")):
        yield path.read_bytes()


def corpus() -> Iterator[bytes]:
    """Small captures of other projects, where they are."""
    for row in manifest():
        path = CORPUS / row["path"]
        if path.exists() and path.stat().st_size <= MAX_SEED_BYTES:
            yield path.read_bytes()


def _pcap_files() -> Iterator[bytes]:
    rows = [(1, 2, b"first"), (3, 4, b""), (5, 6, bytes(60))]
    for magic in ("d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d", "34cdb2a1", "a1b2cd34"):
        yield pcap(rows, magic)
    yield from (data for data in corpus() if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4"))


def _pcap() -> Iterator[bytes]:
    for data in _pcap_files():
        yield RAW + data
    for kind in range(6):
        yield PLANNED + bytes([kind, 1, 255, 255]) + plan_of([(1, 0, b"frame"), (2, 9, b"cut"), (3, 0, b"")])


def _all_blocks(order: str) -> bytes:
    p = Pcapng(order)
    data = p.shb() + p.idb(1, 0, (2, b"eth0"), (9, b"\x09"), (14, bytes(8))) + p.idb(113, 96)
    data += p.epb(b"frame", 5, 0, None, (1, b"a comment"), (4, p.number(1))) + p.spb(b"simple", 6)
    data += p.old_packet(b"old", 7, 1) + p.dsb(b"CLIENT_RANDOM 00 00\n") + p.block(0x0BAD, b"custom")
    data += p.block(4, bytes.fromhex("01000900") + b"\x7f\0\0\1host" + bytes(7)) + p.isb(0, (5, p.number(4)))
    return data + p.epb(b"", 2**40, 1, 99, *((1, note) for note in _our_comments()[:2]))


def _our_comments() -> list[bytes]:
    """What our own client writes beside the packets."""
    given = GivenCookie(b"sid", Secret(b"x" * 40, "cookie"), "h", True, "/", False, True, "lax", None, False)
    items = [
        Call(5, "connect", 3, "begun", "", "127.0.0.1:80", "", ""),
        Context(6, Asking("http", "h", "/"), "http://h/", "rfc6265bis", "jar", (given,)),
        Context(7, Asking("http", "h", "/"), "http://h/", "rfc6265bis", "jar", (given,) * 400),
    ]
    return [note.encode() for item in items for note in write_note(item)]


def _pcapng() -> Iterator[bytes]:
    little, big = _all_blocks("<"), _all_blocks(">")
    files = [little, big, little + big, *captures()]
    for data in files:
        yield RAW + data
    yield RAW + little + Pcapng().nrb((1, b"\x7f\0\0\1host\0")) + Pcapng().isb(0)
    for data in (little, *captures()):
        yield PLANNED + plan_of_pcapng(data)
    yield from (RAW + data for data in corpus() if data[:4] == b"\n\r\r\n")


def _packed() -> Iterator[bytes]:
    small = pcap([(1, 2, b"first"), (3, 4, b"second")])
    capture = next(captures())
    for kind, pack in enumerate(PACKERS):
        squeezed = pack(small)
        for data in (squeezed, squeezed + pack(b"\n"), squeezed[:-3], SKIPPED + squeezed, pack(capture)):
            yield RAW + data
        yield bytes([kind << 1 | 1]) + small
        yield bytes([kind << 1 | 129]) + small


SKIPPED: Final = bytes.fromhex("502a4d18") + b"\3\0\0\0" + b"abc"
"""RFC 8878 §3.1.2: a skippable frame."""


def _decode() -> Iterator[bytes]:
    """Every link layer around a packet, every tunnel in Ethernet, fragments, and the captures' frames."""
    packet = Content(bytes(IP(src="192.0.2.1", dst="192.0.2.2") / TCP(options=[("NOP", None)]) / Raw(b"data")), IPV4)
    packet6 = Content(bytes(IPv6(src="2001:db8::1", dst="2001:db8::2") / UDP() / Raw(b"data")), IPV6)
    for number, link in LINKS.values():
        frames = [link(packet), link(packet6)]
        yield plan_of((LINK_TYPES.index(number), 0, frame) for frame in frames if frame)
    ethernet = LINKS["Ethernet"][1]
    bridged = Content(ethernet(packet) or b"", 0x6558)
    for wrap in WRAPS.values():
        wrapped = [found for content in (packet, packet6, bridged) if (found := wrap(content)) is not None]
        yield plan_of((LINK_TYPES.index(1), 0, ethernet(content) or b"") for content in wrapped)
    pieces = fragment(IP(src="192.0.2.1", dst="192.0.2.2", id=7) / UDP() / Raw(bytes(80)), 32)
    yield plan_of((LINK_TYPES.index(228), 0, bytes(piece)) for piece in [*pieces[::-1], pieces[0]])
    for data in (*captures(), *corpus()):
        yield plan_of(_frames_in(data))


def _frames_in(data: bytes) -> Iterator[Part]:
    for frames in _batches(data):
        for offset, size, link in zip(
            frames.offset.tolist(), frames.size.tolist(), frames.link_type.tolist(), strict=True
        ):
            what = LINK_TYPES.index(link) if link in LINK_TYPES else len(LINK_TYPES) - 1
            yield what, 0, bytes(frames.buffer[offset : offset + size])


def _batches(data: bytes) -> Iterator[Frames]:

    for item in open_capture(io.BytesIO(data), "x"):
        if isinstance(item, Frames):
            yield item


def _streams() -> Iterator[bytes]:
    opening = [(FLAGS << 1, 2, b""), (FLAGS << 1 | 1, 18, b""), (FLAGS << 1, 16, b"")]
    closing = [(FLAGS << 1, 17, b""), (FLAGS << 1 | 1, 17, b""), (FLAGS << 1, 16, b"")]
    yield b"\2" + plan_of([*opening, *closing])
    for client in CLIENT_WORDS:
        for server in SERVER_WORDS if client == ASK else SERVER_WORDS[:1]:
            words = [(0, client), (1, server), (0, client), (1, server)]
            yield b"\2" + plan_of([*opening, *((side | SEND << 1, 0, word) for side, word in words), *closing])
    for bits in (SWAP, OTHER_PORT, NO_ACK, BACK << 1, AHEAD << 1):
        answer = [(1, 0, b"HTTP/1.1 200 OK\r\nContent-Le"), (1 | bits, 4, b"ngth: 3\r\n\r\nabc")]
        yield b"\3" + plan_of([*opening, (0, 0, CLIENT_WORDS[0]), *answer, (0, 0, CLIENT_WORDS[0]), *closing])
    for data in captures():
        yield b"\4" + plan_of(_segments_in(data))


def _segments_in(data: bytes) -> Iterator[Part]:
    """The segments of a capture: who called first is the client of all."""
    client = None
    for frames in _batches(data):
        packets = decode(frames)
        columns = (packets.source_port, packets.flags, packets.payload_offset, packets.payload_captured)
        for port, flags, at, size in zip(*(column.tolist() for column in columns), strict=True):
            if flags & 2 and not flags & 16:
                client = port
            kind = FLAGS if flags & 7 or not size else SEND
            yield int(port != client) | kind << 1, flags if kind == FLAGS else 0, bytes(packets.buffer[at : at + size])


def _dns() -> Iterator[bytes]:
    ask, many = query(5, "www.example"), query(6, "v6.example", "AAAA")
    records = [DNSRR(rrname="www.example", type="CNAME", rdata="a.example"), DNSRR(rrname="a.example", rdata="1.2.3.4")]
    told = answer(5, "www.example", "A", *records)
    for what in (0, 2, 4):
        yield plan_of([(what, 0, ask), (what | 1, 0, told)])
    yield plan_of([(0, 0, ask), (0, 0, ask), (0, 1, many), (1, 1, answer(6, "v6.example", "AAAA", code=3))])
    yield plan_of([(0, 0, ask), (1, 0, answer(5, "www.example", cut=1)), (1, 0, told), (0, 2, b"short")])
    yield plan_of([(1, 0, told[:12] + b"\xc0\x0c" + told[14:]), (1, 0, told[:30])])


def _cookies() -> Iterator[bytes]:
    yield b"\n".join(COOKIE_LINES)
    yield from COOKIE_LINES
    yield b"#HttpOnly_.a.test\tTRUE\t/\tTRUE\t1800000000\tsid\tx\nb.test\tFALSE\t/\tFALSE\t0\ta\t"
    for path in sorted((CORPUS / "cookies" / "http-state").rglob("*-test"))[:200]:
        yield path.read_bytes()


COOKIE_LINES: Final = (
    b"sid=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT; Max-Age=60; Domain=.a.test; Path=/a; Secure; HttpOnly",
    b"__Host-sid=1; Secure; Path=/; SameSite=None",
    b"__Secure-a=b; Secure",
    b"token",
    b"=x",
    b"a=b; SameSite",
    b"sid=; Max-Age=-1; Domain=www.a.test",
    b"a=1; b = x=y;bare;; c=",
    b"9-jun-70 1:2:3",
    b"31 Feb 2027 0:0:0",
)


def _notes() -> Iterator[bytes]:
    yield from _our_comments()[:2]
    yield b"\n".join(_our_comments())
    yield b'{"piece":"x","last":false}\n{"piece":"y","last":true}'
    yield b'{"call":{}}'


def _replay() -> Iterator[bytes]:
    yield from captures()
    yield from corpus()
    yield _all_blocks("<")
    yield _all_blocks(">")


def _har() -> Iterator[bytes]:
    for data in (CHROMIUM, FIREFOX, MITMPROXY):
        yield data
        yield data[: len(data) // 2]
    yield har_of(entry("http://a.test/", answer=("Set-Cookie: a=1; SameSite=None",)), 5, {"request": {}})


SEEDS: Final[dict[str, Callable[[], Iterator[bytes]]]] = {
    "pcap": _pcap, "pcapng": _pcapng, "packed": _packed, "decode": _decode, "streams": _streams, "dns": _dns,
    "cookies": _cookies, "notes": _notes, "replay": _replay, "har": _har,
}  # fmt: skip

WORDS: Final = [
    *b"GET POST HEAD CONNECT HTTP/1.1 HTTP/1.0 101 200 204 304 100 \r\n \r\n\r\n 0\r\n\r\n".split(b" "),
    *b"Host: Content-Length: Transfer-Encoding: chunked Connection: close Upgrade: websocket".split(b" "),
    *b"Sec-WebSocket-Key: Sec-WebSocket-Accept: Sec-WebSocket-Extensions: permessage-deflate".split(b" "),
    *b"Set-Cookie: Cookie: Path= Domain= Expires= Max-Age= Secure HttpOnly SameSite= Lax __Host- __Secure-".split(b" "),
    *b"\r\nSet-Cookie: a=b \r\nCookie: a=b".split(b" "), b"inspect-cli/1 ", b'{"call":{', b'{"context":{',
    *(bytes.fromhex(f"{number:04x}") for number in (0x0800, 0x86DD, 0x8100, 0x88A8, 0x8847, 0x8864)),
    *(bytes([number]) for number in (4, 6, 17, 41, 44, 47, 0x7E, 0x81, 0x88, 0x89, 0x8A, 0xFF)),
]  # fmt: skip
"""What the targets' inputs are rich in: libFuzzer's dictionary."""
