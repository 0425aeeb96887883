"""What the last frames carried."""

from __future__ import annotations

import pytest

from inspect_cli.streams.lookback import LOOK_BACK_FRAMES, Carried, Lookback
from inspect_cli.wire.packets import Decoder
from tests.streams.segments import ACK, Seg, frames_of


def carried(segment: Seg, number: int = 1) -> Carried:
    lookback = Lookback()
    lookback.begin(Decoder().decode(frames_of([segment], number)))
    found = lookback.carried(number, number)
    assert found is not None
    return found


def test_a_packet_is_at_hand_with_its_headers() -> None:
    found = carried(Seg(0, ACK, 1, 1, b"hello", id=77, ttl=63))

    assert (1, b"hello", 5, 77, 63, 20, 20) == (
        found.number,
        found.payload,
        found.size,
        found.identification,
        found.hop_limit,
        len(found.ip),
        len(found.tcp),
    )


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        (Seg(0, ACK, 1, 1, b"hello"), True),
        (Seg(0, ACK, 1, 1, b"hell"), True),
        (Seg(0, ACK, 1, 1, b"hello", damaged=True), False),
        (Seg(0, ACK, 1, 1, b"hello", cut=1), None),
        (Seg(0, ACK, 1, 1, b"x" * 3000), None),
    ],
)
def test_a_checksum_is_right_or_wrong_or_cannot_be_told(segment: Seg, expected: bool | None) -> None:
    assert expected is carried(segment).is_sound


@pytest.mark.parametrize("size", [1, 7, 1000, 4000])
def test_packets_are_at_hand_for_1024_frames_in_whatever_batches_they_came(size: int) -> None:
    segments = [Seg(0, ACK, i, 1, b"%d" % i) for i in range(1, LOOK_BACK_FRAMES + 3)]
    lookback, decoder = Lookback(), Decoder()
    for first in range(0, len(segments), size):
        if first:
            lookback.end()
        lookback.begin(decoder.decode(frames_of(segments[first : first + size], first + 1)))
    now = len(segments)

    found = [lookback.carried(number, now) for number in (1, 2, 3, now)]

    assert [None, b"2", b"3", b"%d" % now] == [None if f is None else f.payload for f in found]


def test_batches_without_packets_take_nothing_away() -> None:
    lookback, decoder = Lookback(), Decoder()
    for segments, first in (([Seg(0, ACK, 1, 1, b"a")], 1), ([], 2), ([Seg(0, ACK, 2, 1, b"b")], 2)):
        lookback.begin(decoder.decode(frames_of(segments, first)))
        lookback.end()

    found = lookback.carried(1, 3)

    assert found is not None
    assert b"a" == found.payload


def test_a_header_that_stands_elsewhere_is_not_made_up() -> None:
    found = carried(Seg(0, ACK, 1, 1, b"hello"))

    assert (0, None, None) == (
        replace_ip(found).identification,
        replace_ip(found).hop_limit,
        replace_ip(found).is_sound,
    )


def replace_ip(found: Carried) -> Carried:
    return found._replace(ip=b"")
