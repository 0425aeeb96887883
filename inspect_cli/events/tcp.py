"""What happens to TCP connections."""

from __future__ import annotations

from typing import ClassVar, Literal

from inspect_cli.events.base import Event, Layer, noun

Opened = Literal["handshake", "incomplete", "syn-only", "refused", "mid-stream"]
Closed = Literal["fin", "rst", "open", "half-closed"]


@noun
class TcpOptions:
    """Options of a SYN or SYN/ACK (RFC 9293 §3.2; RFC 7323, 2018, 7413); None: not offered."""

    mss: int | None
    window_scale: int | None
    sack_permitted: bool
    timestamps: bool
    fast_open: int | None = None
    """Size of the TCP Fast Open cookie; 0: the client asks for one."""


@noun
class MidStream(Event):
    """The first frame of a connection that began before the capture.

    Who is the client is inferred: the side with the higher port, unless its bytes say otherwise.
    """

    kind: ClassVar[str] = "mid-stream"
    layer: ClassVar[Layer] = "tcp"

    client: str
    server: str
    """Both as "addr:port", "[addr]:port" for IPv6."""


@noun
class TcpSegment(Event):
    """One segment that is an entry of its own; the subclasses say why.

    seq and ack are as captured (unsigned 32 bit); size is the payload on the wire in bytes.
    """

    layer: ClassVar[Layer] = "tcp"

    flags: str
    """Wire names in header order, e.g. `SYN,ACK`."""
    seq: int
    ack: int
    window: int
    size: int


@noun
class LargeSegment(TcpSegment):
    """The first segment of a connection that is larger than the other side's MSS allows."""

    kind: ClassVar[str] = "large-segment"
    is_entry: ClassVar[bool] = False
    entry_if_annotated: ClassVar[bool] = True

    mss: int


@noun
class Segment(TcpSegment):
    """A plain data segment or ACK; an entry only with -v."""

    kind: ClassVar[str] = "segment"


@noun
class Syn(TcpSegment):
    """The first segment of an opening. `attempt` counts from 1: a repeat has a higher one."""

    kind: ClassVar[str] = "syn"

    options: TcpOptions
    attempt: int
    client: str
    server: str
    """Both as "addr:port", "[addr]:port" for IPv6."""


@noun
class SynAck(TcpSegment):
    """The answer to a SYN. `acks_syn`: it acknowledges exactly ISN+1 of a SYN seen before."""

    kind: ClassVar[str] = "syn-ack"

    options: TcpOptions
    attempt: int
    acks_syn: bool


@noun
class HandshakeAck(TcpSegment):
    """The third segment: the client acknowledges the server's ISN+1, the connection is open."""

    kind: ClassVar[str] = "handshake-ack"

    syn_frame: int
    syn_ack_frame: int
    rtt_ns: int
    """From the (last) SYN to this ACK, as this capture point saw it."""
    simultaneous: bool
    """Both sides sent a SYN (RFC 9293 Fig. 7)."""
    split: bool
    """The server acknowledged the SYN first and sent a SYN of its own then, in place of a SYN/ACK."""


@noun
class Fin(TcpSegment):
    """A side has finished sending. `first`: no FIN was seen before it on this connection."""

    kind: ClassVar[str] = "fin"

    first: bool
    repeated: bool
    """A retransmission of a FIN seen before."""
    acks_fin: bool
    """It acknowledges the other side's FIN too: FIN and ACK of the close in one segment."""


@noun
class CloseAck(TcpSegment):
    """The ACK of a FIN that carries no FIN. `last`: both FINs are acknowledged now."""

    kind: ClassVar[str] = "close-ack"

    fin_frame: int
    last: bool


@noun
class Rst(TcpSegment):
    """A reset. `refuses`: it answers a SYN (the port is closed or filtered)."""

    kind: ClassVar[str] = "rst"

    refuses: bool
    after_close: bool
    """The connection was over already."""
    unread_bytes: int
    """Stream bytes captured from the other side that this side had not acknowledged; 0 if none."""
    ahead: int
    """How far its sequence number is ahead of the next one due, in bytes."""


@noun
class IgnoredRst(TcpSegment):
    """A reset that the other side must not accept (RFC 9293 §3.10.7.3, §3.10.7.4): the connection goes on."""

    kind: ClassVar[str] = "ignored-rst"

    opening: bool
    """It answers a SYN, but does not acknowledge it; else its number is outside of the window."""


@noun
class AfterReset(TcpSegment):
    """The first new bytes, or SYN/ACK, of a side that has reset the connection: it knows of no reset."""

    kind: ClassVar[str] = "after-reset"

    rst_frame: int


@noun
class SeenTwice(TcpSegment):
    """The first segment of a connection that the capture holds twice; it was sent once.

    Bytes and IP identification equal those of `first_frame`. Further ones are no events.
    """

    kind: ClassVar[str] = "seen-twice"

    first_frame: int
    waited_ns: int
    hops: int | None
    """How many routers it passed in between, by the hop limit (TTL)."""


@noun
class Retransmission(TcpSegment):
    """Bytes that were captured before are sent again."""

    kind: ClassVar[str] = "retransmission"

    start: int
    end: int
    """Stream offsets on its side."""
    original_frame: int | None
    """Frame that first carried `start`, where still remembered,"""
    waited_ns: int | None
    """and how long ago that was."""
    keep_alive: bool
    """At most one byte just below what was acknowledged (RFC 9293 §3.8.4)."""
    acknowledged: bool
    """All of it was acknowledged before, as this capture shows."""
    duplicate_acks: int
    """How often the other side had asked for these bytes again (RFC 5681 §2), in the last 1,024 frames."""
    last: bool
    """No byte behind these was captured before them."""
    differs: bool | None
    """The bytes are not those of the first time; None where these are no longer at hand."""
    damaged: bool
    """The checksum of the first copy is wrong, that of this one is right."""


@noun
class OutOfOrder(TcpSegment):
    """Bytes that fill a hole: captured later than bytes behind them."""

    kind: ClassVar[str] = "out-of-order"

    start: int
    end: int
    waited_ns: int
    """Since the bytes behind them."""
    duplicate_acks: int
    """How often the other side had asked for these bytes again (RFC 5681 §2), in the last 1,024 frames."""
    late: bool
    """Asked for three times, or later by a round trip: sent again, the first copy was not captured."""


@noun
class Overlap(TcpSegment):
    """Bytes that overlap captured ones but bring new bytes too, or differ from them.

    The bytes captured first win. `differs` is None where the first bytes are no longer held.
    """

    kind: ClassVar[str] = "overlap"

    start: int
    end: int
    differs: bool | None


@noun
class KeepAliveAck(TcpSegment):
    """The answer to a keep-alive or to a probe of a closed window."""

    kind: ClassVar[str] = "keep-alive-ack"

    probe_frame: int
    waited_ns: int


@noun
class ZeroWindow(TcpSegment):
    """The sender of this segment announces that it can take no more bytes (RFC 9293 §3.8.6)."""

    kind: ClassVar[str] = "zero-window"


@noun
class WindowUpdate(TcpSegment):
    """The sender of this segment can take bytes again."""

    kind: ClassVar[str] = "window-update"

    zero_frame: int
    """Frame that had closed the window,"""
    closed_ns: int
    """and how long ago that was."""


@noun
class WindowProbe(TcpSegment):
    """At most one byte for a closed window, to ask whether it has opened (RFC 9293 §3.8.6.1)."""

    kind: ClassVar[str] = "window-probe"

    zero_frame: int


@noun
class Urgent(TcpSegment):
    """URG: the receiver is told of urgent data ahead (RFC 9293 §3.8.5)."""

    kind: ClassVar[str] = "urgent"

    pointer: int
    """Bytes from this segment's first one to the end of the urgent data."""


@noun
class Connection:
    """One TCP connection, as its row in the JSON contract; events hold it when it is over."""

    id: int
    channel: str
    client: str
    server: str
    opened: Opened
    closed: Closed
    closed_first: Literal["client", "server", "both"] | None
    frames: int
    bytes_client: int
    bytes_server: int
    """Stream bytes sent by that side, each once."""
    handshake_rtt_ns: int | None
    protocols: tuple[str, ...]


@noun
class ConnectionEnd(Event):
    """The end of a connection, or of what the capture shows of it; "it never came" hangs here.

    Facts for the concepts, with frame numbers (None: not seen).
    """

    kind: ClassVar[str] = "connection-end"
    layer: ClassVar[Layer] = "tcp"
    is_entry: ClassVar[bool] = False
    entry_if_annotated: ClassVar[bool] = True
    shown: ClassVar[tuple[str, ...]] = ("client", "server", "opened", "closed", "closed_first")

    connection: Connection
    reason: Literal["fin", "rst", "reused", "idle", "forsaken", "capture-end"]
    """idle: no frame for an hour; forsaken: hardly begun, then 131,072 frames of others."""
    syn_frames: tuple[int, ...]
    """Frames of the SYNs, repeats included."""
    fin_frames: tuple[int | None, int | None]
    """First FIN of the client, of the server."""
    fin_ack_frames: tuple[int | None, int | None]
    """Frame that acknowledged the client's FIN, the server's FIN."""
    rst_frame: int | None
    rst_side: Literal["client", "server"] | None
    only_side: Literal["client", "server"] | None = None
    """No frame of the other side was captured, though this one speaks with it."""
    unseen_bytes: tuple[int, int] = (0, 0)
    """Of the client, of the server: acknowledged behind all that was captured, so never captured."""

    @property
    def client(self) -> str:
        return self.connection.client

    @property
    def server(self) -> str:
        return self.connection.server

    @property
    def opened(self) -> str:
        return self.connection.opened

    @property
    def closed(self) -> str:
        return self.connection.closed

    @property
    def closed_first(self) -> str | None:
        return self.connection.closed_first
