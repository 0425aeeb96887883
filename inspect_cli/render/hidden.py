"""Secrets of rows that are not shown: they get their numbers, so that those of shown rows stay the same."""

from __future__ import annotations

from inspect_cli.events.base import Entry, Event, Secret
from inspect_cli.events.http import MessageHead
from inspect_cli.render.rows import RowMaker
from inspect_cli.render.values import AS_THEY_ARE, shown_hints


class Hidden:
    """Sees the entries that a filter hides; makes a row (and drops it) only where it would number a secret."""

    __slots__ = ("_maker", "_names", "_redactor")

    def __init__(self, maker: RowMaker) -> None:
        self._maker = maker
        self._redactor = maker.redactor
        self._names: dict[type[Event], list[str]] = {}
        """Of each type those fields that can hold secrets."""

    def see(self, entry: Entry) -> None:
        """Number what its row would show."""
        if self.numbers(entry):
            self._maker.row(entry)

    def numbers(self, entry: Entry) -> bool:
        """Whether making its row may give a secret its number."""
        if self._redactor.policy == "none":
            return False
        event = entry.event
        if isinstance(event, MessageHead):
            head = event.head.lower()
            if b"authorization:" in head or (b"cookie:" in head and self._redactor.hides("cookie")):
                return True
        else:
            names = self._names.get(event.__class__)
            if names is None:
                hints = shown_hints(event.__class__)
                names = self._names[event.__class__] = [name for name, hint in hints.items() if "Secret" in str(hint)]
            for name in names:
                if self._hides(getattr(event, name)):
                    return True
        for annotation in entry.annotations:
            for value in annotation.data.values() if annotation.data else ():
                if value.__class__ not in AS_THEY_ARE and self._hides(value):
                    return True
        return False

    def _hides(self, value: object) -> bool:
        if value.__class__ in AS_THEY_ARE or isinstance(value, bytes):
            return False
        if isinstance(value, Secret):
            return self._redactor.hides(value.kind)
        if isinstance(value, tuple | list):
            return any(map(self._hides, value))
        return True  # whatever it is: its row will tell
