"""What `cookie why --batch` does: JSON lines in, a story each, and JSON lines out."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, BinaryIO, Final, NamedTuple

import click

from inspect_cli.cli.output import Output
from inspect_cli.cli.run import collect_rarely
from inspect_cli.cookies.profiles import RFC6265BIS
from inspect_cli.cookies.stories import BadStory, tell
from inspect_cli.errors import FileNotReadable, NoSuchFile, UsageProblem
from inspect_cli.events.base import Secret
from inspect_cli.render.base import Sink
from inspect_cli.render.documents import read_object
from inspect_cli.render.encoding import encoded
from inspect_cli.render.redact import Redactor

CHUNK_BYTES: Final = 1 << 18
MOST_BYTES: Final = 16 << 20
"""A longer line is no story."""
WRONG: Final = 2
"""Exit code where a line was none."""


class Line(NamedTuple):
    """A line that is not empty."""

    number: int
    data: bytes | None
    """None: it is too long."""


class Teller:
    """Answers lines for one client."""

    def __init__(self, output: Output, profile: str, at: int | None, block_third_party: bool) -> None:
        self.has_failed = False
        self._output = output
        self._words = output.words
        self._redactor = output.redactor
        self._profile = profile
        self._at = at
        self._block = block_third_party

    def answer(self, line: Line) -> bytes:
        """The story told, or what is wrong with the line, as a line of JSON."""
        story = None if line.data is None else read_object(line.data)
        if story is None:
            return self._wrong(line, "too-long" if line.data is None else "no-object")
        now_ns = time.time_ns() if self._at is None else self._at
        try:
            told = tell(story, self._profile, block_third_party=self._block, now_ns=now_ns)
        except BadStory as problem:
            return self._wrong(line, "bad-story", str(problem))
        return encoded(_redacted(told, self._redactor) if self._redactor.hides("cookie") else told) + b"\n"

    def _wrong(self, line: Line, problem: str, detail: str = "") -> bytes:
        self.has_failed = True
        said = self._words.say(f"cli.story.{problem}", {"detail": detail})
        if not self._output.quiet:
            numbered = self._words.say("cli.story.line", {"number": line.number, "problem": said})
            click.echo(f"inspect-cli: {numbered}", err=True)
        return encoded({"error": said}) + b"\n"


def tell_all(path: str, output: Output, lines: Sequence[str], **asked: Any) -> int:
    """Answer each line as soon as it is there; the exit code.

    Raises: UsageProblem, NoSuchFile, FileNotReadable, OutputNotWritable.
    """
    if lines or asked["url"] is not None or len(asked["requests"]) > 1:
        raise UsageProblem(problem="batch-alone")
    if asked["every"] or len(asked["profiles"]) > 1:
        raise UsageProblem(problem="batch-one-profile")
    profile = (asked["profiles"] or (RFC6265BIS.name,))[0]
    teller = Teller(output, profile, asked["at"], asked["block_third_party"])
    collect_rarely()
    with ExitStack() as stack:
        file = sys.stdin.buffer if path == "-" else stack.enter_context(_opened(path))
        sink = Sink(stack.enter_context(output.opened(() if path == "-" else (path,))))
        for some in read_lines(file):
            try:
                for line in some:
                    sink.write(teller.answer(line))
            finally:
                sink.flush()  # whoever waits for an answer gets it before we wait for a question
    return WRONG if teller.has_failed else 0


def read_lines(file: BinaryIO) -> Iterator[list[Line]]:
    """The lines of a file or pipe, as many at once as are there to be read."""
    pending, number, is_too_long = b"", 0, False
    while True:
        data = file.read1(CHUNK_BYTES) if hasattr(file, "read1") else file.read(CHUNK_BYTES)
        *whole, pending = (pending + data).split(b"\n") if data else (pending, b"")
        some: list[Line] = []
        for text in whole:
            number += 1
            if is_too_long or text.strip():
                some.append(Line(number, None if is_too_long else text))
            is_too_long = False
        if len(pending) > MOST_BYTES:
            pending, is_too_long = b"", True
        if some:
            yield some
        if not data:
            return


def _opened(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except FileNotFoundError:
        raise NoSuchFile(path=path) from None
    except (OSError, ValueError) as error:
        raise FileNotReadable(path=path, reason=getattr(error, "strerror", None) or str(error)) from error


def _redacted(told: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    """The same with tokens in the place of values, for a file that is meant to be shared."""

    def shown(text: str | None, form: Any = "") -> str | None:
        if text is None:
            return None
        return redactor.shown(Secret(text.encode("utf-8", "replace"), "cookie", form)).decode()

    return {
        "steps": [
            {
                **step,
                "cookie": shown(step["cookie"], "pairs"),
                "set": [
                    {**one, "line": shown(one["line"], "set-cookie"), "value": shown(one["value"])}
                    for one in step["set"]
                ],
            }
            for step in told["steps"]
        ]
    }
