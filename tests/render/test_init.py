from __future__ import annotations

import io
import subprocess
import sys
from typing import get_args

import pytest

from inspect_cli.render import RENDERERS, Policy, make_renderer


@pytest.mark.parametrize("form", sorted(RENDERERS))
def test_every_format_has_a_renderer(form: str) -> None:
    renderer = make_renderer(form, io.StringIO(), redact="all")
    assert all(callable(getattr(renderer, name)) for name in ("begin", "entry", "connection", "end"))


def test_formats_are_those_that_exist() -> None:
    assert ["text", "json", "ndjson"] == list(RENDERERS)


@pytest.mark.parametrize(
    ("redact", "expected"), [(True, "all"), (False, "credentials"), *[(p, p) for p in get_args(Policy)]]
)
def test_redaction_is_a_switch_or_a_policy(redact: bool | Policy, expected: str) -> None:
    renderer = make_renderer("ndjson", io.StringIO(), redact=redact)
    assert expected == renderer._maker.redactor.policy  # type: ignore[attr-defined]


def test_rendering_room_loads_neither_rich_nor_orjson_before_they_are_needed() -> None:
    code = (
        "import io, sys; import inspect_cli.render as r; r.make_renderer('text', io.StringIO());"
        "print([m for m in ('rich', 'orjson', 'numpy', 'inspect_cli.render.select') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]" == done.stdout.strip()
