"""`doctor`: what this machine allows."""

from __future__ import annotations

import click

from inspect_cli.cli.options import language_options
from inspect_cli.cli.output import Speech


@click.command("doctor")
@language_options
def command(language: Speech) -> None:
    """Try what this machine allows: capturing, namespaces, interfaces. Each "no" comes with its remedy."""
    from inspect_cli.cli.examining import report
    from inspect_cli.sources.rights import checks

    click.echo(report(checks(), language.words))
