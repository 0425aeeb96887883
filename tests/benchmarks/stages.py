"""Where the time goes, stage by stage, in processor seconds of one process.

    python tests/benchmarks/stages.py FILE.pcap [--runs 3] [--markdown]

Each line runs the whole way up to a stage and takes off what the way before it took; of
several runs the quickest counts. `start` is Python and the imports. A summary ends behind
`parse`; the stages behind it are those of `--format ndjson`.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parents[2]))

from inspect_cli.events.summary import Tally
from inspect_cli.protocols.opaque import OPAQUE
from inspect_cli.render import make_renderer
from inspect_cli.sources.file import CaptureFiles
from inspect_cli.streams.channel import Report
from inspect_cli.streams.tracker import Tracker
from inspect_cli.timeline import Reading, Timeline
from inspect_cli.wire.frames import Frames
from inspect_cli.wire.packets import Decoder
from tests.reading import tell

START_SECONDS = time.process_time()


def read(path: str) -> None:
    """Record headers and copies into the buffer."""
    with CaptureFiles((path,)) as source:
        for _ in source.items():
            pass


def decode(path: str) -> None:
    """Headers as columns."""
    decoder = Decoder()
    with CaptureFiles((path,)) as source:
        for item in source.items():
            if isinstance(item, Frames):
                decoder.decode(item)


def connections(path: str) -> None:
    """Groups by 5-tuple, TCP states, bytes in their order; nobody reads these."""
    tracker = Tracker([OPAQUE], Report(Tally(), frozenset()))
    with CaptureFiles((path,)) as source:
        for item in source.items():
            if isinstance(item, Frames):
                for _ in tracker.feed(item):
                    pass
    for _ in tracker.close():
        pass


def parse(path: str) -> None:
    """HTTP and WebSocket read and counted: the summary."""
    _run(Reading(summary_only=True), path)


def events(path: str) -> None:
    """What is read becomes objects."""
    _run(Reading(follows=False), path)


def derive(path: str) -> None:
    """Jars, sessions, pairs."""
    _run(Reading(), path)


def annotate(path: str) -> None:
    """Concepts say what it means; entries get their numbers."""
    timeline = Timeline()
    with CaptureFiles((path,)) as source:
        for item in source.items():
            for _ in timeline.feed(item):
                pass
    for _ in timeline.close():
        pass


def encode(path: str) -> None:
    """Words, redaction, JSON."""
    timeline = Timeline()
    with open(os.devnull, "w", encoding="utf-8") as out, CaptureFiles((path,)) as source:
        renderer = make_renderer("ndjson", out)
        renderer.begin(source.capture)
        for item in source.items():
            for row in timeline.feed(item):
                tell(renderer, row)
        for row in timeline.close():
            tell(renderer, row)
        renderer.end(source.capture, timeline.tally)


def _run(reading: Reading, path: str) -> None:
    with CaptureFiles((path,)) as source:
        for item in source.items():
            for _ in reading.read(item):
                pass
    for _ in reading.finish():
        pass


# A stage, and the one whose way it goes on from.
STAGES: tuple[tuple[Callable[[str], None], Callable[[str], None] | None], ...] = (
    (read, None), (decode, read), (connections, decode), (parse, connections),
    (events, parse), (derive, events), (annotate, derive), (encode, annotate),
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)  # as `replay` has it
    took: dict[Callable[[str], None] | None, float] = {None: 0.0}
    rows = [("start", "Python and its imports", START_SECONDS)]
    for stage, before in STAGES:
        took[stage] = min(_seconds(stage, arguments.file) for _ in range(arguments.runs))
        rows.append((stage.__name__, (stage.__doc__ or "").rstrip("."), took[stage] - took[before]))
    total = sum(seconds for *_, seconds in rows)
    if arguments.markdown:
        print("| stage | processor s | share | what |\n| --- | ---: | ---: | --- |")
    for name, what, seconds in rows:
        cells = (f"{name:12}", f"{seconds:8.3f}", f"{seconds / total:4.0%}", what)
        print("| " + " | ".join(cell.strip() for cell in cells) + " |" if arguments.markdown else "  ".join(cells))
    return 0


def _seconds(stage: Callable[[str], None], path: str) -> float:
    start = time.process_time()
    stage(path)
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
