"""Who asks: the site of the page where a request began, kept over redirects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.memory import Recent
from inspect_cli.events.base import INFERRED, REPORTED, Annotation, Event
from inspect_cli.events.calls import RequestAsked
from inspect_cli.events.cookies import BIS, Asking
from inspect_cli.events.http import ResponseHead

_REDIRECTS = frozenset((301, 302, 303, 307, 308))
_OPEN = 4_096
_LONGEST = 8_192
"""Characters of a Location that is followed here."""


class _Redirect(NamedTuple):
    """Where the last answer to a jar sends, and who had asked."""

    scheme: str
    host: str
    path: str
    frames: tuple[int, ...]
    asking: Asking

    def leads_to(self, asking: Asking) -> bool:
        return (self.scheme, self.host, self.path) == (asking.scheme, asking.host, asking.path)


class _Asked(NamedTuple):
    """A request that waits for its answer: of its Context what is looked at then."""

    jar: str
    url: str
    asking: Asking


class SameSite(Concept):
    """Same-site or cross-site: decided by the page that asks, not by the hosts of redirects in between."""

    id = "same-site"
    reference = f"{BIS} §5.2"
    watches = (RequestAsked, ResponseHead)
    codes = ("same-site.cross-site", "same-site.redirected", "same-site.left", "same-site.returned")

    def __init__(self) -> None:
        self._asked: Recent[tuple[str, int], _Asked] = Recent(_OPEN)
        self._redirects: Recent[str, _Redirect] = Recent(_OPEN)

    def see(self, event: Event) -> Iterable[Annotation]:
        if isinstance(event, RequestAsked):
            return self._request(event)
        if isinstance(event, ResponseHead) and self._asked and event.request is not None:
            self._answered(event, event.request.where.channel, event.request.index)
        return ()

    def _request(self, event: RequestAsked) -> Iterable[Annotation]:
        context, head = event.context, event.of
        asking = context.asking
        self._asked[head.where.channel, head.index] = _Asked(context.jar, context.url, asking)
        redirect = self._redirects.pop(context.jar, None)
        if redirect is not None and redirect.leads_to(asking):
            frames = redirect.frames + head.where.frames
            what = _change(redirect.asking, asking)
            # Nothing says that it was followed: the next request of that client goes where it leads.
            return (
                self.note(
                    event,
                    what,
                    frames=frames,
                    reference=f"{BIS} §5.2.1",
                    basis=INFERRED,
                    same_site=asking.same_site,
                    redirect=redirect.frames,
                ),
            )
        if asking.same_site:
            return ()
        # The registrable domain is the same, but http and https are two sites (HTML).
        by_scheme = bool(asking.same_domain)
        return (
            self.note(
                event,
                "cross-site",
                basis=REPORTED,
                top_level=asking.top_level,
                by_scheme=by_scheme,
                method=asking.method,
            ),
        )

    def _answered(self, event: ResponseHead, channel: str, index: int) -> None:
        if 100 <= event.status < 200 and event.status != 101:
            return
        asked = self._asked.pop((channel, index), None)
        if asked is None:
            return
        locations = event.values(b"location") if event.status in _REDIRECTS else []
        if not locations or len(locations[0]) > _LONGEST:
            return
        try:
            to = urlsplit(urljoin(asked.url, locations[0].decode("utf-8", "replace").strip()))
        except ValueError:
            return
        self._redirects[asked.jar] = _Redirect(
            to.scheme, to.hostname or "", to.path or "/", event.where.frames, asked.asking
        )


def _change(before: Asking, now: Asking) -> str:
    if before.same_site == now.same_site:
        return "redirected"
    return "returned" if now.same_site else "left"
