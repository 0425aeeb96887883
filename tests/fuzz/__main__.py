"""Coverage-guided runs of the targets, by atheris.

    python -m tests.fuzz [--seconds 60] [--keep FOLDER] [TARGET...]
    python -m tests.fuzz --input BASE64 TARGET

Each target runs in a process of its own, one after another, from the seeds (and, with --keep,
from what earlier runs found). Prints runs/s; a crash, a run of more than 10 s or more than
2 GB ends that target, is printed as base64 and hex, and makes the exit code 1. --input runs
one such input again, without atheris. Exit code 2: no atheris here (pip install -e '.[fuzz]').
"""

from __future__ import annotations

import argparse
import base64
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
MAX_INPUT_BYTES: Final = 8_000
MAX_SHOWN_BYTES: Final = 2_000
RUN_SECONDS: Final = 10
RUN_MB: Final = 2048
SIGNS: Final = (" === Uncaught Python exception", "ERROR: libFuzzer")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("--keep", metavar="FOLDER", help="keep what widens coverage, and go on from it")
    parser.add_argument("--input", metavar="BASE64", help="run this once")
    parser.add_argument("--inside", metavar="FOLDER", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        return _inside(options.targets[0], options.inside, options.seconds)
    from tests.fuzz.targets import TARGETS

    unknown = set(options.targets) - set(TARGETS)
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))} (there are {', '.join(TARGETS)})")
    if options.input is not None:
        for name in options.targets:
            TARGETS[name](base64.b64decode(options.input))
        return 0
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not here: pip install -e '.[fuzz]' (it has no wheel for every Python)", file=sys.stderr)
        return 2
    good = [_run(name, options.seconds, options.keep) for name in options.targets or TARGETS]
    return 0 if all(good) else 1


def _run(name: str, seconds: int, keep: str | None) -> bool:
    """Run one target in a process of its own; whether nothing was found."""
    with tempfile.TemporaryDirectory(prefix="inspect-cli-fuzz-") as folder:
        _write_seeds(name, Path(folder))
        kept = Path(keep or folder, name)
        kept.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "tests.fuzz", "--inside", folder, "--seconds", str(seconds), name]
        environment = {**os.environ, "INSPECT_CLI_FUZZ_KEPT": str(kept)}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
        )
        said = done.stdout.decode(errors="replace")
        found = sorted(path for path in Path(folder).glob("found-*"))
        stats = dict(line[6:].split(":", 1) for line in said.splitlines() if line.startswith("stat::"))
        runs = int(stats.get("number_of_executed_units", 0))
        print(f"{name:9} {runs:9,} runs {runs / max(seconds, 1):8,.0f}/s", end="")
        if done.returncode == 0 and not found:
            print("  nothing found", flush=True)
            return True
        print(f"  FOUND (exit code {done.returncode})\n{_told(said)}")
        for path in found:
            _show(name, path)
        return False


def _told(said: str) -> str:
    """What libFuzzer said of the end, without the lines before it."""
    start = next((at for sign in SIGNS if (at := said.find(sign)) >= 0), max(0, len(said) - MAX_SHOWN_BYTES))
    return said[start:].split("0x", 1)[0].strip()


def _show(name: str, path: Path) -> None:
    """The input that did it, to be run again, or looked at."""
    data = path.read_bytes()
    print(f"{path.name.split('-')[1]} of {name}, {len(data):,} bytes; again, and as hex:")
    print(f"python -m tests.fuzz {name} --input {base64.b64encode(data).decode()}")
    print(data[:MAX_SHOWN_BYTES].hex() + ("..." if len(data) > MAX_SHOWN_BYTES else ""), flush=True)


def _write_seeds(name: str, folder: Path) -> None:
    from tests.fuzz.seeds import WORDS, seeds_of

    (folder / "seeds").mkdir()
    for number, data in enumerate(seeds_of(name)):
        if len(data) <= MAX_INPUT_BYTES:
            (folder / "seeds" / f"{number:04}").write_bytes(data)
    escaped = ["".join(f"\\x{byte:02x}" for byte in word) for word in WORDS if word]
    (folder / "words").write_text("".join(f'"{word}"\n' for word in escaped))


def _inside(name: str, folder: str, seconds: int) -> int:
    """In the child: everything of ours is imported with its branches counted."""
    import atheris

    with atheris.instrument_imports(include=["inspect_cli"]):
        from tests.fuzz.targets import TARGETS
    arguments = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-max_len={MAX_INPUT_BYTES}",
        f"-timeout={RUN_SECONDS}",
        f"-rss_limit_mb={RUN_MB}",
        f"-artifact_prefix={folder}/found-",
        f"-dict={folder}/words",
        "-print_final_stats=1",
        # CI: the same dice in every run, so that a change is not stopped by what an old bug hid.
        f"-seed={1 if os.environ.get('CI') else 0}",
        os.environ["INSPECT_CLI_FUZZ_KEPT"],
        f"{folder}/seeds",
    ]
    atheris.Setup(arguments, TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main())
