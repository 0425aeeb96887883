from __future__ import annotations

import contextlib
import os
import socket
import time

from inspect_cli.sources.nonce import Nonce


def test_a_frame_that_carries_a_token_is_known_also_late() -> None:
    with contextlib.closing(Nonce()) as nonce, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        before_ns = time.time_ns()
        nonce.send()
        nonce.send()
        other.connect(tuple(nonce.target))
        first, second = (nonce._socket.recv(100) for _ in range(2))
        assert first != second
        for token in (first, second):
            sent_ns = nonce.sent_ns(b"headers" + token)
            assert sent_ns is not None
            assert before_ns <= sent_ns <= time.time_ns()


def test_other_frames_carry_none() -> None:
    with contextlib.closing(Nonce()) as nonce:
        assert nonce.sent_ns(os.urandom(60)) is None
        assert nonce.sent_ns(b"") is None


def test_times_of_the_kernel_are_soon_there() -> None:
    with contextlib.closing(Nonce()) as nonce:
        begun = time.monotonic()
        nonce.await_times(2)
        assert time.monotonic() - begun < 2
