"""`cookie why` as text: the verdict first, a column per client, and the steps that decided.

Made from the document that `--format json` writes; it knows nothing of how cookies are decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from inspect_cli.render.kept_cells import PARTS
from inspect_cli.render.layout import Line
from inspect_cli.render.page import NOTHING, Cell, Page, Row
from inspect_cli.render.steps import step_said
from inspect_cli.texts import visible

Json = Mapping[str, Any]
Steps = tuple[tuple[str, str, str, str], ...]
"""(clause, check, outcome, found) of each."""
_T = TypeVar("_T")

_NAME: Final = 24
"""Characters of a cookie's name in a sentence."""
_STEP_MARKS: Final = {"passed": ".", "failed": "-", "applied": "=", "skipped": "."}
_OUTCOME_MARKS: Final = {"stored": "+", "sent": "+", "refused": "-", "deleted": "-", "withheld": "-", "absent": ""}
_USUAL: Final = frozenset(("lifetime", "path", "domain", "domain-match", "insert", "order"))
"""What every stored or sent cookie goes through: not worth telling unless all steps are asked for."""
_TELLING: Final = frozenset(("loopback", "top-level", "Lax-Allowing-Unsafe"))
"""What lets a cookie pass that would not pass otherwise."""
_KEY: Final = ("name", "domain", "host_only", "path", "partition")
"""What makes a cookie this one (6265bis §5.7 step 23)."""
_LIMITS: Final = ("max_lifetime_s", "max_pair_bytes", "max_per_domain", "max_total")


class Fate(NamedTuple):
    """What became of one cookie with one client, when it was set or when a request was made."""

    outcome: str
    """stored, refused, deleted; sent, withheld, absent (nothing there that could be sent)."""
    reasons: tuple[str, ...]
    because: str = ""
    """absent: how it got lost (was-refused, was-deleted, was-replaced, ...)."""
    steps: Steps = ()


Trails = list[tuple[str, Fate]]
"""The name of each client, and what it did."""


class Verdicts:
    """Lays out one document."""

    def __init__(self, page: Page, document: Json, *, verbose: bool) -> None:
        self._page = page
        self._verbose = verbose
        self._names = [profile["name"] for profile in document["profiles"]]
        self._profiles: list[Json] = document["profiles"]
        self._set: list[Json] = document["set"]
        self._sends: list[Json] = document["send"]

    def lines(self) -> list[Line]:
        """The whole page."""
        lines: list[Line] = []
        for number, send in enumerate(self._sends, 1):
            lines += [*self._asked(send, number), *self._sent_verdicts(send), []]
        for number, row in enumerate(self._set, 1):
            lines += self._line(row, number)
        if self._verbose:
            lines += [*self._limits(), []]
        return lines[:-1]

    # -- verdicts ------------------------------------------------------------------------

    def _asked(self, send: Json, number: int) -> list[Line]:
        """What is requested, by whom."""
        before = f"{number}  " if len(self._sends) > 1 else ""
        said = f"{send['method']} {visible(send['url'])}, {self._how(send)}"
        return self._page.text(before + self._page.fit(said), "heading", hang=len(before) or 2, most=4)

    def _how(self, asked: Json) -> str:
        """`an image of https://a.test/ (cross-site)`."""
        page = self._page
        how = page.say(f"cookie.via.{asked['via']}", page=asked["from"], top=asked["top"])
        if asked["from"] is None or asked["via"] == "js":
            return how
        return f"{how} ({page.word('site', 'same' if asked['same_site'] else 'cross')})"

    def _sent_verdicts(self, send: Json) -> list[Line]:
        """A sentence for each thing that becomes of each cookie."""
        lines: list[Line] = []
        for number, row in enumerate(self._set, 1):
            fates = [self._fate_of(send, row, number, name) for name in self._names]
            lines += self._verdicts(fates, row, number)
        return lines

    def _verdicts(self, fates: list[Fate], row: Json, number: int) -> list[Line]:
        """A sentence for each group of clients of which the same is to be said."""
        said = [(fate.because or fate.outcome, fate.outcome, self._reasons(fate)) for fate in fates]
        lines: list[Line] = []
        for (key, outcome, reasons), who in _grouped(self._names, said):
            every = len(who) == len(self._names) > 1
            data = {"name": self._name(row, number), "who": ", ".join(who), "every": every, "reasons": reasons}
            text = self._page.say(f"cookie.verdict.{key}", **data)
            lines += self._page.remark(_OUTCOME_MARKS[outcome] or "-", text, indent=2)
        return lines

    def _name(self, row: Json, number: int) -> str:
        """The cookie's name; with its number where another line has the same."""
        names = [one["name"] for one in self._set]
        name = visible(row["name"], _NAME) if row["name"] else self._page.say("cookie.nameless")
        return f"{name} ({number})" if names.count(row["name"]) > 1 else name

    def _reasons(self, fate: Fate) -> str:
        return "; ".join([self._page.label("cookie_reason", reason) for reason in fate.reasons])

    # -- one Set-Cookie line ---------------------------------------------------------------

    def _line(self, row: Json, number: int) -> list[Line]:
        """The line, what becomes of it, its table and its steps."""
        page = self._page
        head = visible(row["line"], 4 * page.width)
        lines = page.text(page.fit(f"Set-Cookie: {head}"), "heading", hang=2, most=4)
        if number == 1:
            is_plain = row["method"] == "GET" and row["via"] == "navigate"
            said = visible(row["url"]) if is_plain else f"{row['method']} {visible(row['url'])}, {self._how(row)}"
            said = page.say("cookie.from", asked=page.fit(said), time=row["time_ns"])
            lines += page.text(said, indent=2, hang=2, most=4)
        fates = [_set_fate(decision) for decision in row["decisions"]]
        if not self._sends:
            lines += self._verdicts(fates, row, number)
        sends = [[self._fate_of(send, row, number, name) for name in self._names] for send in self._sends]
        lines += [[], *page.table(self._names, self._rows(row, number, fates, sends)), []]
        numbers = [str(which) if len(sends) > 1 else "" for which in range(1, len(sends) + 1)]
        decided = self._decided(fates, "")
        for some, which in _grouped(numbers, [tuple(some) for some in sends]):
            decided += self._decided(list(some), ", ".join(which))
        return [*lines, *decided, *([[]] if decided else [])]

    def _rows(self, row: Json, number: int, fates: list[Fate], sends: list[list[Fate]]) -> list[Row]:
        page = self._page
        rows = [Row(self._name(row, number), [self._outcome(fate) for fate in fates])]
        kept = [decision["cookie"] if decision["outcome"] == "stored" else None for decision in row["decisions"]]
        if any(kept):
            pairs = list(zip(kept, self._profiles, strict=True))
            rows += [
                Row(
                    "  " + page.word("part", part),
                    [Cell(NOTHING) if one is None else show(page, one, profile, row) for one, profile in pairs],
                )
                for part, show in PARTS.items()
                if part != "partition" or any(one is not None and one["partition"] for one in kept)
            ]
        for which, some in enumerate(sends, 1):
            label = page.word("part", "sent") + (f" {which}" if len(sends) > 1 else "")
            rows.append(Row(label, [self._outcome(fate) for fate in some]))
        return rows

    def _outcome(self, fate: Fate) -> Cell:
        if fate.outcome == "absent":
            return Cell(NOTHING)
        return Cell(self._page.word("outcome", fate.outcome), _OUTCOME_MARKS[fate.outcome])

    # -- steps -----------------------------------------------------------------------------

    def _decided(self, fates: list[Fate], which: str) -> list[Line]:
        """The steps that decided, for each group of clients that agree; with -v all steps, common ones once."""
        if self._verbose:
            return self._all_steps(
                [(name, fate) for name, fate in zip(self._names, fates, strict=True) if fate.steps], which
            )
        lines: list[Line] = []
        deciding = {name: tuple(filter(_decides, fate.steps)) for name, fate in zip(self._names, fates, strict=True)}
        # Clients agree who find the same, wherever each has it from: the clause is that of the first.
        found = [
            (fate.outcome, tuple([step[1:] for step in steps]))
            for fate, steps in zip(fates, deciding.values(), strict=True)
        ]
        for (outcome, steps), who in _grouped(self._names, found):
            if steps:
                lines += [*self._heading(outcome, who, which), *self._stepped(deciding[who[0]])]
        return lines

    def _all_steps(self, trails: Trails, which: str) -> list[Line]:
        """Every step once, in the order of most clients; named are those that differ from the rest."""
        lines = [
            line
            for outcome, who in _grouped([name for name, _ in trails], [fate.outcome for _, fate in trails])
            for line in self._heading(outcome, who, which)
        ]
        asked = _usual_order([[step[1] for step in fate.steps] for _, fate in trails])
        going = {name for name, _ in trails}
        for check in asked:
            found = [(name, step) for name, fate in trails for step in fate.steps if step[1] == check]
            for _, who in _grouped([name for name, _ in found], [step[1:] for _, step in found]):
                step = next(step for name, step in found if name == who[0])
                lines += self._stepped((step,), self._who(who, going))
            going -= {name for name, step in found if step[2] == "failed"}
        shuffled = [name for name, fate in trails if _is_shuffled([step[1] for step in fate.steps], asked)]
        if shuffled:
            lines += self._page.remark("*", self._page.say("cookie.other-order", who=", ".join(shuffled)), indent=4)
        return lines

    def _who(self, names: Sequence[str], going: set[str]) -> str:
        """Whose step it is, as shortly as may be; "" for that of all who have got so far."""
        others = [name for name in self._names if name in going and name not in names]
        if not others:
            return ""
        if len(others) < len(names):
            return self._page.say("cookie.all-but", who=", ".join(others))
        return self._page.say("cookie.only", who=", ".join(names))

    def _heading(self, outcome: str, who: Sequence[str], which: str) -> list[Line]:
        """Whose steps stand beneath, and what they led to."""
        page = self._page
        about = page.word("outcome", outcome) + (f" {which}" if which else "")
        names = ", ".join(who) if len(who) < len(self._names) or len(who) == 1 else page.say("cookie.every")
        return page.remark(
            _OUTCOME_MARKS[outcome] if outcome else "*", f"{about}: {names}" if outcome else names, indent=2
        )

    def _stepped(self, steps: Steps, before: str = "") -> list[Line]:
        page = self._page
        return [
            line
            for clause, check, outcome, found in steps
            for line in page.remark(
                _STEP_MARKS[outcome], before + self._step(check, outcome, found), page.fit(clause), indent=4
            )
        ]

    def _step(self, check: str, outcome: str, found: str) -> str:
        """What was asked, and what was found."""
        return self._page.fit(step_said(self._page.words, check, outcome, found))

    # -- fates -----------------------------------------------------------------------------

    def _fate_of(self, send: Json, row: Json, number: int, name: str) -> Fate:
        """What becomes of the cookie of a line when this request is made by this client."""
        decision = _of(send["decisions"], name)
        for cookie in decision["cookies"]:
            if cookie["line"] == number:
                return Fate(
                    "sent" if cookie["sent"] else "withheld", tuple(cookie["reasons"]), "", _steps(cookie["steps"])
                )
        stored = _of(row["decisions"], name)
        because = (
            stored["outcome"] if stored["outcome"] != "stored" else self._lost(send, stored["cookie"], number, name)
        )
        return Fate("absent", tuple(stored["reasons"]) if because == "refused" else (), f"was-{because}")

    def _lost(self, send: Json, cookie: Json, number: int, name: str) -> str:
        """How a cookie that was stored is there no more."""
        for before in self._sends[: self._sends.index(send)]:
            told = [one for one in _of(before["decisions"], name)["cookies"] if one["line"] == number]
            if any("Expired" in one["reasons"] for one in told):
                return "expired"
        for later in self._set[number:]:
            decision = _of(later["decisions"], name)
            other = decision["cookie"]
            if decision["replaced"] and all(other[part] == cookie[part] for part in _KEY):
                return "replaced" if decision["outcome"] == "stored" else "removed"
        return "evicted"

    def _limits(self) -> list[Line]:
        """The numbers that clients go by, those that nobody outside knows as unknown."""
        page = self._page
        rows = [
            Row(page.word("limit", limit), [Cell(self._limit(profile, limit)) for profile in self._profiles])
            for limit in _LIMITS
        ]
        return [*page.text(page.say("cookie.limits"), "heading"), *page.table(self._names, rows)]

    def _limit(self, profile: Json, limit: str) -> str:
        value = profile[limit]
        if value is None:
            return self._page.word("limit", "unknown" if profile["unknown_limits"] else "unlimited")
        if limit == "max_lifetime_s":
            return self._page.say("cookie.span", span=value * 1_000_000_000)
        return f"{value:,}"


def _set_fate(decision: Json) -> Fate:
    return Fate(decision["outcome"], tuple(decision["reasons"]), "", _steps(decision["steps"]))


def _steps(steps: Iterable[Json]) -> Steps:
    return tuple((step["clause"], step["check"], step["outcome"], step["found"]) for step in steps)


def _decides(step: tuple[str, str, str, str]) -> bool:
    """Whether the decision hung on it: it failed, or changed what the line asked for."""
    _, check, outcome, found = step
    if outcome == "passed":
        return found in _TELLING
    return outcome == "failed" or (outcome == "applied" and check not in _USUAL)


def _usual_order(trails: Sequence[Sequence[str]]) -> list[str]:
    """All checks in the order with which most trails agree."""
    orders = [_merged(first, trails) for first in trails]
    return min(orders, key=lambda order: sum(_is_shuffled(trail, order) for trail in trails), default=[])


def _merged(first: Sequence[str], trails: Sequence[Sequence[str]]) -> list[str]:
    """The checks of the first trail, and each that another one has besides behind what is before it there."""
    order = list(dict.fromkeys(first))
    for trail in trails:
        place = -1
        for check in trail:
            if check not in order:
                order.insert(place + 1, check)
            place = order.index(check)
    return order


def _is_shuffled(checks: Sequence[str], order: Sequence[str]) -> bool:
    places = [order.index(check) for check in checks]
    return places != sorted(places)


def _of(decisions: Sequence[Json], name: str) -> Json:
    return next(one for one in decisions if one["profile"] == name)


def _grouped(names: Sequence[str], values: Sequence[_T]) -> list[tuple[_T, list[str]]]:
    """Each distinct value with the names that have it, in order of the first."""
    found: list[tuple[_T, list[str]]] = []
    for name, value in zip(names, values, strict=True):
        same = next((who for other, who in found if other == value), None)
        if same is None:
            found.append((value, [name]))
        else:
            same.append(name)
    return found
