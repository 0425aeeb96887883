"""The language of `-Y` as a tree: words, precedence, and the place of what is wrong.

    filter     = all {"or" all}            all = term {"and" term}
    term       = "not" term | "(" filter ")" | NAME [comparison]
    comparison = ("==" | "!=" | "<" | "<=" | ">" | ">=" | "contains") VALUE
               | "in" ("{" | "(") VALUE {"," VALUE} ("}" | ")")

NAME and VALUE are words, a VALUE also anything in single or double quotes. As in tshark,
`&&`, `||`, `!`, `eq`, `ne`, `lt`, `le`, `gt`, `ge` say the same, and `in` takes ranges
(`400..499`). What names and values mean is known elsewhere (filter_names.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from inspect_cli.errors import BadFilter
from inspect_cli.render.measure import shortened, width
from inspect_cli.texts import visible

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<sign>==|!=|<=|>=|&&|\|\||[<>!(){},])|(?P<quoted>"[^"]*"|'[^']*')|(?P<word>[^\s(){},"'=<>!&|]+))"""
)
_SAME: Final = {"&&": "and", "||": "or", "!": "not"}
_OPERATORS: Final = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "contains", "in", "matches"})
_CLOSING: Final = {"{": "}", "(": ")"}
DEEPEST: Final = 50
"""How deep parentheses and `not` may nest."""
_SHOWN: Final = 70
"""Cells of a filter that are shown with the place of what is wrong."""


class Token(NamedTuple):
    """A piece of the filter: `text` without quotes, `at` its first character in the filter."""

    text: str
    at: int
    form: str
    """`sign`, `quoted`, `word`, or `end`."""


class Has(NamedTuple):
    """A bare name."""

    name: Token


class Comparison(NamedTuple):
    """A name compared with one value, or with several (`in`)."""

    name: Token
    operator: Token
    values: tuple[Token, ...]


class Not(NamedTuple):
    """The opposite."""

    of: Node


class All(NamedTuple):
    """Terms joined by `and`."""

    of: tuple[Node, ...]


class Any(NamedTuple):
    """Terms joined by `or`."""

    of: tuple[Node, ...]


Node = Has | Comparison | Not | All | Any


def parse(text: str) -> Node:
    """The filter as a tree. Raises: BadFilter."""
    return _Parser(text).whole()


def problem(text: str, token: Token, kind: str, near: Sequence[str] = (), **data: str) -> BadFilter:
    """What is wrong at a token: `kind` names the words under `cli.problem.filter-KIND`."""
    before = visible(text[: token.at])
    shown = visible(text)
    column = width(before)
    if width(shown) > _SHOWN:  # a piece around the place
        tail = before[-(_SHOWN // 2) :]
        shown = shortened(tail, _SHOWN) + visible(text[token.at :])[: _SHOWN // 3]
        column = width(tail)
    near_said = ", ".join(near)
    return BadFilter(
        problem=f"filter-{kind}",
        filter=shown,
        caret=" " * column + "^",
        near=near_said,
        got=shortened(visible(token.text), 40),
        **data,
    )


class _Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(_tokens(text))
        self._next = 0
        self._depth = 0

    def whole(self) -> Node:
        node = self._either()
        token = self._look()
        if token.form != "end":
            raise self._problem(token, "closing-stray" if token.text in ")}" else "joint-expected")
        return node

    def _either(self) -> Node:
        nodes = [self._both()]
        while self._took("or"):
            nodes.append(self._both())
        return nodes[0] if len(nodes) == 1 else Any(tuple(nodes))

    def _both(self) -> Node:
        nodes = [self._term()]
        while self._took("and"):
            nodes.append(self._term())
        return nodes[0] if len(nodes) == 1 else All(tuple(nodes))

    def _term(self) -> Node:
        token = self._take()
        word = _meant(token)
        if word == "not" or (token.text == "(" and token.form == "sign"):
            self._depth += 1
            if self._depth > DEEPEST:
                raise self._problem(token, "too-deep")
            node = Not(self._term()) if word == "not" else self._enclosed()
            self._depth -= 1
            return node
        if token.form != "word" or word in ("and", "or"):
            raise self._problem(token, "name-expected")
        operator = self._look()
        name = _OPERATORS.get(operator.text, operator.text)
        if operator.form == "quoted" or name not in _COMPARISONS:
            return Has(token)
        self._next += 1
        operator = operator._replace(text=name)
        if name == "matches":
            raise self._problem(operator, "no-regex")
        return Comparison(token, operator, self._list() if name == "in" else (self._value(),))

    def _enclosed(self) -> Node:
        node = self._either()
        token = self._take()
        if token.text != ")" or token.form != "sign":
            raise self._problem(token, "closing-expected", expected=")")
        return node

    def _list(self) -> tuple[Token, ...]:
        opening = self._take()
        closing = _CLOSING.get(opening.text)
        if closing is None or opening.form != "sign":
            raise self._problem(opening, "list-expected")
        values = [self._value()]
        while True:
            token = self._take()
            if token.form == "sign" and token.text == closing:
                return tuple(values)
            if token.form != "sign" or token.text != ",":
                raise self._problem(token, "closing-expected", expected=closing)
            values.append(self._value())

    def _value(self) -> Token:
        token = self._take()
        if token.form not in ("word", "quoted"):
            raise self._problem(token, "value-expected")
        return token

    def _took(self, word: str) -> bool:
        if _meant(self._look()) != word:
            return False
        self._next += 1
        return True

    def _look(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        if token.form != "end":
            self._next += 1
        return token

    def _problem(self, token: Token, kind: str, **data: str) -> BadFilter:
        return problem(self._text, token, kind, **data)


def _meant(token: Token) -> str:
    """The word that joins terms, however it is spelled; "" for what is quoted."""
    return "" if token.form == "quoted" else _SAME.get(token.text, token.text)


def _tokens(text: str) -> list[Token]:
    """The pieces of a filter, and its end. Raises: BadFilter."""
    found: list[Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            start = end - len(text[at:end].lstrip())
            kind = {"=": "single-equals", '"': "quote-open", "'": "quote-open"}.get(text[start], "stray")
            raise problem(text, Token(text[start], start, "sign"), kind)
        form = match.lastgroup
        piece = match[form]
        found.append(Token(piece[1:-1] if form == "quoted" else piece, match.start(form), form))
        at = match.end()
    return [*found, Token("", end, "end")]
