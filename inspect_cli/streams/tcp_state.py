"""What is known of one TCP connection, and what follows when it ends or holes are given up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from inspect_cli.events.base import Event, Side, Where
from inspect_cli.events.capture import Gap
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import ConnectionEnd, MidStream, Opened, TcpOptions
from inspect_cli.streams.batches import Key, endpoints_of
from inspect_cli.streams.channel import Channel, Placed
from inspect_cli.streams.lookback import Lookback
from inspect_cli.streams.reader import ENDED, OPENING, OVER, Place
from inspect_cli.streams.reassembly import Half
from inspect_cli.streams.tcp_repeats import Probe
from inspect_cli.streams.tcp_rows import EndReason, OnlySide, end_of, only_side
from inspect_cli.streams.tcp_telling import Packet, Telling
from inspect_cli.wire.addresses import endpoint_text


class TcpState:
    """State of one connection; `direction` 0 is what its lower endpoint sends."""

    __slots__ = (
        "_end_facts",
        "_endpoints",
        "_key",
        "_lookback",
        "_options_of",
        "_tally",
        "_tell",
        "_verbose",
        "channel",
        "client_direction",
        "closed_first",
        "copies",
        "ended_at",
        "ended_ns",
        "first_fin",
        "first_frame",
        "frames",
        "halves",
        "id",
        "is_large",
        "last_time_ns",
        "muted",
        "name",
        "opened",
        "oriented",
        "probe",
        "protocols",
        "rst_direction",
        "rst_frame",
        "rst_seq",
        "rtt_ns",
        "split",
        "telling",
        "watched",
    )

    def __init__(
        self,
        number: int,
        first_frame: int,
        key: Key,
        client_direction: int,
        channel: Channel | None,
        options_of: Callable[[int, int], TcpOptions],
        wants: Callable[[type[Event]], bool],
        tally: Tally,
        verbose: bool,
        lookback: Lookback | None,
    ) -> None:
        """`lookback`: None where nobody asks why something comes again."""
        self.id = number
        self.name = f"tcp/{number}"
        self._key = key
        self._endpoints: tuple[str, str] | None = None
        self.client_direction = client_direction
        self.oriented = False
        """A SYN or SYN/ACK told who the client is."""
        self.channel = channel
        self.protocols: tuple[str, ...] = ()
        """Names of those that read it, once it is over."""
        self.muted = channel is None
        """Not the connection that was asked for: its frames are counted, nothing is read."""
        self.halves: tuple[Half, Half]
        self.first_frame = first_frame
        self.frames = 0
        self.last_time_ns = 0
        self.opened: Opened = "mid-stream"
        self.rtt_ns: int | None = None
        self.first_fin: int | None = None
        """Direction of the first FIN."""
        self.closed_first: Literal["client", "server", "both"] | None = None
        self.rst_frame: int | None = None
        self.rst_direction: int | None = None
        self.rst_seq: int | None = None
        """Number of the reset; None once it was told that its sender goes on."""
        self.copies = 0
        """Segments seen twice."""
        self.split = False
        """A SYN of one side came after its ACK of the other side's SYN."""
        self.probe: Probe | None = None
        self.is_large = False
        """A segment larger than the MSS was told."""
        self.watched = False
        """A window is closed, or a probe waits for its answer."""
        self.ended_at: int | None = None
        self.ended_ns = 0
        self._end_facts: tuple[EndReason, Place, int, int, OnlySide] | None = None
        self._options_of = options_of
        self._lookback = lookback
        self.telling = Telling(self.name, wants, self.side, muted=self.muted)
        self._tell = self.telling.segment
        self._tally = tally
        self._verbose = verbose

    def side(self, direction: int) -> Side:
        return Side.CLIENT if direction == self.client_direction else Side.SERVER

    @property
    def endpoints(self) -> tuple[str, str]:
        """Texts of the endpoints that send in direction 0 and 1; made when asked for."""
        if self._endpoints is None:
            low, high = endpoints_of(self._key)
            self._endpoints = endpoint_text(*low), endpoint_text(*high)
        return self._endpoints

    @property
    def client_half(self) -> Half:
        return self.halves[self.client_direction]

    @property
    def server_half(self) -> Half:
        return self.halves[1 - self.client_direction]

    @property
    def is_plain(self) -> bool:
        """Nothing is pending: in-order segments may be applied in one go."""
        return (
            not self._verbose
            and self.ended_at is None
            and not self.watched
            and self.opened in ("handshake", "mid-stream")
            and self.halves[0].is_plain
            and self.halves[1].is_plain
            and (self.channel is None or self.channel.protocol is not None)
        )

    def is_forsaken(self, before: int) -> bool:
        """Silent since frame `before`, and hardly begun: nobody answered its SYNs, or one frame is all there is."""
        if self.ended_at is not None:
            return False
        if self.opened == "syn-only":
            return max(frame for half in self.halves for frame in half.syn_frames[-1:]) <= before
        return self.frames == 1 and self.first_frame <= before

    def _tell_mid_stream(self, p: Packet) -> None:
        if self.telling.wants(MidStream):
            client, server = self.endpoints[self.client_direction], self.endpoints[1 - self.client_direction]
            where = Where(p.number, p.time_ns, self.name, None, (p.number,))
            self.telling.first(MidStream(where, client, server))

    def end_now(self, reason: EndReason, at: int, time_ns: int) -> None:
        """The capture shows no more of it: reused, idle, or the capture is over."""
        if self.ended_at is None:
            self._end(reason, at, time_ns)
            self._take_gaps()

    def _end(self, reason: EndReason, at: int, time_ns: int) -> None:
        for half in self.halves:
            if half.waiting or half.fin_offset is not None:
                half.lose_all(at, time_ns)
        self._recognise(at, last_chance=True)
        for half in (self.client_half, self.server_half):
            half.finish(Place(at, ENDED), time_ns)
        self.ended_at, self.ended_ns = at, time_ns
        if not self.muted:
            self._end_facts = (reason, Place(at, OVER), time_ns, self.frames, only_side(self))

    def _settle(self, p: Packet) -> None:
        """Give holes up that waited too long; a side whose bytes came up to its FIN is complete."""
        for half in self.halves:
            half.check_hole(self.frames, p.number, p.time_ns)
        for half in self.halves:
            if half.fin_offset is not None and half.fin_offset <= half.next and not half.reader.is_finished:
                half.forget_waiting()
                half.finish(Place(p.number, ENDED), p.time_ns)

    def _recognise(self, at: int, *, last_chance: bool = False) -> None:
        channel = self.channel
        if channel is None or channel.protocol is not None:
            return
        if last_chance and not (self.halves[0].bytes_seen or self.halves[1].bytes_seen):
            return
        before = channel.readers[0]
        channel.recognise(
            at, either_way=not self.oriented, mid_stream=self.opened == "mid-stream", last_chance=last_chance
        )
        if channel.readers[0] is not before:
            self.client_direction = 1 - self.client_direction

    def _take_gaps(self) -> None:
        for direction in (0, 1):
            half = self.halves[direction]
            if not half.gaps:
                continue
            for start, end, frame, at, time_ns in half.gaps:
                self._tally.problem("gap")
                if self.telling.wants(Gap):
                    frames = (frame,) if frame else ()
                    where = Where(at, time_ns, self.name, self.side(direction), frames, start, end)
                    gap = Gap(where, end - start, half.acked >= end, frame != 0)
                    self.telling.place(gap, OPENING, direction)
            half.gaps = ()

    def take_events(self) -> list[Placed]:
        """Everything that is known now, in stream order of each side; the end last."""
        taken = self.telling.take()
        if self.channel is not None:
            self.channel.run()
            taken += self.channel.events
            self.channel.events = []
        if self._end_facts is not None:
            reason, place, time_ns, frames, only = self._end_facts
            self._end_facts = None
            self._put_down()
            if self.telling.wants(ConnectionEnd):
                taken.append(Placed(place, 2, end_of(self, reason, place.at, time_ns, frames, only)))
        return taken

    def fall_silent(self) -> None:
        """It is let go: what tells of it points back at it, and would keep it until cycles are searched for."""
        del self._tell, self.telling

    def _put_down(self) -> None:
        """Stragglers change nothing, so what read the bytes is not kept: closed connections wait in their thousands."""
        if self.channel is not None:
            self.protocols = self.channel.names
            self.channel = None
        for half in self.halves:
            half.put_down()
