"""Where the output goes and how it looks: file, colour, width, language."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final, TextIO, cast

import click

from inspect_cli.errors import OutputNotWritable, UsageProblem

if TYPE_CHECKING:
    from inspect_cli.events.tcp import Connection
    from inspect_cli.render import Renderer
    from inspect_cli.render.base import Look
    from inspect_cli.render.redact import Redactor
    from inspect_cli.texts import Words

PIPE_WIDTH: Final = 80
"""Columns where no terminal and no COLUMNS says otherwise."""


@dataclass(slots=True)
class Speech:
    """The language of what is said."""

    lang: str | None
    debug: bool

    @property
    def words(self) -> Words:
        from inspect_cli.texts import Words, default_language

        return Words(self.lang or default_language(os.environ))


@dataclass(slots=True)
class Output:
    """The output options of a command."""

    format: str
    output: str | None
    lang: str | None
    color: str
    ascii: bool
    redact: bool | None
    """None: as it is usual there: files are redacted, a terminal is not."""
    select: str | None
    quiet: bool
    verbose: bool
    debug: bool

    @property
    def words(self) -> Words:
        return Speech(self.lang, self.debug).words

    @property
    def path(self) -> str | None:
        """The file to write, None for stdout."""
        return None if self.output == "-" else self.output

    def hint(self, key: str, **data: object) -> None:
        """Say one line on stderr, unless -q."""
        if not self.quiet:
            click.echo(self.words.say(key, data), err=True)

    @contextmanager
    def renderer(
        self,
        inputs: Sequence[str] = (),
        connections: Callable[[], Iterable[Connection]] | None = None,
        *,
        overview: bool = False,
        above: Callable[[TextIO], TextIO] = lambda out: out,
        names: bool = True,
    ) -> Iterator[Renderer]:
        """What shows the entries, on an open file or stdout; `above` may put itself between.

        `connections` reads them before anything is shown, for a filter that asks how they end.
        `overview`: of a large capture the text view tells what is in it, unless rows are selected.
        `names`: it names hosts as captured DNS answers do.

        Raises: OutputNotWritable, BadFilter; UsageProblem where the file is one of the `inputs`.
        """
        from inspect_cli.render import compile_filter, make_renderer, policy_for

        select = compile_filter(self.select, self.words) if self.select else None
        refuse_same_file(self.path, inputs)
        if select is not None and select.asks_outcomes:
            if connections is None:
                raise UsageProblem(problem="filter-outcome-unknown")
            select.learn(connections())
        with self._opened() as opened:
            out = above(opened)
            is_terminal = out.isatty()
            yield make_renderer(
                self.format,
                out,
                lang=self.words.lang,
                width=width_of(os.environ, is_terminal),
                color=wants_color(self.color, os.environ, is_terminal),
                ascii=self.ascii,
                redact=policy_for(
                    to_file=self.path is not None, redact=self.redact is True, show_secrets=self.redact is False
                ),
                verbose=self.verbose,
                is_terminal=is_terminal,
                select=select,
                overview=overview and select is None,
                names=names,
            )

    @contextmanager
    def opened(self, inputs: Sequence[str] = ()) -> Iterator[TextIO]:
        """The file of -o or stdout. Raises: OutputNotWritable; UsageProblem where it is one of the `inputs`."""
        refuse_same_file(self.path, inputs)
        with self._opened() as out:
            yield out

    def look(self, out: TextIO) -> Look:
        """How text is shown there."""
        from inspect_cli.render.base import Look

        is_terminal = out.isatty()
        return Look(
            lang=self.words.lang,
            width=width_of(os.environ, is_terminal),
            color=wants_color(self.color, os.environ, is_terminal),
            ascii=self.ascii,
            verbose=self.verbose,
            is_terminal=is_terminal,
        )

    @property
    def redactor(self) -> Redactor:
        """What replaces secrets, as --redact and --show-secrets ask, or as it is usual there."""
        from inspect_cli.render.redact import Redactor, policy_for

        to_file = self.path is not None
        return Redactor(policy_for(to_file=to_file, redact=self.redact is True, show_secrets=self.redact is False))

    @contextmanager
    def _opened(self) -> Iterator[TextIO]:
        if self.path is None:
            with writing("-"):
                yield sys.stdout
                sys.stdout.flush()
            return
        out = open_output(self.path, "w", private=self.redact is False)
        with writing(self.path), out:
            yield cast(TextIO, out)


def wants_color(choice: str, environ: Mapping[str, str], is_terminal: bool) -> bool:
    """--color, NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR, CLICOLOR=0, TERM=dumb, a terminal: the first that speaks."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):  # https://no-color.org: present and not empty
        return False
    for name in ("CLICOLOR_FORCE", "FORCE_COLOR"):
        if environ.get(name, "") not in ("", "0"):
            return True
    if environ.get("CLICOLOR") == "0" or environ.get("TERM") == "dumb":
        return False
    return is_terminal


def width_of(environ: Mapping[str, str], is_terminal: bool) -> int:
    """Columns of the terminal; COLUMNS wins (POSIX XBD 8.3)."""
    columns = environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and int(columns[:6]) > 0:
        return int(columns[:6])
    return shutil.get_terminal_size((PIPE_WIDTH, 24)).columns if is_terminal else PIPE_WIDTH


@contextmanager
def writing(path: str) -> Iterator[None]:
    """A failed write inside is OutputNotWritable; a reader who went away stays BrokenPipeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputNotWritable(path=path, reason=error.strerror or type(error).__name__) from error


def open_output(path: str, mode: str, *, private: bool) -> IO[Any]:
    """Open for writing ("w" or "wb"); `private`: nobody else may read it (0600), even if it was there before.

    Raises: OutputNotWritable.
    """

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, 0o600 if private else 0o666)

    text = {} if "b" in mode else {"encoding": "utf-8", "errors": "backslashreplace", "newline": "\n"}
    with writing(path):
        file = open(path, mode, opener=opener, **text)  # type: ignore[call-overload]  # noqa: SIM115
    if private and hasattr(os, "fchmod") and os.path.isfile(path):
        with suppress(PermissionError):  # somebody else's file that we may write: its owner decides
            os.fchmod(file.fileno(), 0o600)
    return cast(IO[Any], file)


def refuse_same_file(path: str | None, inputs: Sequence[str]) -> None:
    """Raises UsageProblem: opening `path` for writing would destroy what is to be read."""
    for name in inputs:
        if path is not None and os.path.isfile(path) and os.path.exists(name) and os.path.samefile(path, name):
            raise UsageProblem(problem="output-is-input")
