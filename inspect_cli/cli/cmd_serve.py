"""`serve`: the practice site, for a browser or any client."""

from __future__ import annotations

import threading
from contextlib import suppress

import click

from inspect_cli.cli.options import language_options
from inspect_cli.cli.output import Speech


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="PORT", help="[default: a free one]")
@click.option("--host", default="127.0.0.1", metavar="ADDRESS", help="A loopback address. [default: 127.0.0.1]")
@language_options
def command(port: int, host: str, language: Speech) -> int:
    """Serve the practice site on loopback until Ctrl-C: login, cart, cookies of all kinds, WebSockets.

    It behaves badly on purpose, so it listens on loopback only.
    """
    from inspect_cli.practice import running

    words = language.words
    # Ctrl-C is the way in which it ends.
    with suppress(KeyboardInterrupt), running(host, port) as site:
        for key, url in (("site", site.http_url), ("websocket", f"{site.ws_url}/ws/echo"), ("raw", site.raw_url)):
            click.echo(f"{url}  {words.say(f'cli.serve.{key}', {})}")
        click.echo(words.say("cli.serve.stop", {}), err=True)
        threading.Event().wait()
    return 0
