"""Several processes that count one capture: the same counts, whatever becomes of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from inspect_cli.cli.workers import LARGE_BYTES, MOST, SharedTimeline, workers_for
from inspect_cli.events.base import Item
from inspect_cli.events.summary import Tally
from inspect_cli.sources.file import CaptureFiles
from inspect_cli.timeline import Timeline
from tests.benchmarks.generator import generate
from tests.corpus import CORPUS, manifest, needs_corpus
from tests.reading import read

BATCH_BYTES = 40_000

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("workers") / "web.pcap"
    generate(path, 2_000, seed=7)
    return path


def items_of(path: Path) -> Iterator[Item]:
    with CaptureFiles([str(path)], BATCH_BYTES) as source:
        yield from source.items()


def counted(timeline: Timeline, path: Path, most: int = 1 << 30) -> Tally:
    """What is counted in the first `most` batches."""
    for number, item in enumerate(items_of(path)):
        if number == most:
            break
        assert [] == list(timeline.feed(item))
    timeline.tally.capture_drops = 3
    list(timeline.close())
    return timeline.tally


def shared(path: Path, workers: int) -> SharedTimeline:
    return SharedTimeline(lambda: items_of(path), workers, strict=True)


def alone() -> Timeline:
    return Timeline(summary_only=True, strict=True)


@pytest.mark.parametrize("workers", [2, 3, 5])
def test_workers_count_what_one_process_counts(capture: Path, workers: int) -> None:
    assert counted(alone(), capture) == counted(shared(capture, workers), capture)


@pytest.mark.parametrize("batches", [0, 1, 4])
def test_workers_stop_where_the_reading_stops(capture: Path, batches: int) -> None:
    assert counted(alone(), capture, batches) == counted(shared(capture, 3), capture, batches)


def test_share_of_a_worker_that_died_is_counted_all_the_same(capture: Path) -> None:
    timeline = shared(capture, 3)
    os.kill(timeline.pids[0], signal.SIGKILL)
    assert counted(alone(), capture, 4) == counted(timeline, capture, 4)


def test_no_process_is_left_behind(capture: Path) -> None:
    timeline = shared(capture, 2)
    counted(timeline, capture)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_small_captures_have_one_worker_unless_more_are_asked_for(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"")
    with large.open("wb") as file:
        file.truncate(LARGE_BYTES)
    assert 1 == workers_for(None, [str(small)])
    assert min(MOST, len(os.sched_getaffinity(0))) == workers_for(None, [str(small), str(large)])
    assert 3 == workers_for(3, [str(small)])


@needs_corpus
@pytest.mark.parametrize("row", manifest(), ids=lambda row: Path(row["path"]).name)
def test_workers_count_the_captures_of_others(row: dict[str, str]) -> None:
    path = CORPUS / row["path"]
    _, tally = read(path, summary_only=True)
    assert asdict(tally) | {"capture_drops": 3} == asdict(counted(shared(path, 2), path))
