"""How TCP connections open, close and break, and that delivery is checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.memory import Recent
from inspect_cli.events.base import NOT_OBSERVABLE, Annotation, Event, Level
from inspect_cli.events.capture import Gap
from inspect_cli.events.tcp import (
    ConnectionEnd,
    HandshakeAck,
    MidStream,
    OutOfOrder,
    Overlap,
    Retransmission,
    Rst,
    Syn,
    SynAck,
    TcpOptions,
    ZeroWindow,
)


@dataclass(slots=True)
class _Opening:
    syn: Syn
    """The first one."""
    seq: int
    """Of the last one: repeats have the same, another try of the same 5-tuple has not."""
    syn_ack: SynAck | None = None


def _agreed(ours: TcpOptions, theirs: TcpOptions) -> tuple[str, ...]:
    """Options in force: those that both sides offered (RFC 7323 §1.3, §2.2; RFC 2018 §2)."""
    both = (
        ("SACK", ours.sack_permitted and theirs.sack_permitted),
        ("window scale", ours.window_scale is not None and theirs.window_scale is not None),
        ("timestamps", ours.timestamps and theirs.timestamps),
    )
    return tuple([name for name, agreed in both if agreed])


class ThreeWayHandshake(Concept):
    """connect() and accept() on the wire: SYN, SYN/ACK, ACK; or what came instead."""

    id = "three-way-handshake"
    reference = "RFC 9293 §3.5"
    watches = (MidStream, Syn, SynAck, HandshakeAck, Rst, ConnectionEnd)
    codes = (
        "three-way-handshake.complete",
        "three-way-handshake.simultaneous",
        "three-way-handshake.syn-repeated",
        "three-way-handshake.syn-ack-repeated",
        "three-way-handshake.wrong-ack",
        "three-way-handshake.refused",
        "three-way-handshake.unanswered",
        "three-way-handshake.incomplete",
        "three-way-handshake.before-capture",
    )

    def __init__(self) -> None:
        self._openings: Recent[str, _Opening] = Recent()

    def see(self, event: Event) -> Iterable[Annotation]:
        if isinstance(event, Syn):
            return self._syn(event)
        if isinstance(event, SynAck):
            return self._syn_ack(event)
        if isinstance(event, HandshakeAck):
            return (self._complete(event),)
        if isinstance(event, Rst) and event.refuses:
            return (self.note(event, "refused", reference="RFC 9293 §3.5.2", level="warning"),)
        if isinstance(event, ConnectionEnd):
            return self._end(event)
        if isinstance(event, MidStream):
            return (self.note(event, "before-capture", frames=(), basis=NOT_OBSERVABLE),)
        return ()

    def _syn(self, event: Syn) -> Iterable[Annotation]:
        opening = self._openings.get(event.where.channel)
        if opening is None:
            self._openings[event.where.channel] = _Opening(event, event.seq)
            return ()
        if event.attempt < 2:  # the other side's, of a simultaneous open
            return ()
        opening.seq = event.seq
        waited_ns = event.where.time_ns - opening.syn.where.time_ns
        return (
            self.note(
                event,
                "syn-repeated",
                frames=opening.syn.where.frames + event.where.frames,
                reference="RFC 9293 §3.8.1",
                level="notice",
                attempt=event.attempt,
                waited_ns=waited_ns,
            ),
        )

    def _syn_ack(self, event: SynAck) -> Iterable[Annotation]:
        opening = self._openings.get(event.where.channel)
        if event.attempt > 1:
            reference = "RFC 9293 §3.8.1"
            return (self.note(event, "syn-ack-repeated", reference=reference, level="notice", attempt=event.attempt),)
        if opening is None:
            return ()
        opening.syn_ack = event
        if event.acks_syn:
            return ()
        # A SYN/ACK that acknowledges something never sent is answered by RST (figure 8).
        expected = (opening.seq + 1) & 0xFFFFFFFF
        return (self.note(event, "wrong-ack", level="warning", expected=expected, got=event.ack),)

    def _complete(self, event: HandshakeAck) -> Annotation:
        opening = self._openings.get(event.where.channel)
        data: dict[str, Any] = {"mss_client": None, "mss_server": None, "agreed": ()}
        if opening is not None and opening.syn_ack is not None:
            ours, theirs = opening.syn.options, opening.syn_ack.options
            data = {"mss_client": ours.mss, "mss_server": theirs.mss, "agreed": _agreed(ours, theirs)}
        return self.note(
            event,
            "simultaneous" if event.simultaneous else "complete",
            frames=(event.syn_frame, event.syn_ack_frame, *event.where.frames),
            syn_frame=event.syn_frame,
            syn_ack_frame=event.syn_ack_frame,
            ack_frame=event.where.frames,
            rtt_ns=event.rtt_ns,
            **data,
        )

    def _end(self, event: ConnectionEnd) -> Iterable[Annotation]:
        self._openings.pop(event.where.channel, None)
        opened = event.connection.opened
        if opened == "syn-only":
            count = len(event.syn_frames)
            return (self.note(event, "unanswered", frames=event.syn_frames, level="warning", attempts=count),)
        if opened == "incomplete":
            return (self.note(event, "incomplete", frames=event.syn_frames, level="notice"),)
        return ()


class Tcp(Concept):
    """Delivery is checked: what is lost is sent again, order is restored, speed is agreed."""

    id = "tcp"
    reference = "RFC 9293 §3.8"
    watches = (Retransmission, OutOfOrder, Overlap, Gap, ZeroWindow)
    codes = (
        "tcp.retransmission",
        "tcp.keep-alive",
        "tcp.out-of-order",
        "tcp.overlap-same",
        "tcp.overlap-differs",
        "tcp.overlap-unknown",
        "tcp.gap",
        "tcp.zero-window",
    )

    def see(self, event: Event) -> Iterable[Annotation]:
        if isinstance(event, Retransmission):
            return (self._again(event),)
        if isinstance(event, OutOfOrder):
            size = event.end - event.start
            return (self.note(event, "out-of-order", reference="RFC 9293 §3.10.7.4", size=size),)
        if isinstance(event, Overlap):
            if event.differs is None:
                return (self.note(event, "overlap-unknown", level="notice", reference="RFC 9293 §3.10.7.4"),)
            name = "overlap-differs" if event.differs else "overlap-same"
            level: Level = "warning" if event.differs else "notice"
            return (self.note(event, name, level=level, reference="RFC 9293 §3.10.7.4"),)
        if isinstance(event, Gap):
            return (self.note(event, "gap", level="notice", basis=NOT_OBSERVABLE, missing_bytes=event.missing_bytes),)
        if isinstance(event, ZeroWindow):
            return (self.note(event, "zero-window", reference="RFC 9293 §3.8.6", level="notice"),)
        return ()

    def _again(self, event: Retransmission) -> Annotation:
        if event.keep_alive:
            return self.note(event, "keep-alive", reference="RFC 9293 §3.8.4")
        return self.note(
            event,
            "retransmission",
            frames=(event.original_frame, *event.where.frames),
            reference="RFC 9293 §3.8.1",
            level="notice",
            original_frame=event.original_frame,
            size=event.end - event.start,
        )
