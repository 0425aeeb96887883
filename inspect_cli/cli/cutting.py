"""The file of -w: all that is read, or one connection's frames and all that is no frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from inspect_cli.cli.observe import Recorder, capture_file
from inspect_cli.cli.output import Output, refuse_same_file
from inspect_cli.errors import UsageProblem

if TYPE_CHECKING:
    from inspect_cli.cli.run import Writer
    from inspect_cli.events.base import Item


class Cut:
    """A Writer that hands on the frames that are picked between `write` and `step`.

    Of a packet in IP fragments that is the frame which completed it; the others may be long gone.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._item: Item | None = None
        self._picked: list[int] = []

    def write(self, item: Item) -> None:
        """Keep an item until it is known which of its frames are wanted."""
        self._item = item

    def pick(self, numbers: list[int]) -> None:
        """These frames of the item are wanted."""
        self._picked += numbers

    def step(self) -> None:
        """All of the item is known."""
        from inspect_cli.wire.frames import Frames

        item, self._item = self._item, None
        numbers, self._picked = sorted(self._picked), []
        if isinstance(item, Frames):
            item = item.only(numbers) if numbers else None
        if item is not None:
            self._writer.write(item)

    def close(self, drops: int) -> None:
        """Drops are of the whole capture."""
        self._writer.close(drops)


@contextmanager
def keeping(path: str, output: Output, inputs: Sequence[str], interfaces: Sequence[str]) -> Iterator[Recorder]:
    """The file of -w. Raises: UsageProblem, OutputNotWritable."""
    if path == "-" and output.path is None:
        raise UsageProblem(problem="two-on-stdout")
    refuse_same_file(path, inputs)
    with capture_file(path, interfaces) as recorder:
        assert recorder is not None
        yield recorder
