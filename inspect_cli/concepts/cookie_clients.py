"""Where clients do not agree on what to keep."""

from __future__ import annotations

from collections.abc import Iterable

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.memory import Recent
from inspect_cli.events.base import INFERRED, Annotation, Event
from inspect_cli.events.cookies import BIS, CookieRefused, CookieStored, Otherwise


class CookieClients(Concept):
    """The same Set-Cookie line is kept by some clients and refused by others: said once per cause."""

    id = "cookie-clients"
    reference = f"{BIS} §5.7"
    watches = (CookieStored, CookieRefused)
    codes = ("cookie-clients.others-refuse", "cookie-clients.others-keep")

    def __init__(self) -> None:
        self._said: Recent[Otherwise, bool] = Recent()

    def see(self, event: Event) -> Iterable[Annotation]:
        if not isinstance(event, CookieStored | CookieRefused):
            return ()
        said = event.otherwise
        if said is None or not self._said.first_time(said, True):
            return ()
        what = "others-refuse" if isinstance(event, CookieStored) else "others-keep"
        return (
            self.note(
                event,
                what,
                basis=INFERRED,
                level="notice",
                reference=said.reference,
                keep=said.keep,
                refuse=said.refuse,
                reason=said.reason,
            ),
        )
