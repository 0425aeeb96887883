"""`python -m inspect_cli` and the console script."""

from __future__ import annotations

import contextlib
import os
import sys

from inspect_cli.cli import cli


def main() -> None:
    """Run the command line; ends the process."""
    # numpy brings a library of linear algebra, which starts a thread for each processor as soon
    # as it is loaded: that takes longer than numpy itself, and nothing here needs one of them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _open_what_is_closed()
    try:
        cli.main()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        # Everything of ours is closed by now; taking a large interpreter apart takes 20 ms.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(end.code)


def _open_what_is_closed() -> None:
    """Without stdout (`>&-`) writing there fails as on a full disk; without stderr words go nowhere."""
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (open as long as the process is)


if __name__ == "__main__":
    main()
