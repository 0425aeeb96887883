"""Where other people's captures are, and what their manifest says of them."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("INSPECT_CLI_CORPUS") or ROOT.parent / "shared" / "corpus")

COLUMNS = {
    "packets": "packets",
    "tcp_streams": "connections",
    "syn": "syn",
    "synack": "syn_ack",
    "fin": "fin",
    "rst": "rst",
    "http1_requests": "http_requests",
    "http1_responses": "http_responses",
    "set_cookie": "set_cookie",
    "cookie": "cookie",
    "ws_handshakes": "websocket_handshakes",
}
"""Column of the manifest: key of the summary."""

OPCODES = {"0": "continuation", "1": "text", "2": "binary", "8": "close", "9": "ping", "10": "pong"}

needs_corpus = pytest.mark.skipif(
    not (CORPUS / "MANIFEST.tsv").exists(),
    reason="the corpus of other projects' captures is not here (INSPECT_CLI_CORPUS)",
)


def manifest() -> list[dict[str, str]]:
    """One row per capture; empty where there is no corpus."""
    path = CORPUS / "MANIFEST.tsv"
    if not path.exists():
        return []
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def expected(row: dict[str, str]) -> dict[str, int]:
    """The counts of a manifest row under the keys of the summary (frames as `ws:NAME`)."""
    counts = {key: int(row[column]) for column, key in COLUMNS.items()}
    names = [*OPCODES.values(), "other"]
    frames = dict.fromkeys(names, 0)
    for opcode, count in json.loads(row["ws_opcodes"] or "{}").items():
        frames[OPCODES.get(opcode, "other")] += count
    return counts | {f"ws:{name}": frames[name] for name in names}
