"""One connection of the misbehaving server: read requests, send any bytes, end it any way."""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass
from typing import Final

MAX_HEAD_BYTES: Final = 64 << 10
MAX_BODY_BYTES: Final = 16 << 20

# SO_LINGER on with 0 seconds: close() drops what is unsent and sends RST (RFC 9293 §3.10.4, ABORT).
_LINGER_NONE: Final = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class RawRequest:
    """A request head, as far as this server needs it."""

    method: str
    target: str
    version: str
    fields: tuple[tuple[str, str], ...]
    """(name in lower case, value), in order."""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def field(self, name: str) -> str:
        """The first value of this field; "" if there is none."""
        return next((value for key, value in self.fields if key == name), "")

    @property
    def wants_close(self) -> bool:
        return self.version != "HTTP/1.1" or "close" in self.field("connection").lower()


class RawTalk:
    """The connection, as a behaviour sees it. After `end`, `reset` or `finish` nothing is sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def request(self) -> RawRequest | None:
        """The next request head; None at the end, and where it is no HTTP/1."""
        try:
            head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            return None
        first, *rest = head.decode("latin-1").split("\r\n")
        words = first.split(" ")
        if len(words) != 3 or not words[2].startswith("HTTP/1."):
            return None
        fields = (line.partition(":") for line in rest if ":" in line)
        return RawRequest(
            words[0], words[1], words[2], tuple((name.lower(), value.strip()) for name, _, value in fields)
        )

    async def body(self, request: RawRequest) -> bytes:
        """The body that Content-Length announces; chunked bodies are not read here."""
        text = request.field("content-length")
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            return b""
        try:
            return await self._reader.readexactly(min(int(text), MAX_BODY_BYTES))
        except (asyncio.IncompleteReadError, OSError) as error:
            return getattr(error, "partial", b"")

    async def read_exactly(self, count: int) -> bytes:
        """This many bytes.

        Raises:
            EOFError: the client ended or reset the connection before that.
        """
        try:
            return await self._reader.readexactly(count)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise EOFError from error

    async def send(self, *pieces: bytes) -> None:
        """Each piece on its way before the next (TCP_NODELAY is set, so as a segment of its own)."""
        for piece in pieces:
            self._writer.write(piece)
            try:
                await self._writer.drain()
            except OSError:
                return
            await asyncio.sleep(0)

    async def until_client_ends(self) -> None:
        """Read and drop what still comes."""
        try:
            while await self._reader.read(65_536):
                pass
        except OSError:
            return

    def finish(self) -> None:
        """FIN: no more from here; the client may still send (half-close)."""
        if self._writer.can_write_eof() and not self._writer.is_closing():
            self._writer.write_eof()

    def reset(self) -> None:
        """RST."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        self._writer.transport.abort()

    async def end(self) -> None:
        """Close the socket: FIN, or RST where bytes of the client were left unread."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return
