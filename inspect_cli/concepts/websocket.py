"""WebSocket after the handshake: both sides speak, frames and their bits, the goodbye."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.memory import Recent, connection_of
from inspect_cli.events.base import Annotation, Event, Side
from inspect_cli.events.capture import MalformedWebSocket
from inspect_cli.events.tcp import ConnectionEnd, Fin, Rst
from inspect_cli.events.websocket import WebSocketClose, WebSocketEnd, WebSocketFrame, WebSocketOpened

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclass(slots=True)
class _Spoken:
    """Data messages begun by each side of one channel."""

    counts: list[int] = field(default_factory=lambda: [0, 0])
    first: tuple[int, ...] = ()
    """Frames of the first message of either side."""
    is_unasked_said: bool = False
    is_both_said: bool = False


class WebSocket(Concept):
    """Two ways at once: the server speaks without being asked."""

    id = "websocket"
    reference = "RFC 6455 §1.1"
    watches = (WebSocketFrame, WebSocketEnd)
    codes = ("websocket.unasked", "websocket.both-ways")

    def __init__(self) -> None:
        self._channels: Recent[str, _Spoken] = Recent()

    def see(self, event: Event) -> Iterable[Annotation]:
        channel = event.where.channel
        if event.__class__ is not WebSocketFrame:
            self._channels.pop(channel, None)
            return ()
        spoken = self._channels.get(channel)
        if spoken is None:
            spoken = self._channels[channel] = _Spoken()
        elif spoken.is_both_said and spoken.is_unasked_said:
            return ()
        return self._frame(event, spoken) if isinstance(event, WebSocketFrame) else ()

    def _frame(self, event: WebSocketFrame, spoken: _Spoken) -> Iterable[Annotation]:
        side = event.where.side
        if event.opcode not in (TEXT, BINARY) or side is None:
            return ()
        notes = []
        counts = spoken.counts
        counts[side] += 1
        if not counts[side.other] and counts[side] == 1:
            spoken.first = event.where.frames
        # More messages from the server than from the client: one of them answers nothing.
        if side is Side.SERVER and counts[1] > counts[0] and not spoken.is_unasked_said:
            spoken.is_unasked_said = True
            notes.append(self.note(event, "unasked", from_client=counts[0], from_server=counts[1]))
        if counts[0] and counts[1] and not spoken.is_both_said:
            spoken.is_both_said = True
            notes.append(self.note(event, "both-ways", frames=spoken.first + event.where.frames, first=spoken.first))
        return notes


@dataclass(slots=True)
class _Sender:
    """What one side has sent on its channel."""

    is_mask_said: bool = False
    is_compression_said: bool = False
    message: list[int] = field(default_factory=list)
    """Frames of the message in fragments (its first and last 32)."""
    fragments: int = 0
    size: int = 0
    pings: deque[tuple[bytes, tuple[int, ...], int]] = field(default_factory=lambda: deque(maxlen=64))
    """Payload, frames and time of those not yet answered."""


class WebSocketFrames(Concept):
    """Opcode, FIN, masking, fragments, ping and pong: the bits of a frame."""

    id = "websocket-frames"
    reference = "RFC 6455 §5.2"
    watches = (WebSocketFrame, WebSocketEnd, MalformedWebSocket)
    codes = (
        "websocket-frames.masked",
        "websocket-frames.unmasked",
        "websocket-frames.first-fragment",
        "websocket-frames.last-fragment",
        "websocket-frames.compressed",
        "websocket-frames.ping",
        "websocket-frames.pong",
        "websocket-frames.pong-unsolicited",
        "websocket-frames.ping-unanswered",
        "websocket-frames.must-fail",
    )
    # What the receiver must do about a broken rule: fail the connection with this code (§7.4.1).
    _CLOSE_CODES: ClassVar[dict[str, int]] = {
        "text-invalid-utf8": 1007,
        "close-reason-invalid-utf8": 1007,
        **dict.fromkeys(
            (
                "rsv-without-extension",
                "reserved-opcode",
                "length-not-minimal",
                "length-top-bit",
                "client-frame-unmasked",
                "server-frame-masked",
                "control-too-long",
                "control-fragmented",
                "continuation-without-start",
                "message-inside-message",
                "close-body-one-byte",
                "close-code-reserved",
                "close-code-out-of-range",
            ),
            1002,
        ),
    }

    def __init__(self) -> None:
        self._channels: Recent[str, tuple[_Sender, _Sender]] = Recent(4096)

    def see(self, event: Event) -> Iterable[Annotation]:
        if isinstance(event, MalformedWebSocket):
            code = self._CLOSE_CODES.get(event.problem)
            if code is None:
                return ()
            reference = "RFC 6455 §7.1.7"
            return (
                self.note(event, "must-fail", reference=reference, level="error", code=code, problem=event.problem),
            )
        channel = event.where.channel
        senders = self._channels.get(channel)
        if isinstance(event, WebSocketEnd):
            self._channels.pop(channel, None)
            return self._end(event, senders) if senders is not None else ()
        if not isinstance(event, WebSocketFrame) or event.where.side is None:
            return ()
        if senders is None:
            senders = self._channels[channel] = (_Sender(), _Sender())
        sender = senders[event.where.side]
        is_known = sender.is_mask_said and (sender.is_compression_said or not event.compressed)
        if is_known and event.fin and 0 < event.opcode < CLOSE:
            return ()  # the common frame: a whole message
        return self._frame(event, sender, senders[event.where.side.other])

    def _frame(self, event: WebSocketFrame, sender: _Sender, other: _Sender) -> Iterable[Annotation]:
        if not sender.is_mask_said:
            sender.is_mask_said = True
            yield from self._masking(event)
        if event.opcode == PING:
            sender.pings.append((event.payload, event.where.frames, event.where.time_ns))
            yield self.note(event, "ping", reference="RFC 6455 §5.5.2")
        elif event.opcode == PONG:
            yield self._pong(event, other)
        elif event.opcode < CLOSE:
            yield from self._fragment(event, sender)
            if event.compressed and event.inflated is not None and not sender.is_compression_said:
                sender.is_compression_said = True
                size = event.size if event.opcode else sender.size
                yield self.note(
                    event, "compressed", reference="RFC 7692 §6.1", size=size, inflated_size=len(event.inflated)
                )

    def _masking(self, event: WebSocketFrame) -> Iterable[Annotation]:
        from_client = event.where.side is Side.CLIENT
        data: dict[str, Any] = {"fin": int(event.fin), "opcode": event.opcode, "name": event.name}
        # The other two combinations are errors, and events of their own.
        if event.masked and from_client:
            yield self.note(event, "masked", reference="RFC 6455 §5.3", mask_key=event.mask_key, **data)
        elif not event.masked and not from_client:
            yield self.note(event, "unmasked", reference="RFC 6455 §5.1", **data)

    def _fragment(self, event: WebSocketFrame, sender: _Sender) -> Iterable[Annotation]:
        if event.opcode:
            sender.message, sender.fragments, sender.size = list(event.where.frames[:32]), 1, event.size
            if not event.fin:
                kind = "text" if event.opcode == TEXT else "binary"
                yield self.note(event, "first-fragment", reference="RFC 6455 §5.4", name=kind)
            return
        sender.fragments += 1
        sender.size += event.size
        if len(sender.message) < 64:
            sender.message += event.where.frames[:32]
        if event.fin and sender.fragments > 1:
            frames = (*sender.message, *event.where.frames)
            count, size = sender.fragments, sender.size
            sender.fragments = 0
            yield self.note(
                event, "last-fragment", frames=frames, reference="RFC 6455 §5.4", fragments=count, size=size
            )

    def _pong(self, event: WebSocketFrame, other: _Sender) -> Annotation:
        reference = "RFC 6455 §5.5.3"
        for i, (payload, frames, time_ns) in enumerate(other.pings):
            if payload == event.payload:
                for _ in range(i + 1):  # earlier pings need no pong of their own (§5.5.3)
                    other.pings.popleft()
                took_ns = event.where.time_ns - time_ns
                together = frames + event.where.frames
                return self.note(event, "pong", frames=together, reference=reference, ping=frames, took_ns=took_ns)
        return self.note(event, "pong-unsolicited", reference=reference, waiting=len(other.pings))

    def _end(self, event: WebSocketEnd, senders: tuple[_Sender, _Sender]) -> Iterable[Annotation]:
        for side in Side:
            closed = event.close_server if side is Side.CLIENT else event.close_client
            pings = senders[side].pings
            # Whoever has sent Close need not answer any more (§5.5.2 for one received).
            if pings and closed is None and event.close_client is None and event.close_server is None:
                frames = pings[-1][1]
                reference = "RFC 6455 §5.5.2"
                yield self.note(
                    event,
                    "ping-unanswered",
                    frames=frames,
                    reference=reference,
                    level="notice",
                    by=side.word,
                    other=side.other.word,
                    ping=frames,
                )


def _meaning(code: int) -> str:
    """The code where it has a meaning of its own (§7.4.1), else the name of its range (§7.4.2)."""
    if 1000 <= code <= 1015:
        return str(code)
    return "registered" if 3000 <= code <= 3999 else "private" if 4000 <= code <= 4999 else "unassigned"


@dataclass(slots=True)
class _Goodbye:
    codes: list[int | None] = field(default_factory=lambda: [None, None])
    """Code of each side's first Close, -1 without one, None: none sent."""
    frames: tuple[int, ...] = ()
    is_over: bool = False
    """The end was said."""


class WebSocketClosing(Concept):
    """The closing handshake, and then who ends TCP."""

    id = "websocket-close"
    reference = "RFC 6455 §7.1.2"
    watches = (WebSocketOpened, WebSocketClose, WebSocketEnd, Fin, Rst, ConnectionEnd)
    codes = (
        "websocket-close.begins",
        "websocket-close.answers",
        "websocket-close.crossed",
        "websocket-close.code-not-echoed",
        "websocket-close.without-code",
        "websocket-close.server-ends-tcp",
        "websocket-close.client-ends-tcp",
        "websocket-close.fin-before-answer",
        "websocket-close.not-answered",
        "websocket-close.without-close",
        "websocket-close.reset",
        "websocket-close.reset-after",
        "websocket-close.tcp-left-open",
    )

    def __init__(self) -> None:
        self._open: Recent[str, _Goodbye] = Recent()

    def see(self, event: Event) -> Iterable[Annotation]:
        channel = connection_of(event.where.channel)
        goodbye = self._open.get(channel)
        if isinstance(event, WebSocketOpened):
            self._open[channel] = _Goodbye()
            return ()
        if isinstance(event, WebSocketClose):
            if goodbye is None:
                goodbye = self._open[channel] = _Goodbye()
            return self._close(event, goodbye)
        if goodbye is None or goodbye.is_over:
            if isinstance(event, ConnectionEnd):
                self._open.pop(channel, None)
            return ()
        if isinstance(event, Fin):
            return self._fin(event, goodbye)
        if isinstance(event, Rst):
            return self._reset(event, goodbye)
        if isinstance(event, WebSocketEnd):
            return self._reported_end(event, goodbye)
        if isinstance(event, ConnectionEnd):
            del self._open[channel]
            return self._left_open(event, goodbye)
        return ()

    def _close(self, event: WebSocketClose, goodbye: _Goodbye) -> Iterable[Annotation]:
        side = event.where.side or Side.CLIENT
        if goodbye.codes[side] is not None:
            return  # a second Close says nothing new; the parser tells that data followed a Close
        code = -1 if event.code is None else event.code
        theirs = goodbye.codes[side.other]
        goodbye.codes[side] = code
        goodbye.frames += event.where.frames
        data: dict[str, Any] = {
            "by": side.word,
            "other": side.other.word,
            "code": 1005 if event.code is None else event.code,
            "meaning": _meaning(1005 if event.code is None else event.code),
        }
        if theirs is None:
            yield self.note(event, "begins", **data)
        elif event.answers is None:
            yield self.note(event, "crossed", frames=goodbye.frames, **data)
        else:
            yield self.note(event, "answers", frames=goodbye.frames, **data)
            if theirs not in (code, -1) and code != -1:
                yield self.note(
                    event, "code-not-echoed", reference="RFC 6455 §5.5.1", level="notice", theirs=theirs, **data
                )
        if event.code is None:
            yield self.note(event, "without-code", reference="RFC 6455 §7.1.5", level="notice", **data)

    def _fin(self, event: Fin, goodbye: _Goodbye) -> Iterable[Annotation]:
        if event.repeated:
            return
        goodbye.is_over = True
        side = event.where.side or Side.CLIENT
        ours, theirs = goodbye.codes[side], goodbye.codes[side.other]
        frames = goodbye.frames + event.where.frames
        data: dict[str, Any] = {"by": side.word, "other": side.other.word}
        if ours is not None and theirs is not None:
            what = "server-ends-tcp" if side is Side.SERVER else "client-ends-tcp"
            reference = "RFC 6455 §7.1.1"
            if side is Side.SERVER:
                yield self.note(event, what, frames=frames, reference=reference, **data)
            else:
                yield self.note(event, what, frames=frames, reference=reference, level="warning", **data)
        elif ours is not None:
            yield self.note(event, "fin-before-answer", frames=frames, level="notice", **data)
        elif theirs is not None:
            reference = "RFC 6455 §5.5.1"
            yield self.note(event, "not-answered", frames=frames, reference=reference, level="error", **data)
        else:
            yield self.note(event, "without-close", reference="RFC 6455 §7.1.5", level="warning", **data)

    def _reset(self, event: Rst, goodbye: _Goodbye) -> Iterable[Annotation]:
        goodbye.is_over = True
        side = event.where.side or Side.CLIENT
        is_clean = None not in goodbye.codes
        what = "reset-after" if is_clean else "reset"
        reference = "RFC 6455 §7.1.1" if is_clean else "RFC 6455 §7.1.5"
        frames = goodbye.frames + event.where.frames
        yield self.note(event, what, frames=frames, reference=reference, level="warning", by=side.word)

    def _reported_end(self, event: WebSocketEnd, goodbye: _Goodbye) -> Iterable[Annotation]:
        # Where packets are seen, FIN or RST tell it; a socket tells only that the bytes ended.
        if not event.where.channel.startswith("socket/"):
            return
        goodbye.is_over = True
        if None in goodbye.codes:
            what = "without-close" if goodbye.codes == [None, None] else "not-answered"
            by = "client" if goodbye.codes[0] is None else "server"
            other = "server" if by == "client" else "client"
            reference = "RFC 6455 §7.1.5"
            yield self.note(event, what, reference=reference, level="warning", by=by, other=other)

    def _left_open(self, event: ConnectionEnd, goodbye: _Goodbye) -> Iterable[Annotation]:
        if event.connection.closed == "open" and None not in goodbye.codes:
            reference = "RFC 6455 §7.1.1"
            yield self.note(event, "tcp-left-open", frames=goodbye.frames, reference=reference, level="warning")
