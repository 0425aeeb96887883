"""Writes items as a pcapng file (draft-ietf-opsawg-pcapng): frames, keys, names, calls and contexts.

Times are nanoseconds. Calls, contexts and comments that belong to no packet become comments of
the next block that is written, so that reading the file gives the same items in the same order.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import BinaryIO, Final

from inspect_cli.events.base import Item
from inspect_cli.events.calls import Secrets
from inspect_cli.events.capture import Names
from inspect_cli.wire.frames import Frames
from inspect_cli.wire.notes import MAX_COMMENT_BYTES, Noted, write_note
from inspect_cli.wire.pcapng_blocks import (
    COMMENT,
    DSB,
    EPB,
    IDB,
    IF_NAME,
    IF_TSRESOL,
    ISB,
    ISB_IFDROP,
    NRB,
    NRB_IPV4,
    NRB_IPV6,
    SHB,
    TLS_KEY_LOG,
)

ISB_IFRECV: Final = 4
SHB_USERAPPL: Final = 4
NANOSECONDS: Final = b"\x09"
ETHERNET: Final = 1
UNKNOWN_LENGTH: Final = -1
MAX_WAITING_BYTES: Final = 1 << 20
"""Comments beyond that do not wait for a frame: readers bound the size of a block."""


class PcapngWriter:
    """Writes one section, little-endian. `close` ends it; the stream stays the caller's.

    `interfaces` is the source's list and may grow while frames come. Raises OSError from the
    stream as it is.
    """

    def __init__(self, stream: BinaryIO, interfaces: Sequence[str] = ()) -> None:
        self._stream = stream
        self._names = interfaces
        self._ids: dict[tuple[str, int], int] = {}
        self._counts: list[int] = []
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._last_time_ns = 0
        section = struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, UNKNOWN_LENGTH)
        self._write(SHB, section, _option(SHB_USERAPPL, b"inspect-cli"))

    def write(self, item: Item) -> None:
        """Write an item, or let it wait for the next block. Bytes that were only reported have no frame: skipped."""
        if isinstance(item, Frames):
            self._frames(item)
        elif isinstance(item, Secrets):
            padding = bytes(-len(item.lines) % 4)
            head = struct.pack("<II", TLS_KEY_LOG, len(item.lines))
            self._write(DSB, head + item.lines + padding, self._comments())
        elif isinstance(item, Names):
            self._write(NRB, b"".join(_host_name(*pair) for pair in item.pairs) + bytes(4), self._comments())
        elif isinstance(item, Noted):
            self._waiting += [note.encode() for note in write_note(item)]
            self._waiting_bytes += len(self._waiting[-1])
            if self._waiting_bytes > MAX_WAITING_BYTES:
                self._statistics(0, None)

    def close(self, drops: int = 0) -> None:
        """Write the statistics of each interface; drops: frames that the kernel lost, in all."""
        if not self._ids:
            self._interface(self._names[0] if self._names else "", ETHERNET)
        last = len(self._counts) - 1
        for number in range(last):
            self._statistics(number, 0, with_comments=False)
        self._statistics(last, drops)
        self._stream.flush()

    def _frames(self, frames: Frames) -> None:
        """Frames as enhanced packet blocks (§4.3)."""
        view = memoryview(frames.buffer)
        number = frames.first_number
        names = frames.interface.tolist() if frames.interface is not None else [0] * len(frames)
        rows = zip(
            frames.time_ns.tolist(),
            frames.offset.tolist(),
            frames.size.tolist(),
            frames.original_size.tolist(),
            frames.link_type.tolist(),
            names,
            strict=True,
        )
        for time_ns, offset, size, original_size, link_type, name in rows:
            interface = self._interface(self._names[name] if 0 <= name < len(self._names) else "", link_type)
            self._counts[interface] += 1
            self._last_time_ns = ticks = max(time_ns, 0)
            head = struct.pack(
                "<IIIII",
                interface,
                ticks >> 32,
                ticks & 0xFFFFFFFF,
                size,
                original_size,
            )
            data = bytes(view[offset : offset + size]) + bytes(-size % 4)
            self._write(EPB, head + data, self._comments(frames.comments.get(number, ())))
            number += 1
        view.release()

    def _interface(self, name: str, link_type: int) -> int:
        """The number of an interface; described (§4.2) before its first frame."""
        number = self._ids.get((name, link_type))
        if number is None:
            number = self._ids[name, link_type] = len(self._counts)
            self._counts.append(0)
            options = _option(IF_NAME, name.encode("utf-8", "replace")) if name else b""
            self._write(
                IDB,
                struct.pack("<HHI", link_type, 0, 0),
                options + _option(IF_TSRESOL, NANOSECONDS),
            )
        return number

    def _statistics(self, interface: int, drops: int | None, with_comments: bool = True) -> None:
        """Interface statistics (§4.6); drops None: not known yet."""
        if not self._counts:
            self._interface(self._names[0] if self._names else "", ETHERNET)
        ticks = self._last_time_ns
        options = self._comments() if with_comments else b""
        options += _option(ISB_IFRECV, struct.pack("<Q", self._counts[interface]))
        if drops is not None:
            # As dumpcap does: Wireshark shows what the kernel dropped from here.
            options += _option(ISB_IFDROP, struct.pack("<Q", drops))
        self._write(
            ISB,
            struct.pack("<III", interface, ticks >> 32, ticks & 0xFFFFFFFF),
            options,
        )

    def _comments(self, texts: Sequence[str] = ()) -> bytes:
        """Options with the comments that wait, then these."""
        if not self._waiting and not texts:
            return b""
        comments = self._waiting + [_cut(text) for text in texts]
        self._waiting, self._waiting_bytes = [], 0
        return b"".join(_option(COMMENT, comment) for comment in comments)

    def _write(self, kind: int, body: bytes, options: bytes) -> None:
        if options:
            options += bytes(4)  # end of options
        size = 12 + len(body) + len(options)
        self._stream.write(struct.pack("<II", kind, size) + body + options + struct.pack("<I", size))


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def _host_name(address: str, name: str) -> bytes:
    """A record of a name resolution block (§4.5)."""
    from ipaddress import ip_address

    packed = ip_address(address).packed
    return _option(NRB_IPV4 if len(packed) == 4 else NRB_IPV6, packed + name.encode("utf-8", "replace") + b"\0")


def _cut(text: str) -> bytes:
    """A comment of a frame in UTF-8, cut where an option ends."""
    data = text.encode("utf-8", "replace")
    if len(data) <= MAX_COMMENT_BYTES:
        return data
    return data[:MAX_COMMENT_BYTES].decode("utf-8", "ignore").encode()
