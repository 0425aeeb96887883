from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from inspect_cli.wire.capture_file import open_capture
from inspect_cli.wire.frames import Frames
from inspect_cli.wire.packets import decode
from tests.benchmarks.compare import NOT_IN_SUMMARY
from tests.benchmarks.generator import Shape, generate
from tests.reading import read


@pytest.mark.parametrize("shape", ["web", "small"])
def test_a_generated_capture_holds_what_the_generator_says(tmp_path: Path, shape: Shape) -> None:
    path = tmp_path / "x.pcap"
    truth = generate(path, 5000, 3, shape)
    counts = dict.fromkeys(["packets", "bytes", "undecoded_packets", "syn", "syn_ack", "fin", "rst"], 0)
    tuples: set[tuple[int, ...]] = set()
    times = []
    with path.open("rb") as stream:
        for item in open_capture(stream, "x"):
            assert isinstance(item, Frames)
            packets = decode(item)
            counts["packets"] += len(item)
            counts["bytes"] += int(item.original_size.sum())
            counts["undecoded_packets"] += len(packets.undecoded)
            for name, bits in (("syn", 2), ("syn_ack", 18)):
                counts[name] += int(np.count_nonzero((packets.flags & 18) == bits))
            counts["fin"] += int(np.count_nonzero(packets.flags & 1))
            counts["rst"] += int(np.count_nonzero(packets.flags & 4))
            hosts, ports = (packets.source_lo, packets.target_lo), (packets.source_port, packets.target_port)
            columns = [pick(*pair).tolist() for pair in (hosts, ports) for pick in (np.minimum, np.maximum)]
            ends = zip(packets.protocol.tolist(), *columns, strict=True)
            tuples.update(ends)
            times += item.time_ns.tolist()
    counts["connections"] = sum(protocol == 6 for protocol, *_ in tuples)
    counts["udp_conversations"] = sum(protocol == 17 for protocol, *_ in tuples)
    assert counts == {name: truth[name] for name in counts}
    assert times == sorted(times)


@pytest.mark.parametrize("shape", ["web", "small"])
def test_summary_says_what_the_generator_knows_and_the_full_run_says_the_same(tmp_path: Path, shape: Shape) -> None:
    path = tmp_path / "x.pcap"
    truth = generate(path, 3000, 2, shape)
    _, summary = read(path, summary_only=True)
    _, full = read(path)
    counts = asdict(summary)
    assert {name: n for name, n in truth.items() if name not in NOT_IN_SUMMARY} == {
        name: counts[name] for name in truth if name not in NOT_IN_SUMMARY
    }
    assert {} == summary.problems
    assert counts == {**asdict(full), "concepts": None}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate(tmp_path / name, 1000, seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b
    assert a != c
