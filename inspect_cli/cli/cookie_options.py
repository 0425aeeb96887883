"""Options of `cookie`: times, and how each request is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from inspect_cli.cli.command import Given, given

_NS: Final = 1_000_000_000
_SECONDS: Final = re.compile(r"(-?[0-9]{1,12})(?:\.([0-9]{1,9})[0-9]*)?")
_AFTER: Final = re.compile(r"([0-9]{1,12})([smhd]?)")
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_S: Final = 253_402_300_799
"""The end of the year 9999."""


class Moment(click.ParamType[int]):
    """A time as Unix ns: ISO 8601 (without an offset UTC), or Unix seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = moment_ns(str(value))
        if found is None:
            self.fail(f"{value!r} is neither a time such as 2026-11-24T12:00:00Z nor Unix seconds.", param, ctx)
        return found


class Span(click.ParamType[int]):
    """A span of time in ns: `90`, `90s`, `2m`, `3h`, `4d`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        match = _AFTER.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is no span of time such as 90s, 2m, 3h or 4d.", param, ctx)
        return min(int(match[1]) * _UNITS[match[2]], _LATEST_S) * _NS


def moment_ns(text: str) -> int | None:
    """Unix ns of an ISO 8601 time or of Unix seconds; None for neither."""
    match = _SECONDS.fullmatch(text.strip())
    if match is not None:
        seconds = int(match[1])
        return seconds * _NS + int((match[2] or "").ljust(9, "0")) if abs(seconds) <= _LATEST_S else None
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        return (found - _EPOCH) // timedelta(microseconds=1) * 1_000
    except (ValueError, OverflowError):
        return None


class AskedOption(click.Option):
    """Tells how a request is asked: that of --url, or those of the --send-to before it."""


class WhyCommand(click.Command):
    """Reads its arguments in order, as cookie-trace does at --then: an AskedOption is about the URL before it.

    The callback gets `requests`: dicts by parameter name, `url` among them; the first is that
    of --url, and holds what was said before any --send-to. Of several --send-to in a row
    without options between them each gets those behind the last.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ordered = list(given(self, ctx, list(args)))
        left = super().parse_args(ctx, args)
        if ctx.resilient_parsing:  # a shell completes: words may be half there
            return left
        names = {p.name for p in self.params if isinstance(p, AskedOption) and p.name}
        for name in names:
            ctx.params.pop(name)
        ctx.params["requests"] = list(_requests(ctx, ordered, dict.fromkeys(names)))
        return left


def _requests(ctx: click.Context, ordered: Sequence[Given], usual: dict[str, Any]) -> Iterator[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{}]
    urls = [ctx.params["url"], *ctx.params.pop("send_to")]
    for word in ordered:
        option = word.option
        if option is None or option.name is None:
            continue
        if option.name == "send_to":
            parts.append({})
        elif isinstance(option, AskedOption):
            said = option.flag_value if option.is_flag else option.type_cast_value(ctx, word.value)
            parts[-1][option.name] = said
    for at in range(len(parts) - 2, 0, -1):
        parts[at] = parts[at] or parts[at + 1]
    for url, part in zip(urls, parts, strict=True):
        yield {"url": url, **usual, **part}
