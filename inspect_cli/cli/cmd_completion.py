"""`completion`: the script that completes commands and options in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    r"""Print what a shell needs to complete this program's commands and options.

    \b
    bash:  eval "$(inspect-cli completion bash)"        in ~/.bashrc
    zsh:   eval "$(inspect-cli completion zsh)"         in ~/.zshrc
    fish:  inspect-cli completion fish | source         in ~/.config/fish/config.fish
    """
    from inspect_cli.cli import cli

    kind = get_completion_class(shell)
    assert kind is not None, "click completes these three"
    click.echo(kind(cli, {}, "inspect-cli", "_INSPECT_CLI_COMPLETE").source())
