"""Option families: one decorator each, so that every command spells them alike.

A family hands its values to the command as one object: `output`, `run`, `language`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import click

from inspect_cli.cli.client_name import ClientName
from inspect_cli.cli.command import THEN, PartOption
from inspect_cli.cli.output import Output, Speech

Function = Callable[..., Any]
Decorator = Callable[[Function], Function]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What holds for a whole run of a client: capturing, TLS, time, the jar's file."""

    write: str | None
    sniff: str
    interface: str | None
    cookie_jar: str | None
    junk_session_cookies: bool
    profile: str
    insecure: bool
    proxy: str | None
    compressed: bool
    resolve: tuple[str, ...]
    cacert: str | None
    cert: str | None
    key: str | None
    http1_1: bool
    max_time: float | None
    connect_timeout: float | None
    silent: bool
    show_error: bool


USUAL_CLIENT: Final = "rfc6265bis"
VIAS: Final = ("navigate", "link", "post", "fetch", "img", "iframe")
"""How a request comes about, as cookies/asking.py has it."""

_LANGUAGE: Final = (
    click.option("--lang", type=click.Choice(["en", "ko"]), help="Language. [default: from LC_ALL, LC_MESSAGES, LANG]"),
    click.option("--debug", is_flag=True, help="Show a traceback where this program itself fails."),
)

_OUTPUT: Final = (
    click.option("--format", type=click.Choice(["text", "json", "ndjson"]), default="text", help="[default: text]"),
    click.option("-o", "--output", metavar="FILE", help="Write to FILE; secrets in it are redacted."),
    _LANGUAGE[0],
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="[default: auto: on a terminal, NO_COLOR and CLICOLOR_FORCE heeded]",
    ),
    click.option("--ascii", is_flag=True, help="Plain ASCII marks."),
    click.option(
        "--redact/--show-secrets",
        default=None,
        help="Replace cookie values, passwords and tokens, or show all. [default: redact in files]",
    ),
    click.option("-Y", "select", metavar="FILTER", help="Show matching rows only, such as 'status >= 400'."),
    click.option("-q", "--quiet", is_flag=True, help="No hints on stderr."),
    click.option("-v", "--verbose", is_flag=True, help="Socket calls, plain segments, repeated explanations."),
    _LANGUAGE[1],
)

_PAGE: Final = (
    *_OUTPUT[:6],
    _OUTPUT[7],
    click.option("-v", "--verbose", is_flag=True, help="Every step, and the numbers that clients go by."),
    _OUTPUT[9],
)

_RUN: Final = (
    click.option("-w", "--write", metavar="FILE", help="Write the packets to FILE (pcapng)."),
    click.option(
        "--sniff",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Capture packets: if possible, or fail, or not at all. [default: auto]",
    ),
    click.option("-i", "--interface", metavar="IFACE", help="Capture on IFACE. [default: the route's]"),
    click.option("-c", "--cookie-jar", metavar="FILE", help="Write the cookies to FILE afterwards (- = stdout)."),
    click.option(
        "-j", "--junk-session-cookies", is_flag=True, help="Begin a new session: leave the session cookies of -b out."
    ),
    click.option(
        "--as",
        "profile",
        metavar="CLIENT",
        type=ClientName(),
        default=USUAL_CLIENT,
        help="Decide as chromium, firefox, safari, curl or python does. [default: rfc6265bis]",
    ),
    click.option("-k", "--insecure", is_flag=True, help="Accept any TLS certificate."),
    click.option("-x", "--proxy", metavar="URL", help="Use this proxy."),
    click.option("--compressed", is_flag=True, help="Ask for compressed content."),
    click.option("--resolve", metavar="HOST:PORT:ADDR", multiple=True, help="Address of HOST, without asking DNS."),
    click.option("--cacert", metavar="FILE", help="Certificates to trust (PEM)."),
    click.option("--cert", metavar="FILE", help="Our certificate (PEM)."),
    click.option("--key", metavar="FILE", help="Its private key (PEM)."),
    click.option("--http1.1", "http1_1", is_flag=True, help="Speak HTTP/1.1, as is always done so far."),
    click.option("-m", "--max-time", metavar="SECONDS", type=click.FloatRange(0, min_open=True), help="For all of it."),
    click.option(
        "--connect-timeout", metavar="SECONDS", type=click.FloatRange(0, min_open=True), help="For each connection."
    ),
    click.option("-s", "--silent", is_flag=True, help="The same as -q."),
    click.option("-S", "--show-error", is_flag=True, help="Show errors, as is always done."),
)

_HEADERS: Final = (
    click.option("-H", "--header", metavar="LINE", multiple=True, cls=PartOption, help='"Name: value", or @FILE.'),
    click.option(
        "-b", "--cookie", metavar="DATA|FILE", multiple=True, cls=PartOption, help='"a=1; b=2", or a jar file.'
    ),
    click.option("-A", "--user-agent", metavar="NAME", cls=PartOption, help="User-Agent."),
    click.option("-e", "--referer", metavar="URL", cls=PartOption, help="Referer."),
    click.option("-u", "--user", metavar="USER:PASSWORD", cls=PartOption, help="Basic authentication."),
    click.option(
        "--site/--cross-site", "site", default=None, cls=PartOption, help="Who asks: the same site or another."
    ),
    click.option("--from", "page", metavar="URL", cls=PartOption, help="The page where the request begins."),
    click.option("--top", metavar="URL", cls=PartOption, help="The page around it, if it is in a frame."),
)

_REQUEST: Final = (
    *_HEADERS,
    click.option("-X", "--request", metavar="METHOD", cls=PartOption, help="[default: GET; POST with data]"),
    click.option("-d", "--data", metavar="DATA", multiple=True, cls=PartOption, help="Body, or @FILE; joined by &."),
    click.option("--data-raw", metavar="DATA", multiple=True, cls=PartOption, help="The same; @ is no file."),
    click.option("--data-binary", metavar="DATA", multiple=True, cls=PartOption, help="The same; @FILE byte by byte."),
    click.option("--data-urlencode", metavar="DATA", multiple=True, cls=PartOption, help="The same, encoded."),
    click.option("-F", "--form", metavar="NAME=VALUE", multiple=True, cls=PartOption, help="Multipart; NAME=@FILE."),
    click.option("-G", "--get", is_flag=True, cls=PartOption, help="Put the data into the query."),
    click.option("-I", "--head", is_flag=True, cls=PartOption, help="HEAD request."),
    click.option("-L", "--location", is_flag=True, cls=PartOption, help="Follow redirects, hop by hop."),
    click.option("--max-redirs", metavar="N", type=click.IntRange(0), default=50, cls=PartOption, help="[default: 50]"),
    click.option(
        "--navigate/--fetch", "navigate", default=None, cls=PartOption, help="A top-level navigation, or a script's."
    ),
    click.option("--via", type=click.Choice(VIAS), cls=PartOption, help="The same, more exactly."),
    click.option("--restart", is_flag=True, cls=PartOption, help="Close the client and open it again before."),
    click.option(THEN, metavar="URL ...", expose_value=False, help="One more request, with options of its own."),
)


def language_options(function: Function) -> Function:
    """--lang and --debug, as `language: Speech`."""
    return _family("language", Speech, _LANGUAGE)(function)


def output_options(function: Function) -> Function:
    """What is shown, where and how, as `output: Output`."""
    return _family("output", Output, _OUTPUT)(function)


def page_options(function: Function) -> Function:
    """Those of them for what is no timeline, so that there are no rows to select."""
    return _family("output", Output, _PAGE, select=None)(function)


def run_options(function: Function) -> Function:
    """What holds for a whole run of a client, as `run: RunOptions`."""
    return _family("run", RunOptions, _RUN)(function)


def request_options(function: Function) -> Function:
    """Options of one request, as curl has them; a PartsCommand collects them as `parts`."""
    return _stacked(function, _REQUEST)


def header_options(function: Function) -> Function:
    """Those of them that a WebSocket handshake has too, one by one."""
    return _stacked(function, _HEADERS)


def _family(into: str, kind: type[Any], options: Sequence[Decorator], **fixed: Any) -> Decorator:
    """The options as one object of this kind; `fixed` are those of its fields that no option sets."""
    names = [f.name for f in fields(kind) if f.name not in fixed]

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def command(**values: Any) -> Any:
            mine = {name: values.pop(name) for name in names}
            return function(**{into: kind(**mine, **fixed)}, **values)

        return _stacked(command, options)

    return decorate


def _stacked(function: Function, options: Sequence[Decorator]) -> Function:
    for option in reversed(options):
        function = option(function)
    return function
