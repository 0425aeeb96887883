"""WebSocket frames of one side (RFC 6455 §5), walked as an observer.

Every violation that one side's bytes show is said, and the walk goes on. After a hole it
goes on only inside a payload, whose length is known; elsewhere nothing proves where the next
frame begins, and the rest of the side is left unread.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Final

import numpy as np

from inspect_cli.events.base import Event, Side, Where
from inspect_cli.events.capture import MalformedWebSocket, TruncatedWebSocket
from inspect_cli.events.websocket import OPCODES, WebSocketClose, WebSocketEnd, WebSocketFrame
from inspect_cli.protocols.trail import Trail
from inspect_cli.protocols.websocket_messages import TEXT_BYTES, Inflater, Message, is_utf8
from inspect_cli.protocols.websocket_rules import (
    PROBLEMS,
    USUAL_HEADER,
    Header,
    close_problems,
    header_problems,
    header_size,
    read_header,
)
from inspect_cli.protocols.websocket_talk import WebSocketTalk, make_talk
from inspect_cli.streams.channel import Parsed, Parser, Protocol, Recognition, Report
from inspect_cli.streams.reader import Missing, Reader

KEPT_BYTES: Final = 4_096
"""So much of a payload is kept in its event."""
_SLICE_BYTES = 65_536


def frames(reader: Reader, talk: WebSocketTalk, report: Report) -> Parser:
    """Either side."""
    return _Frames(reader, talk, report).run()


def looks_like(client_head: bytes, server_head: bytes) -> Recognition:
    """Never by its bytes: a WebSocket is opened by HTTP (see UPGRADES)."""
    return Recognition.NO


WEBSOCKET = Protocol("websocket", looks_like, frames, frames, make_talk)


def unmask(data: bytes, key: bytes, offset: int = 0) -> bytes:
    """XOR with the masking key (§5.3); `offset` of the data within its payload."""
    size = len(data)
    if not key or not size:
        return data
    key = key[offset & 3 :] + key[: offset & 3]
    if size < 700:
        mask = (key * (size // 4 + 1))[:size]
        return (int.from_bytes(data, "little") ^ int.from_bytes(mask, "little")).to_bytes(size, "little")
    words = size & ~3
    plain = np.frombuffer(data, "<u4", words // 4) ^ np.uint32(int.from_bytes(key, "little"))
    return plain.tobytes() + bytes(byte ^ key[i] for i, byte in enumerate(data[words:]))


class _Frames:
    """The walk over one side."""

    __slots__ = (
        "_closed",
        "_from_client",
        "_header",
        "_inflater",
        "_kept",
        "_last_key",
        "_message",
        "_reader",
        "_report",
        "_says_frames",
        "_start",
        "_talk",
        "_trail",
        "_usual_header",
        "_wants_where",
    )

    def __init__(self, reader: Reader, talk: WebSocketTalk, report: Report) -> None:
        self._reader = reader
        self._talk = talk
        self._report = report
        self._from_client = reader.side is Side.CLIENT
        self._says_frames = report.wants(WebSocketFrame)
        self._wants_where = self._says_frames or any(map(report.wants, (WebSocketClose, MalformedWebSocket)))
        deflate = talk.deflate
        self._inflater: Inflater | None = None
        if deflate is not None:
            self._inflater = Inflater(deflate.client_takeover if self._from_client else deflate.server_takeover)
        self._message: Message | None = None
        self._closed = False
        self._last_key = b""
        self._header = Header(True, 0, 0, False, 0, 7, False, b"", 2)
        self._start = 0
        self._kept = bytearray()
        self._trail: Trail | None = None
        self._usual_header = re.compile(USUAL_HEADER[reader.side])
        talk.join(reader)

    def run(self) -> Parser:
        while True:
            if self._message is None and not self._closed:
                yield from self._usual()
            if not (yield from self._next_header()):
                break
            problems = self._open()
            if not (yield from self._read_payload(problems)):
                self._message = None
                break
            yield from self._tell(problems)
        if self._message is not None and self._reader.at_end:
            yield from self._problem("message-unfinished", b"", self._end_where)
        self._talk.leave(self._reader)
        if self._report.wants(WebSocketEnd):
            yield from self._talk.end(self._reader)
        return None

    def _usual(self) -> Generator[Parsed, None, None]:
        """Frames one behind another that break nothing, as long as each is whole, and a message by itself."""
        reader, talk, counted = self._reader, self._talk, self._report.tally.websocket_frames
        while True:
            match = reader.match(self._usual_header, 14)
            if match is None:
                if not reader.is_dry:
                    return
                yield talk.wait_for_bytes(reader)
                continue
            first, short, long, key = match.groups()
            opcode = first[0] & 15
            size = short[0] & 0x7F if short else int.from_bytes(long, "big")
            head_bytes = match.end() - match.start()
            payload = b""
            if opcode == 1 or self._says_frames:
                payload = unmask(reader.peek(head_bytes + size)[head_bytes:], key)
                if len(payload) < size or (self._says_frames and size > KEPT_BYTES):
                    return
                if opcode == 1 and not payload.isascii() and not is_utf8(payload):
                    return
            if (key and key == self._last_key) or not reader.skip_all(head_bytes + size):
                return
            self._last_key = key
            counted[OPCODES[opcode]] += 1
            talk.frames[reader.side] += 1
            if self._says_frames:
                where = reader.where(reader.position - head_bytes - size, reader.position)
                yield WebSocketFrame(where, opcode, True, 0, bool(key), key, size, payload, opcode, False, None)

    # -- header --------------------------------------------------------------------------------

    def _next_header(self) -> Generator[Parsed, None, bool]:
        """Read a frame's header; False when the side is over, or cannot be followed."""
        reader = self._reader
        while True:
            head = reader.peek(14)
            needed = header_size(head) if len(head) >= 2 else 2
            if len(head) >= needed:
                self._start = reader.position
                self._header = read_header(head)
                reader.skip(needed)
                return True
            missing = reader.look(needed)
            if missing is Missing.BYTES:
                yield self._talk.wait(reader)
                continue
            self._start = reader.position
            if missing is Missing.END and not head:
                return False
            yield from self._cut(len(head), None)
            yield from self._leave_rest()
            return False

    def _open(self) -> list[tuple[str, bytes]]:
        """What the header breaks, by itself and after the frames before it."""
        header = self._header
        words = header_problems(header, from_client=self._from_client) + self._rsv_problems(header)
        if header.key and header.key == self._last_key and header.key != b"\0\0\0\0":
            words.append("mask-key-repeated")
        self._last_key = header.key
        if header.is_control:
            return _with_words(header, words)
        if self._closed:
            words.append("data-after-close")
        if header.opcode == 0:
            if self._message is None:
                words.append("continuation-without-start")
                self._message = Message(0, None, compressed=False)
        else:
            if self._message is not None:
                words.append("message-inside-message")
                self._message.lose()
            compressed = bool(header.rsv & 4) and (self._inflater is not None or self._talk.allows_rsv)
            self._message = Message(header.opcode, self._inflater, compressed)
        return _with_words(header, words)

    def _rsv_problems(self, header: Header) -> list[str]:
        if not header.rsv or self._talk.allows_rsv:
            return []
        if self._inflater is None:
            return ["rsv-without-extension"]
        found = ["rsv-without-extension"] if header.rsv & 3 else []
        if header.rsv & 4 and header.is_control:
            found.append("deflate-rsv1-on-control")
        elif header.rsv & 4 and header.opcode == 0:
            found.append("deflate-rsv1-on-continuation")
        return found

    # -- payload -------------------------------------------------------------------------------

    def _read_payload(self, problems: list[tuple[str, bytes]]) -> Generator[Parsed, None, bool]:
        """Read what is worth it, skip the rest; False if the side ends before the frame does."""
        reader, header = self._reader, self._header
        start = reader.position
        end = start + header.size
        message = None if header.is_control else self._message
        if message is not None and message.is_inflated and header.size > TEXT_BYTES:
            message.lose()
        inflates = message is not None and message.is_inflated
        reads_all = inflates or (message is not None and message.is_checked)
        read_to = end if reads_all else min(end, start + (KEPT_BYTES if header.is_control or self._says_frames else 0))
        whole = bytearray()
        self._begin_trail(start, header.size)
        while reader.position < end:
            before = reader.position
            piece = reader.peek(min(read_to - before, _SLICE_BYTES)) if before < read_to else b""
            if piece:
                reader.skip(len(piece))
                plain = unmask(piece, header.key, before - start)
                self._kept += plain[: KEPT_BYTES - len(self._kept)]
                if inflates:
                    whole += plain
                elif reads_all and message is not None:
                    problems += [(word, b"") for word in message.feed_text(plain)]
            elif before >= read_to:
                reader.skip(end - before)
            elif reader.gap_bytes:
                # A hole inside a known length: nothing can be said of what the payload means.
                reader.skip(min(reader.gap_bytes, end - before))
                read_to = before
                inflates = reads_all = False
                if message is not None:
                    message.lose()
            if reader.position > before:
                self._note(before, min(reader.position, start + KEPT_BYTES))
            elif reader.at_end:
                yield from self._cut(before - self._start, header.header_bytes + header.size)
                return False
            else:
                yield self._talk.wait(reader)
        if inflates and message is not None:
            problems += [(word, b"") for word in message.feed_frame(bytes(whole))]
        self._note(max(start, end - 1), end)
        return True

    def _begin_trail(self, start: int, size: int) -> None:
        """Frames that show a frame: those of its header, of the payload kept, of its last byte."""
        self._kept = bytearray()
        self._trail = None
        if self._wants_where and (size > KEPT_BYTES or self._reader.unread_bytes < size):
            self._trail = Trail()
            self._note(self._start, start)

    def _note(self, start: int, end: int) -> None:
        if self._trail is not None and start < end:
            self._trail.add(self._reader, start, end)

    # -- what is told --------------------------------------------------------------------------

    def _tell(self, problems: list[tuple[str, bytes]]) -> Generator[Parsed, None, None]:
        """Count the frame, and say what it is and what is wrong with it."""
        reader, header, talk = self._reader, self._header, self._talk
        counted = self._report.tally.websocket_frames
        counted[OPCODES.get(header.opcode, "other")] += 1
        talk.frames[reader.side] += 1
        message = None if header.is_control else self._message
        if message is not None and header.fin:
            problems += [(word, b"") for word in message.finish()]
            self._message = None
        where = self._where() if self._wants_where else None
        if header.opcode == 8:
            problems += close_problems(bytes(self._kept), header.size, from_client=self._from_client)
            if self._message is not None:
                problems.append(("message-unfinished", b""))
                self._message = None
            yield from self._close(where)
        elif where is not None and self._says_frames:
            first = message.opcode if message is not None else header.opcode
            compressed = message is not None and message.compressed
            inflated = message.inflated if message is not None and header.fin else None
            yield WebSocketFrame(where, *self._bits(), bytes(self._kept), first, compressed, inflated)
        for word, got in problems:
            yield from self._problem(word, got, self._where)

    def _bits(self) -> tuple[int, bool, int, bool, bytes, int]:
        header = self._header
        return header.opcode, header.fin, header.rsv, header.masked, header.key, header.size

    def _close(self, where: Where | None) -> Generator[Parsed, None, None]:
        """A Close: its code, and whether it answers the other side's."""
        body = bytes(self._kept)
        code = int.from_bytes(body[:2], "big") if len(body) >= 2 else None
        answers: int | None = None
        if where is not None and not self._closed:
            self._talk.close_frames += where.frames[-1:]
            answers = yield from self._talk.close(self._reader, -1 if code is None else code)
        self._closed = True
        if where is not None and self._report.wants(WebSocketClose):
            yield WebSocketClose(where, *self._bits(), body, 8, False, None, code, body[2:], answers)

    def _where(self) -> Where:
        end = self._reader.position
        if self._trail is not None:
            return self._trail.where(self._reader, self._start, end)
        return self._reader.where(self._start, end)

    def _end_where(self) -> Where:
        reader = self._reader
        if reader.at_end:
            return reader.end_where()
        return reader.where(reader.position, reader.position + 1)._replace(end=reader.position)

    def _problem(self, word: str, got: bytes, where: Callable[[], Where]) -> Generator[Event, None, None]:
        self._report.tally.problem(word)
        if self._report.wants(MalformedWebSocket):
            expected, reference = PROBLEMS[word]
            yield MalformedWebSocket(where(), word, expected, got, reference)

    def _cut(self, got: int, expected: int | None) -> Generator[Event, None, None]:
        """The side ends, or is lost, inside a frame."""
        self._report.tally.problem("frame-cut")
        if self._report.wants(TruncatedWebSocket):
            where = self._end_where()._replace(start=self._start)
            yield TruncatedWebSocket(where, "frame-cut", got, expected)

    def _leave_rest(self) -> Generator[Parsed, None, None]:
        """Where a frame begins cannot be told any more: let the rest of the side go by."""
        reader = self._reader
        self._message = None
        while True:
            reader.skip(reader.unread_bytes)
            if reader.at_end:
                return
            yield self._talk.wait(reader)


def _with_words(header: Header, words: list[str]) -> list[tuple[str, bytes]]:
    """The problems of a header, each with what was found."""
    if not words:
        return []
    size, opcode, rsv = b"%d" % header.size, b"%d" % header.opcode, b"RSV %d" % header.rsv
    found = {
        "rsv-without-extension": rsv,
        "reserved-opcode": opcode,
        "length-not-minimal": size,
        "length-top-bit": size,
        "control-too-long": size,
        "mask-key-repeated": header.key.hex().encode(),
        "server-frame-masked": header.key.hex().encode(),
    }
    return [(word, found.get(word, b"")) for word in words]
