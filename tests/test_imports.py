"""Start-up is fast because nothing is imported before it is needed; a fresh process tells."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

HEAVY = {
    "asyncio",
    "certifi",
    "h11",
    "httpcore",
    "httpx",
    "hypercorn",
    "importlib.metadata",
    "numpy",
    "orjson",
    "publicsuffixlist",
    "rich",
    "scapy",
    "ssl",
    "starlette",
    "tomllib",
    "websockets",
    "wsproto",
}
"""What costs more than a command line may, or is of no use to one that only prints its help."""

_LIST_MODULES = """
import json, sys
sys.argv[:] = json.loads(sys.argv[1])
try:
    {statement}
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def modules_after(statement: str, *arguments: str) -> set[str]:
    """Names of all modules that a new Python has loaded after this statement."""
    command = [sys.executable, "-W", "error", "-c", _LIST_MODULES.format(statement=statement), json.dumps(arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
    return set(json.loads(result.stderr.splitlines()[-1]))


def heavy_ones(modules: set[str]) -> set[str]:
    return {name for name in HEAVY if name in modules}


def test_command_line_loads_nothing_heavy() -> None:
    modules = modules_after("import inspect_cli.cli")

    assert "click" in modules
    assert set() == heavy_ones(modules)


@pytest.mark.parametrize(
    "command", ["", "cookie-trace", "ws-handshake", "replay", "cookie", "explain", "serve", "doctor"]
)
def test_help_loads_nothing_heavy(command: str) -> None:
    arguments = [name for name in (command, "--help") if name]
    modules = modules_after("import inspect_cli.__main__; inspect_cli.__main__.cli.main()", "inspect-cli", *arguments)

    assert set() == heavy_ones(modules)


def test_package_itself_loads_nothing_at_all() -> None:
    before = modules_after("pass")

    assert {"inspect_cli"} == modules_after("import inspect_cli") - before


@pytest.mark.parametrize("room", ["events", "errors", "concepts", "derive", "texts"])
def test_what_knows_no_packets_needs_no_third_party(room: str) -> None:
    modules = modules_after(f"import inspect_cli.{room}")

    assert set() == (HEAVY - {"publicsuffixlist", "tomllib"}) & modules


def test_practice_site_needs_neither_client_nor_sniffer() -> None:
    modules = modules_after("import inspect_cli.practice")

    assert set() == {"httpx", "websockets", "scapy", "numpy", "rich"} & modules


def test_replay_into_a_pipe_loads_what_it_needs_alone() -> None:
    modules = modules_after(
        "import inspect_cli.__main__; inspect_cli.__main__.cli.main()",
        "inspect-cli",
        "replay",
        str(ROOT / "captures" / "http-login-logout.pcapng"),
    )

    assert {"numpy", "tomllib"} <= modules
    assert {"numpy", "tomllib", "publicsuffixlist"} >= heavy_ones(modules)
    assert set() == {"numpy.ma", "click.testing", "inspect_cli.practice", "socket", "subprocess"} & modules
