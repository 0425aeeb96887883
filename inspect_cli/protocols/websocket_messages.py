"""What spans the frames of a WebSocket message: its text, its compression (RFC 6455 §5.4, RFC 7692)."""

from __future__ import annotations

import codecs
import zlib
from dataclasses import dataclass
from typing import Final

TEXT_BYTES: Final = 1 << 20
"""Text beyond this many bytes of a message is not checked for UTF-8."""
INFLATED_BYTES: Final = 65_536
"""So much of an inflated message is kept."""
_TAIL = b"\x00\x00\xff\xff"


@dataclass(slots=True)
class Deflate:
    """permessage-deflate as the 101 negotiated it (RFC 7692 §7.1)."""

    client_takeover: bool = True
    server_takeover: bool = True


def read_extensions(value: bytes) -> tuple[Deflate | None, bool]:
    """Deflate, if a Sec-WebSocket-Extensions value names it, and whether it names others."""
    deflate: Deflate | None = None
    others = False
    for extension in value.split(b","):
        name, *parameters = (part.strip(b" \t").lower() for part in extension.split(b";"))
        if name == b"permessage-deflate" and deflate is None:
            names = {parameter.partition(b"=")[0].strip(b" \t") for parameter in parameters}
            deflate = Deflate(b"client_no_context_takeover" not in names, b"server_no_context_takeover" not in names)
        elif name:
            others = True
    return deflate, others


class Inflater:
    """Inflates the messages of one side; never more than TEXT_BYTES of one.

    With context takeover one lost message spoils all later ones: then it `is_lost`.
    """

    __slots__ = ("_keeps_context", "_stream", "is_lost")

    def __init__(self, keeps_context: bool) -> None:
        self._keeps_context = keeps_context
        self._stream = zlib.decompressobj(-15)
        self.is_lost = False

    def inflate(self, data: bytes, room: int) -> tuple[bytes, str]:
        """What a frame's whole payload inflates to, and "" or what is wrong.

        More than `room` bytes are not followed: a bomb, or simply large.
        """
        try:
            out = self._stream.decompress(data, room + 1)
        except zlib.error:
            self.is_lost = True
            return b"", "deflate-broken"
        if len(out) > room:
            self.is_lost = True
        return out[:room], ""

    def end_message(self, room: int) -> tuple[bytes, str]:
        """What the end of the message brings: its last four bytes are not sent (§7.2.2)."""
        out, problem = (b"", "") if self.is_lost else self.inflate(_TAIL, room)
        if not self._keeps_context:
            self._stream = zlib.decompressobj(-15)
            self.is_lost = False
        elif self._stream.eof:
            # A block marked as the last one: what follows is a new stream (§7.2.3.4).
            self._stream = zlib.decompressobj(-15)
        return out, problem


def is_utf8(text: bytes) -> bool:
    """Whether a whole text is what it must be (RFC 6455 §8.1)."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class Message:
    """A data message under way: from its first frame to the one with FIN."""

    __slots__ = ("_decoder", "_inflater", "_is_whole", "_seen", "_text", "compressed", "opcode")

    def __init__(self, opcode: int, inflater: Inflater | None, compressed: bool) -> None:
        self.opcode = opcode
        self.compressed = compressed
        self._inflater = inflater if compressed else None
        self._is_whole = inflater is not None and not inflater.is_lost
        follows = opcode == 1 and (not compressed or self._is_whole)
        self._decoder = codecs.getincrementaldecoder("utf-8")() if follows else None
        self._seen = 0
        self._text = bytearray()

    @property
    def is_checked(self) -> bool:
        """Its payload is worth reading as text, piece by piece."""
        return self._decoder is not None and self._inflater is None

    @property
    def is_inflated(self) -> bool:
        """Its payload is worth reading, a whole frame at a time."""
        return self._inflater is not None and not self._inflater.is_lost

    @property
    def inflated(self) -> bytes | None:
        """The beginning of the message as it was before compression; None: unknown or not compressed."""
        return bytes(self._text) if self._inflater is not None and self._is_whole else None

    def lose(self) -> None:
        """Payload bytes went by unread: nothing can be said of the whole any more."""
        self._decoder = None
        self._is_whole = False
        if self._inflater is not None:
            self._inflater.is_lost = True

    def feed_text(self, data: bytes) -> list[str]:
        """Take unmasked payload bytes in order; what is wrong with them."""
        self._seen += len(data)
        return self._check(data, final=False)

    def feed_frame(self, payload: bytes) -> list[str]:
        """Take the whole payload of a compressed frame; what is wrong with it."""
        if self._inflater is None or self._inflater.is_lost:
            return []
        return self._take(*self._inflater.inflate(payload, TEXT_BYTES - self._seen))

    def finish(self) -> list[str]:
        """The frame with FIN has been taken."""
        found: list[str] = []
        if self._inflater is not None:
            found = self._take(*self._inflater.end_message(TEXT_BYTES - self._seen))
        return found + self._check(b"", final=True)

    def _take(self, out: bytes, problem: str) -> list[str]:
        self._seen += len(out)
        self._text += out[: INFLATED_BYTES - len(self._text)]
        if problem:
            self._decoder = None
            self._is_whole = False
            return [problem]
        return self._check(out, final=False)

    def _check(self, data: bytes, *, final: bool) -> list[str]:
        """RFC 6455 §8.1, as far as the text is followed; said once per message."""
        if self._decoder is None:
            return []
        if self._seen >= TEXT_BYTES:
            self._decoder = None
            return []
        try:
            self._decoder.decode(data, final)
        except UnicodeDecodeError:
            self._decoder = None
            return ["text-invalid-utf8"]
        return []
