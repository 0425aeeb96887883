"""The practice server's runs where this process may not capture: the same command in a namespace of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inspect_cli.cli.options import RunOptions
from inspect_cli.cli.output import Output


def enter(run: RunOptions, output: Output) -> int | None:
    return None
