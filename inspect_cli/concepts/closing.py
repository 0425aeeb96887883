"""How TCP connections end: FIN and ACK each way, or RST."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.memory import Recent
from inspect_cli.events.base import INFERRED, Annotation, Event, Side
from inspect_cli.events.tcp import AfterReset, CloseAck, ConnectionEnd, Fin, HandshakeAck, IgnoredRst, Rst, Syn

_SEQ = 0xFFFFFFFF
_HALF = 1 << 31


@dataclass(slots=True)
class _Closing:
    first: Fin
    ack: CloseAck | None = None
    """What acknowledged the first FIN and was no FIN itself."""
    second: Fin | None = None
    crossed: bool = False
    """The second FIN left its side before that side had acknowledged the first."""

    def bytes_after(self) -> int:
        """Stream bytes that the side that closed last sent after it had acknowledged the first FIN."""
        if self.second is None or self.crossed:
            return 0
        if self.ack is None:
            return self.second.size  # they came in the very segment that acknowledged
        sent = (self.second.seq + self.second.size - self.ack.seq) & _SEQ
        return sent if sent < _HALF else 0


class FourWayClose(Concept):
    """close() on the wire: FIN and ACK each way, in one of its variants."""

    id = "four-way-close"
    reference = "RFC 9293 §3.6"
    watches = (Fin, CloseAck, ConnectionEnd)
    codes = (
        "four-way-close.four-segments",
        "four-way-close.three-segments",
        "four-way-close.simultaneous",
        "four-way-close.half-close",
        "four-way-close.time-wait",
        "four-way-close.time-wait-both",
        "four-way-close.fin-repeated",
        "four-way-close.half-closed",
        "four-way-close.still-open",
    )

    def __init__(self) -> None:
        self._closings: Recent[str, _Closing] = Recent()

    def see(self, event: Event) -> Iterable[Annotation]:
        if isinstance(event, Fin):
            return self._fin(event)
        if isinstance(event, CloseAck):
            return self._ack(event)
        if isinstance(event, ConnectionEnd):
            return self._end(event)
        return ()

    def _fin(self, event: Fin) -> Iterable[Annotation]:
        closing = self._closings.get(event.where.channel)
        if event.repeated:
            return (self.note(event, "fin-repeated", reference="RFC 9293 §3.8.1", level="notice"),)
        if closing is None:
            self._closings[event.where.channel] = _Closing(event)
        elif closing.second is None and event.where.side is not closing.first.where.side:
            closing.second = event
            closing.crossed = closing.ack is None and not event.acks_fin
        return ()

    def _ack(self, event: CloseAck) -> Iterable[Annotation]:
        closing = self._closings.get(event.where.channel)
        if closing is None:
            return ()
        if closing.ack is None and event.fin_frame in closing.first.where.frames:
            closing.ack = event
        if not event.last or closing.second is None:
            return ()
        del self._closings[event.where.channel]
        return self._complete(event, closing, closing.second)

    def _complete(self, event: CloseAck, closing: _Closing, second: Fin) -> Iterable[Annotation]:
        first_side = closing.first.where.side or Side.CLIENT
        after = closing.bytes_after()
        if closing.crossed:
            name, reference = "simultaneous", "RFC 9293 §3.6, Fig. 13"
        elif after:
            name, reference = "half-close", "RFC 9293 §3.6.1"
        else:
            name, reference = ("three-segments" if closing.ack is None else "four-segments"), "RFC 9293 §3.6"
        acks = closing.ack.where.frames if closing.ack is not None else ()
        data: dict[str, Any] = {
            "first": first_side.word,
            "last": first_side.other.word,
            "first_fin": closing.first.where.frames,
            "first_ack": acks or second.where.frames,
            "second_fin": second.where.frames,
            "second_ack": event.where.frames,
            "took_ns": event.where.time_ns - closing.first.where.time_ns,
        }
        if after:
            data["bytes_after"] = after
        frames = closing.first.where.frames + acks + second.where.frames + event.where.frames
        yield self.note(event, name, frames=frames, reference=reference, **data)
        # 2 MSL with who closed first, with both after a simultaneous close; no frame shows it.
        waits = "time-wait-both" if closing.crossed else "time-wait"
        yield self.note(event, waits, reference="RFC 9293 §3.6.1", basis=INFERRED, first=first_side.word)

    def _end(self, event: ConnectionEnd) -> Iterable[Annotation]:
        self._closings.pop(event.where.channel, None)
        connection = event.connection
        if connection.closed == "half-closed" and event.only_side is None:
            first = "client" if event.fin_frames[0] is not None else "server"
            data: dict[str, Any] = {"first": first, "last": "server" if first == "client" else "client"}
            yield self.note(
                event, "half-closed", frames=event.fin_frames, reference="RFC 9293 §3.6.1", level="notice", **data
            )
        elif connection.closed == "open" and connection.opened in ("handshake", "mid-stream"):
            yield self.note(event, "still-open", frames=(), reason=event.reason)


class Reset(Concept):
    """RST: an end without goodbye, and why."""

    id = "rst"
    reference = "RFC 9293 §3.5.2"
    watches = (Syn, HandshakeAck, Rst, IgnoredRst, AfterReset, Fin, ConnectionEnd)
    codes = (
        "rst.refused",
        "rst.before-open",
        "rst.abort",
        "rst.unread-data",
        "rst.own-fin",
        "rst.half-open",
        "rst.after-close",
        "rst.not-of-this-syn",
        "rst.outside-window",
        "rst.ahead",
        "rst.not-its-own",
    )

    def __init__(self) -> None:
        self._finished: Recent[str, tuple[int, Side | None]] = Recent()
        """Channel -> frame and side of its first FIN."""
        self._opening: Recent[str, bool] = Recent()
        """Channels with a SYN and no complete handshake."""

    def see(self, event: Event) -> Iterable[Annotation]:
        if isinstance(event, Fin):
            frame = event.where.frames[-1] if event.where.frames else 0
            self._finished.first_time(event.where.channel, (frame, event.where.side))
        elif isinstance(event, Syn):
            self._opening[event.where.channel] = True
        elif isinstance(event, HandshakeAck):
            self._opening.pop(event.where.channel, None)
        elif isinstance(event, ConnectionEnd):
            self._finished.pop(event.where.channel, None)
            self._opening.pop(event.where.channel, None)
        elif isinstance(event, IgnoredRst):
            return (self._ignored(event),)
        elif isinstance(event, AfterReset):
            return (self._goes_on(event),)
        elif isinstance(event, Rst):
            return (self._reset(event),)
        return ()

    def _ignored(self, event: IgnoredRst) -> Annotation:
        side = event.where.side or Side.CLIENT
        name, clause = ("not-of-this-syn", "3") if event.opening else ("outside-window", "4")
        reference = f"RFC 9293 §3.10.7.{clause}"
        return self.note(event, name, reference=reference, level="warning", by=side.word, other=side.other.word)

    def _goes_on(self, event: AfterReset) -> Annotation:
        """A host that resets a connection forgets it (§3.10.4, §3.10.7.4): another one made that RST."""
        side = event.where.side or Side.CLIENT
        frames = (event.rst_frame, *event.where.frames)
        reference = "RFC 9293 §3.5.3"
        return self.note(
            event,
            "not-its-own",
            frames=frames,
            reference=reference,
            level="warning",
            basis=INFERRED,
            by=side.word,
            rst_frame=event.rst_frame,
        )

    def _reset(self, event: Rst) -> Annotation:
        side = event.where.side or Side.CLIENT
        data: dict[str, Any] = {"by": side.word, "other": side.other.word}
        if event.refuses:
            return self.note(event, "refused", level="warning", **data)
        if event.after_close:
            return self.note(event, "after-close", **data)
        if event.where.channel in self._opening:
            return self.note(event, "before-open", level="notice", **data)
        fin_frame, fin_side = self._finished.get(event.where.channel, (0, None))
        if event.ahead:
            reference = "RFC 5961 §3.2"
            return self.note(event, "ahead", reference=reference, level="warning", ahead=event.ahead, **data)
        if "ACK" not in event.flags and fin_side is not side:
            # §3.5.2: a segment for no connection is answered so, numbered by its own ACK.
            return self.note(event, "half-open", reference="RFC 9293 §3.5.1", level="warning", basis=INFERRED, **data)
        if event.unread_bytes:
            # A close with bytes unread sends RST, not FIN: the other side learns that they are lost.
            reference = "RFC 9293 §3.6.1"
            return self.note(
                event, "unread-data", reference=reference, level="warning", unread_bytes=event.unread_bytes, **data
            )
        if fin_side is side:
            frames = (fin_frame, *event.where.frames)
            return self.note(event, "own-fin", frames=frames, level="notice", fin_frame=fin_frame, **data)
        return self.note(event, "abort", reference="RFC 9293 §3.5.3", level="warning", **data)
