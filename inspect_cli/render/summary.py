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
        for name, text in parts.items():
            pieces = wrapped(text, self._layout.width - column - 2)
            head = "  " + heads[name] + " " * (column - width(heads[name]))
            lines.append([(head, "heading"), (pieces[0], "")])
            lines += [[(" " * (column + 2), ""), (piece, "")] for piece in pieces[1:]]
        return lines

    def _parts(self, capture: dict[str, Any], counts: dict[str, Any]) -> dict[str, str]:
        """Name of a line and its text, for what there is something to say of."""
        frames = {name: n for name, n in counts["websocket_frames"].items() if n}
        problems = sorted(counts["problems"].items(), key=lambda item: (-item[1], item[0]))[:_MOST_PROBLEMS]
        concepts = tuple(f"{name} {n}" for name, n in counts["concepts"].items())
        more: dict[str, dict[str, Any]] = {
            "frames": {"cut": capture["complete"] is False} if counts["packets"] else {},
            "tcp": {"closes": self._closes()} if counts["connections"] else {},
            "http": {"interim": counts["http_interim_responses"]}
            if counts["http_requests"] or counts["http_responses"]
            else {},
            "cookies": {"shown": True} if counts["set_cookie"] or counts["cookie"] else {},
            "websocket": {"frames": sum(frames.values()), "kinds": tuple(f"{n} {name}" for name, n in frames.items())}
            if counts["websocket_handshakes"] or frames
            else {},
            "problems": {"kinds": tuple(f"{name} {n}" for name, n in problems)} if problems else {},
            "concepts": {"names": concepts} if concepts else {},
        }
        parts = {n: self._layout.say(f"view.said.{n}", {**counts, **data}) for n, data in more.items() if data}
        if concepts:
            parts["concepts"] += "; " + self._layout.say("view.said.explain", {})
        return parts

    def _closes(self) -> tuple[str, ...]:
        """How connections closed, the usual way first."""
        said = []
        for closed in ("fin", "rst", "half-closed", "open"):
            count = sum(n for (how, _), n in self._closed.items() if how == closed)
            if count:
                first = {side: self._closed[closed, side] for side in ("client", "server")}
                said.append(self._layout.say(f"view.closed.{closed}", {"count": count, **first}))
        return tuple(said)

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
