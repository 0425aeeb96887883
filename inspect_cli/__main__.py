"""`python -m inspect_cli` and the console script."""

from __future__ import annotations

from inspect_cli.cli import cli


def main() -> None:
    """Run the command line; ends the process."""
    cli.main()


if __name__ == "__main__":
    main()
