"""Where the conformance suites are, and how their steps are run over a jar."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
COOKIES = Path(os.environ.get("INSPECT_CLI_CORPUS", ROOT / ".." / "shared" / "corpus")).resolve() / "cookies"

NS = 1_000_000_000


def load(name: str) -> Any:
    """A JSON file of the cookie corpus; skips the test where there is no corpus."""
    path = COOKIES / name
    if not path.is_file():
        pytest.skip(f"no corpus file {name}: set INSPECT_CLI_CORPUS")
    return json.loads(path.read_text(encoding="utf-8"))


def text(name: str) -> str:
    path = COOKIES / name
    if not path.is_file():
        pytest.skip(f"no corpus file {name}: set INSPECT_CLI_CORPUS")
    return path.read_text(encoding="utf-8")
