"""`python -m inspect_cli` and the console script."""

from __future__ import annotations

import os
import sys

from inspect_cli.cli import cli


def main() -> None:
    """Run the command line; ends the process."""
    # numpy brings a library of linear algebra, which starts a thread for each processor as soon
    # as it is loaded: that takes longer than numpy itself, and nothing here needs one of them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        cli.main()
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        # Everything of ours is closed by now; taking a large interpreter apart takes 20 ms.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code)


if __name__ == "__main__":
    main()
