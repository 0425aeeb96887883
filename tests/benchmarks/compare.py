"""How fast we read a large capture, beside tshark, in one run.

    python tests/benchmarks/compare.py [--packets 100000] [--shape web|small] [--runs 3] [--json]

makes a capture (generator.py), checks that our summary says what the generator knows, then
runs each reader as a whole process that writes to /dev/null, one after another, so many
times in turn, and prints for each: seconds (median), packets/s, how many times as fast as
tshark, processor seconds, and peak memory. tshark shows the fields that a summary is made of: SYN,
FIN and RST, HTTP request and response lines, Set-Cookie and Cookie, WebSocket frames.

The figures decide nothing: exit code 1 means that the counts are wrong, 2 that a reader failed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
GENERATOR = Path(__file__).with_name("generator.py")
TSHARK = "tshark -T fields"
FIELDS = (
    "tcp.flags", "http.request.line", "http.request.method", "http.request.uri", "http.response.code",
    "http.set_cookie", "http.cookie", "websocket.opcode",
)  # fmt: skip
SHOWN = "tcp.flags.syn==1 || tcp.flags.fin==1 || tcp.flags.reset==1 || http || websocket"
NOT_IN_SUMMARY = ("lost_segments", "reordered_segments")


@dataclass
class Cost:
    """What one reader took, run by run."""

    name: str
    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)
    peak_bytes: list[int] = field(default_factory=list)

    def run(self, command: Sequence[str], environment: dict[str, str]) -> None:
        """Run it once, to its end. Raises: CalledProcessError."""
        start = time.perf_counter()
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            assert process.stderr is not None
            said = process.stderr.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - start
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, stderr=said)
        self.seconds.append(seconds)
        self.processor_seconds.append(usage.ru_utime + usage.ru_stime)
        self.peak_bytes.append(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))


def ours(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "inspect_cli", "replay", *arguments]


def installed(folder: str) -> dict[str, str]:
    """The environment of our runs: with bytecode kept beside, as an installed package has it.

    A checkout where Python may not write it would be compiled anew by every run.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": os.path.join(folder, "bytecode")}


def readers(path: str) -> dict[str, list[str]]:
    """Command lines by name; without tshark where there is none."""
    found = {
        "replay --summary": ours("--summary", path),
        "replay --format ndjson": ours("--format", "ndjson", path),
    }
    tshark = shutil.which("tshark")
    if tshark is not None:
        fields = [word for name in FIELDS for word in ("-e", name)]
        options = ["-n", "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", SHOWN, "-T", "fields"]
        found[TSHARK] = [tshark, *options, *fields, "-r", path]
    return found


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


def compare(packets: int, shape: str, runs: int) -> dict[str, Any]:
    """Make the capture, check the counts, take the time."""
    with tempfile.TemporaryDirectory(prefix="inspect-cli-") as folder:
        path = os.path.join(folder, f"{shape}.pcap")
        # Made by a child: what a process of ours has at its peak, its own children are said to have had.
        make = [sys.executable, str(GENERATOR), "--packets", str(packets), "--shape", shape, path]
        truth = json.loads(subprocess.run(make, check=True, stdout=subprocess.PIPE).stdout)
        environment = installed(folder)
        faults = wrong(truth, environment, "--summary", "--format", "ndjson", path)
        faults += wrong(truth, environment, "--format", "ndjson", path)
        commands = readers(path)
        costs = {name: Cost(name) for name in commands}
        for _ in range(runs):
            for name, command in commands.items():
                costs[name].run(command, environment)
        size = os.path.getsize(path)
    return {
        "packets": packets, "shape": shape, "file_bytes": size, "wrong": faults,
        "readers": [_figures(cost, packets, costs.get(TSHARK)) for cost in costs.values()],
    }  # fmt: skip


def _figures(cost: Cost, packets: int, tshark: Cost | None) -> dict[str, Any]:
    seconds = statistics.median(cost.seconds)
    return {
        **asdict(cost),
        "median_seconds": seconds,
        "packets_per_second": packets / seconds,
        "times_tshark": statistics.median(tshark.seconds) / seconds if tshark is not None else None,
    }


def show(found: dict[str, Any]) -> None:
    """The figures as a table."""
    print(f"{found['packets']:,} packets, shape {found['shape']}, {found['file_bytes'] / 1e6:.1f} MB")
    print(f"{'':24} {'seconds':>8} {'cpu s':>7} {'packets/s':>10} {'x tshark':>9} {'peak MB':>8}")
    for reader in found["readers"]:
        ratio = reader["times_tshark"]
        print(
            f"{reader['name']:24} {reader['median_seconds']:8.2f} {statistics.median(reader['processor_seconds']):7.2f}"
            f" {reader['packets_per_second']:10,.0f} {'-' if ratio is None else format(ratio, '.1f'):>9}"
            f" {max(reader['peak_bytes']) / 1e6:8.0f}"
        )
    for fault in found["wrong"]:
        print(f"WRONG: {fault}")
    if not found["wrong"]:
        print("counts: as the generator says, in the summary and in the full run")


def main() -> int:
    """Compare, show, and say whether the counts were right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packets", type=int, default=100_000)
    parser.add_argument("--shape", choices=("web", "small"), default="web")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    arguments = parser.parse_args()
    try:
        found = compare(arguments.packets, arguments.shape, arguments.runs)
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
