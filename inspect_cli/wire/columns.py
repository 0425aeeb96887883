"""The columns of Packets while a batch is decoded: one row for each frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from inspect_cli.wire.frames import Frames, Int64, Packets, UInt64, UndecodedFrame
from inspect_cli.wire.peeling import Buffer

if TYPE_CHECKING:
    from inspect_cli.wire.fragments import FragmentNote

Number = TypeVar("Number", Int64, UInt64)


class Columns:
    """The columns of Packets for all rows of a batch; protocol 0 where there is no packet."""

    def __init__(self, count: int) -> None:
        self.version: Int64 = np.zeros(count, np.int64)
        self.protocol: Int64 = np.zeros(count, np.int64)
        self.source_hi: UInt64 = np.zeros(count, np.uint64)
        self.source_lo: UInt64 = np.zeros(count, np.uint64)
        self.target_hi: UInt64 = np.zeros(count, np.uint64)
        self.target_lo: UInt64 = np.zeros(count, np.uint64)
        self.source_port: Int64 = np.zeros(count, np.int64)
        self.target_port: Int64 = np.zeros(count, np.int64)
        self.seq: Int64 = np.zeros(count, np.int64)
        self.ack: Int64 = np.zeros(count, np.int64)
        self.flags: Int64 = np.zeros(count, np.int64)
        self.window: Int64 = np.zeros(count, np.int64)
        self.payload_offset: Int64 = np.zeros(count, np.int64)
        self.payload_captured: Int64 = np.zeros(count, np.int64)
        self.payload_size: Int64 = np.zeros(count, np.int64)
        self.options_offset: Int64 = np.zeros(count, np.int64)
        self.options_size: Int64 = np.zeros(count, np.int64)

    def of(self, rows: Int64) -> dict[str, Any]:
        """A copy of some rows."""
        return {name: column[rows] for name, column in vars(self).items()}

    def put_back(self, rows: Int64, copy: dict[str, Any], which: Int64) -> None:
        """Those of the rows of a copy that are `which` (places in `rows`), as they were."""
        for name, column in vars(self).items():
            column[rows[which]] = copy[name][which]

    def packets(
        self, frames: Frames, buffer: Buffer, undecoded: list[UndecodedFrame], fragments: list[FragmentNote]
    ) -> Packets:
        """The rows that hold a packet."""
        row = np.nonzero(self.protocol)[0].astype(np.int64)
        whole = len(row) == len(frames)

        def chosen(column: Number) -> Number:
            return column if whole else column[row]

        return Packets(
            buffer=buffer,
            row=row,
            number=row + frames.first_number,
            time_ns=chosen(frames.time_ns),
            version=chosen(self.version),
            protocol=chosen(self.protocol),
            source_hi=chosen(self.source_hi),
            source_lo=chosen(self.source_lo),
            target_hi=chosen(self.target_hi),
            target_lo=chosen(self.target_lo),
            source_port=chosen(self.source_port),
            target_port=chosen(self.target_port),
            seq=chosen(self.seq),
            ack=chosen(self.ack),
            flags=chosen(self.flags),
            window=chosen(self.window),
            payload_offset=chosen(self.payload_offset),
            payload_captured=chosen(self.payload_captured),
            payload_size=chosen(self.payload_size),
            options_offset=chosen(self.options_offset),
            options_size=chosen(self.options_size),
            undecoded=undecoded,
            fragments=fragments,
        )
