"""How fast we read a large capture, beside tshark, in one run.

    python tests/benchmarks/compare.py [--packets 100000] [--shape web|small] [--work summary,ndjson] [--runs 3]
    python tests/benchmarks/compare.py --markdown [--scale 1] [--runs 3]

The first makes a capture (generator.py), checks that our summary says what the generator
knows, then runs each reader as a whole process that writes to /dev/null, one after another, so
many times in turn, and prints for each: seconds (median), packets/s, how many times as fast as
tshark, processor seconds, and peak memory. tshark shows the fields that a summary is made of:
SYN, FIN and RST, HTTP request and response lines, Set-Cookie and Cookie, WebSocket frames.
`--work`: some of summary, ndjson, connection, host (`-Y`), text, and peers (other readers that are here).

The second does all of it on captures of 2 M and 1 M packets (times `--scale`) and prints the
tables of docs/performance.md. With `--scale 1` it needs 5 GB of disk.

The figures decide nothing: exit code 1 means that the counts are wrong, 2 that a reader failed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.costs import ROOT, Cost
from tests.benchmarks.readers import SCAPY_PACKETS, TSHARK, WORKS, installed, ours, peers, readers

GENERATOR = Path(__file__).with_name("generator.py")
NOT_IN_SUMMARY = ("lost_segments", "reordered_segments")
PEERS = "peers"


def made(folder: str, packets: int, shape: str) -> tuple[str, dict[str, Any]]:
    """A capture and the truth about it.

    Made by a child: what a process of ours has at its peak, its own children are said to have had.
    """
    path = os.path.join(folder, f"{shape}-{packets}.pcap")
    make = [sys.executable, str(GENERATOR), "--packets", str(packets), "--shape", shape, path]
    return path, json.loads(subprocess.run(make, check=True, stdout=subprocess.PIPE).stdout)


def wrong(truth: dict[str, Any], environment: dict[str, str], *arguments: str) -> list[str]:
    """What a run of ours counts otherwise than the generator, a sentence each."""
    with subprocess.Popen(ours(*arguments), cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        last = b""
        for line in process.stdout:
            last = line
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    summary = json.loads(last)["summary"]
    return [
        f"{' '.join(arguments[:-1])}: {name} is {summary[name]}, the generator says {told}"
        for name, told in truth.items()
        if name not in NOT_IN_SUMMARY and summary[name] != told
    ]


def in_turn(commands: dict[str, list[str]], environment: dict[str, str], runs: int) -> dict[str, Cost]:
    """Every command so many times, one after the other, all of them in each round."""
    costs = {name: Cost(name) for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            costs[name].run(command, environment)
    return costs


def compare(packets: int, shape: str, runs: int, works: list[str]) -> dict[str, Any]:
    """Make the capture, check the counts, take the time."""
    with tempfile.TemporaryDirectory(prefix="inspect-cli-") as folder:
        path, truth = made(folder, packets, shape)
        environment = installed(folder)
        faults = wrong(truth, environment, "--summary", "--format", "ndjson", path)
        faults += wrong(truth, environment, "--format", "ndjson", path)
        rows = []
        for work in works:
            if work == PEERS:
                rows += _peers(folder, path, packets, runs)
                continue
            costs = in_turn(readers(path, work), environment, runs)
            rows += [_figures(work, cost, packets, costs.get(TSHARK)) for cost in costs.values()]
        size = os.path.getsize(path)
    return {"packets": packets, "shape": shape, "file_bytes": size, "wrong": faults, "readers": rows}


def _peers(folder: str, path: str, packets: int, runs: int) -> list[dict[str, Any]]:
    small_path, _ = made(folder, min(packets, SCAPY_PACKETS), "web")
    rows = []
    for name, (command, capture) in peers(path, folder, small_path).items():
        cost = in_turn({name: command}, dict(os.environ), runs)[name]
        rows.append(_figures(PEERS, cost, packets if capture == path else min(packets, SCAPY_PACKETS), None))
    return rows


def _figures(work: str, cost: Cost, packets: int, tshark: Cost | None) -> dict[str, Any]:
    seconds = cost.median_seconds
    return {
        **asdict(cost),
        "work": work,
        "packets": packets,
        "median_seconds": seconds,
        "median_processor_seconds": cost.median_processor_seconds,
        "most_bytes": cost.most_bytes,
        "packets_per_second": packets / seconds,
        "times_tshark": tshark.median_seconds / seconds if tshark is not None else None,
    }


def show(found: dict[str, Any]) -> None:
    """The figures as a table."""
    print(f"{found['packets']:,} packets, shape {found['shape']}, {found['file_bytes'] / 1e6:.1f} MB")
    print(f"{'':44} {'seconds':>8} {'cpu s':>7} {'packets/s':>10} {'x tshark':>9} {'peak MB':>8}")
    for reader in found["readers"]:
        ratio = reader["times_tshark"]
        name = reader["name"] if reader["packets"] == found["packets"] else f"{reader['name']}, {reader['packets']:,}"
        print(
            f"{name:44} {reader['median_seconds']:8.2f} {reader['median_processor_seconds']:7.2f}"
            f" {reader['packets_per_second']:10,.0f} {'-' if ratio is None else format(ratio, '.1f'):>9}"
            f" {reader['most_bytes'] / 1e6:8.0f}"
        )
    for fault in found["wrong"]:
        print(f"WRONG: {fault}")
    if not found["wrong"]:
        print("counts: as the generator says, in the summary and in the full run")


def _works(text: str) -> list[str]:
    works = text.split(",")
    if unknown := set(works) - {*WORKS, PEERS}:
        raise argparse.ArgumentTypeError(f"no such work: {', '.join(sorted(unknown))}")
    return works


def main() -> int:
    """Compare, show, and say whether the counts were right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=100_000)
    parser.add_argument("--shape", choices=("web", "small"), default="web")
    parser.add_argument("--work", type=_works, default=["summary", "ndjson"], metavar="WORK,...")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--markdown", action="store_true", help="all the tables of docs/performance.md")
    parser.add_argument("--scale", type=float, default=1.0, help="of the captures for --markdown")
    arguments = parser.parse_args()
    try:
        if arguments.markdown:
            from tests.benchmarks.tables import tables

            text, faults = tables(arguments.scale, arguments.runs)
            print(text)
            return 1 if faults else 0
        found = compare(arguments.packets, arguments.shape, arguments.runs, arguments.work)
    except subprocess.CalledProcessError as error:
        said = (error.stderr or b"").decode(errors="replace").strip()
        print(f"{' '.join(error.cmd)}: exit code {error.returncode}\n{said}", file=sys.stderr)
        return 2
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)
    return 1 if found["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
