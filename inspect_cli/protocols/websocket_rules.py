"""What a WebSocket frame may not be (RFC 6455 §5, §7.4; RFC 7692 §6): words, clauses, checks."""

from __future__ import annotations

from typing import Final, NamedTuple

from inspect_cli.events.base import Side

PROBLEMS: Final[dict[str, tuple[str, str]]] = {
    "rsv-without-extension": ("RSV1..3 = 0", "RFC 6455 §5.2"),
    "reserved-opcode": ("opcode 0, 1, 2, 8, 9 or 10", "RFC 6455 §5.2"),
    "length-not-minimal": ("the shortest length form", "RFC 6455 §5.2"),
    "length-top-bit": ("highest bit of a 64-bit length = 0", "RFC 6455 §5.2"),
    "client-frame-unmasked": ("MASK = 1", "RFC 6455 §5.1"),
    "server-frame-masked": ("MASK = 0", "RFC 6455 §5.1"),
    "control-too-long": ("at most 125 bytes", "RFC 6455 §5.5"),
    "control-fragmented": ("FIN = 1", "RFC 6455 §5.5"),
    "continuation-without-start": ("opcode 1 or 2", "RFC 6455 §5.4"),
    "message-inside-message": ("opcode 0", "RFC 6455 §5.4"),
    "message-unfinished": ("a frame with FIN = 1", "RFC 6455 §5.4"),
    "mask-key-zero": ("an unpredictable key", "RFC 6455 §5.3"),
    "mask-key-repeated": ("a fresh key for each frame", "RFC 6455 §5.3"),
    "text-invalid-utf8": ("UTF-8", "RFC 6455 §8.1"),
    "close-body-one-byte": ("0 or at least 2 bytes", "RFC 6455 §5.5.1"),
    "close-reason-invalid-utf8": ("UTF-8", "RFC 6455 §8.1"),
    "close-code-reserved": ("a code that may be sent", "RFC 6455 §7.4.1"),
    "close-code-out-of-range": ("1000 to 4999", "RFC 6455 §7.4.2"),
    "close-code-unassigned": ("a registered code", "RFC 6455 §7.4.2"),
    "code-1010-from-server": ("1010 from clients only", "RFC 6455 §7.4.1"),
    "data-after-close": ("no data frame after Close", "RFC 6455 §5.5.1"),
    "deflate-rsv1-on-control": ("RSV1 = 0", "RFC 7692 §6.1"),
    "deflate-rsv1-on-continuation": ("RSV1 on the first fragment only", "RFC 7692 §6.1"),
    "deflate-broken": ("a deflate stream", "RFC 7692 §7.2.2"),
}
"""Problem word to (what was expected, clause)."""


# FIN, no RSV, text, binary, Ping or Pong; the length in 7 bits, or of data in the 16 that it needs.
_USUAL = rb"(?s:([\x81\x82\x89\x8a])(?:([%b])|(?<=[\x81\x82])%b((?!\0[\0-\x7d])..))%b)"
USUAL_HEADER: Final = {
    Side.CLIENT: _USUAL % (rb"\x80-\xfd", rb"\xfe", rb"((?!\0\0\0\0)....)"),
    Side.SERVER: _USUAL % (rb"\x00-\x7d", rb"\x7e", rb"()"),
}
"""A header that breaks no rule by itself and begins a whole message, or a control frame other than Close.

Groups: the first byte, the second or else the 16-bit length, the key. Compiled by who reads a WebSocket,
so that others start sooner. A test holds `header_problems` to it.
"""


class Header(NamedTuple):
    """A frame header (RFC 6455 §5.2). `length_form`: 7, 16 or 64 bits; `key` b"" if unmasked."""

    fin: bool
    rsv: int
    opcode: int
    masked: bool
    size: int
    length_form: int
    top_bit: bool
    key: bytes
    header_bytes: int

    @property
    def is_control(self) -> bool:
        return self.opcode >= 8


def header_size(first: bytes) -> int:
    """Size of the header that begins with these (at least two) bytes."""
    length = first[1] & 0x7F
    return 2 + (4 if first[1] & 0x80 else 0) + (8 if length == 127 else 2 if length == 126 else 0)


def read_header(head: bytes) -> Header:
    """A whole header. A 64-bit length with its highest bit set is read without that bit."""
    zero, one = head[0], head[1]
    size = one & 0x7F
    form, at, top_bit = 7, 2, False
    if size == 126:
        form, at, size = 16, 4, int.from_bytes(head[2:4], "big")
    elif size == 127:
        size = int.from_bytes(head[2:10], "big")
        form, at, top_bit = 64, 10, bool(size >> 63)
        size &= (1 << 63) - 1
    masked = bool(one & 0x80)
    key = head[at : at + 4] if masked else b""
    return Header(bool(zero & 0x80), zero >> 4 & 7, zero & 15, masked, size, form, top_bit, key, at + len(key))


def header_problems(header: Header, *, from_client: bool) -> list[str]:
    """What one header alone breaks, compression apart."""
    found: list[str] = []
    if 3 <= header.opcode <= 7 or header.opcode > 10:
        found.append("reserved-opcode")
    if header.top_bit:
        found.append("length-top-bit")
    if header.length_form > 7 and header.size < (126 if header.length_form == 16 else 65_536) and not header.top_bit:
        found.append("length-not-minimal")
    if from_client and not header.masked:
        found.append("client-frame-unmasked")
    elif header.masked and not from_client:
        found.append("server-frame-masked")
    if header.is_control:
        if header.size > 125:
            found.append("control-too-long")
        if not header.fin:
            found.append("control-fragmented")
    if header.key == b"\0\0\0\0":
        found.append("mask-key-zero")
    return found


def close_problems(body: bytes, size: int, *, from_client: bool) -> list[tuple[str, bytes]]:
    """What the body of a Close breaks (§5.5.1, §7.4), each with what was found."""
    if not size:
        return []
    if size == 1:
        return [("close-body-one-byte", body)]
    if len(body) < 2:
        return []
    found: list[tuple[str, bytes]] = []
    code = int.from_bytes(body[:2], "big")
    got = b"%d" % code
    if not 1000 <= code <= 4999:
        found.append(("close-code-out-of-range", got))
    elif code in (1004, 1005, 1006, 1015):
        found.append(("close-code-reserved", got))
    elif 1016 <= code <= 2999:
        found.append(("close-code-unassigned", got))
    elif code == 1010 and not from_client:
        found.append(("code-1010-from-server", got))
    if size == len(body):
        try:
            body[2:].decode("utf-8")
        except UnicodeDecodeError:
            found.append(("close-reason-invalid-utf8", body[2:42]))
    return found
