"""The cookies of a request beside those that its client's jar would have sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.parse import parse_cookie_header
from inspect_cli.cookies.send import SendDecision
from inspect_cli.derive.heads import FieldLine, joined
from inspect_cli.derive.others import of_cookie
from inspect_cli.events.base import INFERRED, Basis, Secret, Where
from inspect_cli.events.cookies import Asking, CookieSent, CookieWithheld, Decision, Sending, Step, Withholding
from inspect_cli.events.http import RequestHead

if TYPE_CHECKING:
    from inspect_cli.derive.clients import Client

_MAX_KEPT: Final = 64
"""Cookies of an outcome that is kept."""
_MAX_KEPT_BYTES: Final = 16_384
"""Of its Cookie field."""


@dataclass(slots=True)
class Known:
    """What the capture knows about a cookie in a jar (its `tag`)."""

    frames: tuple[int, ...]
    is_given: bool
    is_missed: bool = False
    """It should have gone along and did not; said once until it goes again."""
    refusers: tuple[str, ...] = ()
    """Profiles that would not have kept it."""


_GIVEN: Final = Known((), is_given=True)


class Refused(NamedTuple):
    """A cookie that the deciding profile did not keep, and others do: this client may be one of them."""

    decision: Decision
    frames: tuple[int, ...]
    keepers: tuple[str, ...]


class Situation(NamedTuple):
    """A request with the client that made it."""

    asking: Asking
    who: Step
    client: Client | None
    basis: Basis
    """Of what is decided about the client's jar."""
    by_hand: frozenset[tuple[bytes, bytes]]
    may_omit: bool
    """A script may have asked that no cookies go along: none that are missing are missed."""
    recorded: bool = False
    """A Context tells of it, but not all that its client knew."""


class Outcome(NamedTuple):
    """What the last request of a client carried and did not: most of the time the next one does the same."""

    decisions: Sequence[SendDecision]
    lines: tuple[FieldLine, ...]
    who: Step
    basis: Basis
    sent: tuple[Sending, ...]
    withheld: tuple[Withholding, ...]
    may_omit: bool

    def is_of(self, decisions: Sequence[SendDecision], lines: tuple[FieldLine, ...], asks: Situation) -> bool:
        """Whether this request has the same outcome: nothing that leads to it is another."""
        return (
            self.decisions is decisions
            and self.lines == lines
            and self.who == asks.who
            and self.basis == asks.basis
            and self.may_omit == asks.may_omit
            and not asks.by_hand
        )

    def again(self, head: RequestHead, places: Sequence[Where]) -> list[CookieSent | CookieWithheld]:
        """The same of another request."""
        found: list[CookieSent | CookieWithheld] = []
        for where in places:  # one at most
            found += [CookieSent(where, head, sending) for sending in self.sent]
        if self.withheld:
            where = head.where._replace(basis=self.basis)
            found += [CookieWithheld(where, head, withholding) for withholding in self.withheld]
        return found


class Matching:
    """Captured pairs against what the jar would send."""

    def __init__(self, head: RequestHead, asks: Situation, decisions: Sequence[SendDecision]) -> None:
        self._head = head
        self._asks = asks
        self._decisions = decisions
        self._carries_any = False
        self._is_news = False
        """Something was said, or unsaid, that is not said a second time."""
        self._matched: set[int] = set()
        self._without_steps = joined(asks.who, ())
        self._by_pair: dict[tuple[bytes, bytes], list[SendDecision]] = {}
        by_pair = self._by_pair
        for decision in decisions:
            cookie = decision.cookie
            pair = (cookie.name, cookie.value.value)
            if pair in by_pair:
                by_pair[pair].append(decision)
            else:
                by_pair[pair] = [decision]

    def all(self, lines: Sequence[FieldLine], places: Sequence[Where]) -> list[CookieSent | CookieWithheld]:
        """Every pair of the Cookie fields, then the cookies that stay."""
        found: list[CookieSent | CookieWithheld] = []
        self._carries_any = bool(lines)
        for line, where in zip(lines, places, strict=True):
            for name, value in parse_cookie_header(line.value):
                found.append(self._sent(where, name, value))
        if len(self._matched) < len(self._decisions):
            found += self._withheld()
        return found

    def outcome(self, lines: tuple[FieldLine, ...], found: Sequence[CookieSent | CookieWithheld]) -> Outcome | None:
        """What was found, to be found again; None where it would be another thing the second time."""
        asks = self._asks
        if self._is_news or asks.by_hand or len(lines) > 1 or len(found) > _MAX_KEPT:
            return None
        if lines and len(lines[0].value) > _MAX_KEPT_BYTES:
            return None
        sent: list[Sending] = []
        withheld: list[Withholding] = []
        for event in found:
            if isinstance(event, CookieSent):
                sent.append(event.decision)
            else:
                withheld.append(event.decision)
        return Outcome(self._decisions, lines, asks.who, asks.basis, tuple(sent), tuple(withheld), asks.may_omit)

    def _sent(self, where: Where, name: bytes, value: bytes) -> CookieSent:
        found = self._by_pair.get((name, value))
        if found:
            # The same pair once more (another path, or simply twice) is the next one, if there is one.
            decision = found[0] if len(found) == 1 else found.pop(0)
            self._matched.add(id(decision))
            return CookieSent(where, self._head, self._as_known(name, value, decision))
        client = self._asks.client
        by_hand = (name, value) in self._asks.by_hand
        refused = client.refused.get((name, value)) if client is not None and client.refused and not by_hand else None
        if refused is not None:
            return CookieSent(where, self._head, self._against(refused))
        reason = "ByHand" if by_hand else "Unknown"
        other = self._other_value(name) if not by_hand else None
        if other is not None:
            # A script, or a response that was not captured, changed it.
            self._matched.add(id(other))
            reason = "ValueDiffers"
        origin: Literal["given", "unknown"] = "given" if by_hand else "unknown"
        secret, steps = Secret(value, "cookie"), self._without_steps
        return CookieSent(
            where, self._head, Sending(name, secret, "", "", reason, "", steps, origin, expected=True, set_frames=())
        )

    def _other_value(self, name: bytes) -> SendDecision | None:
        """What would have gone under that name, and did not yet."""
        for decision in self._decisions:
            if decision.sent and decision.cookie.name == name and id(decision) not in self._matched:
                return decision
        return None

    def _against(self, refused: Refused) -> Sending:
        """The client kept what the deciding profile refuses."""
        said = refused.decision
        return Sending(
            said.name,
            said.value,
            said.domain,
            said.path,
            said.reason,
            said.reference,
            said.steps,
            "stored",
            expected=False,
            set_frames=refused.frames,
            alike=refused.keepers,
        )

    def _as_known(self, name: bytes, value: bytes, decision: SendDecision) -> Sending:
        cookie = decision.cookie
        known = cookie.tag if isinstance(cookie.tag, Known) else _GIVEN
        if known.is_missed:
            known.is_missed = False
            self._is_news = True
        secret = cookie.value
        return Sending(
            name,
            secret if secret.kind == "cookie" and not secret.form else Secret(value, "cookie"),
            cookie.domain,
            cookie.path,
            decision.reason,
            decision.reference,
            joined(self._asks.who, decision.steps),
            "given" if known.is_given else "stored",
            decision.sent,
            known.frames,
            () if decision.sent else self._alike(cookie, known.refusers, sends=True),
        )

    def _alike(self, cookie: Cookie, refusers: tuple[str, ...], *, sends: bool) -> tuple[str, ...]:
        """Profiles that would do what this client did, against the deciding one."""
        return of_cookie(cookie, self._asks.asking, self._head.where.time_ns, sends=sends, refuses=refusers)

    def _withheld(self) -> list[CookieWithheld]:
        """Cookies that stay: because a rule keeps them, or although none does (said once)."""
        found: list[CookieWithheld] = []
        asks = self._asks
        where = missed = self._head.where._replace(basis=asks.basis)
        if asks.recorded:  # by what its user set, it may have been right not to send it
            missed = where._replace(basis=INFERRED)
        is_without = asks.may_omit and not self._carries_any
        for decision in self._decisions:
            if id(decision) in self._matched:
                continue
            cookie = decision.cookie
            known = cookie.tag
            if decision.sent:
                if is_without or not isinstance(known, Known) or known.is_given or known.is_missed:
                    continue
                known.is_missed = self._is_news = True
            withholding = Withholding(
                cookie.name,
                cookie.value,
                cookie.domain,
                cookie.path,
                "NotSent" if decision.sent else decision.reason,
                decision.reference,
                joined(asks.who, decision.steps),
                expected=not decision.sent,
                alike=self._alike(cookie, known.refusers, sends=False)
                if isinstance(known, Known) and decision.sent
                else (),
            )
            found.append(CookieWithheld(missed if decision.sent else where, self._head, withholding))
        return found
