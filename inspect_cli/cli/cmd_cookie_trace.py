"""`cookie-trace`: requests, their packets, and what becomes of every cookie."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from inspect_cli.cli.command import PartsCommand
from inspect_cli.cli.options import RunOptions, output_options, request_options, run_options
from inspect_cli.cli.output import Output
from inspect_cli.errors import UsageProblem

if TYPE_CHECKING:
    from inspect_cli.cli.checking import Checker
    from inspect_cli.render import Renderer
    from inspect_cli.sources.client import RequestStep


@click.command("cookie-trace", cls=PartsCommand)
@click.argument("url", required=False)
@request_options
@click.option("-f", "--fail", is_flag=True, help="Exit 1 if the last answer is a 4xx or 5xx.")
@click.option("--check", is_flag=True, help="Exit 1 if a cookie breaks good practice (docs/checks.md).")
@click.option(
    "--check-ignore", metavar="RULE[:COOKIE]", multiple=True, help="Let a rule pass, everywhere or for one cookie."
)
@run_options
@output_options
def command(
    parts: Sequence[dict[str, Any]],
    fail: bool,
    check: bool,
    check_ignore: tuple[str, ...],
    run: RunOptions,
    output: Output,
) -> int:
    """Make HTTP requests, capture their packets, and show what becomes of every cookie.

    Speaks curl: a line copied from a browser as cURL works with `curl` replaced. Requests after --then belong to
    the same session, each with options of its own: a jar, as a browser has it, decides what is stored and sent.

    Without URL: a tour of the practice server (login, session, logout).
    """
    from inspect_cli.cli.curl import client_options, cookie_files, jar_from, steps_of
    from inspect_cli.cli.inside import enter
    from inspect_cli.cli.observe import observe
    from inspect_cli.cli.touring import http_tour

    if check_ignore and not check:
        raise UsageProblem(problem="ignore-without-check")
    tours = parts[0]["url"] is None  # "" is a URL without a host: a variable of a script that is not set
    if tours and (len(parts) > 1 or parts[0]["has_options"]):
        raise UsageProblem(problem="url-missing")
    if tours:
        enter(run, output)
    options = client_options(run)
    jar = jar_from(cookie_files(parts), run.cookie_jar, run.profile)
    with ExitStack() as stack:
        steps = stack.enter_context(http_tour()) if tours else steps_of(parts)
        if run.junk_session_cookies:
            steps[0] = replace(steps[0], restart=True)
        from inspect_cli.sources.http_client import HttpClient

        checked = checking(check_ignore, steps) if check else None
        return observe(HttpClient(steps, jar, options), output, run, jar, fail=fail, checked=checked)


def checking(ignored: Sequence[str], steps: Sequence[RequestStep]) -> Callable[[Renderer], Checker]:
    """What puts --check before a renderer. Raises: UsageProblem."""
    from inspect_cli.cli.checking import Checker, exceptions

    is_tls_untold = any(step.url.startswith("https:") for step in steps)
    return partial(Checker, ignored=exceptions(ignored), is_tls_untold=is_tls_untold)
