"""How long a client waits: for one socket, for all it does, until it is told to stop."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from inspect_cli.errors import TimedOut
from inspect_cli.sources.client import Stopped

_T = TypeVar("_T")
_MAX_POLL_S = 3600.0


class Patience:
    """The one place where a client blocks. Used by one thread; `stop` by any."""

    def __init__(self, timeout_s: float | None) -> None:
        self.url = ""
        """What is being done, for TimedOut."""
        self._timeout_s = timeout_s
        self._deadline_s: float | None = None
        self._stopped = False
        self._waker: tuple[socket.socket, socket.socket] | None = None
        """What is written to the second wakes who polls the first."""

    def start(self) -> None:
        """The time runs from now on, until `close`."""
        self._waker = socket.socketpair()
        if self._timeout_s is not None:
            self._deadline_s = time.monotonic() + self._timeout_s

    def stop(self) -> None:
        """Whoever waits, now or later, gets `Stopped`."""
        self._stopped = True
        if self._waker is not None:
            with contextlib.suppress(OSError):
                self._waker[1].send(b"!")

    def resume(self, seconds: float) -> None:
        """After a stop: a little time for closing in good order."""
        if self._stopped and self._waker is not None:
            self._waker[0].setblocking(False)
            with contextlib.suppress(BlockingIOError):  # stopped, and not yet written
                self._waker[0].recv(4096)
            self._stopped = False
            self._deadline_s, self._timeout_s = time.monotonic() + seconds, seconds

    def close(self) -> None:
        if self._waker is not None:
            for end in self._waker:
                end.close()

    @contextlib.contextmanager
    def at_most(self, seconds: float | None) -> Iterator[None]:
        """Inside, a shorter bound holds (where it is shorter)."""
        before = self._deadline_s, self._timeout_s
        if seconds is not None:
            until = time.monotonic() + seconds
            if self._deadline_s is None or until < self._deadline_s:
                self._deadline_s, self._timeout_s = until, seconds
        try:
            yield
        finally:
            self._deadline_s, self._timeout_s = before

    def check(self) -> None:
        """Raises: Stopped, TimedOut."""
        if self._stopped:
            raise Stopped
        if self._deadline_s is not None and time.monotonic() >= self._deadline_s:
            raise TimedOut(url=self.url, seconds=f"{self._timeout_s:g}")

    def wait_readable(self, waited: socket.socket, limit_s: float | None = None) -> bool:
        """Until there is something to read; False: `limit_s` went by. Raises: Stopped, TimedOut."""
        return self._wait(waited, select.POLLIN, limit_s)

    def wait_writable(self, waited: socket.socket, limit_s: float | None = None) -> bool:
        """Until writing goes on, or connecting has ended."""
        return self._wait(waited, select.POLLOUT, limit_s)

    def _wait(self, waited: socket.socket, events: int, limit_s: float | None) -> bool:
        poll = select.poll()
        poll.register(waited, events)
        if self._waker is not None:
            poll.register(self._waker[0], select.POLLIN)
        limit = None if limit_s is None else time.monotonic() + limit_s
        while True:
            self.check()
            now = time.monotonic()
            bounds = [until - now for until in (limit, self._deadline_s) if until is not None]
            left_s = max(0.0, min([*bounds, _MAX_POLL_S]))
            ready = {fd for fd, _ in poll.poll(left_s * 1000 + (1 if left_s else 0))}
            if waited.fileno() in ready:
                return True
            self.check()
            if limit is not None and time.monotonic() >= limit:
                return False

    def run(self, work: Callable[[], _T]) -> _T:
        """Do something that blocks and cannot be interrupted (a name lookup), in a thread.

        Where the time is over first, the thread is left to itself.
        """
        found: list[_T] = []
        failed: list[BaseException] = []
        done, was_done = socket.socketpair()

        def worker() -> None:
            try:
                found.append(work())
            except BaseException as error:  # noqa: BLE001 - raised again by who waits
                failed.append(error)
            with contextlib.suppress(OSError):
                was_done.send(b"!")
            was_done.close()

        threading.Thread(target=worker, name="lookup", daemon=True).start()
        try:
            self.wait_readable(done)
        finally:
            done.close()
        if failed:
            raise failed[0]
        return found[0]
