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
@click.option("--follow", is_flag=True, help="Read on as the last file grows, until Ctrl-C.")
@output_options
def command(
    files: tuple[str, ...], connection: int | None, summary: bool, every: bool, follow: bool, output: Output
) -> int:
    """Tell what happens in capture files: pcap and pcapng, packed or not; - is stdin.

    Files are known by what they hold: gzip, zstd and lz4 are unpacked, whatever the name says. A
    directory means the captures in it. All are one capture: read one after another, in order of
    their first frame's time.

    Live: tcpdump -U -w - | inspect-cli replay -
    """
    from inspect_cli.cli.outcomes import reader_of
    from inspect_cli.cli.progress import progress_of
    from inspect_cli.cli.run import run
    from inspect_cli.sources.file import CaptureFiles
    from inspect_cli.timeline import Timeline

    timeline = Timeline(summary_only=summary, verbose=output.verbose, connection=connection, strict=output.debug)
    with CaptureFiles(files, follow=follow) as source:
        for path, number in source.skipped.items():
            output.hint("cli.skipped", path=path, number=number)
        # What is worth an overview is a file: of a pipe rows are shown as they come.
        reader = None if source.capture.slow else reader_of(source.paths)
        overview = reader is not None and connection is None and not (summary or every)
        with (
            progress_of(lambda: source.progress, output.words, quiet=output.quiet) as progress,
            output.renderer(source.paths, reader, overview=overview, above=progress.above) as renderer,
        ):
            code = run(source, timeline, renderer, watch=progress.step)
    if connection is not None and connection >= timeline.tally.connections:
        raise UsageProblem(problem="no-connection", number=connection, connections=timeline.tally.connections)
    return code
