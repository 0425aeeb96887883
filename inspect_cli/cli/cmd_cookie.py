"""`cookie`: decisions about cookies without a network, and what a cookies.txt holds."""

from __future__ import annotations

from typing import Any

import click

from inspect_cli.cli.client_name import ClientName
from inspect_cli.cli.cookie_options import AskedOption, Moment, Span, WhyCommand
from inspect_cli.cli.options import page_options
from inspect_cli.cli.output import Output

VIAS = ("navigate", "link", "post", "fetch", "img", "iframe", "js")


@click.group("cookie")
def command() -> None:
    """Tell why a cookie is stored and sent, or is not; show a cookies.txt."""


@command.command("why", cls=WhyCommand)
@click.argument("lines", nargs=-1, metavar="[LINE]...")
@click.option("--url", metavar="URL", help="Whose response has the Set-Cookie LINEs.")
@click.option("--send-to", metavar="URL ...", multiple=True, help="Does it go there? Options of its own behind it.")
@click.option(
    "--via", type=click.Choice(VIAS), cls=AskedOption, help="How it is asked. [default: navigate; with a page link]"
)
@click.option("--from", "page", metavar="URL", cls=AskedOption, help="The page that asks.")
@click.option("--top", metavar="URL", cls=AskedOption, help="The page in the address bar, if --from is a frame in it.")
@click.option("--site", flag_value="same", cls=AskedOption, help="A page of the same site asks,")
@click.option("--cross-site", "site", flag_value="cross", cls=AskedOption, help="or one of another site.")
@click.option("-X", "--method", metavar="METHOD", cls=AskedOption, help="[default: GET; POST via post]")
@click.option(
    "--after", metavar="SPAN", type=Span(), cls=AskedOption, help="So long after --at: 90s, 2m, 3h, 4d. [default: 1s]"
)
@click.option("--at", metavar="TIME", type=Moment(), help="When the response came: ISO or Unix seconds. [default: now]")
@click.option("--as", "profiles", metavar="PROFILE", type=ClientName(), multiple=True, help="This client's rules.")
@click.option("--all", "every", is_flag=True, help="Every client's, a column each. [default]")
@click.option("--block-third-party", is_flag=True, help="The browser blocks third-party cookies.")
@click.option("--batch", metavar="FILE", help="Tell the stories of FILE, a JSON line each, as JSON lines; - is stdin.")
@page_options
def why(lines: tuple[str, ...], batch: str | None, output: Output, **asked: Any) -> int:
    """Say why Set-Cookie LINEs are stored or not, and why they are sent or not, step by step and per client.

    A LINE may begin with "Set-Cookie:", as it is copied from a browser or curl -v; - reads them from
    stdin. Several are fields of one response, in order.

    Options before the first --send-to tell how --url was asked, those behind one (or several in a
    row) how these are asked:

    \b
    inspect-cli cookie why 'sid=1; SameSite=Lax' --url https://shop.example/ \\
        --send-to https://shop.example/cart --via fetch --from https://news.example/
    """
    if batch is not None:
        from inspect_cli.cli.storytelling import tell_all

        return tell_all(batch, output, lines, **asked)
    from inspect_cli.cli.deciding import Question, decide

    return decide(lines, Question(**asked), output)


@command.command("jar")
@click.argument("file")
@click.option("--at", metavar="TIME", type=Moment(), help="What counts as now: ISO or Unix seconds. [default: now]")
@page_options
def jar(file: str, at: int | None, output: Output) -> int:
    """Show a Netscape cookies.txt: scope, expiry and flags of each cookie, and what is wrong with it; - is stdin."""
    from inspect_cli.cli.jar_listing import show_jar

    return show_jar(file, at, output)
