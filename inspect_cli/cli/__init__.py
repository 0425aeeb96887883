"""The command line: options in, exit code out.

Knows: commands, options (curl's, tcpdump's, ours), terminals, exit codes, who writes which file.
Does not know: packets, protocols, cookies' rules, or how a row is worded and laid out.
Hands on: a source, a timeline and a renderer to run.py.

Commands are modules `cmd_NAME.py`, loaded when asked for; none imports a heavy library before
its command runs, so that `--help` costs what Python and click cost.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from inspect_cli import __version__

COMMANDS: Final = ("cookie-trace", "ws-handshake", "replay", "cookie", "explain", "serve", "doctor", "completion")


class Commands(click.Group):
    """The group: finds a command's module by its name, and ends the process."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"inspect_cli.cli.cmd_{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            from inspect_cli.cli.tellers import ReaderGone

            raise ReaderGone from None

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run the command named in `args` and exit with its code."""
        from inspect_cli.cli.run import exit_code_of

        arguments = list(sys.argv[1:] if args is None else args)
        extra.update(args=arguments, obj=arguments, prog_name="inspect-cli", standalone_mode=False)
        sys.exit(exit_code_of(lambda: super(Commands, self).main(**extra), arguments))


@click.group(cls=Commands, context_settings={"max_content_width": 100})
@click.version_option(__version__, message="%(prog)s %(version)s")
def cli() -> None:
    """See cookies, sessions, sockets and WebSockets happen, in real packets, with each packet explained.

    cookie-trace and ws-handshake run without a URL too: against a practice server of their own.
    """
