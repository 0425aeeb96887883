from __future__ import annotations

import numpy as np

from tests.wire.making import batch, rows_of


def test_a_part_of_a_batch_keeps_numbers_and_comments() -> None:
    frames = batch([b"a", b"bc", b"d", b""])
    frames.comments = {1: ("one",), 3: ("three",)}
    frames.interface = np.array([0, 1, 2, 3], np.int64)
    part = frames.part(1, 3)
    assert rows_of(part) == [(2, 1, b"bc", 2, 1), (3, 2, b"d", 1, 1)]
    assert part.comments == {3: ("three",)}
    assert part.interface is not None
    assert part.interface.tolist() == [1, 2]
    assert batch([b"a"]).part(0, 1).interface is None


def test_some_frames_of_a_batch_are_numbered_anew_and_keep_their_comments() -> None:
    frames = batch([b"a", b"bc", b"d", b""])
    frames.comments = {1: ("one",), 3: ("three",), 4: ("four",)}
    frames.interface = np.array([0, 1, 2, 3], np.int64)
    some = frames.only([2, 3])
    assert rows_of(some) == [(1, 1, b"bc", 2, 1), (2, 2, b"d", 1, 1)]
    assert some.comments == {2: ("three",)}
    assert some.interface is not None
    assert some.interface.tolist() == [1, 2]
    assert batch([b"a"]).only([1]).interface is None
