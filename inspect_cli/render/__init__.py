"""Rows out: text for people, JSON for programs.

Knows: the JSON contract, what is redacted, how a timeline looks at any width.
Does not know: where an entry came from, or what a protocol means.
Hands on: bytes to standard output or a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, TextIO

from inspect_cli.render.base import Look, Renderer
from inspect_cli.render.redact import Policy, Redactor, policy_for
from inspect_cli.render.rows import RowMaker
from inspect_cli.texts import Words

if TYPE_CHECKING:
    from inspect_cli.render.plain import PlainRenderer
    from inspect_cli.render.select import Select

__all__ = ["RENDERERS", "Look", "Policy", "Renderer", "compile_filter", "make_renderer", "policy_for"]

Make = Callable[[TextIO, RowMaker, Look], Renderer]


def compile_filter(text: str, words: Words | None = None) -> Select:
    """The filter as written after `-Y`; loads the language only here. Raises: BadFilter."""
    from inspect_cli.render import select

    return select.compile_filter(text, words)


def _text(out: TextIO, maker: RowMaker, look: Look) -> Renderer:
    rows = _rows(out, maker, look)
    if not look.overview:
        return rows
    from inspect_cli.render.overview import OverviewRenderer

    return OverviewRenderer(rows)


def _rows(out: TextIO, maker: RowMaker, look: Look) -> PlainRenderer:
    if look.color:
        from inspect_cli.render.terminal import TerminalRenderer

        return TerminalRenderer(out, maker, look)
    from inspect_cli.render.plain import PlainRenderer

    return PlainRenderer(out, maker, look)


def _json(out: TextIO, maker: RowMaker, look: Look) -> Renderer:
    from inspect_cli.render.json import JsonRenderer

    return JsonRenderer(out, maker, look.select)


def _ndjson(out: TextIO, maker: RowMaker, look: Look) -> Renderer:
    from inspect_cli.render.json import NdjsonRenderer

    return NdjsonRenderer(out, maker, look.select)


RENDERERS: Final[Mapping[str, Make]] = {"text": _text, "json": _json, "ndjson": _ndjson}
"""What `--format` offers; each loads what it needs when it is made."""


def make_renderer(
    format: str,  # noqa: A002 - named as the option is
    out: TextIO,
    *,
    lang: str = "en",
    width: int = 80,
    color: bool = False,
    ascii: bool = False,  # noqa: A002 - named as the option is
    redact: bool | Policy = "credentials",
    verbose: bool = False,
    is_terminal: bool = False,
    select: Select | None = None,
    overview: bool = False,
    names: bool = True,
) -> Renderer:
    """The renderer for `--format`. `redact`: True is "all", False is "credentials" (see policy_for).

    Raises: KeyError for a format that is not in RENDERERS.
    """
    policy: Policy = redact if isinstance(redact, str) else "all" if redact else "credentials"
    look = Look(lang, width, color, ascii, verbose, is_terminal, select, overview, names)
    return RENDERERS[format](out, RowMaker(Words(lang), Redactor(policy)), look)
