"""`--as CLIENT`: whose rules decide about cookies."""

from __future__ import annotations

from typing import Any

import click
from click.shell_completion import CompletionItem


class ClientName(click.ParamType[str]):
    """The name of a client profile; those are loaded where one is given."""

    name = "client"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from inspect_cli.cookies.profiles import PROFILES

        name = str(value).lower()
        if name not in PROFILES:
            self.fail(f"{value!r} is not one of {', '.join(PROFILES)}.", param, ctx)
        return name

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from inspect_cli.cookies.profiles import PROFILES

        return [CompletionItem(name) for name in PROFILES if name.startswith(incomplete.lower())]
