"""Counting with several processors: each worker reads the whole capture and takes its share.

The workers go in step with us, a batch at a time, so that Ctrl-C stops all of them at the same
frame. Reading and decoding are done by each, and what lies behind is divided: two of them take
about 0.6 of the time of one.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, NamedTuple, NoReturn

from inspect_cli.errors import InspectError
from inspect_cli.events.summary import Tally
from inspect_cli.streams.tracker import Share
from inspect_cli.timeline import Timeline

if TYPE_CHECKING:
    from inspect_cli.events.base import Item
    from inspect_cli.timeline import Part

LARGE_BYTES: Final = 16 << 20
"""Below it a second process gains nothing."""
MOST: Final = 4
"""More processors would mostly repeat what each has to do."""

Read = Callable[[], Iterator["Item"]]
"""The items of the capture, from the beginning, once more."""


class Worker(NamedTuple):
    """A process that counts a share of the capture."""

    share: Share
    pid: int
    steps: int
    """Where it is told to go on, a byte for each item; closed: no more will come."""
    result: int
    """Where its counts come from."""


class SharedTimeline(Timeline):
    """Timeline(summary_only=True) of a capture of which other processes count a part."""

    def __init__(self, read: Read, workers: int, *, strict: bool = False) -> None:
        """`workers`: of all, 2 or more. Begins them: there must be no thread yet."""
        self._read = read
        shares = [Share(number, workers) for number in range(workers)]
        self._workers: list[Worker] = []
        for share in shares[1:]:
            self._workers.append(_begin(share, read, self._workers, strict=strict))
        super().__init__(summary_only=True, share=shares[0], strict=strict)
        self._strict = strict
        self._items = 0

    @property
    def pids(self) -> list[int]:
        """Of the processes that count the other shares."""
        return [worker.pid for worker in self._workers]

    def read(self, item: Item) -> Iterator[Part]:
        self._items += 1
        for worker in self._workers:
            with suppress(BrokenPipeError):  # it died: what it should have counted is counted in finish()
                os.write(worker.steps, b".")
        yield from super().read(item)

    def finish(self, *, complete: bool = True) -> Iterator[Part]:
        for worker in self._workers:
            os.close(worker.steps)
        yield from super().finish(complete=complete)
        for worker in self._workers:
            counted = _result_of(worker)
            self.tally.add(counted if counted is not None else self._count(worker.share))
        self._workers = []

    def _count(self, share: Share) -> Tally:
        """The share of a worker that gave no result, as far as this one has read."""
        steps = iter(range(self._items))
        return _counted(share, self._read, lambda: next(steps, None) is not None, strict=self._strict)


def workers_for(asked: int | None, paths: Sequence[str]) -> int:
    """How many processes read a capture of these files; 1 where the system has no fork."""
    if not hasattr(os, "fork"):
        return 1
    if asked is not None:
        return asked
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(usable, MOST) if sum(map(os.path.getsize, paths)) >= LARGE_BYTES else 1


def _begin(share: Share, read: Read, others: Sequence[Worker], *, strict: bool) -> Worker:
    """Begin a worker; `others`: those begun before, whose pipes are none of its business."""
    steps, result = os.pipe(), os.pipe()
    pid = os.fork()
    if not pid:
        for ours in (steps[1], result[0], *(number for other in others for number in (other.steps, other.result))):
            os.close(ours)
        _work(share, read, steps[0], result[1], strict=strict)
    os.close(steps[0])
    os.close(result[1])
    return Worker(share, pid, steps[1], result[0])


def _work(share: Share, read: Read, steps: int, result: int, *, strict: bool) -> NoReturn:
    """In the worker: count, tell, end; without a word, whatever happens."""
    from inspect_cli.cli.run import collect_rarely

    code = 1
    try:
        collect_rarely()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever began us hears it and tells us
        tally = _counted(share, read, lambda: os.read(steps, 1) == b".", strict=strict)
        with open(result, "w", encoding="ascii") as out:
            json.dump(asdict(tally), out)
        code = 0
    finally:
        os._exit(code)


def _counted(share: Share, read: Read, goes_on: Callable[[], bool], *, strict: bool) -> Tally:
    timeline = Timeline(summary_only=True, share=share, strict=strict)
    with suppress(InspectError):  # whoever shows the counts has met it too
        for item in read():
            if not goes_on():
                break
            for _ in timeline.feed(item):
                pass
    for _ in timeline.close():
        pass
    return timeline.tally


def _result_of(worker: Worker) -> Tally | None:
    """What it counted; None if it died."""
    with open(worker.result, encoding="ascii") as told:
        data = told.read()
    _, status = os.waitpid(worker.pid, 0)
    return Tally(**json.loads(data)) if status == 0 else None
