"""`explain`: a concept in words."""

from __future__ import annotations

import click

from inspect_cli.cli.options import language_options
from inspect_cli.cli.output import Speech


@click.command("explain")
@click.argument("concept", required=False)
@language_options
def command(concept: str | None, language: Speech) -> None:
    """Explain a concept: what it is, what proves it on the wire, where it is written down.

    Without CONCEPT: list them.
    """
    from inspect_cli.cli.explaining import listed, page

    click.echo(page(concept, language.words) if concept else listed(language.words))
