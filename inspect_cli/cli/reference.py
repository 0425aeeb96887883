"""The page docs/commands.md, made from the commands' own help: `python -m inspect_cli.cli.reference`."""

from __future__ import annotations

from collections.abc import Iterator

import click

from inspect_cli.cli import COMMANDS, cli

HEAD = """# Commands

Made from `--help` by `python -m inspect_cli.cli.reference > docs/commands.md`; a test holds it equal.
"""


def rules() -> str:
    """The made part of docs/checks.md: the rules of --check."""
    from inspect_cli.cli.checking import RULES
    from inspect_cli.texts import Words

    words = Words("en")
    page = "| rule | about | clause | code |\n|---|---|---|---|\n"
    for rule in RULES:
        code = f"`{rule.code}`" + (f" ({', '.join(f'`{reason}`' for reason in rule.reasons)})" if rule.reasons else "")
        page += (
            f"| [{rule.name}](#{rule.name}) | {words.label('check_about', rule.about)} | {rule.reference} | {code} |\n"
        )
    for rule in RULES:
        page += f"\n## {rule.name}\n\n"
        page += f"{words.say(f'check.{rule.name}.what', {})}\n{words.say(f'check.{rule.name}.remedy', {})}\n"
    return page


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_block("inspect-cli", cli, None), *_blocks()])


def _blocks() -> Iterator[str]:
    group = click.Context(cli, info_name="inspect-cli")
    for name in COMMANDS:
        command = cli.get_command(group, name)
        assert command is not None
        yield from _block(f"inspect-cli {name}", command, group)
        if isinstance(command, click.Group):
            parent = click.Context(command, info_name=name, parent=group)
            for inner, one in command.commands.items():
                yield from _block(f"inspect-cli {name} {inner}", one, parent)


def _block(title: str, command: click.Command, parent: click.Context | None) -> list[str]:
    name = title.rsplit(maxsplit=1)[-1]
    context = click.Context(command, info_name=name, parent=parent, terminal_width=100, max_content_width=100)
    return [f"## {title}\n", "```text", command.get_help(context), "```\n"]


if __name__ == "__main__":
    click.echo(page(), nl=False)
