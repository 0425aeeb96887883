"""The script that records captures/: what it writes is held against the server's log, loudly."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from inspect_cli.practice import running

SCRIPT = Path(__file__).parent.parent / "captures" / "record.py"


@pytest.fixture(scope="module")
def record() -> ModuleType:
    spec = importlib.util.spec_from_file_location("record", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.sniff
@pytest.mark.parametrize("name", ["http-pipelining", "tcp-refused", "http-ipv6"])
def test_a_capture_that_the_log_bears_out_is_recorded(record: ModuleType, name: str, tmp_path: Path) -> None:
    assert record.main([name], tmp_path) == 0
    assert (tmp_path / f"{name}.pcapng").exists()


@pytest.mark.sniff
def test_a_capture_that_says_other_than_the_log_is_told(record: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "run.pcapng"
    with running() as site:
        record.pipelining(site, path)
        record.await_ends(site.log)
        (traffic,) = site.log

    assert record.differences(path, [traffic]) == []
    assert len(record.differences(path, [replace(traffic, sent_bytes=traffic.sent_bytes + 1)])) == 2
    assert len(record.differences(path, [])) == 1
    assert len(record.differences(path, [traffic, replace(traffic, client_port=1)])) == 1
