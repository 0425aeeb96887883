"""A HAR (HTTP Archive 1.2) as a source: a session that a browser, a proxy or a tool exported.

It holds no packets. Each exchange is a Context and the bytes of its heads as `Reported`, on a
channel of its own: `socket/N` is entry N of the HAR, from 0. Everything is read before
anything is given on: requests and responses of several entries come in order of their times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from inspect_cli.cookies.clues import FIELDS, Clues, origin_site, read_clues
from inspect_cli.errors import BadHar, InspectError
from inspect_cli.events.base import Item, Side
from inspect_cli.events.calls import Context, Reported
from inspect_cli.events.cookies import Asking
from inspect_cli.sources.har_heads import (
    Message,
    Target,
    field_lines,
    milliseconds,
    moment,
    request_of,
    response_of,
    target_of,
)
from inspect_cli.sources.har_json import BadJson, Text, read_log
from inspect_cli.wire.unpacking import Unpacked

MOST_ENTRIES: Final = 250_000
MOST_BYTES: Final = 256 << 20
"""Of all heads together."""
_PROFILE: Final = "rfc6265bis"


@dataclass(slots=True)
class Told:
    """What a HAR does not tell as the wire would, in numbers."""

    entries: int = 0
    messages: int = 0
    """Of WebSockets: a HAR has no frames."""
    unsent: int = 0
    """Entries that never went out: from a cache or a service worker, blocked, not HTTP."""
    listed: int = 0
    """Messages whose cookies stand in the HAR's list alone."""
    has_cookies: bool = False

    def add(self, other: Told) -> None:
        self.entries += other.entries
        self.messages += other.messages
        self.unsent += other.unsent
        self.listed += other.listed
        self.has_cookies = self.has_cookies or other.has_cookies


@dataclass(slots=True)
class _Exchange:
    """An entry, as far as it is told."""

    number: int
    begun_ns: int
    answered_ns: int
    target: Target
    url: str
    fields: dict[bytes, bytes]
    """Those that tell who asks."""
    client: str
    """Its User-Agent, "" where it has none."""
    pageref: str
    kind: str
    """`document`, `fetch`, `image`, ...; "" where it is not said."""
    initiator: str
    request: Message
    response: Message | None


@dataclass(slots=True)
class _Log:
    """What was read."""

    exchanges: list[_Exchange] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    """URL of a page's document by its ID."""


class HarReader:
    """Iterates over the items of one HAR, once; as CaptureReader does over those of a capture."""

    frames: Final = 0
    drops: Final = 0

    def __init__(self, begun: bytes, rest: Unpacked, name: str) -> None:
        self.name = name
        self.complete = False
        self.error: InspectError | None = None
        self.told = Told()
        self.span_ns: tuple[int, int] | None = None
        """Times of the first and the last message, once read."""
        self._text = Text(begun, rest)
        self._log: _Log | None = None
        self._size_bytes = 0
        self._problem: tuple[str, int] | None = None

    @property
    def first_time_ns(self) -> int | None:
        """When its first request was sent; reads it all."""
        self._read()
        return self.span_ns[0] if self.span_ns else None

    def __iter__(self) -> Iterator[Item]:
        log = self._read()
        moments = [(exchange.begun_ns, 0, exchange) for exchange in log.exchanges]
        moments += [(exchange.answered_ns, 1, exchange) for exchange in log.exchanges]
        moments.sort(key=lambda moment: (moment[0], moment[2].number, moment[1]))
        client = ""
        for _, is_answer, exchange in moments:
            if is_answer:
                yield from _answer(exchange)
            else:
                client = exchange.client or client
                yield from self._request(exchange, client, log.pages)

    # -- reading -------------------------------------------------------------------------

    def _read(self) -> _Log:
        if self._log is not None:
            return self._log
        log = self._log = _Log()
        number = 0
        try:
            for kind, value in read_log(self._text):
                if kind == "page":
                    _learn_page(log, value)
                    continue
                self._take(log, value, number)
                number += 1
                if number >= MOST_ENTRIES or self._size_bytes > MOST_BYTES:
                    self._fail("too-large")
                    break
        except BadJson:
            self._fail(self._text.problem or "broken-json")
        self.told.entries = number
        if not number:
            self._fail("no-entries")
        if self._problem is not None:
            reason, entry = self._problem
            self.error = BadHar(path=self.name, reason=reason, entry=entry, entries=number)
        self.complete = self.error is None
        times = [time for e in log.exchanges for time in (e.begun_ns, e.answered_ns)]
        self.span_ns = (min(times), max(times)) if times else None
        return log

    def _take(self, log: _Log, entry: dict[str, Any], number: int) -> None:
        """One more entry."""
        request = entry.get("request")
        if not isinstance(request, dict):
            self._fail("no-request", number)
            return
        response = entry.get("response")
        response = response if isinstance(response, dict) else {}
        target = target_of(request)
        if target is None or _never_went(entry, response):
            self.told.unsent += 1
            return
        before_ns = log.exchanges[-1].begun_ns if log.exchanges else 0
        begun_ns = moment(entry.get("startedDateTime"))
        begun_ns = before_ns if begun_ns is None else begun_ns
        asked, answered = request_of(request, target), response_of(response, target.asking.method)
        names = {name.lower().encode("ascii"): value for name, value in reversed(field_lines(request))}
        exchange = _Exchange(
            number,
            begun_ns,
            begun_ns + _took_ns(entry),
            target,
            str(request["url"]),
            {name: value for name, value in names.items() if name in FIELDS},
            names.get(b"user-agent", b"").decode("latin-1"),
            _word(entry, "pageref"),
            _word(entry, "_resourceType").lower(),
            _initiator(entry),
            asked,
            answered,
        )
        log.exchanges.append(exchange)
        if exchange.pageref and exchange.pageref not in log.pages and exchange.kind in ("", "document"):
            log.pages[exchange.pageref] = exchange.url
        self._count(entry, asked, answered)

    def _count(self, entry: dict[str, Any], asked: Message, answered: Message | None) -> None:
        told = self.told
        messages = entry.get("_webSocketMessages")
        told.messages += messages if isinstance(messages, int) else 0
        for message in (asked, answered):
            if message is not None:
                self._size_bytes += len(message.head)
                told.listed += message.from_list
                lowered = message.head.lower()
                told.has_cookies = told.has_cookies or b"\ncookie:" in lowered or b"\nset-cookie:" in lowered

    def _fail(self, reason: str, entry: int | None = None) -> None:
        """The first problem is told; `entry` counts from 0."""
        if self._problem is None:
            self._problem = (reason, 0 if entry is None else entry + 1)

    # -- telling -------------------------------------------------------------------------

    def _request(self, exchange: _Exchange, client: str, pages: dict[str, str]) -> Iterator[Item]:
        asking = _asking(exchange, pages.get(exchange.pageref, ""))
        if asking.method != "CONNECT":  # which asks for no resource
            jar = f"{self.name} {client}"
            yield Context(exchange.begun_ns, asking, exchange.url, _PROFILE, jar, (), recorded=True)
        yield from _reported(exchange, exchange.begun_ns, Side.CLIENT, exchange.request)


def _answer(exchange: _Exchange) -> Iterator[Item]:
    """The response, and the end of both sides; not of a WebSocket or a tunnel, which the HAR does not tell."""
    time_ns = exchange.answered_ns
    if exchange.response is not None:
        yield from _reported(exchange, time_ns, Side.SERVER, exchange.response)
        if exchange.response.switches:
            return
    yield Reported(time_ns, exchange.number, Side.CLIENT, b"", True, "", "")
    yield Reported(time_ns, exchange.number, Side.SERVER, b"", True, "", "")


def _reported(exchange: _Exchange, time_ns: int, side: Side, message: Message) -> Iterator[Item]:
    for data, unseen in message.pieces:
        yield Reported(time_ns, exchange.number, side, data, False, "", "", unseen)


def _asking(exchange: _Exchange, document: str) -> Asking:
    """Who asks: by the request's own fields, else by what the HAR says of page and initiator."""
    asking, fields, kind = exchange.target.asking, exchange.fields, exchange.kind
    clues = read_clues(fields, asking.scheme, asking.host)
    top = clues.top_level
    if clues.top_by in ("assumed", "Accept") and kind:
        top = kind == "document" and document in ("", exchange.url)
    page = exchange.initiator or document
    if clues.same_by == "assumed" and not top and page:
        # As if it had a Referer, which a page may forbid.
        clues = read_clues({**fields, b"referer": page.encode("utf-8", "replace")}, asking.scheme, asking.host)
    return Asking(
        asking.scheme,
        asking.host,
        asking.path,
        asking.method,
        clues.same_site,
        top,
        clues.same_domain,
        "" if top else _top_site(clues, document, asking),
    )


def _top_site(clues: Clues, document: str, asking: Asking) -> str:
    """The site of the page in the address bar, "" where it is that of the request."""
    origin = _origin(document)
    found = origin_site(*origin) if origin else clues.top_site
    return "" if found == origin_site(_SECURE.get(asking.scheme, asking.scheme), asking.host) else found


_SECURE: Final = {"ws": "http", "wss": "https"}


def _origin(url: str) -> tuple[str, str] | None:
    """Scheme and host of a page's URL."""
    try:
        parts = urlsplit(url)
        return (parts.scheme, parts.hostname) if parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None


def _learn_page(log: _Log, page: dict[str, Any]) -> None:
    """Chromium writes the URL where other browsers write the title."""
    title, name = _word(page, "title"), _word(page, "id")
    if name and title.startswith(("http://", "https://")):
        log.pages[name] = title


def _never_went(entry: dict[str, Any], response: dict[str, Any]) -> bool:
    """Whether the browser answered by itself, or refused to ask."""
    if entry.get("_fromCache") or entry.get("_fetchedViaServiceWorker") is True:
        return True
    if _word(response, "_error").startswith("net::ERR_BLOCKED"):
        return True
    # Chromium's own redirect to https (HSTS) has this field, and no server ever sends it.
    return any(name.lower() == "non-authoritative-reason" for name, _ in field_lines(response))


def _took_ns(entry: dict[str, Any]) -> int:
    """From the start of the entry to the head of its response."""
    timings = entry.get("timings")
    if isinstance(timings, dict) and milliseconds(timings.get("wait")):
        # `ssl` is part of `connect` (HAR 1.2, timings).
        return sum(milliseconds(timings.get(name)) for name in ("blocked", "dns", "connect", "send", "wait"))
    return milliseconds(entry.get("time"))


def _word(of: dict[str, Any], key: str) -> str:
    value = of.get(key)
    return value if isinstance(value, str) else ""


def _initiator(entry: dict[str, Any]) -> str:
    """The document that a parser read when it found this; a script's own URL tells no page."""
    initiator = entry.get("_initiator")
    if not isinstance(initiator, dict) or initiator.get("type") != "parser":
        return ""
    return _word(initiator, "url")
