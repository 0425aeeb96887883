"""Live runs: a client of ours causes traffic, its packets are captured and told."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, cast

from inspect_cli.cli.options import RunOptions
from inspect_cli.cli.output import Output, open_output, writing
from inspect_cli.cli.run import run as run_source
from inspect_cli.cli.tellers import Here
from inspect_cli.errors import CheckFailed, NotPermitted, UsageProblem

if TYPE_CHECKING:
    from inspect_cli.cli.checking import Checker
    from inspect_cli.cookies.jar import Jar
    from inspect_cli.events.base import Item
    from inspect_cli.events.summary import Capture
    from inspect_cli.render import Renderer
    from inspect_cli.sources.client import Client

Sniff = Literal["auto", "always", "never"]


def observe(
    client: Client,
    output: Output,
    run: RunOptions,
    jar: Jar,
    *,
    fail: bool = False,
    checked: Callable[[Renderer], Checker] | None = None,
) -> int:
    """Run a client and show what its packets say; the exit code. `checked`: findings fail it.

    Raises: InspectError, after everything that was seen has been shown and written.
    """
    from inspect_cli.sources.live import Live
    from inspect_cli.timeline import Timeline

    hinted = False

    def begun(capture: Capture) -> None:
        nonlocal hinted
        if capture.source == "reported" and not run.silent and not hinted:
            hinted = True
            key = "cli.reported.never" if sniff == "never" else "cli.reported.packets"
            output.hint(key, reason=live.not_permitted)

    sniff = sniffing(run, output)
    if run.insecure:
        output.hint("cli.insecure")
    live = Live(client, sniff=sniff, interface=run.interface)
    timeline = Timeline(verbose=output.verbose, strict=output.debug)
    # The files first: what cannot be written is said before anything is asked of a server.
    with output.renderer() as renderer, capture_file(run.write, live.capture.interfaces) as writer, live as source:
        checker = checked(renderer) if checked is not None else None
        try:
            code = run_source(source, Here(timeline, checker or renderer), writer, fail=fail, begun=begun)
        finally:
            begun(live.capture)  # it may have turned out only then: no such interface
            write_jar(run.cookie_jar, jar)
    if checker is not None and checker.count and code == 0:
        raise CheckFailed(what=output.words.say("cli.check", {"findings": checker.count}))
    return code


def sniffing(run: RunOptions, output: Output) -> Sniff:
    """Whether packets are asked for: -w needs them. Raises: UsageProblem, NotPermitted."""
    from inspect_cli.sources.rights import may_capture

    if run.write is not None and run.sniff == "never":
        raise UsageProblem(problem="write-without-packets")
    if [run.write, run.cookie_jar, output.path or "-"].count("-") > 1:
        raise UsageProblem(problem="two-on-stdout")
    if run.interface is not None and "://" in run.interface:
        raise UsageProblem(problem="interface", interface=run.interface)
    sniff = "always" if run.write is not None else run.sniff
    reason = may_capture() if sniff == "always" else ""
    if reason:
        raise NotPermitted(reason=reason)
    return cast(Sniff, sniff)


class Recorder:
    """What -w writes, with the failures of its file put into words."""

    def __init__(self, path: str, stream: Any, interfaces: Sequence[str]) -> None:
        from inspect_cli.wire.pcapng_writer import PcapngWriter

        self._path = path
        with writing(path):
            self._writer = PcapngWriter(stream, interfaces)

    def write(self, item: Item) -> None:
        """Raises: OutputNotWritable."""
        with writing(self._path):
            self._writer.write(item)

    def close(self, drops: int) -> None:
        """Raises: OutputNotWritable."""
        with writing(self._path):
            self._writer.close(drops)


@contextmanager
def capture_file(path: str | None, interfaces: Sequence[str]) -> Iterator[Recorder | None]:
    """The file of -w; nobody else may read it, for it holds cookies. Without the right to capture there is none.

    Raises: OutputNotWritable.
    """
    if path is None:
        yield None
        return
    if path == "-":
        yield Recorder(path, sys.stdout.buffer, interfaces)
        return
    file = open_output(path, "wb", private=True)
    try:
        with writing(path), file:
            yield Recorder(path, file, interfaces)
    except NotPermitted:
        if os.path.isfile(path):
            os.unlink(path)
        raise


def write_jar(path: str | None, jar: Jar) -> None:
    """-c: the cookies as a Netscape file, `-` is stdout; nobody else may read it. Raises: OutputNotWritable."""
    if path is None:
        return
    from inspect_cli.cookies import netscape

    text = netscape.write(jar.cookies).encode("utf-8", "surrogateescape")
    if path == "-":
        with writing(path):
            sys.stdout.buffer.write(text)
            sys.stdout.flush()
        return
    with writing(path), open_output(path, "wb", private=True) as file:
        file.write(text)
