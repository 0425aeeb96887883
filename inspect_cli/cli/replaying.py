"""What `replay` does: files read, told, and written anew where that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from inspect_cli.cli.outcomes import reader_of
from inspect_cli.cli.output import Output
from inspect_cli.cli.progress import progress_of
from inspect_cli.cli.run import run
from inspect_cli.errors import UsageProblem
from inspect_cli.sources.file import CaptureFiles
from inspect_cli.timeline import Timeline

if TYPE_CHECKING:
    from inspect_cli.cli.cutting import Cut
    from inspect_cli.cli.observe import Recorder


class Asked(NamedTuple):
    """The options of `replay` alone."""

    connection: int | None
    summary: bool
    every: bool
    follow: bool
    write: str | None


def replay(files: Sequence[str], output: Output, asked: Asked) -> int:
    """Read capture files and show them; the exit code.

    Raises: InspectError, after everything that could be read has been shown.
    """
    connection = asked.connection
    with CaptureFiles(files, follow=asked.follow) as source, ExitStack() as stack:
        for path, number in source.skipped.items():
            output.hint("cli.skipped", path=path, number=number)
        recorder, cut = _writers(stack, source, output, asked)
        timeline = Timeline(
            summary_only=asked.summary,
            verbose=output.verbose,
            connection=connection,
            picked=cut.pick if cut else None,
            strict=output.debug,
        )
        progress = stack.enter_context(progress_of(lambda: source.progress, output.words, quiet=output.quiet))
        # What is worth an overview is a file: of a pipe rows are shown as they come.
        reader = None if source.capture.slow else reader_of(source.paths)
        overview = reader is not None and connection is None and not (asked.summary or asked.every)
        shown = output.renderer(source.paths, reader, overview=overview, above=progress.above)
        renderer = stack.enter_context(shown)

        def watch(packets: int) -> None:
            if cut:
                cut.step()
            progress.step(packets)

        code = run(source, timeline, renderer, cut or recorder, watch=watch)
    if connection is not None and connection >= timeline.tally.connections:
        raise UsageProblem(problem="no-connection", number=connection, connections=timeline.tally.connections)
    return code


def _writers(
    stack: ExitStack, source: CaptureFiles, output: Output, asked: Asked
) -> tuple[Recorder | None, Cut | None]:
    """What writes the file of -w, and what cuts one connection out for it."""
    if asked.write is None:
        return None, None
    from inspect_cli.cli.cutting import Cut, keeping

    recorder = stack.enter_context(keeping(asked.write, output, source.paths, source.capture.interfaces))
    return recorder, None if asked.connection is None else Cut(recorder)
