"""Requests with their final responses."""

from __future__ import annotations

from collections.abc import Iterable

from inspect_cli.derive.base import Deriver
from inspect_cli.derive.heads import is_final
from inspect_cli.events.base import Event
from inspect_cli.events.http import Exchange, ResponseHead


class Exchanges(Deriver):
    """An Exchange for each final response whose request was captured; 101 is final too."""

    watches = (ResponseHead,)
    makes = (Exchange,)

    def see(self, event: Event) -> Iterable[Event]:
        if not isinstance(event, ResponseHead) or event.request is None or not is_final(event):
            return ()
        return (Exchange(event.where, event.request, event),)
