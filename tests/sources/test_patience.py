from __future__ import annotations

import socket
import threading

import pytest

from inspect_cli.errors import TimedOut
from inspect_cli.sources.client import Stopped
from inspect_cli.sources.patience import Patience


@pytest.fixture
def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair()


def test_the_whole_time_bounds_every_wait(pair: tuple[socket.socket, socket.socket]) -> None:
    patience = Patience(0.02)
    patience.url = "http://a.test/"
    patience.start()
    with pair[0], pair[1], pytest.raises(TimedOut) as raised:
        patience.wait_readable(pair[0])
    assert raised.value.data == {"url": "http://a.test/", "seconds": "0.02"}
    patience.close()


def test_a_shorter_bound_holds_inside_only(pair: tuple[socket.socket, socket.socket]) -> None:
    patience = Patience(60)
    patience.start()
    with pair[0], pair[1]:
        with pytest.raises(TimedOut) as raised, patience.at_most(0.01):
            patience.wait_readable(pair[0])
        assert raised.value.data["seconds"] == "0.01"
        assert patience.wait_readable(pair[0], 0.001) is False
    patience.close()


def test_a_limit_that_goes_by_is_no_error(pair: tuple[socket.socket, socket.socket]) -> None:
    patience = Patience(None)
    patience.start()
    with pair[0], pair[1]:
        assert patience.wait_readable(pair[0], 0) is False
        pair[1].send(b"x")
        assert patience.wait_readable(pair[0], 0) is True
        assert patience.wait_writable(pair[0]) is True
    patience.close()


def test_stop_wakes_who_waits_and_who_will(pair: tuple[socket.socket, socket.socket]) -> None:
    patience = Patience(None)
    patience.start()
    stopper = threading.Timer(0.02, patience.stop)
    stopper.start()
    with pair[0], pair[1]:
        for _ in range(2):
            with pytest.raises(Stopped):
                patience.wait_readable(pair[0])
        patience.resume(0.01)
        with pytest.raises(TimedOut):
            patience.wait_readable(pair[0])
    stopper.join()
    patience.close()


def test_work_that_blocks_is_left_behind_when_the_time_is_over() -> None:
    patience = Patience(0.02)
    patience.start()
    release = threading.Event()
    with pytest.raises(TimedOut):
        patience.run(lambda: release.wait(10))
    release.set()
    patience.close()


def test_work_gives_its_result_or_its_error() -> None:
    patience = Patience(None)
    patience.start()
    assert patience.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        patience.run(lambda: 1 // 0)
    patience.close()
