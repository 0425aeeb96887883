"""How TCP connections open, close and break, and that delivery is checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.memory import Recent
from inspect_cli.events.base import INFERRED, NOT_OBSERVABLE, Annotation, Basis, Event, Level, Side
from inspect_cli.events.capture import Gap
from inspect_cli.events.tcp import (
    ConnectionEnd,
    HandshakeAck,
    KeepAliveAck,
    LargeSegment,
    MidStream,
    OutOfOrder,
    Overlap,
    Retransmission,
    Rst,
    SeenTwice,
    Syn,
    SynAck,
    TcpOptions,
    Urgent,
    WindowProbe,
    WindowUpdate,
    ZeroWindow,
)

BURST_NS = 1_000_000_000
"""What is sent again within this time for the same reason is one story, told once."""


@dataclass(slots=True)
class _Opening:
    syn: Syn
    """The first one."""
    seq: int
    """Of the last one: repeats have the same, another try of the same 5-tuple has not."""
    time_ns: int
    """Of the last one."""
    since_ns: int = 0
    """Between the last one and the one before."""
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
        "three-way-handshake.split",
        "three-way-handshake.fast-open-asked",
        "three-way-handshake.fast-open",
        "three-way-handshake.syn-data",
        "three-way-handshake.fast-open-cookie",
        "three-way-handshake.syn-data-taken",
        "three-way-handshake.syn-data-left",
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
            self._openings[event.where.channel] = _Opening(event, event.seq, event.where.time_ns)
            return self._early_data(event)
        if event.attempt < 2:  # the other side's, of a simultaneous open
            return ()
        waited_ns = event.where.time_ns - opening.syn.where.time_ns
        since_ns = event.where.time_ns - opening.time_ns
        # Mostly it doubles; Linux 6.5 and later first tries several times at equal intervals.
        grown = event.attempt > 2 and 2 * since_ns > 3 * opening.since_ns
        opening.seq, opening.time_ns, opening.since_ns = event.seq, event.where.time_ns, since_ns
        return (
            self.note(
                event,
                "syn-repeated",
                frames=opening.syn.where.frames + event.where.frames,
                reference="RFC 6298 §5",
                level="notice",
                attempt=event.attempt,
                waited_ns=waited_ns,
                since_ns=since_ns if event.attempt > 2 else None,
                grown=grown,
            ),
        )

    def _early_data(self, event: Syn) -> Iterable[Annotation]:
        cookie = event.options.fast_open
        if cookie == 0:
            yield self.note(event, "fast-open-asked", reference="RFC 7413 §4.1.1")
        if event.size and cookie:
            yield self.note(event, "fast-open", reference="RFC 7413 §4.1.1", size=event.size)
        elif event.size:
            yield self.note(event, "syn-data", level="notice", size=event.size)

    def _syn_ack(self, event: SynAck) -> Iterable[Annotation]:
        opening = self._openings.get(event.where.channel)
        if event.attempt > 1:
            reference = "RFC 6298 §5"
            yield self.note(event, "syn-ack-repeated", reference=reference, level="notice", attempt=event.attempt)
        elif opening is not None:
            opening.syn_ack = event
            # A SYN/ACK that acknowledges something never sent is answered by RST (figure 8).
            expected = (opening.seq + 1) & 0xFFFFFFFF
            if not event.acks_syn:
                yield self.note(event, "wrong-ack", level="warning", expected=expected, got=event.ack)
            elif opening.syn.size:
                what = "syn-data-left" if event.ack == expected else "syn-data-taken"
                yield self.note(event, what, reference="RFC 7413 §4.1.1")
            if event.options.fast_open:
                reference = "RFC 7413 §4.1.1"
                yield self.note(event, "fast-open-cookie", reference=reference, size=event.options.fast_open)

    def _complete(self, event: HandshakeAck) -> Annotation:
        opening = self._openings.get(event.where.channel)
        data: dict[str, Any] = {"mss_client": None, "mss_server": None, "agreed": ()}
        if opening is not None and opening.syn_ack is not None:
            ours, theirs = opening.syn.options, opening.syn_ack.options
            data = {"mss_client": ours.mss, "mss_server": theirs.mss, "agreed": _agreed(ours, theirs)}
        return self.note(
            event,
            "split" if event.split else "simultaneous" if event.simultaneous else "complete",
            frames=(event.syn_frame, event.syn_ack_frame, *event.where.frames),
            syn_frame=event.syn_frame,
            syn_ack_frame=event.syn_ack_frame,
            level="notice" if event.split else "info",
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
        if opened == "incomplete" and event.only_side is None:
            return (self.note(event, "incomplete", frames=event.syn_frames, level="notice"),)
        return ()


class Tcp(Concept):
    """Delivery is checked: what is lost is sent again, order is restored, speed is agreed."""

    id = "tcp"
    reference = "RFC 9293 §3.8"
    watches = (
        Retransmission,
        SeenTwice,
        LargeSegment,
        OutOfOrder,
        Overlap,
        Gap,
        KeepAliveAck,
        ZeroWindow,
        WindowUpdate,
        WindowProbe,
        Urgent,
        ConnectionEnd,
    )
    codes = (
        "tcp.retransmission",
        "tcp.retransmission-differs",
        "tcp.retransmission-damaged",
        "tcp.retransmission-spurious",
        "tcp.retransmission-fast",
        "tcp.retransmission-timer",
        "tcp.seen-twice",
        "tcp.large-segment",
        "tcp.keep-alive",
        "tcp.keep-alive-answered",
        "tcp.out-of-order",
        "tcp.lost-before-capture",
        "tcp.overlap-same",
        "tcp.overlap-differs",
        "tcp.overlap-unknown",
        "tcp.gap",
        "tcp.gap-acknowledged",
        "tcp.gap-cut",
        "tcp.zero-window",
        "tcp.window-update",
        "tcp.window-probe",
        "tcp.window-probe-answered",
        "tcp.urgent",
        "tcp.one-direction",
        "tcp.end-not-captured",
    )

    def __init__(self) -> None:
        self._told: Recent[tuple[str, Side | None], tuple[str, int]] = Recent()
        """Channel and side -> what was sent again last and why, and when."""
        self._probes: Recent[str, int] = Recent()
        """Channel -> frame that asked last whether a window has opened."""
        self._is_large_told = False

    def see(self, event: Event) -> Iterable[Annotation]:
        if isinstance(event, Retransmission):
            return self._again(event)
        if isinstance(event, SeenTwice):
            return (self._twice(event),)
        if isinstance(event, LargeSegment):
            return self._large(event)
        if isinstance(event, OutOfOrder):
            return self._late(event)
        if isinstance(event, Overlap):
            return (self._overlap(event),)
        if isinstance(event, Gap):
            return (self._gap(event),)
        if isinstance(event, Urgent):
            return (self.note(event, "urgent", reference="RFC 9293 §3.8.5", level="notice", pointer=event.pointer),)
        if isinstance(event, ConnectionEnd):
            return self._end(event)
        return self._window(event)

    def _again(self, event: Retransmission) -> Iterable[Annotation]:
        if event.keep_alive:
            return (self.note(event, "keep-alive", reference="RFC 9293 §3.8.4"),)
        name, reference, basis = self._why(event)
        if self._goes_on(event, name):
            return ()
        return (
            self.note(
                event,
                name,
                frames=(event.original_frame, *event.where.frames),
                reference=reference,
                level="warning" if event.differs else "notice",
                basis=basis,
                original_frame=event.original_frame,
                waited_ns=event.waited_ns,
                duplicate_acks=event.duplicate_acks,
                size=event.end - event.start,
            ),
        )

    @staticmethod
    def _why(event: Retransmission) -> tuple[str, str, Basis | None]:
        if event.differs:
            return "retransmission-differs", "RFC 9293 §3.8.1", None
        if event.damaged:
            return "retransmission-damaged", "RFC 9293 §3.1", None
        if event.acknowledged:
            return "retransmission-spurious", "RFC 9293 §3.8.1", None
        if event.duplicate_acks >= 3:
            return "retransmission-fast", "RFC 5681 §3.2", None
        if event.last and not event.duplicate_acks:
            return "retransmission-timer", "RFC 6298 §5", INFERRED
        return "retransmission", "RFC 9293 §3.8.1", None

    def _goes_on(self, event: Retransmission | OutOfOrder, name: str) -> bool:
        """The same was told of this side just before: one burst, one story."""
        key, now = (event.where.channel, event.where.side), event.where.time_ns
        before, at = self._told.get(key, ("", 0))
        self._told[key] = name, now
        return name == before and now - at < BURST_NS

    def _twice(self, event: SeenTwice) -> Annotation:
        return self.note(
            event,
            "seen-twice",
            frames=(event.first_frame, *event.where.frames),
            level="notice",
            first_frame=event.first_frame,
            hops=event.hops,
        )

    def _large(self, event: LargeSegment) -> Iterable[Annotation]:
        """Of the place where the capture was made, so once for all of it."""
        if not self._is_large_told:
            self._is_large_told = True
            yield self.note(
                event, "large-segment", reference="RFC 9293 §3.7.1", basis=INFERRED, size=event.size, mss=event.mss
            )

    def _late(self, event: OutOfOrder) -> Iterable[Annotation]:
        size = event.end - event.start
        if not event.late:
            return (self.note(event, "out-of-order", reference="RFC 9293 §3.10.7.4", size=size),)
        if self._goes_on(event, "lost-before-capture"):
            return ()
        data: dict[str, Any] = {"size": size, "waited_ns": event.waited_ns, "duplicate_acks": event.duplicate_acks}
        return (
            self.note(event, "lost-before-capture", reference="RFC 5681 §3.2", level="notice", basis=INFERRED, **data),
        )

    def _overlap(self, event: Overlap) -> Annotation:
        reference = "RFC 9293 §3.10.7.4"
        if event.differs is None:
            return self.note(event, "overlap-unknown", level="notice", reference=reference)
        name = "overlap-differs" if event.differs else "overlap-same"
        level: Level = "warning" if event.differs else "notice"
        return self.note(event, name, level=level, reference=reference)

    def _gap(self, event: Gap) -> Annotation:
        if event.cut:
            return self.note(event, "gap-cut", level="notice", missing_bytes=event.missing_bytes)
        if event.acknowledged:
            return self.note(event, "gap-acknowledged", level="notice", missing_bytes=event.missing_bytes)
        return self.note(event, "gap", level="notice", basis=NOT_OBSERVABLE, missing_bytes=event.missing_bytes)

    def _window(self, event: Event) -> Iterable[Annotation]:
        if isinstance(event, KeepAliveAck):
            return (self._answer(event),)
        if isinstance(event, ZeroWindow):
            return (self.note(event, "zero-window", reference="RFC 9293 §3.8.6", level="notice"),)
        if isinstance(event, WindowUpdate):
            frames = (event.zero_frame, *event.where.frames)
            return (
                self.note(
                    event, "window-update", frames=frames, reference="RFC 9293 §3.8.6", closed_ns=event.closed_ns
                ),
            )
        if isinstance(event, WindowProbe):
            self._probes[event.where.channel] = event.where.at
            frames = (event.zero_frame, *event.where.frames)
            return (self.note(event, "window-probe", frames=frames, reference="RFC 9293 §3.8.6.1"),)
        return ()

    def _answer(self, event: KeepAliveAck) -> Annotation:
        frames, waited_ns = (event.probe_frame, *event.where.frames), event.waited_ns
        if self._probes.get(event.where.channel) != event.probe_frame:
            return self.note(
                event, "keep-alive-answered", frames=frames, reference="RFC 9293 §3.8.4", waited_ns=waited_ns
            )
        is_closed = event.window == 0
        reference = "RFC 9293 §3.8.6.1"
        return self.note(
            event, "window-probe-answered", frames=frames, reference=reference, waited_ns=waited_ns, closed=is_closed
        )

    def _end(self, event: ConnectionEnd) -> Iterable[Annotation]:
        self._probes.pop(event.where.channel, None)
        for side in (Side.CLIENT, Side.SERVER):
            self._told.pop((event.where.channel, side), None)
        if event.only_side is not None:
            only = Side.CLIENT if event.only_side == "client" else Side.SERVER
            data: dict[str, Any] = {"only": only.word, "other": only.other.word}
            yield self.note(event, "one-direction", frames=(), level="notice", basis=NOT_OBSERVABLE, **data)
        for side in (Side.CLIENT, Side.SERVER):
            size = event.unseen_bytes[side]
            if size:
                yield self.note(
                    event, "end-not-captured", frames=(), level="notice", basis=INFERRED, by=side.word, size=size
                )
