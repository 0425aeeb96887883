"""The browser is asked again, and answers as it is written down."""

from __future__ import annotations

import json

import pytest

from tests.cookies.browser.record import record
from tests.cookies.browser.shapes import load


@pytest.mark.chromium
def test_chromium_decides_as_it_is_recorded() -> None:
    product, cases = record()
    table = load()
    again = json.loads(json.dumps(cases))
    assert product.startswith("Chrome/")
    changed = [
        (was["id"], at, was_step, is_step)
        for was, now in zip(table["cases"], again, strict=True)
        for at, (was_step, is_step) in enumerate(zip(was["steps"], now["steps"], strict=True), 1)
        if was_step != is_step
    ]
    # Another Chromium may decide otherwise: then the table is recorded anew, and the profile with it.
    assert (product, []) == (product, changed), f"recorded by {table['browser']}"
    assert table["cases"] == again
