"""The practice server's runs where this process may not capture: the same command in a namespace of its own."""

from __future__ import annotations

import sys

import click

from inspect_cli.cli.options import RunOptions
from inspect_cli.cli.output import Output


def enter(run: RunOptions, output: Output) -> None:
    """Become the same command inside a user and network namespace, if that is what it takes to capture.

    Returns where it is not needed, not wanted, or refused: then the client's sockets tell. Call it before
    anything that starts a thread or reads stdin.
    """
    from inspect_cli.sources.rights import NamespaceRefused, enter_namespace, is_inside, may_capture

    if run.sniff == "never" or is_inside() or may_capture() != "no-capture-right":
        return
    sys.stdout.flush()
    try:
        enter_namespace(click.get_current_context().find_root().obj or sys.argv[1:])
    except NamespaceRefused:
        return
