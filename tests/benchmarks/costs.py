"""What a reader takes as a whole process: seconds, processor seconds, memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE_SECONDS = 0.05
PROC = Path("/proc")


@dataclass
class Cost:
    """What one reader took, run by run."""

    name: str
    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)
    """Of all its processes together where /proc tells (their proportional share, looked at now and then)."""

    def run(self, command: Sequence[str], environment: dict[str, str] | None = None) -> None:
        """Run it once, to its end, its output to nowhere. Raises: CalledProcessError."""
        start = time.perf_counter()
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            watch = _Watch(process.pid)
            assert process.stderr is not None
            said = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        together = watch.end()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, stderr=said)
        self.seconds.append(seconds)
        self.processor_seconds.append(usage.ru_utime + usage.ru_stime)
        self.peak_bytes.append(max(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024), together))

    @property
    def median_seconds(self) -> float:
        return statistics.median(self.seconds)

    @property
    def median_processor_seconds(self) -> float:
        return statistics.median(self.processor_seconds)

    @property
    def most_bytes(self) -> int:
        return max(self.peak_bytes)


class _Watch:
    """Looks at the memory of a process and of those below it, where there are any."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._peak = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> int:
        """The most bytes seen of several processes; 0 where there was one."""
        self._over.set()
        self._thread.join()
        return self._peak

    def _look(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            below = list(_below(self._pid))
            if below:
                self._peak = max(self._peak, sum(map(_share, [self._pid, *below])))


def _below(pid: int) -> Iterator[int]:
    try:
        children = (PROC / str(pid) / "task" / str(pid) / "children").read_text().split()
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from _below(child)


def _share(pid: int) -> int:
    """Proportional share of a process's memory: what several map counts once among them."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
