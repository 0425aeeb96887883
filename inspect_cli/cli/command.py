"""Commands that speak curl: unknown options told apart, parts split at --then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import click
from click.core import ParameterSource

from inspect_cli.errors import NotSupported, UsageProblem

THEN: Final = "--then"
DATA_OPTIONS: Final = ("data", "data_raw", "data_binary", "data_urlencode")
"""Their values make one body, in the order of the command line."""


class PartOption(click.Option):
    """An option of one request: each part of a cookie-trace has its own."""


class Given(NamedTuple):
    """One argument of the command line: an option with its value, or a bare word."""

    place: int
    """Of its first word in the argument list."""
    option: click.Option | None
    value: str


class CurlCommand(click.Command):
    """A command that speaks curl: what curl knows and we do not is refused by its name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        from inspect_cli.cli.curl_names import is_curls

        ordered = [(g.option.name, g.value) for g in given(self, ctx, args) if g.option and g.option.name]
        try:
            left = super().parse_args(ctx, args)
        except click.NoSuchOption as problem:
            if is_curls(problem.option_name):
                raise NotSupported(what=problem.option_name) from None
            raise
        if any(name in DATA_OPTIONS for name, _ in ordered):
            ctx.params["body"] = tuple((name, value) for name, value in ordered if name in DATA_OPTIONS)
        return left


class PartsCommand(CurlCommand):
    """A command whose arguments are split at --then, each part with its own request options.

    The callback gets the request options of each part as `parts` (dicts by parameter name);
    every other option holds for the whole run, whichever part it stands in.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first, *rest = split(self, ctx, list(args))
        left = super().parse_args(ctx, first)
        parts = [self._taken(ctx)]
        for arguments in rest:
            inner = click.Context(self, parent=ctx.parent, info_name=ctx.info_name)
            super().parse_args(inner, arguments)
            parts.append(self._taken(inner))
            if parts[-1]["url"] is None:
                raise UsageProblem(problem="then-without-url")
            for name, value in inner.params.items():
                if inner.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                    both = isinstance(value, tuple)
                    ctx.params[name] = (*ctx.params[name], *value) if both else value
        ctx.params["parts"] = parts
        return left

    def _taken(self, ctx: click.Context) -> dict[str, Any]:
        """Take the options of the part out of the context's parameters."""
        names = [p.name for p in self.params if isinstance(p, PartOption | click.Argument) and p.name]
        part = {name: ctx.params.pop(name) for name in names}
        part["body"] = ctx.params.pop("body", ())
        sources = [ctx.get_parameter_source(name) for name in names if name != "url"]
        part["has_options"] = ParameterSource.COMMANDLINE in sources
        return part


def split(command: click.Command, ctx: click.Context, args: list[str]) -> list[list[str]]:
    """The argument list split at --then, as curl splits at --next: a value that says --then stays one."""
    parts: list[list[str]] = []
    end = len(args)
    for place in reversed([g.place for g in given(command, ctx, args) if args[g.place].partition("=")[0] == THEN]):
        url = args[place].partition("=")[2]
        parts.append([*([url] if url else []), *args[place + 1 : end]])
        end = place
    return [args[:end], *reversed(parts)]


def given(command: click.Command, ctx: click.Context, args: list[str]) -> Iterator[Given]:
    """The arguments one by one, up to `--`; options that are not known count as bare words."""
    known = {name: p for p in command.get_params(ctx) if isinstance(p, click.Option) for name in p.opts}
    index = 0
    while index < len(args) and args[index] != "--":
        word, start, following = args[index], index, args[index + 1] if index + 1 < len(args) else ""
        index += 1
        if word.startswith("--"):
            name, equals, value = word.partition("=")
            option = known.get(name)
            if option is None or option.is_flag or option.count:
                yield Given(start, option, "")
                continue
            index += 0 if equals else 1
            yield Given(start, option, value if equals else following)
        elif word.startswith("-") and len(word) > 1:
            for at, letter in enumerate(word[1:], 2):
                option = known.get(f"-{letter}")
                if option is not None and not (option.is_flag or option.count):
                    index += 0 if word[at:] else 1
                    yield Given(start, option, word[at:] or following)
                    break
                yield Given(start, option, "")
        else:
            yield Given(start, None, word)
