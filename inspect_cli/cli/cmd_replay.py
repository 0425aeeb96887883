"""`replay`: a capture file told as a timeline."""

from __future__ import annotations

from typing import Any

import click

from inspect_cli.cli.client_name import ClientName
from inspect_cli.cli.options import output_options
from inspect_cli.cli.output import Output


@click.command("replay")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--connection", type=click.IntRange(0), metavar="N", help="This connection only (Wireshark's tcp.stream)."
)
@click.option("--summary", is_flag=True, help="Counts only.")
@click.option("--all", "every", is_flag=True, help="Show every row of a large capture too, not an overview.")
@click.option("-n", "--no-names", is_flag=True, help="Do not name hosts as captured DNS answers, or the file, do.")
@click.option("--follow", is_flag=True, help="Read on as the last file grows, until Ctrl-C.")
@click.option("-w", "--write", metavar="FILE", help="Write what is read to FILE (pcapng).")
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Processes: of a summary each counts a part; else one reads, one shows. Default: 1, of large files 2 to 4.",
)
@click.option("--as", "profile", metavar="CLIENT", type=ClientName(), help="Decide about cookies as CLIENT does.")
@output_options
def command(files: tuple[str, ...], output: Output, **asked: Any) -> int:
    """Tell what happens in capture files: pcap, pcapng and HAR, packed or not; - is stdin.

    Files are known by what they hold: gzip, zstd and lz4 are unpacked, whatever the name says. A
    directory means the captures in it. All are one capture: read one after another, in order of
    their first frame's time.

    A HAR is a session that a browser or a tool exported: it has no packets, and all is as it
    reports. CLIENT is rfc6265bis, chromium, firefox, safari, curl or python.

    -w makes one file of it, keys, calls and comments inside; with --connection N the frames are
    those of this connection alone, and count anew.

    Live: tcpdump -U -w - | inspect-cli replay -
    """
    from inspect_cli.cli.replaying import Asked, replay

    return replay(files, output, Asked(**asked))
