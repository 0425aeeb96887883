"""Frames heard one by one become one batch."""

from __future__ import annotations

from inspect_cli.wire.gathering import Captured, batch_of


def test_a_batch_holds_every_frame_at_its_offset_and_with_its_times() -> None:
    batch = batch_of([Captured(5, b"abc", 9, 1, 0), Captured(7, b"de", 2, 101, 1)], 4)

    assert (b"abcde", 4, [5, 7], [0, 3], [3, 2], [9, 2], [1, 101]) == (
        batch.buffer,
        batch.first_number,
        batch.time_ns.tolist(),
        batch.offset.tolist(),
        batch.size.tolist(),
        batch.original_size.tolist(),
        batch.link_type.tolist(),
    )
    assert batch.interface is not None
    assert [0, 1] == batch.interface.tolist()
