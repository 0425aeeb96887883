"""`ws-handshake`: a WebSocket opened, used and closed, in its packets."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import click

from inspect_cli.cli.command import CurlCommand
from inspect_cli.cli.options import RunOptions, header_options, output_options, run_options
from inspect_cli.cli.output import Output


@click.command("ws-handshake", cls=CurlCommand)
@click.argument("url", required=False)
@click.option("--send", metavar="TEXT", multiple=True, help="Send a message; - sends each line of stdin.")
@click.option("--ping", is_flag=True, help="Send a ping.")
@click.option(
    "--listen", metavar="SECONDS", type=click.FloatRange(0), default=0.0, help="Listen that long before closing."
)
@click.option("--close-code", metavar="CODE", type=click.IntRange(1000, 4999), default=1000, help="[default: 1000]")
@click.option("--origin", metavar="ORIGIN", help="Origin, as a browser's page would send it.")
@click.option("--subprotocol", metavar="NAME", multiple=True, help="Offer a subprotocol.")
@header_options
@run_options
@output_options
def command(
    url: str | None,
    send: tuple[str, ...],
    ping: bool,
    listen: float,
    close_code: int,
    origin: str | None,
    subprotocol: tuple[str, ...],
    run: RunOptions,
    output: Output,
    **part: Any,
) -> int:
    """Open a WebSocket, check every rule of its upgrade, and show its frames and its close.

    Without URL: the echo of the practice server.
    """
    from inspect_cli.cli.curl import (
        WEBSOCKET,
        checked_url,
        client_options,
        cookie_files,
        headers_of,
        jar_from,
        who_asks,
    )
    from inspect_cli.cli.inside import enter
    from inspect_cli.cli.observe import observe
    from inspect_cli.cli.touring import messages, websocket_tour

    tours = url is None  # "" is a URL without a host: a variable of a script that is not set
    if tours:
        enter(run, output)
    options = client_options(run)
    jar = jar_from(cookie_files([part]), run.cookie_jar, run.profile)
    texts = messages(send)
    with ExitStack() as stack:
        if tours:
            url, tour = stack.enter_context(websocket_tour())
            texts = texts or tour
        url, login = checked_url(url or "", WEBSOCKET)
        from inspect_cli.sources.websocket_client import WebSocketClient

        headers, cookies = headers_of(part, login)
        _, page, top = who_asks(part, "fetch")
        client = WebSocketClient(
            url,
            headers=headers,
            cookies_by_hand=cookies,
            origin=origin,
            subprotocols=subprotocol,
            send=texts,
            ping=ping,
            close_code=close_code,
            listen_s=listen,
            jar=jar,
            options=options,
            page=page,
            top=top,
            restart=run.junk_session_cookies,
        )
        return observe(client, output, run, jar)
