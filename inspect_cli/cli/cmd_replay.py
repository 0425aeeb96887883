"""`replay`: a capture file told as a timeline."""

from __future__ import annotations

import click

from inspect_cli.cli.options import output_options
from inspect_cli.cli.output import Output
from inspect_cli.errors import UsageProblem


@click.command("replay")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--connection", type=click.IntRange(0), metavar="N", help="This connection only (Wireshark's tcp.stream)."
)
@click.option("--summary", is_flag=True, help="Counts only.")
@click.option("--all", "every", is_flag=True, help="Show every row of a large capture too, not an overview.")
@output_options
def command(files: tuple[str, ...], connection: int | None, summary: bool, every: bool, output: Output) -> int:
    """Tell what happens in capture files: pcap and pcapng, gzip too; - is stdin.

    Several files are read one after another, in order of their first frame's time.
    """
    from inspect_cli.cli.outcomes import reader_of
    from inspect_cli.cli.run import run
    from inspect_cli.cli.tellers import Here
    from inspect_cli.sources.file import CaptureFiles
    from inspect_cli.timeline import Timeline

    timeline = Timeline(summary_only=summary, verbose=output.verbose, connection=connection, strict=output.debug)
    reader = reader_of(files)
    # What is worth an overview is a file: of a pipe rows are shown as they come.
    overview = reader is not None and connection is None and not (summary or every)
    with CaptureFiles(files) as source, output.renderer(files, reader, overview=overview) as renderer:
        code = run(source, Here(timeline, renderer))
    if connection is not None and connection >= timeline.tally.connections:
        raise UsageProblem(problem="no-connection", number=connection, connections=timeline.tally.connections)
    return code
