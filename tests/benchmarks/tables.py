"""The tables of docs/performance.md, measured here and now."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks.compare import compare, in_turn, made
from tests.benchmarks.readers import TSHARK, installed, ours

WEB, SMALL, SHORT = 2_000_000, 1_000_000, 1_000
GROWTH = (100_000, 500_000, 2_000_000)
SHORT_RUNS = 5
MB = 1e6


class Goal(NamedTuple):
    """A row of the first table: what is measured, and what was to be reached."""

    shape: str
    work: str
    target: str


GOALS = (
    Goal("web", "summary", "≥ 15 x, ≤ 200 MiB, faster than `tcpdump -nr`"),
    Goal("small", "summary", "≥ 10 x"),
    Goal("web", "ndjson", "≥ 6 x, ≤ 400 MiB"),
    Goal("small", "ndjson", "≥ 6 x, ≤ 400 MiB"),
    Goal("web", "connection", "≥ 20 x"),
    Goal("web", "host", "≥ 8 x"),
)


def tables(scale: float, runs: int) -> tuple[str, list[str]]:
    """All of them as Markdown, and what was counted wrongly."""
    found = {
        "web": compare(int(WEB * scale), "web", runs, ["summary", "ndjson", "connection", "host", "peers"]),
        "small": compare(int(SMALL * scale), "small", runs, ["summary", "ndjson"]),
    }
    # Both ways of showing a short capture: as text, and the counts alone.
    short = compare(SHORT, "web", max(runs, SHORT_RUNS), ["text", "summary"])
    faults = [fault for one in (*found.values(), short) for fault in one["wrong"]]
    parts = [machine(), _goals(found, short), _peers(found["web"]), _growth(scale, runs)]
    return "\n\n".join([*parts, *(f"WRONG: {fault}" for fault in faults)]), faults


def machine() -> str:
    """What this was measured on."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = [f"Python {platform.python_version()}", _version("tshark"), _version("tcpdump"), platform.system()]
    return f"{os.cpu_count()} processors ({model}), {memory:.0f} GiB; " + ", ".join(filter(None, versions)) + "."


def _version(program: str) -> str:
    try:
        said = subprocess.run(
            [program, "--version"], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    line = next((line for line in said.decode(errors="replace").splitlines() if program in line.lower()), "")
    return line.replace("(Wireshark) ", "").split("(")[0].strip()


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _head(*cells: str) -> list[str]:
    return [_row(*cells), _row(*("---" if i == 0 else "---:" for i in range(len(cells))))]


def _goals(found: dict[str, Any], short: dict[str, Any]) -> str:
    rows = _head("work", "seconds", "processor s", "tshark s", "times tshark", "peak MiB", "target")
    for goal in GOALS:
        rows.append(_goal(found[goal.shape], goal.work, goal.target))
    rows += [_goal(short, work, "time ≤ 1.2 x tshark's (0.83 x)") for work in ("text", "summary")]
    return "\n".join(rows)


def _goal(found: dict[str, Any], work: str, target: str) -> str:
    both = [reader for reader in found["readers"] if reader["work"] == work]
    own = next(reader for reader in both if reader["name"] != TSHARK)
    theirs = next((reader for reader in both if reader["name"] == TSHARK), None)
    name = f"`{own['name']} FILE`, {found['packets']:,} packets ({found['shape']}, {found['file_bytes'] / MB:,.0f} MB)"
    seconds = "not here" if theirs is None else f"{theirs['median_seconds']:.2f}"
    times = "" if theirs is None else f"{own['times_tshark']:.1f}"
    own_seconds, cpu = f"{own['median_seconds']:.2f}", f"{own['median_processor_seconds']:.2f}"
    return _row(name, own_seconds, cpu, seconds, times, f"{own['most_bytes'] / 2**20:.0f}", target)


def _peers(found: dict[str, Any]) -> str:
    """What others take, whatever they do with the packets."""
    rows = _head("reader", "packets", "seconds", "µs a packet", "peak MiB")
    for reader in found["readers"]:
        if reader["work"] in ("peers", "summary"):
            each = reader["median_seconds"] / reader["packets"] * 1e6
            name, seconds = f"`{reader['name']}`", f"{reader['median_seconds']:.2f}"
            rows.append(
                _row(name, f"{reader['packets']:,}", seconds, f"{each:.2f}", f"{reader['most_bytes'] / 2**20:.0f}")
            )
    return "\n".join(rows)


def _growth(scale: float, runs: int) -> str:
    """Time per packet, from which the start is taken, and memory, as captures grow."""
    rows = _head("packets", "summary: µs a packet", "peak MiB", "ndjson: µs a packet", "peak MiB")
    with tempfile.TemporaryDirectory(prefix="inspect-cli-") as folder:
        environment = installed(folder)
        _both(folder, SHORT, environment, 1)  # the first run compiles our sources
        base = {name: cost.median_seconds for name, cost in _both(folder, SHORT, environment, runs).items()}
        for packets in (int(size * scale) for size in GROWTH):
            cells: list[object] = [f"{packets:,}"]
            for name, cost in _both(folder, packets, environment, runs).items():
                each = max(cost.median_seconds - base[name], 0) / packets * 1e6
                cells += [f"{each:.2f}", f"{cost.most_bytes / 2**20:.0f}"]
            rows.append(_row(*cells))
    return "\n".join(rows)


def _both(folder: str, packets: int, environment: dict[str, str], runs: int) -> dict[str, Any]:
    path, _ = made(folder, packets, "web")
    one = ("--workers", "1")
    commands = {"summary": ours("--summary", *one, path), "ndjson": ours("--format", "ndjson", *one, path)}
    costs = in_turn(commands, environment, runs)
    os.unlink(path)
    return costs


if __name__ == "__main__":
    sys.exit("python tests/benchmarks/compare.py --markdown")
