"""What the end says: a few lines below a timeline, or a table where only counts were asked for."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from inspect_cli.render.layout import Layout, Line
from inspect_cli.render.measure import widest, width, wrapped
from inspect_cli.render.rows import ConnectionRow

_MOST_PROBLEMS: Final = 12


class Summary:
    """Counts what connections did, and says it all at the end."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._closed: Counter[tuple[str, str | None]] = Counter()

    def connection(self, row: ConnectionRow) -> None:
        """A connection of which nothing more will come."""
        self._closed[row["closed"], row["closed_first"]] += 1

    def lines(self, capture: dict[str, Any], counts: dict[str, Any]) -> list[Line]:
        """Lines to print at the end; `counts` are those of the JSON contract."""
        if counts["concepts"] is None:
            return self._table(counts)
        parts = self._parts(capture, counts)
        heads = {name: self._layout.say(f"view.summary.{name}", {}) for name in parts}
        column = max((width(head) for head in heads.values()), default=0) + 2
        lines: list[Line] = [[]] if parts else []
        for name, items in parts.items():
            pieces = _listed(items, self._layout.width - column - 2)
            if name == "concepts":
                pieces += wrapped(self._layout.say("view.explain", {}), self._layout.width - column - 2)
            head = "  " + heads[name] + " " * (column - width(heads[name]))
            lines.append([(head, "heading"), (pieces[0], "")])
            lines += [[(" " * (column + 2), ""), (piece, "")] for piece in pieces[1:]]
        return lines

    def _parts(self, capture: dict[str, Any], counts: dict[str, Any]) -> dict[str, list[str]]:
        """Name of a line and what it lists, for what there is something to say of."""
        frames = {name: n for name, n in counts["websocket_frames"].items() if n}
        kinds = tuple(f"{n:,} {name}" for name, n in frames.items())
        said = {
            **counts,
            "cut": capture["complete"] is False,
            "lost": _is_told(capture, counts),
            "frames": sum(frames.values()),
            "kinds": kinds,
        }
        wanted = {
            "frames": counts["packets"] or capture["source"] == "file",
            "tcp": counts["connections"],
            "udp": counts["udp_conversations"],
            "http": counts["http_requests"] or counts["http_responses"],
            "cookies": counts["set_cookie"] or counts["cookie"],
            "websocket": counts["websocket_handshakes"] or frames,
        }
        parts = {name: [self._layout.say(f"view.said.{name}", said)] for name, is_there in wanted.items() if is_there}
        if "tcp" in parts:
            parts["tcp"] += self._closes()
        problems = sorted(counts["problems"].items(), key=lambda item: (-item[1], item[0]))[:_MOST_PROBLEMS]
        if problems:
            parts["problems"] = [self._layout.fit(f"{kind} {n:,}") for kind, n in problems]
        if counts["concepts"]:
            parts["concepts"] = [self._layout.fit(concept) for concept in counts["concepts"]]
        return parts

    def _closes(self) -> list[str]:
        """How connections closed, the usual way first."""
        order = ("fin", "rst", "half-closed", "open")
        found = sorted(self._closed.items(), key=lambda item: (order.index(item[0][0]), -item[1]))
        return [self._layout.say(f"view.closed.{how}.{by or 'none'}", {"count": n}) for (how, by), n in found]

    def _table(self, counts: dict[str, Any]) -> list[Line]:
        """All counts, one a line, numbers aligned."""
        rows: list[tuple[str, int]] = []
        for name, value in counts.items():
            if isinstance(value, dict):
                rows += [(self._layout.say(f"view.count.{name}", {"name": part}), n) for part, n in value.items()]
            elif value is not None:
                rows.append((self._layout.say(f"view.count.{name}", {}), value))
        numbers = [f"{n:,}" for _, n in rows]
        right = max(len(number) for number in numbers)
        room = self._layout.width - right - 4
        left = min(max(width(label) for label, _ in rows), room)
        lines: list[Line] = []
        for (label, _), number in zip(rows, numbers, strict=True):
            *above, last = wrapped(label, room)
            lines += [[("  " + part, "")] for part in above]
            space = " " * max(left - widest(last), 0)
            lines.append([("  " + last + space + "  ", ""), (f"{number:>{right}}", "text")])
        return lines


def _listed(items: list[str], room: int) -> list[str]:
    """Items with commas, in lines that break between items where possible."""
    lines = [""]
    for number, item in enumerate(items):
        text = item + ("," if number < len(items) - 1 else "")
        if lines[-1] and widest(lines[-1]) + 1 + widest(text) <= room:
            lines[-1] += " " + text
        else:
            lines[-1:] = [*([lines[-1]] if lines[-1] else []), *wrapped(text, room)]
    return lines


def _is_told(capture: Any, counts: Any) -> bool:
    """Whether it is known how many frames the capture lost: few files say so."""
    return bool(capture["source"] == "live" or counts["capture_drops"])
