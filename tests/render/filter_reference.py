"""A slow reading of filters for the tests: over whole rows of the JSON contract, one question at a time."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from inspect_cli.render.filter_names import Names
from inspect_cli.texts import Words

Row = dict[str, Any]
Question = tuple[str, Callable[[Row], bool]]
"""A filter as text, and what it asks of a row that was `prepared`."""

ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
LEVELS = ["info", "notice", "warning", "error"]
NAMES = Names(Words("en"))
OF_ROWS = ("number", "parent", "time_ns", "frames", "channel", "side", "layer", "kind", "basis", "text")
OF_NOTES = ("concept", "code", "level")
OF_CONNECTIONS = ("opened", "closed", "closed_first", "protocols")


def prepared(rows: list[Row], connections: dict[str, Row], started_ns: int) -> list[Row]:
    """Rows with everything that a name may stand for, under `names`."""
    hosts: dict[str, str] = {}
    ends: dict[str, tuple[str, str]] = {}
    for row in rows:
        outermost = "/".join(row["channel"].split("/")[:2])
        fields = row["fields"]
        if fields.get("host"):
            hosts[outermost] = fields["host"].lower()
        if "client" in fields:
            ends[outermost] = (fields["client"], fields["server"])
        names: dict[str, list[Any]] = {name: _leaves(fields[name]) for name in fields}
        for name in OF_ROWS:
            names[name] = _leaves(row[name]) + names.get(name, [])
        for name in OF_NOTES:
            names[name] = [note[name] for note in row["annotations"]] + names.get(name, [])
        connection = connections.get(outermost, {})
        for name in OF_CONNECTIONS:
            names[name] = _leaves(connection.get(name))
        names["connection"] = [int(outermost[4:])] if outermost.startswith("tcp/") else []
        names["channel"] = [row["channel"]] if row["channel"] else []
        names["frame"] = names["frames"]
        names["time"] = [(row["time_ns"] - started_ns) / 1e9]
        names["host"] = [hosts[outermost]] if outermost in hosts else []
        names["client"], names["server"] = ([end] for end in ends[outermost]) if outermost in ends else ([], [])
        names["port"] = [int(end.rpartition(":")[2]) for end in ends.get(outermost, ())]
        row["names"] = names
    return rows


def _leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return _leaves(list(value.values()))
    if isinstance(value, list):
        return [leaf for inner in value for leaf in _leaves(inner)]
    return [] if value is None else [value]


def _equal(name: str, leaf: Any, value: Any) -> bool:
    if name in ("host", "client", "server"):
        return bool(value.lower() in (leaf.lower(), leaf.lower().rpartition(":")[0]))
    if name == "channel":
        return leaf == value or leaf.startswith(f"{value}/")
    return type(leaf) is bool and leaf is value if type(value) is bool or type(leaf) is bool else leaf == value


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"' if '"' not in value else f"'{value}'"
    return str(value)


def questions(rows: list[Row]) -> st.SearchStrategy[Question]:
    """Filters over what these rows hold, and near it."""
    pool: dict[str, list[Any]] = {}
    for row in rows:
        for name, leaves in row["names"].items():
            pool.setdefault(name, []).extend(leaf for leaf in leaves if _is_short(leaf) and leaf not in pool[name][-9:])
    names = sorted(name for name, leaves in pool.items() if leaves)
    single = st.sampled_from(names).flatmap(lambda name: _about(name, pool[name]))
    return st.recursive(single, _joined, max_leaves=6)


def _is_short(leaf: Any) -> bool:
    is_text = isinstance(leaf, str)
    return (
        not isinstance(leaf, float) and not (is_text and ("'" in leaf and '"' in leaf)) and (not is_text or bool(leaf))
    )


def _about(name: str, leaves: list[Any]) -> st.SearchStrategy[Question]:
    value = st.sampled_from(leaves)
    found = [
        value.map(lambda v: (f"{name} == {_written(v)}", lambda row: any(_equal(name, x, v) for x in _of(row, name)))),
        value.map(
            lambda v: (
                f"{name} != {_written(v)}",
                lambda row: bool(_of(row, name)) and not any(_equal(name, x, v) for x in _of(row, name)),
            )
        ),
        st.lists(value, min_size=1, max_size=3).map(
            lambda vs: (
                f"{name} in {{{', '.join(map(_written, vs))}}}",
                lambda row: any(_equal(name, x, v) for x in _of(row, name) for v in vs),
            )
        ),
    ]
    if not NAMES.meanings(name):
        found.append(st.just((name, lambda row: any(x is not False and x != "" for x in _of(row, name)))))
    numbers = [leaf for leaf in leaves if type(leaf) is int]
    if numbers:
        found.append(
            st.tuples(st.sampled_from(sorted(ORDERS)), st.sampled_from(numbers)).map(lambda p: _order(name, *p))
        )
    if name == "level":
        found.append(st.tuples(st.sampled_from(sorted(ORDERS)), st.sampled_from(LEVELS)).map(lambda p: _rank(*p)))
    if any(isinstance(leaf, str) for leaf in leaves):
        texts = st.sampled_from([leaf for leaf in leaves if isinstance(leaf, str)])
        part = st.tuples(texts, st.integers(0, 9), st.integers(1, 9)).map(lambda p: p[0][p[1] : p[1] + p[2]])
        found.append(part.map(lambda p: _contains(name, p)))
    return st.one_of(found)


def _order(name: str, sign: str, bound: int) -> Question:
    return f"{name} {sign} {bound}", lambda row: any(
        type(x) in (int, float) and ORDERS[sign](x, bound) for x in _of(row, name)
    )


def _rank(sign: str, bound: str) -> Question:
    return f"level {sign} {bound}", lambda row: any(
        ORDERS[sign](LEVELS.index(x), LEVELS.index(bound)) for x in _of(row, "level")
    )


def _contains(name: str, part: str) -> Question:
    fold = str.lower if name in ("host", "client", "server") else str
    return f"{name} contains {_written(part)}", lambda row: any(
        isinstance(x, str) and fold(part) in fold(x) for x in _of(row, name)
    )


def _of(row: Row, name: str) -> list[Any]:
    found: list[Any] = row["names"].get(name, [])
    return found


def _joined(inner: st.SearchStrategy[Question]) -> st.SearchStrategy[Question]:
    def both(pair: tuple[Question, Question]) -> Question:
        (a, asks_a), (b, asks_b) = pair
        return f"({a}) and ({b})", lambda row: asks_a(row) and asks_b(row)

    def either(pair: tuple[Question, Question]) -> Question:
        (a, asks_a), (b, asks_b) = pair
        return f"({a} || ({b}))", lambda row: asks_a(row) or asks_b(row)

    def opposite(one: Question) -> Question:
        return f"not ({one[0]})", lambda row: not one[1](row)

    return st.tuples(inner, inner).map(both) | st.tuples(inner, inner).map(either) | inner.map(opposite)
