"""`-Y FILTER`: which rows are shown. Hides rows and nothing else.

    filter = term {"or" term}        term = factor {"and" factor}
    factor = "not" factor | "(" filter ")" | name ("==" | "!=") value
    name   = "concept" | "kind" | "host" | "channel"
    value  = a word, or anything in double or single quotes

`concept`: one of the row's annotations is of it. `channel`: the row's channel is it or lies
inside it (`tcp/3` holds `tcp/3/tls`). `host`: the last Host that the row's channel asked for,
so responses, cookies and frames count with their request; without a port any port matches.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from inspect_cli.errors import UsageProblem

_TOKEN: Final = re.compile(r"""\s*(?:(==|!=|\(|\)|"[^"]*"|'[^']*')|([^\s()=!"']+))""")
_DEEPEST: Final = 50
"""How deep parentheses and `not` may nest."""


class _Subject(NamedTuple):
    """What a filter looks at: the row, and the host of its channel (lower case, "" unknown)."""

    row: Mapping[str, Any]
    host: str


_Test = Callable[[_Subject], bool]


class Select:
    """A compiled filter. Show it every row of a run in order: it remembers hosts."""

    __slots__ = ("_hosts", "_test")

    def __init__(self, test: _Test) -> None:
        self._test = test
        self._hosts: dict[str, dict[str, str]] = {}  # by outermost channel, then by channel

    def shows(self, row: Mapping[str, Any]) -> bool:
        """Say whether this row is shown."""
        channel = row["channel"]
        outermost = "/".join(channel.split("/", 2)[:2])
        host = row["fields"].get("host")
        if isinstance(host, str) and host:
            self._hosts.setdefault(outermost, {})[channel] = host.lower()
        hosts = self._hosts.get(outermost)
        return self._test(_Subject(row, _nearest(hosts, channel) if hosts else ""))

    def let_go(self, channel: str) -> None:
        """Nothing more comes of this outermost channel: forget its hosts."""
        self._hosts.pop(channel, None)


def _nearest(hosts: dict[str, str], channel: str) -> str:
    """Host of the channel, or of the nearest one around it."""
    while channel:
        host = hosts.get(channel)
        if host is not None:
            return host
        channel = channel.rpartition("/")[0]
    return ""


def compile_filter(text: str) -> Select:
    """The filter as written after `-Y`. Raises UsageProblem with the place that is wrong."""
    return Select(_Reader(text).whole())


def _inside(channel: str, outer: str) -> bool:
    return channel == outer or channel.startswith(outer + "/")


def _bare(host: str) -> str:
    """A Host without its port; an IPv6 address keeps its brackets."""
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and not name.endswith(":") else host


def _host_is(wanted: str) -> _Test:
    name = wanted.lower()
    return lambda s: s.host == name or _bare(s.host) == name


_TESTS: Final[Mapping[str, Callable[[str], _Test]]] = {
    "concept": lambda value: lambda s: any(a["concept"] == value for a in s.row["annotations"]),
    "kind": lambda value: lambda s: bool(s.row["kind"] == value),
    "host": _host_is,
    "channel": lambda value: lambda s: _inside(s.row["channel"], value),
}


class _Reader:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, int]] = []
        self._next = 0
        self._depth = 0
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                start = at + len(text[at:]) - len(text[at:].lstrip())
                raise self._problem(f"unexpected {text[start]}", start)
            self._tokens.append((match[1] or match[2], match.start(match.lastindex or 0)))
            at = match.end()

    def whole(self) -> _Test:
        test = self._either()
        if self._next < len(self._tokens):
            token, at = self._tokens[self._next]
            raise self._problem(f"'and' or 'or' expected, not {token}", at)
        return test

    def _either(self) -> _Test:
        tests = [self._all()]
        while self._took("or"):
            tests.append(self._all())
        return tests[0] if len(tests) == 1 else lambda s: any(test(s) for test in tests)

    def _all(self) -> _Test:
        tests = [self._factor()]
        while self._took("and"):
            tests.append(self._factor())
        return tests[0] if len(tests) == 1 else lambda s: all(test(s) for test in tests)

    def _factor(self) -> _Test:
        token, at = self._take("concept, kind, host or channel")
        if token in ("not", "("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise self._problem("nested too deep", at)
            test = self._not() if token == "not" else self._enclosed()
            self._depth -= 1
            return test
        if token not in _TESTS:
            raise self._problem(f"concept, kind, host or channel expected, not {token}", at)
        operator, where = self._take("== or !=")
        if operator not in ("==", "!="):
            raise self._problem(f"== or != expected, not {operator}", where)
        value, where = self._take("a value")
        if value in ("==", "!=", "(", ")"):
            raise self._problem(f"a value expected, not {value}", where)
        is_it = _TESTS[token](value[1:-1] if value[0] in "\"'" else value)
        return is_it if operator == "==" else lambda s: not is_it(s)

    def _not(self) -> _Test:
        test = self._factor()
        return lambda s: not test(s)

    def _enclosed(self) -> _Test:
        test = self._either()
        token, at = self._take(")")
        if token != ")":
            raise self._problem(f") expected, not {token}", at)
        return test

    def _took(self, word: str) -> bool:
        if self._next < len(self._tokens) and self._tokens[self._next][0] == word:
            self._next += 1
            return True
        return False

    def _take(self, expected: str) -> tuple[str, int]:
        if self._next == len(self._tokens):
            raise self._problem(f"{expected} expected, not the end", len(self._text))
        self._next += 1
        return self._tokens[self._next - 1]

    def _problem(self, problem: str, at: int) -> UsageProblem:
        return UsageProblem(problem=f"-Y {self._text}: {problem} (character {at + 1})")
