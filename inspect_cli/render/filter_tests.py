"""The small functions that a filter is put together from."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from inspect_cli.events.base import Entry

Test = Callable[[Entry], bool]
Leaf = Callable[[Iterable[Any]], bool]
"""Says whether some of the values that stand under a name fit."""

_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def lacking(test: Test) -> Test:
    """The opposite."""
    return lambda entry: not test(entry)


def every(tests: Sequence[Test]) -> Test:
    """All of them, from the left."""
    return lambda entry: all(test(entry) for test in tests)


def either(tests: Sequence[Test]) -> Test:
    """Any of them, from the left."""
    return tests[0] if len(tests) == 1 else lambda entry: any(test(entry) for test in tests)


def has(leaves: Iterable[Any]) -> bool:
    """Something is there that is neither false nor empty; 0 is there."""
    return any(leaf is not False and leaf != "" for leaf in leaves)


def is_any(fits: Callable[[Any], bool]) -> Leaf:
    """One leaf fits."""
    return lambda leaves: any(fits(leaf) for leaf in leaves)


def ordered(sign: str, bound: float, ranks: Mapping[Any, int] | None = None) -> Leaf:
    """One leaf that is a number (or has a rank) stands so to the bound."""
    compare = _COMPARE[sign]
    if ranks is not None:
        return lambda leaves: any(leaf in ranks and compare(ranks[leaf], bound) for leaf in leaves)
    return lambda leaves: any(leaf.__class__ in (int, float) and compare(leaf, bound) for leaf in leaves)
