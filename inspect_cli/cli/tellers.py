"""Who shows what was read: this process, or another one beside it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import fields
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, Self

from inspect_cli.errors import InspectError

if TYPE_CHECKING:
    from inspect_cli.events.summary import Capture, Tally
    from inspect_cli.render import Renderer
    from inspect_cli.timeline import Following, Part, Reading, Timeline


PIPE_BYTES = 1 << 20
"""What Linux lets anybody ask for; without asking a pipe holds 64 KiB."""


class Teller(Protocol):
    """Shows a reading: begin, then its parts in order, then end."""

    status: int
    """Of the last final response; 0 where nobody looks."""

    @property
    def reading(self) -> Reading: ...

    def begin(self, capture: Capture) -> None: ...

    def show(self, parts: Iterable[Part]) -> None: ...

    def end(self, capture: Capture, tally: Tally) -> None: ...


class ReaderGone(Exception):
    """Nobody reads our stdout any more (click would make exit code 1 of a BrokenPipeError)."""


class Here:
    """Shows the rows of a timeline in this process, and remembers what the exit code depends on."""

    def __init__(self, timeline: Timeline, renderer: Renderer) -> None:
        from inspect_cli.events.base import Entry
        from inspect_cli.events.capture import HostsNamed
        from inspect_cli.events.http import ResponseHead

        self._entry_type, self._response_type, self._names_type = Entry, ResponseHead, HostsNamed
        self.reading = self._timeline = timeline
        self._renderer = renderer
        self.status = 0

    def begin(self, capture: Capture) -> None:
        self._renderer.begin(capture)

    def show(self, parts: Iterable[Part]) -> None:
        entry, connection, entry_type = self._renderer.entry, self._renderer.connection, self._entry_type
        if self._timeline.summary_only:  # counts are all that was asked for
            for _ in parts:
                pass
            return
        for row in self._timeline.rows(parts):
            if isinstance(row, entry_type):
                event = row.event
                if isinstance(event, self._response_type):
                    self.status = event.status if event.status >= 200 else self.status
                entry(row)
            elif isinstance(row, self._names_type):
                self._renderer.names(row)
            else:
                connection(row)

    def end(self, capture: Capture, tally: Tally) -> None:
        self._renderer.end(capture, tally)


class Apart:
    """Shows them in a process of its own: it annotates, words and writes while this one reads on.

    The output belongs to that process from the beginning. What goes wrong there is raised
    here: InspectError, ReaderGone, or RuntimeError with its traceback.
    """

    def __init__(
        self,
        reading: Reading,
        output: Callable[[], AbstractContextManager[Renderer]],
        following: Following | None = None,
    ) -> None:
        """`output`: opens it, and closes it at the end. There must be no thread yet.

        `following`: finds over there what follows from events, which the reading then does not: where
        little is shown, that process has time for it, and only what was read goes there.
        """
        self.status = 0
        self.reading = reading
        self._is_over = False
        things, said = os.pipe(), os.pipe()
        _widen(things[1])
        self._pid = os.fork()
        if not self._pid:
            os.close(things[1])
            os.close(said[0])
            _show_apart(output, following, things[0], said[1])
        os.close(things[0])
        os.close(said[1])
        self._things = open(things[1], "wb", buffering=1 << 16)  # noqa: SIM115 - closed by __exit__
        self._said = open(said[0], "rb")  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(BrokenPipeError):
            self._things.close()  # without an end it shows what it has, and ends
        self._said.close()
        if not self._is_over:
            os.waitpid(self._pid, 0)

    def begin(self, capture: Capture) -> None:
        """Raises what was wrong with the output, before anything is read."""
        self._hear()
        self._give(("begin", capture))
        self._capture = capture
        self._known = self._facts()

    def show(self, parts: Iterable[Part]) -> None:
        for part in parts:
            if not part[0] and not part[1]:
                continue
            known, self._known = self._known, self._facts()
            if known != self._known:
                self._give(("capture", self._capture))
            self._give(("show", part))

    def _facts(self) -> tuple[Any, ...]:
        """How much the capture tells by now: files are met one after another."""
        return len(self._capture.files), len(self._capture.interfaces), self._capture.started_ns

    def end(self, capture: Capture, tally: Tally) -> None:
        self._give(("end", capture, tally))
        self._hear()
        self._is_over = True
        os.waitpid(self._pid, 0)

    def _give(self, thing: tuple[Any, ...]) -> None:
        import pickle  # late: most runs need none

        try:
            pickle.dump(thing, self._things, pickle.HIGHEST_PROTOCOL)
            self._things.flush()
        except BrokenPipeError:
            self._hear()
            raise RuntimeError("the process that shows the rows is gone") from None

    def _hear(self) -> None:
        """Wait for its word: all is well, or what is not."""
        import pickle

        try:
            word, what = pickle.load(self._said)  # noqa: S301 - of our own process
        except EOFError:
            raise RuntimeError("the process that shows the rows is gone") from None
        if word == "problem":
            raise what[0](**what[1])
        if word == "gone":
            raise ReaderGone
        if word == "fault":
            raise RuntimeError(what)


def _widen(pipe: int) -> None:
    """Let the pipe hold what comes in bursts, so that neither process waits for the other: a fifth of the time."""
    import fcntl

    size = getattr(fcntl, "F_SETPIPE_SZ", None)  # of Linux alone
    if size is not None:
        with suppress(OSError):  # more than this user may have
            fcntl.fcntl(pipe, size, PIPE_BYTES)


def _show_apart(
    output: Callable[[], AbstractContextManager[Renderer]], following: Following | None, things: int, said: int
) -> NoReturn:
    """In the other process: show what comes, say how it went, end."""
    import pickle
    import traceback

    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever began us hears it
        with open(said, "wb", buffering=0) as back:
            word: tuple[str, Any] = ("well", None)
            try:
                with open(things, "rb", buffering=1 << 16) as incoming, output() as renderer:
                    pickle.dump(word, back)
                    _show_all(incoming, renderer, following)
            except InspectError as problem:
                word = ("problem", (problem.__class__, problem.data))
            except (ReaderGone, BrokenPipeError):
                word = ("gone", None)
            except Exception:  # noqa: BLE001 - it is raised where somebody hears it
                word = ("fault", traceback.format_exc())
            with suppress(BrokenPipeError):
                pickle.dump(word, back)
        code = 0
    finally:
        os._exit(code)


def _show_all(incoming: Any, renderer: Renderer, following: Following | None) -> None:
    import pickle

    from inspect_cli.cli.run import collect_rarely
    from inspect_cli.events.capture import HostsNamed
    from inspect_cli.telling import Telling

    collect_rarely()
    telling = Telling()
    while True:
        try:
            thing = pickle.load(incoming)  # noqa: S301 - of our own process
        except EOFError:
            return  # it was ended in the middle
        if thing[0] == "show":
            part: Part = thing[1]
            parts = iter((part,)) if following is None else following.parts([event for _, event in part[0]], part[1])
            for happened, connections in parts:
                for row in telling.tell(happened):
                    if isinstance(row, HostsNamed):
                        renderer.names(row)
                    else:
                        renderer.entry(row)
                for connection in connections:
                    renderer.connection(connection)
        elif thing[0] == "begin":
            capture = thing[1]
            renderer.begin(capture)
        elif thing[0] == "capture":
            for field in fields(thing[1]):
                setattr(capture, field.name, getattr(thing[1], field.name))
        else:
            _, capture, tally = thing
            tally.concepts = telling.concepts
            renderer.end(capture, tally)
            return
