"""Both servers in a thread: ready when entered, gone when left."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from hypercorn.asyncio import serve
from hypercorn.config import Config, Sockets

from inspect_cli.errors import UsageProblem
from inspect_cli.practice import raw
from inspect_cli.practice.byte_log import ByteLog
from inspect_cli.practice.logged_socket import LoggedListener
from inspect_cli.practice.site import make_site

_BACKLOG: Final = 128
_STOP_WITHIN_S: Final = 2.0
"""How long a server may take to end its connections before it is cancelled."""


@dataclass(frozen=True, slots=True)
class Practice:
    """A running site (`http_url`, `ws_url`) and its misbehaving neighbour (`raw_url`, `ws_raw_url`)."""

    http_url: str
    ws_url: str
    raw_url: str
    ws_raw_url: str
    log: ByteLog


@contextmanager
def running(host: str = "127.0.0.1", port: int = 0) -> Iterator[Practice]:
    """Serve on `host`, a loopback address; port 0 lets the kernel choose.

    Raises:
        UsageProblem: not a loopback address, or the port cannot be had.
    """
    with serving(loopback_address(host), port) as practice:
        yield practice


@contextmanager
def serving(address: str, port: int = 0) -> Iterator[Practice]:
    """The same on any address of this machine; who asks for another than loopback knows who can reach it."""
    log = ByteLog()
    with ExitStack() as stack:
        site = stack.enter_context(listening(address, port, log, answers_fin=True))
        misbehaving = stack.enter_context(listening(address, 0, log))
        practice = Practice(
            f"http://{endpoint(site)}",
            f"ws://{endpoint(site)}",
            f"http://{endpoint(misbehaving)}",
            f"ws://{endpoint(misbehaving)}",
            log,
        )
        servers = _Servers(site, misbehaving, log)
        servers.start()
        try:
            yield practice
        finally:
            servers.stop()


def loopback_address(host: str) -> str:
    """The address to bind: bad practice is served to this machine alone."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        raise UsageProblem(problem="not-loopback", host=host) from None
    if not address.is_loopback:
        raise UsageProblem(problem="not-loopback", host=host)
    return str(address)


def listening(address: str, port: int, log: ByteLog, *, answers_fin: bool = False) -> LoggedListener:
    """A bound, listening socket; from now on connections wait in its queue."""
    listener = LoggedListener(socket.AF_INET6 if ":" in address else socket.AF_INET, log, answers_fin=answers_fin)
    try:
        # A port in TIME_WAIT may be taken again at once.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise UsageProblem(problem="cannot-listen", host=address, port=port, reason=reason_of(error)) from error
    return listener


def reason_of(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


def endpoint(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class _BoundConfig(Config):
    """hypercorn's settings, with a socket that is bound already, and silent."""

    accesslog = None
    errorlog = None
    graceful_timeout = _STOP_WITHIN_S

    def __init__(self, listener: LoggedListener) -> None:
        super().__init__()
        self._listener = listener

    def create_sockets(self) -> Sockets:
        return Sockets([], [self._listener], [])


class _Servers:
    """Both servers on an event loop of their own, in a thread of their own."""

    def __init__(self, site: LoggedListener, misbehaving: LoggedListener, log: ByteLog) -> None:
        self._site = site
        self._misbehaving = misbehaving
        self._log = log
        self._thread = threading.Thread(target=self._run, name="practice", daemon=True)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event

    def start(self) -> None:
        """Return when both listen; raise what kept them from it."""
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Return when every connection has ended and the thread is gone."""
        with suppress(RuntimeError):  # the loop has ended by itself
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            # The log is in the sockets, whose methods the selector loop calls (proactors do not).
            with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
                runner.run(self._serve())
        except BaseException as failure:  # noqa: BLE001 - shown by start(), in the thread that waits
            self._failure = failure
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        misbehaving = await raw.start(self._misbehaving)
        app = make_site(self._stopping)
        site = asyncio.create_task(
            serve(app, _BoundConfig(self._site), shutdown_trigger=self._wait_for_stop)  # type: ignore[arg-type]
        )
        stopped = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({site, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        misbehaving.close()
        self._log.hang_up()
        done, _ = await asyncio.wait({site}, timeout=_STOP_WITHIN_S)
        for task in done:
            task.result()
        await self._others_end(site)

    async def _wait_for_stop(self) -> None:
        """hypercorn calls this when it listens, and stops when it returns."""
        self._ready.set()
        await self._stopping.wait()

    async def _others_end(self, site: asyncio.Task[None]) -> None:
        """Wait for the handlers of the misbehaving server, which have read their end."""
        others = asyncio.all_tasks() - {asyncio.current_task(), site}
        if others:
            await asyncio.wait(others, timeout=_STOP_WITHIN_S)
        deadline = self._loop.time() + _STOP_WITHIN_S
        # Sockets that linger read the end in the loop's next rounds; nobody could set an event sooner.
        while self._log.open_connections and self._loop.time() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0)
