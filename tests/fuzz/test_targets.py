"""The fuzz targets without atheris: every seed, and every input that once was read wrongly."""

from __future__ import annotations

import pytest

from tests.fuzz.crashers import CRASHERS
from tests.fuzz.seeds import seeds_of
from tests.fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_for_its_seeds(name: str) -> None:
    seeds = seeds_of(name)
    assert len(seeds) > 2
    for data in seeds:
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_nothing_and_little(name: str) -> None:
    for data in (b"", b"\0", b"\1", b"\xff", bytes(20), b"\xff" * 20):
        TARGETS[name](data)


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, data, _ in CRASHERS], ids=[c[2] for c in CRASHERS])
def test_what_was_found_is_read(name: str, data: bytes) -> None:
    TARGETS[name](data)
