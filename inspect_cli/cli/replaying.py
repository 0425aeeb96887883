"""What `replay` does: files read, told, and written anew where that was asked for."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from inspect_cli.cli.outcomes import reader_of
from inspect_cli.cli.output import Output
from inspect_cli.cli.progress import progress_of
from inspect_cli.cli.run import run
from inspect_cli.cli.tellers import Apart, Here, Teller
from inspect_cli.cli.workers import SharedTimeline, workers_for
from inspect_cli.errors import UsageProblem
from inspect_cli.sources.file import CaptureFiles
from inspect_cli.timeline import Following, Reading, Timeline

if TYPE_CHECKING:
    from inspect_cli.cli.cutting import Cut
    from inspect_cli.cli.observe import Recorder
    from inspect_cli.events.base import Item
    from inspect_cli.render import Renderer


class Asked(NamedTuple):
    """The options of `replay` alone."""

    connection: int | None
    summary: bool
    every: bool
    no_names: bool
    follow: bool
    write: str | None
    workers: int | None
    """None: as is best for this capture and machine."""
    profile: str | None


def replay(files: Sequence[str], output: Output, asked: Asked) -> int:
    """Read capture files and show them; the exit code.

    Raises: InspectError, after everything that could be read has been shown.
    """
    connection = asked.connection
    with CaptureFiles(files, follow=asked.follow) as source, ExitStack() as stack:
        for path, number in source.skipped.items():
            output.hint("cli.skipped", path=path, number=number)
        stack.callback(_hint_at_har, source, output)  # behind all that is shown
        recorder, cut = _writers(stack, source, output, asked)
        progress = stack.enter_context(progress_of(lambda: source.progress, output.words, quiet=output.quiet))
        # What is worth an overview is a file: of a pipe rows are shown as they come.
        reader = None if source.capture.slow else reader_of(source.paths)
        overview = reader is not None and connection is None and not (asked.summary or asked.every)

        def shown() -> AbstractContextManager[Renderer]:
            names = not asked.no_names
            return output.renderer(source.paths, reader, overview=overview, names=names, above=progress.above)

        workers = 1 if reader is None else workers_for(asked.workers, source.paths)
        options = _options(output, asked, cut)
        teller: Teller
        if asked.summary and connection is None and workers > 1:
            timeline = SharedTimeline(lambda: _items(source.paths), workers, strict=output.debug)
            teller = Here(timeline, stack.enter_context(shown()))
        elif workers > 1 and not asked.summary and (output.path is not None or not sys.stdout.isatty()):
            # Where few rows are worded and written, the other process has time for more.
            follows = output.select is None and not (overview and output.format == "text")
            following = None if follows else Following(asked.profile)
            teller = stack.enter_context(Apart(Reading(**options, follows=follows), shown, following))
        else:
            teller = Here(Timeline(**options), stack.enter_context(shown()))

        def watch(packets: int) -> None:
            if cut:
                cut.step()
            progress.step(packets)

        code = run(source, teller, cut or recorder, watch=watch)
    connections = teller.reading.tally.connections
    if connection is not None and connection >= connections:
        raise UsageProblem(problem="no-connection", number=connection, connections=connections)
    return code


def _options(output: Output, asked: Asked, cut: Cut | None) -> dict[str, Any]:
    """Those of a Reading."""
    return {
        "summary_only": asked.summary,
        "verbose": output.verbose,
        "connection": asked.connection,
        "names": output.format == "text" and not asked.no_names,
        "picked": cut.pick if cut else None,
        "strict": output.debug,
        "profile": asked.profile,
    }


def _hint_at_har(source: CaptureFiles, output: Output) -> None:
    """What a HAR does not tell, or only in its own way."""
    told = source.told
    if told is None:
        return
    for key in ("messages", "unsent", "listed"):
        if number := getattr(told, key):
            output.hint(f"cli.har.{key}", number=number)
    if told.entries and not told.has_cookies:
        output.hint("cli.har.no-cookies")


def _items(paths: Sequence[str]) -> Iterator[Item]:
    """The same capture once more, for a worker."""
    with CaptureFiles(paths) as source:
        yield from source.items()


def _writers(
    stack: ExitStack, source: CaptureFiles, output: Output, asked: Asked
) -> tuple[Recorder | None, Cut | None]:
    """What writes the file of -w, and what cuts one connection out for it."""
    if asked.write is None:
        return None, None
    if source.har_path is not None:
        raise UsageProblem(problem="har-has-no-packets", path=source.har_path)
    from inspect_cli.cli.cutting import Cut, keeping

    recorder = stack.enter_context(keeping(asked.write, output, source.paths, source.capture.interfaces))
    return recorder, None if asked.connection is None else Cut(recorder)
