"""The one loop, items in and rows out; the one place where problems are shown."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

import click

from inspect_cli.cli.tellers import ReaderGone, Teller
from inspect_cli.errors import CheckFailed, InspectError, NothingDecodable, OutputNotWritable

if TYPE_CHECKING:
    from inspect_cli.events.base import Item
    from inspect_cli.events.summary import Capture, Tally
    from inspect_cli.texts import Words

INTERRUPTED = 130
FAULT = 1
"""We are wrong: an exception that nobody foresaw."""


class Source(Protocol):
    """An entered source, as far as it is read here."""

    @property
    def capture(self) -> Capture: ...

    @property
    def drops(self) -> int: ...

    @property
    def error(self) -> InspectError | None: ...

    def items(self) -> Iterator[Item]: ...


class Writer(Protocol):
    """What also gets every item: the file of -w."""

    def write(self, item: Item) -> None: ...

    def close(self, drops: int) -> None: ...


def run(
    source: Source,
    teller: Teller,
    writer: Writer | None = None,
    *,
    fail: bool = False,
    begun: Callable[[Capture], None] = lambda capture: None,
    watch: Callable[[int], None] = lambda packets: None,
) -> int:
    """Read an entered source to its end and show it; the exit code.

    Ctrl-C ends the reading, not the showing: 130. `fail`: a final 4xx or 5xx is a problem.
    `begun` is told the capture before the first row, `watch` the packets read after each item.

    Raises: InspectError, after everything that was read has been shown.
    """
    collect_rarely()
    reading = teller.reading
    problem: InspectError | None = None
    with _Interrupts() as interrupts:
        begun(source.capture)
        teller.begin(source.capture)
        try:
            for item in interrupts.between(source):
                if writer is not None:
                    writer.write(item)
                teller.show(reading.read(item))
                watch(reading.tally.packets)
        except InspectError as error:
            problem = error
        if writer is not None:
            writer.close(source.drops)
    reading.tally.capture_drops = source.drops
    teller.show(reading.finish(complete=source.capture.complete is not False and not interrupts.asked))
    teller.end(source.capture, reading.tally)
    problem = problem or source.error or _nothing_decodable(source, reading.tally)
    if problem is None and fail and teller.status >= 400:
        problem = CheckFailed(what=f"HTTP {teller.status}")  # RFC 9110 §15.5 and §15.6: client and server errors
    if interrupts.asked:
        return INTERRUPTED
    if problem is not None:
        raise problem
    return 0


def collect_rarely() -> None:
    """For a process that makes objects by the million and cycles by the dozen.

    At Python's usual pace the search for these takes a fifth of the time.
    """
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def exit_code_of(action: Callable[[], Any], arguments: Sequence[str]) -> int:
    """Run a command line; show what is wrong in one sentence, with a hint, on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that is not UTF-8 gets escapes, not an exception
            stream.reconfigure(errors="backslashreplace")
    try:
        code = action()
        return code if isinstance(code, int) else 0
    except InspectError as problem:
        show(problem, _words(arguments))
        return problem.exit_code
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except ReaderGone:
        end_quietly()
    except Exception as fault:
        if isinstance(fault, OSError) and fault.errno in (
            errno.ENOSPC,
            errno.EBADF,
        ):  # of stdout: files have it caught where they are
            full = OutputNotWritable(path="-", reason=os.strerror(fault.errno))
            show(full, _words(arguments))
            return full.exit_code
        if "--debug" in arguments:
            raise
        import shlex

        said = f"{type(fault).__name__}: {fault}"
        data = {"fault": said[:200], "command": shlex.join(["inspect-cli", *arguments, "--debug"])}
        click.echo(f"inspect-cli: {_words(arguments).say('cli.fault', data)}", err=True)
        return FAULT


def show(problem: InspectError, words: Words) -> None:
    """`inspect-cli: sentence`, and beneath it what to do."""
    data: dict[str, object] = dict(problem.data)
    worded = f"cli.problem.{data.get('problem', '')}"
    if words.has(worded):
        data["problem"] = words.say(worded, data)
    lines = [f"inspect-cli: {words.say(f'error.{problem.code}.sentence', data)}"]
    hint = f"error.{problem.code}.hint"
    if words.has(hint):
        lines += [f"  {line}" for line in words.say(hint, data).splitlines()]
    with contextlib.suppress(OSError):  # who read stderr has gone: the exit code still says it
        for line in lines:
            click.echo(line, err=True)


def end_quietly() -> NoReturn:
    """End as other tools do whose reader went away: by SIGPIPE, without a word."""
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    os._exit(0)


class _Interrupts:
    """Ctrl-C between two items, never inside one: what was read is shown whole. A second one ends at once."""

    def __init__(self) -> None:
        self.asked = False
        self._waiting = False
        self._told = False
        """The source knows."""
        self._before: Any = None

    def __enter__(self) -> Self:
        try:
            self._before = signal.signal(signal.SIGINT, self._interrupted)
        except ValueError:  # not the main thread: whoever runs us there hears Ctrl-C
            self._before = None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def between(self, source: Source) -> Iterator[Item]:
        """The source's items, until Ctrl-C; a live source then ends by itself and gives what it still has."""
        items = source.items()
        while True:
            if self.asked and not self._told:
                self._told = True
                interrupt = getattr(source, "interrupt", None)
                if interrupt is None:
                    return
                interrupt()
            self._waiting = True
            try:
                item = next(items, None)
            except KeyboardInterrupt:
                return
            finally:
                self._waiting = False
            if item is None:
                return
            yield item

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        again, self.asked = self.asked, True
        if self._waiting or again:
            self._told = True
            raise KeyboardInterrupt


def _nothing_decodable(source: Source, tally: Tally) -> InspectError | None:
    if source.capture.source != "file" or not tally.packets or tally.undecoded_packets < tally.packets:
        return None
    path = ", ".join(file.name for file in source.capture.files)
    # The first problem that was met; frames of other protocols (ARP, ICMP) are none.
    found = [kind.removeprefix("undecoded-") for kind in tally.problems if kind.startswith("undecoded-")]
    return NothingDecodable(path=path, frames=tally.packets, reason=found[0] if found else "protocol")


def _words(arguments: Sequence[str]) -> Words:
    """The language of errors, told even where the options themselves are wrong."""
    from inspect_cli.texts import LANGUAGES, Words, default_language

    chosen = ""
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if word == "--lang" or word.startswith("--lang="):
            chosen = following if word == "--lang" else word.removeprefix("--lang=")
    return Words(chosen if chosen in LANGUAGES else default_language(os.environ))
