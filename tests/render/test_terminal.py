from __future__ import annotations

import io
import re

import pytest

from inspect_cli.events.base import Entry, Side
from inspect_cli.events.http import RequestHead
from inspect_cli.render import make_renderer
from inspect_cli.render.terminal import TerminalRenderer
from tests.render.conversation import capture, ends, tally, where, whole

_SGR = re.compile(r"\x1b\[([0-9;]*)m")


def shown(entries: list[Entry], color: bool, lang: str = "en") -> str:
    out = io.StringIO()
    renderer = make_renderer("text", out, color=color, lang=lang)
    renderer.begin(capture())
    for entry in entries:
        renderer.entry(entry)
    for connection in ends():
        renderer.connection(connection)
    renderer.end(capture(), tally())
    return out.getvalue()


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_coloured_view_without_its_colours_is_the_plain_one(lang: str) -> None:
    stripped = _SGR.sub("", shown(whole(), color=True, lang=lang))
    assert [line.rstrip() for line in stripped.splitlines()] == shown(whole(), color=False, lang=lang).splitlines()


def test_only_colours_that_the_theme_of_the_terminal_decides_are_used() -> None:
    codes = {int(code) for found in _SGR.findall(shown(whole(), color=True)) for code in found.split(";") if code}
    bold, dim, green, red, magenta, cyan = 1, 2, 32, 31, 35, 36
    assert {bold, dim, green, magenta, cyan} <= codes <= {0, bold, dim, green, red, magenta, cyan}


def test_every_colour_ends_with_its_line() -> None:
    for line in shown(whole(), color=True).splitlines():
        codes = _SGR.findall(line)
        assert not codes or codes[-1] in ("", "0")


def test_markup_from_the_wire_is_text() -> None:
    head = RequestHead(where(1, Side.CLIENT, 0), b"GET /[red]x[/red][link=file:///] HTTP/1.1\r\n\r\n", 0)
    assert "/[red]x[/red][link=file:///]" in shown([Entry(1, None, head, ())], color=True)


def test_terminal_view_is_made_only_where_colour_is_wanted() -> None:
    assert isinstance(make_renderer("text", io.StringIO(), color=True), TerminalRenderer)
    assert not isinstance(make_renderer("text", io.StringIO(), is_terminal=True), TerminalRenderer)
