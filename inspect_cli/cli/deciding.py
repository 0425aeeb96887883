"""What `cookie why` does: every client's decision about some lines and requests, side by side."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from inspect_cli.cli.asked import Asked, requests_of, set_cookie_lines
from inspect_cli.cli.cookie_rows import cookie_row, path_text
from inspect_cli.cli.output import Output
from inspect_cli.cookies.asking import asking_from
from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.jar import Jar
from inspect_cli.cookies.profiles import PROFILES
from inspect_cli.cookies.send import SendDecision
from inspect_cli.cookies.store import StoreDecision
from inspect_cli.errors import BadUrl
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import BIS, Asking, Step
from inspect_cli.render.redact import Redactor
from inspect_cli.render.values import exact_text

Row = dict[str, Any]
_EVERY = 1 << 30


class Question(NamedTuple):
    """The options of `cookie why` alone."""

    url: str | None
    requests: Sequence[dict[str, Any]]
    at: int | None
    profiles: tuple[str, ...]
    every: bool
    block_third_party: bool

    @property
    def names(self) -> list[str]:
        """The profiles that are asked, in the order of PROFILES."""
        return [name for name in PROFILES if self.every or not self.profiles or name in self.profiles]


class Sent(NamedTuple):
    """What one client decides about a request."""

    decisions: Sequence[SendDecision]
    header: bytes


def decide(arguments: Sequence[str], question: Question, output: Output) -> int:
    """Show what becomes of the lines, and what is sent of them. Raises: UsageProblem, OutputNotWritable."""
    lines = set_cookie_lines(arguments)
    asked = requests_of(question.requests, time.time_ns() if question.at is None else question.at)
    document = document_of(lines, asked, question.names, question.block_third_party, output.redactor)
    with output.opened() as out:
        if output.format != "text":
            from inspect_cli.render.documents import write_document

            write_document(out, "why", document, {"set": "set", "send": "send"}, lines=output.format == "ndjson")
            return 0
        from inspect_cli.render.page import Page
        from inspect_cli.render.verdicts import Verdicts

        page = Page(out, output.words, output.look(out))
        page.write(Verdicts(page, document, verbose=output.verbose).lines())
    return 0


def document_of(
    lines: Sequence[bytes], asked: Sequence[Asked], names: Sequence[str], block: bool, redactor: Redactor
) -> Row:
    """All decisions as the object of docs/json.md."""
    askings = [_asking(one) for one in asked]
    told = [_told(name, lines, asked, askings, block) for name in names]
    first, sends = asked[0], asked[1:]
    return {
        "profiles": [_profile(name) for name in names],
        "set": [
            {
                "line": exact_text(redactor.shown(Secret(line, "cookie", "set-cookie"))),
                "name": _name_of(line),
                **_how(first, askings[0]),
                "decisions": [
                    {"profile": name, **_stored(stored[number], redactor)}
                    for name, (stored, _) in zip(names, told, strict=True)
                ],
            }
            for number, line in enumerate(lines)
        ],
        "send": [
            {
                **_how(send, askings[number + 1]),
                "decisions": [
                    {"profile": name, **_sent(sent[number], redactor)}
                    for name, (_, sent) in zip(names, told, strict=True)
                ],
            }
            for number, send in enumerate(sends)
        ],
    }


def _asking(asked: Asked) -> Asking:
    try:
        return asking_from(asked.url, asked.via, page=asked.page, top=asked.top, method=asked.method)
    except ValueError:
        raise BadUrl(url=asked.url, problem="not-a-url") from None


def _told(
    name: str, lines: Sequence[bytes], asked: Sequence[Asked], askings: Sequence[Asking], block: bool
) -> tuple[list[StoreDecision], list[Sent]]:
    """What one client decides, in order; the tag of each cookie is the number of its line."""
    jar = Jar(name, block_third_party=block)
    stored = jar.store_all(lines, askings[0], asked[0].time_ns)
    for number, decision in enumerate(stored, 1):
        if decision.cookie is not None:
            decision.cookie.tag = number
    sent: list[Sent] = []
    for asking, one in zip(askings[1:], asked[1:], strict=True):
        decisions = jar.send(asking, one.time_ns, most=_EVERY)
        told = {id(decision.cookie) for decision in decisions}
        # Cookies that could never go to that host are no decision of the engine's, but they were asked about.
        decisions += [_elsewhere(cookie) for cookie in jar if id(cookie) not in told]
        sent.append(Sent(decisions, jar.header(asking, one.time_ns)))
    return stored, sent


def _elsewhere(cookie: Cookie) -> SendDecision:
    step = Step(f"{BIS} §5.8.3 step 3", "domain-match", "failed", cookie.domain[:80])
    return SendDecision(False, cookie, "DomainMismatch", step.clause, (step,))


def _profile(name: str) -> Row:
    profile = PROFILES[name]
    return {
        "name": name,
        "knows_same_site": profile.knows_same_site,
        "max_lifetime_s": profile.max_lifetime_s,
        "max_pair_bytes": profile.max_pair_bytes,
        "max_per_domain": profile.max_per_domain,
        "max_total": profile.max_total,
        "unknown_limits": profile.unknown_limits,
    }


def _how(asked: Asked, asking: Asking) -> Row:
    return {
        "url": asked.url,
        "method": asked.method,
        "via": asked.via,
        "from": asked.page,
        "top": asked.top,
        "same_site": asking.same_site,
        "time_ns": asked.time_ns,
    }


def _name_of(line: bytes) -> str:
    from inspect_cli.cookies.parse import split_pair

    return exact_text(split_pair(line)[0])


def _stored(decision: StoreDecision, redactor: Redactor) -> Row:
    outcome = "stored" if decision.stored else "deleted" if decision.deleted else "refused"
    cookie = decision.cookie
    return {
        "outcome": outcome,
        "reasons": list(decision.reasons),
        "reference": decision.reference,
        "cookie": None if cookie is None else _kept(cookie, redactor),
        "replaced": decision.replaced is not None,
        "steps": [step._asdict() for step in decision.steps],
    }


def _kept(cookie: Cookie, redactor: Redactor) -> Row:
    return {
        **cookie_row(cookie, redactor),
        "expires_ns": cookie.expires_ns,
        "secure": cookie.secure,
        "http_only": cookie.http_only,
        "same_site": cookie.same_site,
        "partition": cookie.partition,
    }


def _sent(sent: Sent, redactor: Redactor) -> Row:
    header = Secret(sent.header, "cookie", "pairs")
    return {
        "header": exact_text(redactor.shown(header)) if sent.header else None,
        "cookies": [
            {
                "line": decision.cookie.tag,
                "name": exact_text(decision.cookie.name),
                "domain": decision.cookie.domain,
                "path": path_text(decision.cookie),
                "sent": decision.sent,
                "reasons": list(decision.reasons),
                "reference": decision.reference,
                "steps": [step._asdict() for step in decision.steps],
            }
            for decision in sent.decisions
        ],
    }
