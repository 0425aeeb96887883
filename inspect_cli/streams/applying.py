"""Rows of a batch applied to their connections: at once what can be, then the rest."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Final

import numpy as np

from inspect_cli.events import tcp
from inspect_cli.events.base import Event
from inspect_cli.streams.at_once import Plan, plan_of
from inspect_cli.streams.batches import Batch
from inspect_cli.streams.births import Owned
from inspect_cli.streams.channel import Channel
from inspect_cli.streams.reassembly import Half
from inspect_cli.streams.rows import HANDSHAKE_ROWS, Parts
from inspect_cli.streams.runs import Runs
from inspect_cli.streams.tcp_states import Pair, TcpConnection
from inspect_cli.streams.tcp_telling import Packet

_TOLD: Final = (
    tcp.AfterReset,
    tcp.CloseAck,
    tcp.Fin,
    tcp.HandshakeAck,
    tcp.IgnoredRst,
    tcp.KeepAliveAck,
    tcp.LargeSegment,
    tcp.OutOfOrder,
    tcp.Overlap,
    tcp.Retransmission,
    tcp.Rst,
    tcp.SeenTwice,
    tcp.Segment,
    tcp.Syn,
    tcp.SynAck,
    tcp.Urgent,
    tcp.WindowProbe,
    tcp.WindowUpdate,
    tcp.ZeroWindow,
)
"""What is told of segments."""

FEW_ROWS: Final = 6
"""So many are looked at where the first bytes did not show who is to read them."""


def is_loud(wants: Callable[[type[Event]], bool]) -> bool:
    """Whether anybody asks what happened to segments."""
    return any(map(wants, _TOLD))


class Applying:
    """One batch on its way into the connections that own its rows."""

    __slots__ = (
        "_acked", "_ats", "_batch", "_bounds", "_closed", "_connections", "_cut", "_ends", "_frames", "_is_loud",
        "_next", "_offsets", "_opened", "_pieces", "_rest", "_rest_of", "_rows", "_singles", "_spoken", "_starts",
        "_time_ns", "_times",
    )  # fmt: skip

    def __init__(self, batch: Batch, owned: Owned, *, is_loud: bool) -> None:
        """`is_loud`: somebody asks what happened to segments."""
        self._batch, self._is_loud = batch, is_loud
        self._connections, self._bounds = owned.connections, owned.bounds
        plan = plan_of(batch, _parts(owned, is_loud=is_loud))
        self._next, self._acked, self._pieces = plan.next.tolist(), plan.acked.tolist(), plan.pieces.tolist()
        self._cut: list[int] = plan.cut.tolist()
        self._spoken: list[int] = plan.spoken.tolist()
        self._time_ns: list[int] = batch.time_ns[np.maximum(plan.cut - 1, 0)].tolist()
        row = plan.row
        self._rows: list[int] = row.tolist()
        self._starts: list[int] = plan.start.tolist()
        self._ends: list[int] = (plan.start + batch.size[row]).tolist()
        self._offsets: list[int] = batch.packets.payload_offset[batch.rows[row]].tolist()
        self._frames: list[int] = batch.number[row].tolist()
        self._ats: list[int] = self._frames if plan.at is row else batch.number[plan.at].tolist()
        self._times: list[int] = batch.time_ns[row].tolist()
        self._opened = _opened(batch, plan)
        self._closed = _closed(batch, plan)
        self._singles = self._find_singles()
        left = np.asarray(owned.bounds[1:]) - plan.cut
        self._rest_of: list[int] = (np.cumsum(left > 0) - 1).tolist()
        self._rest: Runs | None = None
        if len(plan.rest):
            self._rest = Runs(batch, plan.rest, [0, *np.cumsum(left[left > 0]).tolist()])

    def apply(self, i: int) -> bool:
        """Apply the rows of the i-th connection; whether it has anything to tell or to read now."""
        c = self._connections[i]
        start, cut, end = self._bounds[i], self._cut[i], self._bounds[i + 1]
        has_news = cut < end
        if cut > start:
            frames = c.frames + cut - start
            opening = self._opened.get(start)
            if opening is not None:
                start += HANDSHAKE_ROWS
                if self._is_loud and not c.muted:
                    has_news = True
                    for row in range(start - HANDSHAKE_ROWS, start):
                        c.packet(*self._singles[row], self._batch.buffer)
                else:
                    c.opened_by(*opening)
            if start < cut:
                has_news |= self._go_on(i, c, start, frames)
            c.frames, c.last_time_ns = frames, self._time_ns[i]
        if cut < end:
            assert self._rest is not None
            self._rest.apply(self._rest_of[i], c)
        return has_news and not c.muted

    # -- inside --------------------------------------------------------------------------

    def _find_singles(self) -> dict[int, tuple[int, Packet]]:
        """Direction and packet of plain rows that go one by one: of a handshake that is told, the first bytes."""
        rows: list[int] = []
        for i, c in enumerate(self._connections):
            if c.muted:
                continue
            start = self._bounds[i]
            if self._is_loud and start in self._opened:
                rows += range(start, start + HANDSHAKE_ROWS)
            if c.channel is not None and c.channel.protocol is None and self._spoken[i] < self._cut[i]:
                rows.append(self._spoken[i])
        return dict(zip(rows, self._batch.packets_of(np.array(rows)), strict=True)) if rows else {}

    def _go_on(self, i: int, c: TcpConnection, start: int, frames: int) -> bool:
        """Apply the plain rows from `start` on; whether they brought bytes, or the end of a side.

        `frames`: how many the connection has with them.
        """
        channel, closed, cut = c.channel, self._closed.get(i), self._cut[i]
        behind = -1
        if channel is not None and channel.protocol is None and self._spoken[i] < cut:
            behind = self._until_recognised(i, c, channel, start)
            if (closed is not None and closed[0] <= behind) or c.halves[0].waiting or c.halves[1].waiting:
                self._one_by_one(c, behind + 1, cut)
                return True
        had_bytes = behind >= 0
        for side, half in enumerate(c.halves, 2 * i):
            half.acked = max(half.acked, self._acked[side])
            reached = self._next[side]
            if reached == half.next:
                continue
            had_bytes = True
            if c.muted:
                half.bytes_seen += reached - half.next
                half.next = half.top = reached
            else:
                self._deliver(half, side, behind)
        if closed is not None:
            c.closed_by(frames - (cut - closed[1] - 1), *closed[2:])
        return had_bytes or closed is not None

    def _until_recognised(self, i: int, c: TcpConnection, channel: Channel, start: int) -> int:
        """Apply rows one by one until one shows who is to read the bytes; the last one applied."""
        row, closed, cut = self._spoken[i], self._closed.get(i), self._cut[i]
        if closed is not None and closed[0] <= row:
            row = start - 1
        else:
            c.frames += row - start
            c.packet(*self._singles[row], self._batch.buffer)
        while channel.protocol is None and row + 1 < cut:
            for direction, p in self._batch.packets_of(np.arange(row + 1, min(row + 1 + FEW_ROWS, cut))):
                c.packet(direction, p, self._batch.buffer)
                row += 1
                if c.channel is not None and c.channel.protocol is not None:
                    break
        return row

    def _deliver(self, half: Half, side: int, behind: int) -> None:
        """Hand on the pieces of a side, those up to the row `behind` apart."""
        first, last = self._pieces[side], self._pieces[side + 1]
        if behind >= 0 and half.next:
            first = bisect_right(self._rows, behind, first, last)
        half.deliver_many(
            self._starts[first:last],
            self._ends[first:last],
            self._batch.buffer,
            self._offsets[first:last],
            self._frames[first:last],
            self._ats[first:last],
            self._times[first:last],
        )

    def _one_by_one(self, c: TcpConnection, start: int, end: int) -> None:
        buffer = self._batch.buffer
        for direction, p in self._batch.packets_of(np.arange(start, end)):
            c.packet(direction, p, buffer)


def _parts(owned: Owned, *, is_loud: bool) -> Parts:
    """Where the connections stand."""
    able: list[bool] = []
    fresh: list[bool] = []
    muted: list[bool] = []
    base: list[int] = []
    reached: list[int] = []
    for c in owned.connections:
        a, b = c.halves
        able.append(
            c.ended_at is None
            and c.opened in ("handshake", "mid-stream")
            and not (a.waiting or b.waiting)
            and a.fin_frame is None
            and b.fin_frame is None
            and not (c.watched and is_loud and not c.muted)
        )
        fresh.append(not c.frames)
        muted.append(c.muted)
        base += (-1 if a.base is None else a.base, -1 if b.base is None else b.base)
        reached += (a.next, b.next)
    is_heard = ~np.array(muted)
    is_loud_here = is_heard if is_loud else np.zeros(len(muted), bool)
    bounds, is_able, is_fresh = np.array(owned.bounds), np.array(able), np.array(fresh)
    return Parts(bounds, is_able, is_fresh, is_loud_here, is_heard, np.array(base), np.array(reached))


def _opened(batch: Batch, plan: Plan) -> dict[int, tuple[int, ...]]:
    """What `opened_by` takes, by the first row of each handshake."""
    rows = plan.starts[plan.opens]
    columns = (
        batch.direction[rows],
        batch.seq[rows],
        batch.seq[rows + 1],
        batch.number[rows],
        batch.number[rows + 1],
        batch.time_ns[rows],
        batch.time_ns[rows + 1],
        batch.time_ns[rows + 2],
    )
    return dict(zip(rows.tolist(), zip(*(column.tolist() for column in columns), strict=True), strict=True))


def _closed(batch: Batch, plan: Plan) -> dict[int, tuple[int, int, Pair, Pair, Pair, int]]:
    """By place of a connection: the rows of its first FIN and of the last ACK, and what `closed_by` takes."""
    if not len(plan.closing):
        return {}
    is_there = plan.closed >= 0
    numbers = np.where(is_there, batch.number[plan.closed], 0).tolist()
    times = batch.time_ns[plan.closed].tolist()
    first = np.where(is_there, plan.closed, 1 << 40)[:, :2].min(axis=1).tolist()
    last = plan.closed[:, 2:].max(axis=1)
    return {
        i: (fin, end, (n[0], n[1]), (n[2], n[3]), (t[0], t[1]), ns)
        for i, fin, end, n, t, ns in zip(
            plan.closing.tolist(), first, last.tolist(), numbers, times, batch.time_ns[last].tolist(), strict=True
        )
    }
