"""What is done where no URL is given: a tour of the embedded practice server."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from inspect_cli.cli.curl_body import FORM_TYPE

if TYPE_CHECKING:
    from inspect_cli.sources.client import RequestStep


@contextmanager
def http_tour() -> Iterator[list[RequestStep]]:
    """The practice server, running, and the requests that show it."""
    from inspect_cli.practice import TOUR, running
    from inspect_cli.sources.client import RequestStep

    with running() as site:
        steps = []
        for stop in TOUR:
            body = urlencode(stop.form).encode() if stop.form else None
            headers = [("Content-Type", FORM_TYPE)] if stop.form else []
            if stop is TOUR[-1]:
                headers.append(("Connection", "close"))  # RFC 9112 §9.6: the last request says so
            steps.append(RequestStep(stop.method, site.http_url + stop.path, tuple(headers), body))
        yield steps


@contextmanager
def websocket_tour() -> Iterator[tuple[str, tuple[str, ...]]]:
    """(URL of the practice server's echo, messages for it), while it runs."""
    from inspect_cli.practice import WS_TOUR, running

    with running() as site:
        yield f"{site.ws_url}/ws/echo", WS_TOUR


def messages(send: Sequence[str]) -> tuple[str, ...]:
    """The texts of --send; `-` stands for the lines of stdin."""
    texts: list[str] = []
    for text in send:
        texts += sys.stdin.read().splitlines() if text == "-" else [text]
    return tuple(texts)
