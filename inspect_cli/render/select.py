"""`-Y FILTER`: which rows are shown. Hides rows and changes nothing else.

A compiled filter looks at entries, not at rows: of an entry that it hides no row is made. It
looks at no more than a row would show: secrets are compared as they are printed, so a
filter cannot find out what redaction hides. docs/filter.md tells the language.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from inspect_cli.events.base import Entry
from inspect_cli.events.summary import Capture
from inspect_cli.events.tcp import Connection
from inspect_cli.render.filter_names import LEVELS, MEANINGS, OUTCOMES, Field, Names, Sort
from inspect_cli.render.filter_parser import All, Any, Comparison, Has, Node, Not, Token, parse, problem
from inspect_cli.render.filter_tests import Leaf, Test, either, every, has, is_any, lacking, ordered
from inspect_cli.render.filter_values import About, Leaves
from inspect_cli.render.rows import RowMaker
from inspect_cli.texts import Words

_ORDERS: Final = frozenset({"<", "<=", ">", ">="})
_LONGEST_NUMBER: Final = 30


class Select:
    """A compiled filter. Show it every entry of a run in order: it remembers hosts and ends."""

    __slots__ = ("_about", "_test", "asks_outcomes")

    def __init__(self, test: Test, about: About, *, asks_outcomes: bool) -> None:
        self._test = test
        self._about = about
        self.asks_outcomes = asks_outcomes
        """It names what only the end of a connection tells: `learn` it first."""

    def begin(self, capture: Capture, maker: RowMaker) -> None:
        """What the entries to come belong to, and how their rows are made."""
        self._about.begin(capture, maker)

    def learn(self, connections: Iterable[Connection]) -> None:
        """How connections opened and closed and what they spoke, known from an earlier reading."""
        self._about.learn(connections)

    def shows(self, entry: Entry) -> bool:
        """Say whether this entry is shown."""
        self._about.see(entry)
        if self._test(entry):
            return True
        self._about.hidden.see(entry)
        return False

    def let_go(self, channel: str) -> None:
        """Nothing more comes of this outermost channel: forget it."""
        self._about.let_go(channel)


def compile_filter(text: str, words: Words | None = None) -> Select:
    """The filter as written after `-Y`. Raises: BadFilter, with the place that is wrong."""
    compiler = _Compiler(text, words or Words("en"))
    test = compiler.test(parse(text))
    return Select(test, compiler.about, asks_outcomes=bool(OUTCOMES & compiler.named))


class _Compiler:
    """A tree to one function of an entry; types are checked here, once."""

    def __init__(self, text: str, words: Words) -> None:
        self._text = text
        self._names = Names(words)
        self.named: set[str] = set()
        self.about = About()

    def test(self, node: Node) -> Test:
        match node:
            case Has(name):
                return self._has(name)
            case Comparison(name, operator, values):
                return self._comparison(name, operator, values)
            case Not(of):
                return lacking(self.test(of))
            case All(of):
                return every([self.test(each) for each in of])
            case Any(of):
                return either([self.test(each) for each in of])

    def _has(self, name: Token) -> Test:
        """A bare name: a layer, kind, concept or code, else a field that is there and not empty or false."""
        meanings = self._names.meanings(name.text)
        if meanings:
            return either([self._is(meaning, name.text) for meaning in meanings])
        if self._names.field(name.text) is None:
            known = {word for meaning in MEANINGS for word in self._names.known(meaning)}
            raise self._problem(name, "unknown-name", _near(name.text, [*self._names.fields(), *known]))
        of = self._leaves(name.text)
        return lambda entry: has(of(entry))

    def _is(self, name: str, word: str) -> Test:
        of, equal = self._leaves(name), is_any({word}.__contains__)
        return lambda entry: equal(of(entry))

    def _comparison(self, name: Token, operator: Token, values: tuple[Token, ...]) -> Test:
        field = self._names.field(name.text)
        if field is None:
            raise self._problem(name, "unknown-field", _near(name.text, self._names.fields()))
        of = self._leaves(name.text)
        sign = operator.text
        if sign in _ORDERS:
            fits = self._order(name, field, operator, values[0])
        elif sign == "contains":
            if not field.sorts & {"text", "word"}:
                raise self._problem(operator, "no-text", field=name.text)
            fits = is_any(self.about.holds(name.text, values[0].text))
        else:
            fits = is_any(self._equal(name, field, values, ranges=sign == "in"))
        if sign == "!=":
            # As in Wireshark: of what is not there, nothing holds.
            return lambda entry: bool(leaves := of(entry)) and not fits(leaves)
        return lambda entry: fits(of(entry))

    def _order(self, name: Token, field: Field, operator: Token, value: Token) -> Leaf:
        if name.text == "level":
            self._check(name, field, value)
            return ordered(operator.text, LEVELS[value.text], LEVELS)
        if "number" not in field.sorts:
            raise self._problem(operator, "no-order", field=name.text)
        return ordered(operator.text, self._number(name, value))

    def _equal(self, name: Token, field: Field, values: tuple[Token, ...], *, ranges: bool) -> Callable[[object], bool]:
        """Whether one leaf is one of the values."""
        wanted: set[object] = set()
        between: list[tuple[float, float]] = []
        for value in values:
            low, dots, high = value.text.partition("..")
            if ranges and dots and "number" in field.sorts and value.form == "word" and _is_number(low):
                between.append((self._number(name, value, low), self._number(name, value, high)))
            else:
                wanted.add(self._value(name, field, value))
        return self.about.equals(name.text, wanted, between)

    def _value(self, name: Token, field: Field, value: Token) -> object:
        """A literal as the sort of value that it is compared with; flags apart from numbers."""
        sorts: frozenset[Sort] = field.sorts
        if "flag" in sorts and value.text in ("true", "false"):
            return (bool, value.text == "true")
        if "number" in sorts and value.form == "word" and _is_number(value.text):
            return self._number(name, value)
        if "text" in sorts:
            return value.text
        if "word" in sorts:
            self._check(name, field, value)
            return value.text
        if "number" in sorts:
            return self._number(name, value)
        raise self._problem(value, "flag-expected", field=name.text)

    def _check(self, name: Token, field: Field, value: Token) -> None:
        if value.text not in field.words:
            raise self._problem(value, "unknown-value", _near(value.text, field.words), field=name.text)

    def _number(self, name: Token, value: Token, text: str | None = None) -> float:
        text = value.text if text is None else text
        if value.form != "word" or not _is_number(text):
            raise self._problem(value, "number-expected", field=name.text)
        return float(text) if "." in text else int(text)

    def _leaves(self, name: str) -> Leaves:
        self.named.add(name)
        return self.about.leaves(name)

    def _problem(self, token: Token, kind: str, near: list[str] | None = None, **data: str) -> Exception:
        return problem(self._text, token, kind, near or (), **data)


def _is_number(text: str) -> bool:
    whole, dot, rest = text.removeprefix("-").partition(".")
    plain = whole.isdigit() and (not dot or rest.isdigit())
    return plain and text.isascii() and len(text) <= _LONGEST_NUMBER


def _near(name: str, known: Iterable[str]) -> list[str]:
    """The nearest of the known words; of a few, all."""
    from difflib import get_close_matches  # only where something is wrong

    words = sorted(set(known))
    return get_close_matches(name, words, n=3, cutoff=0.5) or (words if len(words) <= 6 else [])
