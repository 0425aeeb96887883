"""A connection as its row in the JSON contract, and as the event of its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from inspect_cli.events.base import Side, Where
from inspect_cli.events.tcp import Closed, Connection, ConnectionEnd

if TYPE_CHECKING:
    from inspect_cli.streams.reassembly import Half
    from inspect_cli.streams.tcp_state import TcpState

ENOUGH_FRAMES = 3
"""Of fewer frames nobody wonders that they come from one side."""
OnlySide = Literal["client", "server"] | None
EndReason = Literal["fin", "rst", "reused", "idle", "forsaken", "capture-end"]


def row_of(connection: TcpState, frames: int | None = None) -> Connection:
    """The row; `frames`: how many it had at its end, where stragglers came behind it."""
    client, server = connection.client_half, connection.server_half
    names = connection.channel.names if connection.channel is not None else connection.protocols
    return Connection(
        connection.id,
        connection.name,
        connection.endpoints[connection.client_direction],
        connection.endpoints[1 - connection.client_direction],
        connection.opened,
        _closed(connection),
        connection.closed_first,
        connection.frames if frames is None else frames,
        client.bytes_seen,
        server.bytes_seen,
        connection.rtt_ns,
        names,
    )


def end_of(
    connection: TcpState, reason: EndReason, at: int, time_ns: int, frames: int, only: OnlySide
) -> ConnectionEnd:
    """The event of its end, known at frame `at`; `frames` and `only_side` as they were then."""
    client, server = connection.client_half, connection.server_half
    own: tuple[int, ...] = (at,) if reason in ("fin", "rst") else ()
    rst_side: Literal["client", "server"] | None = None
    if connection.rst_direction is not None:
        rst_side = "client" if connection.side(connection.rst_direction) is Side.CLIENT else "server"
    return ConnectionEnd(
        Where(at, time_ns, connection.name, None, own),
        row_of(connection, frames),
        reason,
        client.syn_frames,
        (client.fin_frame, server.fin_frame),
        (client.fin_acked_frame, server.fin_acked_frame),
        connection.rst_frame,
        rst_side,
        only,
        (_unseen(connection, client), _unseen(connection, server)),
    )


def only_side(connection: TcpState) -> OnlySide:
    """The one whose packets were captured, where the other's must have been there too."""
    if connection.opened == "syn-only" or connection.frames < ENOUGH_FRAMES:
        return None
    seen = [half.base is not None or connection.rst_direction == d for d, half in enumerate(connection.halves)]
    if seen[0] == seen[1]:
        return None
    return "client" if connection.side(seen.index(True)) is Side.CLIENT else "server"


def _unseen(connection: TcpState, half: Half) -> int:
    if half.base is None or half.fin_offset is not None or connection.opened not in ("handshake", "mid-stream"):
        return 0
    return max(0, half.acked - half.top)


def _closed(connection: TcpState) -> Closed:
    if connection.rst_frame is not None:
        return "rst"
    fins = (connection.halves[0].fin_frame is not None) + (connection.halves[1].fin_frame is not None)
    return ("open", "half-closed", "fin")[fins]
