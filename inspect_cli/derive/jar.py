"""Which cookies clients keep and send, decided again from what the capture shows."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from inspect_cli.cookies.clues import host_without_port
from inspect_cli.cookies.parse import split_pair
from inspect_cli.cookies.paths import default_path
from inspect_cli.cookies.store import StoreDecision
from inspect_cli.derive.base import Deriver
from inspect_cli.derive.clients import MAX_REFUSED_BYTES, Client, Clients
from inspect_cli.derive.heads import (
    LONGEST_KEPT,
    Asked,
    FieldLine,
    Recent,
    Request,
    connection_of,
    field_lines,
    is_final,
    joined,
    read_event,
    read_request,
    where_of_line,
)
from inspect_cli.derive.matching import Known, Matching, Refused, Situation
from inspect_cli.derive.others import Others
from inspect_cli.derive.waiting import Waiting
from inspect_cli.events.base import INFERRED, REPORTED, Event, Secret, Where
from inspect_cli.events.calls import Context, ContextGiven, RequestAsked
from inspect_cli.events.cookies import (
    BIS,
    Asking,
    ClientRestarted,
    CookieDeleted,
    CookieRefused,
    CookieSent,
    CookieStored,
    CookieWithheld,
    Decision,
    Otherwise,
    Step,
)
from inspect_cli.events.http import RequestHead, ResponseHead
from inspect_cli.events.tcp import ConnectionEnd, Syn

_MAX_PENDING = 256
_MAX_OPEN = 16_384

_NO_REQUEST = Step(f"{BIS} §5.7", "request", "skipped", "not captured")


class Jars(Deriver):
    """CookieStored, CookieDeleted, CookieRefused of responses; CookieSent, CookieWithheld of requests.

    A jar belongs to the name that a Context gives it, else to the client's address and
    User-Agent: it holds what this capture shows. `now` is the head's time.
    """

    watches = (ContextGiven, RequestHead, ResponseHead, Syn, ConnectionEnd)
    makes = (CookieStored, CookieDeleted, CookieRefused, CookieSent, CookieWithheld, ClientRestarted, RequestAsked)

    def __init__(self, profile: str | None = None) -> None:
        """`profile`: decides for all clients (`--as`)."""
        self._clients = Clients(profile)
        self._others = Others()
        self._pending: deque[Context] = deque(maxlen=_MAX_PENDING)
        self._contexts: Waiting[Context] = Waiting(_MAX_OPEN)
        self._last_requests: Recent[str, Request] = Recent(_MAX_OPEN)

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Event]]]:
        return {
            ContextGiven: self._given,
            RequestHead: self._requested,
            ResponseHead: self._answered,
            Syn: self._opened,
            ConnectionEnd: self._closed,
        }

    def _given(self, event: ContextGiven) -> Iterable[Event]:
        self._pending.append(event.context)
        return (self._restarted(event),) if event.context.restarted else ()

    def _opened(self, event: Syn) -> Iterable[Event]:
        self._clients.opened(event)
        return ()

    def _closed(self, event: ConnectionEnd) -> Iterable[Event]:
        self._clients.closed(event.where.channel)
        self._last_requests.pop(event.where.channel, None)
        self._contexts.over(event.where.channel)
        return ()

    def _restarted(self, event: ContextGiven) -> ClientRestarted:
        client = self._clients.named(event.context)
        gone = tuple([cookie.name for cookie in client.jar.end_session()])
        kept = tuple([cookie.name for cookie in client.jar if not cookie.is_expired(event.where.time_ns)])
        self._clients.grown(client)
        return ClientRestarted(event.where, event.context.jar, gone, kept)

    # -- requests ------------------------------------------------------------------------

    def _requested(self, event: RequestHead) -> Iterable[Event]:
        channel = event.where.channel
        connection = connection_of(channel)
        request, lines, at = read_event(event)
        self._last_requests.put(connection, request if len(event.head) <= LONGEST_KEPT else request.shortened())
        if self._pending:
            context = self._take_context(event)
            if context is not None:
                self._contexts.put(channel, event.index, context, _size_of(context))
                asks = _situation_of(context, self._clients.named(context))
                if context.recorded and not lines:
                    asked = request.asked
                    asks = asks._replace(may_omit=asked is not None and asked.may_omit)
                return [RequestAsked(event.where, event, context), *self._decide(event, lines, at, asks)]
        address = self._clients.address_of(connection)
        if not lines and not self._clients.has_any(address):
            return ()
        client = self._clients.recorded(address, request.user_agent, make=False)
        if not lines and client is None:
            return ()
        asked = request.asked
        if asked is None:
            return ()
        asked = self._with_host(asked, connection)
        return self._decide(event, lines, at, _recorded(asked, client))

    def _decide(
        self, event: RequestHead, lines: tuple[FieldLine, ...], at: int, asks: Situation
    ) -> list[CookieSent | CookieWithheld]:
        """What the request carries and what not; `at`: bytes before the place that lines count from."""
        client = asks.client
        places = [where_of_line(event, line, event.where.basis, at) for line in lines]
        if client is None:
            return Matching(event, asks, ()).all(lines, places)
        decisions = client.jar.send_again(asks.asking, event.where.time_ns)
        last = client.last
        if last is not None and last.is_of(decisions, lines, asks):
            return last.again(event, places)
        matching = Matching(event, asks, decisions)
        found = matching.all(lines, places)
        client.last = matching.outcome(lines, found)
        self._clients.grown(client)  # expired ones may have gone
        return found

    def _take_context(self, event: RequestHead) -> Context | None:
        """The first Context that fits; those of its jar before it were never asked (or not captured)."""
        asked = read_request(event.head, is_tls="/tls" in event.where.channel)
        if asked is None:
            return None
        asking = asked.asking
        fits = [c for c in self._pending if c.asking.method == asking.method and c.asking.path == asking.path]
        # A Host field given by hand may differ from the URL's host.
        exact = [c for c in fits if host_without_port(c.asking.host.encode("utf-8", "replace")) == asking.host]
        context = exact[0] if exact else fits[0] if fits and fits[0] is self._pending[0] else None
        if context is None:
            return None
        kept: list[Context] = []
        is_before = True
        for other in self._pending:
            if other is context:
                is_before = False
            elif not is_before or other.jar != context.jar:
                kept.append(other)
        self._pending.clear()
        self._pending.extend(kept)
        return context

    # -- responses -----------------------------------------------------------------------

    def _answered(self, event: ResponseHead) -> Iterable[Event]:
        context = self._context_of(event)
        lines = field_lines(event.head, b"set-cookie")
        if not lines:
            return ()
        asks = self._situation(event, context)
        if asks is None or asks.client is None:
            return ()
        client, now_ns = asks.client, event.where.time_ns
        values = [line.value for line in lines]
        decisions = client.jar.store_all(values, asks.asking, now_ns)
        others = self._others.of_lines(values, decisions, asks.asking, now_ns, client.jar.profile.name)
        found: list[Event] = []
        for line, decision, otherwise in zip(lines, decisions, others, strict=True):
            where = where_of_line(event, line, asks.basis)
            found.append(_stored_event(event, where, line.value, decision, asks, otherwise))
        self._clients.grown(client)
        return found

    def _context_of(self, event: ResponseHead) -> Context | None:
        if not self._contexts or event.request is None:
            return None
        channel, index = event.request.where.channel, event.request.index
        return self._contexts.pop(channel, index) if is_final(event) else self._contexts.get(channel, index)

    def _situation(self, event: ResponseHead, context: Context | None) -> Situation | None:
        if context is not None:
            return _situation_of(context, self._clients.named(context))
        channel = event.where.channel
        connection = connection_of(channel)
        request = self._last_requests.get(connection)
        if event.request is not None and (request is None or not request.is_of(event.request)):
            request, _, _ = read_event(event.request)
        if request is None:
            asked, user_agent = None, b""
        else:
            asked, user_agent = request.asked, request.user_agent
        if event.request is None:
            # The request was not captured: its host may be that of an earlier one; its path is not known.
            host = asked.asking.host if asked is not None else self._clients.server_of(connection)
            if not host:
                return None  # nobody can say whose cookie it is
            asked = Asked(Asking("https" if "/tls" in channel else "http", host, "/"), _NO_REQUEST, False)
        if asked is None:
            return None
        if event.request is not None:
            asked = self._with_host(asked, connection_of(event.request.where.channel))
        address = self._clients.address_of(connection)
        return _recorded(asked, self._clients.recorded(address, user_agent, make=True))

    def _with_host(self, asked: Asked, connection: str) -> Asked:
        """Without a Host field (HTTP/1.0) the server's address stands for it."""
        if asked.asking.host:
            return asked
        ask = asked.asking
        host = self._clients.server_of(connection)
        return asked._replace(
            asking=Asking(
                ask.scheme,
                host,
                ask.path,
                ask.method,
                ask.same_site,
                ask.top_level,
                ask.same_domain,
                ask.top_site,
            )
        )


def _size_of(context: Context) -> int:
    return len(context.url) + sum([300 + len(given.name) + len(given.value.value) for given in context.given])


def _recorded(asked: Asked, client: Client | None) -> Situation:
    """A client that is known only by its traffic: what it keeps is inferred."""
    return Situation(asked.asking, asked.who, client, INFERRED, frozenset(), asked.may_omit)


def _situation_of(context: Context, client: Client) -> Situation:
    asking = context.asking
    words = (
        f"{'same-site' if asking.same_site else 'cross-site'}, {'top-level' if asking.top_level else 'not top-level'}"
    )
    by_hand = frozenset((given.name, given.value.value) for given in context.given if given.by_hand)
    who = Step(f"{BIS} §5.2", "who-asks", "applied", words)
    return Situation(asking, who, client, REPORTED, by_hand, may_omit=False, recorded=context.recorded)


def _stored_event(
    event: ResponseHead,
    where: Where,
    line: bytes,
    decision: StoreDecision,
    asks: Situation,
    otherwise: Otherwise | None,
) -> CookieStored | CookieDeleted | CookieRefused:
    steps = joined(asks.who, decision.steps)
    cookie, parsed, old = decision.cookie, decision.parsed, decision.replaced
    if cookie is None or parsed is None:
        return _refused_event(event, where, line, decision, asks, otherwise)
    decided = Decision(
        cookie.name, cookie.value, cookie.domain, cookie.path, decision.reason, decision.reference, steps
    )
    if decision.deleted:
        gone = old.value if old is not None else None
        return CookieDeleted(where, event, decided, parsed.attributes, old is not None, gone)
    before = old.tag if old is not None else None
    is_missed = isinstance(before, Known) and before.is_missed
    refusers = otherwise.refuse if otherwise is not None else ()
    cookie.tag = Known(event.where.frames, is_given=False, is_missed=is_missed, refusers=refusers)
    changed = old is not None and old.value.value != cookie.value.value
    return CookieStored(
        where,
        event,
        decided,
        parsed.attributes,
        cookie.host_only,
        cookie.expires_ns,
        cookie.secure,
        cookie.http_only,
        cookie.same_site,
        old is not None,
        changed,
        old.value if old is not None and changed else None,
        otherwise,
    )


def _refused_event(
    event: ResponseHead,
    where: Where,
    line: bytes,
    decision: StoreDecision,
    asks: Situation,
    otherwise: Otherwise | None,
) -> CookieRefused:
    parsed = decision.parsed
    name, value = split_pair(line)
    domain = parsed.domain.decode("latin-1") if parsed is not None and parsed.domain else asks.asking.host
    path = parsed.path if parsed is not None else None
    shown_path = path.decode("latin-1") if path and path.startswith(b"/") else default_path(asks.asking.path)
    refusal = Decision(
        name,
        Secret(value, "cookie"),
        domain,
        shown_path,
        decision.reason,
        decision.reference,
        joined(asks.who, decision.steps),
    )
    if otherwise is not None and asks.client is not None and len(name) + len(value) <= MAX_REFUSED_BYTES:
        asks.client.refused.put((name, value), Refused(refusal, event.where.frames, otherwise.keep))
    return CookieRefused(where, event, refusal, parsed.attributes if parsed is not None else (), otherwise)
