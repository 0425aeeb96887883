"""Command lines: what is measured of ours, and what others do for the same work."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
TSHARK = "tshark"
FIELDS = (
    "tcp.flags", "http.request.line", "http.request.method", "http.request.uri", "http.response.code",
    "http.set_cookie", "http.cookie", "websocket.opcode",
)  # fmt: skip
SHOWN = "tcp.flags.syn==1 || tcp.flags.fin==1 || tcp.flags.reset==1 || http || websocket"
PICKED_CONNECTION = 7
PICKED_HOST = "rare.example:8080"
"""That of one connection in 50 (generator.py)."""
SCAPY_PACKETS = 20_000
"""scapy holds every packet as objects: it gets a smaller capture."""


def ours(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "inspect_cli", "replay", *arguments]


def installed(folder: str) -> dict[str, str]:
    """The environment of our runs: with bytecode kept beside, as an installed package has it.

    A checkout where Python may not write it would be compiled anew by every run.
    """
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": os.path.join(folder, "bytecode")}


def tshark(path: str, shown: str) -> list[str] | None:
    """tshark with the fields that a summary is made of, for the packets `shown`."""
    program = shutil.which("tshark")
    if program is None:
        return None
    options = ["-n", "-o", "tcp.reassemble_out_of_order:TRUE", "-Y", shown, "-T", "fields"]
    return [program, *options, *(word for name in FIELDS for word in ("-e", name)), "-r", path]


WORKS = {
    "summary": (("--summary",), SHOWN),
    "ndjson": (("--format", "ndjson"), SHOWN),
    "connection": (("--connection", str(PICKED_CONNECTION), "--format", "ndjson"), f"tcp.stream=={PICKED_CONNECTION}"),
    "host": (("-Y", f'host == "{PICKED_HOST}"', "--format", "ndjson"), f'http.host=="{PICKED_HOST}"'),
    "text": ((), SHOWN),
}
"""A kind of work: our arguments, and what tshark is to show for it."""


def readers(path: str, work: str) -> dict[str, list[str]]:
    """Ours and, where it is here, tshark, by name."""
    arguments, shown = WORKS[work]
    found = {shlex.join(("replay", *arguments)): ours(*arguments, path)}
    theirs = tshark(path, shown)
    if theirs is not None:
        found[TSHARK] = theirs
    return found


def peers(path: str, folder: str, small_path: str) -> dict[str, tuple[list[str], str]]:
    """Other readers that are here: a command, and the capture that it reads."""
    found: dict[str, tuple[list[str], str]] = {}
    if tcpdump := shutil.which("tcpdump"):
        found["tcpdump -nr"] = ([tcpdump, "-nr", path], path)
    if tcpflow := shutil.which("tcpflow"):
        found["tcpflow"] = ([tcpflow, "-r", path, "-o", os.path.join(folder, "flows")], path)
    for name, capture in (("dpkt", path), ("scapy", small_path)):
        if importlib.util.find_spec(name) is not None:
            found[name] = ([sys.executable, str(HERE / f"with_{name}.py"), capture], capture)
    return found
