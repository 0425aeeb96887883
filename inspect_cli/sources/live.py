"""A client of ours and the sniffer on its connections, as one source."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Literal, Self

from inspect_cli.errors import InspectError, NotPermitted
from inspect_cli.events.base import Item
from inspect_cli.events.calls import Call, Context, Reported, Secrets
from inspect_cli.events.summary import Capture
from inspect_cli.sources.client import Client, Journal, Stopped
from inspect_cli.sources.merging import Merger
from inspect_cli.sources.rights import may_capture
from inspect_cli.sources.sniffer import Sniffer
from inspect_cli.wire.gathering import Captured

WATERMARK_S: Final = 0.03
"""How long an item waits for earlier ones from the other thread."""
GRACE_S: Final = 1.0
"""How long a connection may take to close after the client has closed its socket."""
_GRACE_INTERRUPTED_S: Final = 0.2
_BACKLOG_BYTES: Final = 64 << 20
"""More than this waiting for the reader makes the client wait: memory stays bounded."""
_ITEM_BYTES: Final = 500

Sniff = Literal["auto", "always", "never"]


class Live:
    """Runs a client in a thread; yields its packets and what it tells, as they happen.

    `sniff`: `auto` lets the client tell its bytes where packets cannot be had, `always`
    raises NotPermitted there (on entering, or as `error`), `never` does without packets.
    """

    def __init__(
        self, client: Client, *, sniff: Sniff = "auto", interface: str | None = None, grace_s: float = GRACE_S
    ) -> None:
        self._client = client
        self._sniff = sniff
        self._interface = interface
        self._grace_s = grace_s
        self._desk = _Desk(None, must_see=False)
        self._worker = threading.Thread(target=self._work, name="client", daemon=True)
        self._done = threading.Event()
        self._failure: BaseException | None = None
        self.capture = Capture("reported", [], [])
        self.error: InspectError | None = None
        self.not_permitted = ""
        """Why there are no packets where some were wanted (a reason of NotPermitted), or ""."""
        self.interrupted = False

    def __enter__(self) -> Self:
        if self._sniff != "never":
            self.not_permitted = may_capture()
            if not self.not_permitted:
                sniffer = Sniffer(self._interface)
                sniffer.interfaces = self.capture.interfaces  # one list: it grows as the run goes
                self._desk = _Desk(sniffer, must_see=self._sniff == "always")
                self.capture.source = "live"
            elif self._sniff == "always":
                raise NotPermitted(reason=self.not_permitted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker.is_alive():
            self._desk.give_up()
            self._client.stop()
            self._worker.join(self._grace_s + 5)

    @property
    def drops(self) -> int:
        return self._desk.sniffer.drops if self._desk.sniffer else 0

    def interrupt(self) -> None:
        """Stop the client; `items` goes on to what there is and ends. From any thread or signal."""
        self.interrupted = True
        self._client.stop()

    def items(self) -> Iterator[Item]:
        """Everything in one order; afterwards `error`, `drops` and `capture` are whole."""
        merger = Merger()
        self.capture.started_ns = time.time_ns()
        self._worker.start()
        is_done = False
        while not is_done:
            try:
                is_done = self._done.wait(WATERMARK_S)
            except KeyboardInterrupt:
                if self.interrupted:
                    raise
                self.interrupt()
            horizon_ns = None if is_done else time.time_ns() - int(WATERMARK_S * 1e9)
            merger.add(*self._desk.take())
            self._settle_source()
            yield from merger.until(horizon_ns)
        self._conclude()

    def _conclude(self) -> None:
        self._worker.join()
        self.capture.ended_ns = time.time_ns()
        desk = self._desk
        self.not_permitted = self.not_permitted or desk.refusal
        proven = True
        if desk.sniffer is not None:
            proven = desk.sniffer.was_proven
        self.capture.complete = proven and not self.drops and not self.interrupted
        if self._failure is not None:
            raise self._failure

    def _settle_source(self) -> None:
        """Say `reported` as soon as it is known that packets were wanted and none can be seen."""
        sniffer = self._desk.sniffer
        if sniffer is not None:
            self.capture.source = "reported" if self._desk.refusal and not sniffer.interfaces else "live"

    def _work(self) -> None:
        """The client's thread, and then the end of the sniffer."""
        try:
            self._client.run(self._desk)
        except Stopped:
            pass
        except InspectError as error:
            self.error = error
        except BaseException as error:  # noqa: BLE001 - raised again by items()
            self._failure = error
        try:
            if self._desk.sniffer is not None:
                self._desk.sniffer.finish(_GRACE_INTERRUPTED_S if self.interrupted else self._grace_s)
        except BaseException as error:  # noqa: BLE001 - raised again by items()
            self._failure = self._failure or error
        finally:
            self._done.set()


class _Desk(Journal):
    """Where the client's thread leaves what it tells; it knows the sniffer, if there is one."""

    def __init__(self, sniffer: Sniffer | None, *, must_see: bool) -> None:
        self.sniffer = sniffer
        self.refusal = ""
        """Why packets of some connection cannot be seen."""
        self._must_see = must_see
        self._told: list[tuple[int, Item]] = []
        self._told_bytes = 0
        self._last_ns = 0
        self._room = threading.Condition()
        self._nobody_reads = False

    def announce(self, address: str, port: int) -> bool:
        if self.sniffer is None:
            return False
        try:
            self.sniffer.listen(address, port)
        except NotPermitted as error:
            if self._must_see:
                raise
            self.refusal = str(error.data.get("reason", ""))
            return False
        return True

    def opened(self, address: str, port: int, local_address: str, local_port: int) -> None:
        if self.sniffer is not None:
            self.sniffer.opened(address, port, local_address, local_port)

    def tell(self, item: Call | Context | Secrets | Reported) -> None:
        with self._room:
            if not isinstance(item, Secrets):
                self._last_ns = max(self._last_ns, item.time_ns)
            self._told.append((self._last_ns, item))
            self._told_bytes += _ITEM_BYTES + (len(item.data) if isinstance(item, Reported) else 0)
            self._room.wait_for(lambda: self._nobody_reads or self._backlog_bytes() < _BACKLOG_BYTES)

    def take(self) -> tuple[list[Captured], list[tuple[int, Item]]]:
        """What has come since the last time."""
        with self._room:
            told, self._told, self._told_bytes = self._told, [], 0
            # Frames behind the items: a call that caused one of them must not come later.
            frames = self.sniffer.take() if self.sniffer else []
            self._room.notify_all()
        return frames, told

    def give_up(self) -> None:
        """Nobody will take anything any more: `tell` never waits."""
        with self._room:
            self._nobody_reads = True
            self._room.notify_all()

    def _backlog_bytes(self) -> int:
        return self._told_bytes + (self.sniffer.waiting_bytes if self.sniffer else 0)
