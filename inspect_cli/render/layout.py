"""The timeline as lines of text: a conversation between client and server.

Knows rows and cells, no protocol: a row with a side has an arrow, one with a parent stands
beneath it, one with a mark is a remark. Lines are lists of (text, style); plain.py and
terminal.py print them. It works as rows arrive and knows nothing of those to come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from inspect_cli.events.summary import Capture
from inspect_cli.render.base import Look
from inspect_cli.render.host_names import HostNames
from inspect_cli.render.measure import shortened, widest, width, wrapped
from inspect_cli.render.rows import AnnotationRow, ConnectionRow, EntryRow
from inspect_cli.render.steps import step_said
from inspect_cli.texts import Words, visible

Segment = tuple[str, str]
"""Text and the name of its style."""
Line = list[Segment]

GUTTER: Final = 18
"""Cells for time and frame numbers."""
WIDEST: Final = 100
"""Arrows are not stretched beyond this: the eye must find its way back."""
NARROWEST: Final = 40

_MOST_LINES: Final = 4
_MOST_CELLS: Final = _MOST_LINES * (80 - GUTTER)
"""What one text may take, in lines and on narrow terminals in cells."""
_SHORTEST_ARROW: Final = 5
_NAMED: Final = 3
"""Files that are named where there are more; one more is named too."""
_REMEMBERED: Final = 10_000
"""Sentences and connections remembered: a bound for memory."""
_MOST_TIMES: Final = {"info": 2, "notice": 3, "warning": 4}
"""How often a kind of annotation is told in full, each time of something else; then its concept is only named."""
_MARK_STYLES: Final = {"+": "good", "-": "bad", "!": "warning"}
_WARNINGS: Final = ("warning", "error")
_CALL_MARK: Final = "$"
_NOTE_MARK: Final = "*"
_STEP_MARKS: Final = {"passed": ".", "failed": "-", "applied": "=", "skipped": "."}
_BASES: Final = {
    "inferred": "view.inferred",
    "not observable": "view.not-observable",
}
_INDENT: Final[Segment] = (" " * GUTTER, "")


class Layout:
    """Lays out one run. Every method gives the lines to print now."""

    def __init__(self, words: Words, look: Look, names: HostNames | None = None) -> None:
        self._words = words
        self._names = names
        self._ascii = look.ascii
        self._verbose = look.verbose
        self.width = max(NARROWEST, min(look.width, WIDEST))
        self._inner = self.width - GUTTER
        self._most = None if look.verbose else max(_MOST_LINES, -(-_MOST_CELLS // self._inner))
        self._base_ns: int | None = None
        """Time that the view calls 0."""
        self._head_shown = False
        self._titled = False
        self._above = ""
        """Outermost channel of the row above."""
        self._ends: dict[str, tuple[str, str]] = {}
        """Endpoints of the outermost channels that have a heading."""
        self._block: set[int] = set()
        """Numbers of the row above and of those beneath it."""
        self._basis = ""
        self._side: str | None = None
        self._layer = ""
        """Side and layer of the last row with an arrow."""
        self._busy = False
        """Something stands beneath a row since the last empty line."""
        self._said: set[int] = set()
        """Sentences that were printed,"""
        self._named: set[str] = set()
        """Concepts named again beneath the row above: once is enough."""
        self._told_by = "view.told"
        self._told: dict[str, int] = {}
        """and how often each kind of them was."""

    # -- what it is told -----------------------------------------------------------------

    def begin(self, capture: Capture) -> list[Line]:
        """What is looked at, as far as the beginning knows."""
        self._base_ns = capture.started_ns if capture.source == "file" else None
        names = tuple(file.name.encode("utf-8", "surrogateescape") for file in capture.files)
        self._titled = bool(names) or capture.source != "file"
        more = len(names) - _NAMED if len(names) > _NAMED + 1 else 0
        data = {
            "names": names[:_NAMED] if more else names,
            "more": more,
            "stdin": names == (b"-",),
            "interfaces": tuple(capture.interfaces),
        }
        is_har = capture.source == "reported" and bool(names)
        self._told_by = "view.told-har" if is_har else "view.told"
        text = self.say("view.har" if is_har else f"view.{capture.source}", data)
        return [[(line, "heading")] for line in wrapped(text, self.width)] if text else []

    def entry(self, row: EntryRow, detail: str = "") -> list[Line]:
        """A row and its annotations; no lines for a socket call, unless verbose."""
        if row["layer"] == "call" and not self._verbose and not _warns(row):
            return []
        if row["parent"] is not None and row["parent"] in self._block:
            self._block.add(row["number"])
            self._busy = True
            return self._indented(self._beneath(row, detail))
        lines: list[Line] = []
        if not self._head_shown:
            self._head_shown = True
            # Times count from the first frame, live and replayed; from a socket call before it, if that is shown.
            first_ns = row["time_ns"] if self._base_ns is None else self._base_ns
            self._base_ns = min(first_ns, row["time_ns"])
            lines += [[], self._head()] if self._titled else [self._head()]
        return lines + self._row(row, detail)

    def connection(self, row: ConnectionRow) -> None:
        """Nothing more comes of this connection: forget it."""
        self._ends.pop(row["channel"], None)

    def say(self, key: str, data: dict[str, Any]) -> str:
        """Words of our own, fit to print."""
        return self.fit(self._words.say(key, data))

    def fit(self, text: str) -> str:
        """Text as it may be printed: harmless, and in ASCII marks if so asked."""
        if not text.isprintable():
            text = visible(text)
        return text.replace("§", "sec. ") if self._ascii else text

    # -- rows ----------------------------------------------------------------------------

    def _row(self, row: EntryRow, detail: str) -> list[Line]:
        """A row with time and frames, and with an arrow if it has a side and is no remark."""
        text = self.fit(row["text"])
        mark = self._mark(row)
        lines, tag = self._turn(row, "/".join(row["channel"].split("/", 2)[:2]))
        self._block = {row["number"]}
        self._named.clear()
        self._basis = row["basis"]
        if mark:
            body = self._remark(f"{tag}: {text}" if tag else text, mark, self._clause_of(row))
        else:
            body = self._arrow(text, row["side"] == "client", tag)
        indent = 2 if mark else 0
        under = self._detail(detail, indent) if detail else []
        under += self._steps(row, indent) + self._annotations(row["annotations"], indent)
        self._busy = self._busy or bool(under) or len(body) > 1
        if not mark:
            self._side, self._layer = row["side"], row["layer"]
        lines.append([*self._gutter(row), *body[0]])
        return lines + self._indented(body[1:] + under)

    def _beneath(self, row: EntryRow, detail: str) -> list[Line]:
        """What follows from a row, beneath it: no time, no frames, no arrow."""
        lines = self._detail(detail, 0) if detail else []
        lines += self._remark(self.fit(row["text"]), self._mark(row) or _NOTE_MARK, self._clause_of(row))
        return lines + self._steps(row, 2) + self._annotations(row["annotations"], 2)

    def _turn(self, row: EntryRow, outermost: str) -> tuple[list[Line], str]:
        """What stands above a row (an empty line, a heading), and the channel's name if it needs saying."""
        if not outermost:
            return self._pause(self._busy and row["layer"] != "call"), ""
        before, self._above = self._above, outermost
        ends = row["fields"].get("client"), row["fields"].get("server")
        known = (ends[0], ends[1]) if isinstance(ends[0], str) and isinstance(ends[1], str) else ("", "")
        if outermost not in self._ends:
            if len(self._ends) >= _REMEMBERED:
                self._ends.pop(next(iter(self._ends)))
            self._ends[outermost] = known
            heading = self._heading(outermost, *known) + self._named_ends(*known)
            return self._pause(bool(self._block)) + heading, ""
        if known[0]:
            self._ends[outermost] = known
        if outermost != before:
            return self._pause(self._busy), outermost
        # An exchange begins: the client speaks again.
        turned = row["side"] == "client" and self._side == "server"
        if not self._verbose:
            # So do the bytes after the opening, and the end of the connection; with -v segments are everywhere.
            is_tcp, was_tcp = row["layer"] == "tcp", self._layer == "tcp"
            turned = is_tcp != was_tcp or (turned and not is_tcp)
        return self._pause(turned and self._busy), ""

    def _pause(self, wanted: bool) -> list[Line]:
        """An empty line, if wanted."""
        if not wanted:
            return []
        self._busy = False
        return [[]]

    def _heading(self, outermost: str, client: str, server: str) -> list[Line]:
        """The endpoints of a connection in their columns, its channel in the gutter."""
        client, server = self.fit(client), self.fit(server)
        gutter: Segment = (f"{outermost:>16}  "[-GUTTER:] if len(outermost) <= 16 else f"{outermost} ", "heading")
        room = self.width - width(gutter[0])
        if widest(client) + widest(server) + 2 <= room:
            space = " " * (room - widest(client) - widest(server))
            return [[gutter, (client, "heading"), (space, ""), (server, "heading")]]
        client, server = shortened(client, room), shortened(server, room)
        space = " " * (room - widest(server))
        return [[gutter, (client, "heading")], [(" " * width(gutter[0]) + space, ""), (server, "heading")]]

    def _named_ends(self, client: str, server: str) -> list[Line]:
        """The names of the endpoints beneath them, as far as DNS or the file gave any before."""
        if self._names is None:
            return []
        known = [self._names.of(end) for end in (client, server)]
        if known == [None, None]:
            return []
        left, right = (self.say("view.name", one._asdict()) if one is not None else "" for one in known)
        if left and right and widest(left) + widest(right) + 2 > self._inner:
            left, right = (shortened(text, self._inner // 2 - 1) for text in (left, right))
        left, right = shortened(left, self._inner), shortened(right, self._inner)
        space = " " * (self._inner - widest(left) - widest(right)) if right else ""
        return [[_INDENT, (left + space + right, "")]]

    def _head(self) -> Line:
        """The names of the columns."""
        client, server = self.say("view.client", {}), self.say("view.server", {})
        left = f"{_right(self.say('view.time', {}), 9)} {_right(self.say('view.frame', {}), 6)}  "
        space = " " * (self._inner - width(client) - width(server))
        return [(left + client + space + server, "time")]

    def _gutter(self, row: EntryRow) -> Line:
        time = _milliseconds(row["time_ns"] - (self._base_ns or 0))
        frames = _frames(row["frames"])
        if not frames and row["basis"] == "reported":
            frames = self.say(self._told_by, {})
        both = f"{_right(time, 9)} {_right(frames, 6)}  "
        # Great numbers take the empty cells before them, then they push the row.
        extra = width(both) - GUTTER
        return [(both[min(extra, len(both) - len(both.lstrip())) :] if extra > 0 else both, "time")]

    def _arrow(self, text: str, from_client: bool, tag: str) -> list[Line]:
        """The text at the tail of an arrow from the client's column to the server's, or back."""
        tagged = len(tag) + 2 + 2 * _SHORTEST_ARROW
        if tag and widest(text) + tagged > self._inner:
            text, tag = f"{tag} {text}", ""
        parts = wrapped(text, self._inner - _SHORTEST_ARROW - 1, self._most and 1)
        lines: list[Line] = [
            [(_right(part, self._inner, widest), "") if not from_client else (part, "")] for part in parts
        ]
        if from_client:
            shaft = self._inner - widest(parts[-1]) - 2
            lines[-1] = [(parts[-1] + " ", "text"), (_dashes(shaft, tag) + ">", "client")]
        else:
            shaft = self._inner - widest(parts[0]) - 2
            lines[0] = [("<" + _dashes(shaft, tag), "server"), (" " + parts[0], "text")]
        return lines

    def _remark(self, text: str, mark: str, clause: str, indent: int = 0) -> list[Line]:
        """A mark and text, the clause at the right edge.

        One cell short of it for each `§`: a terminal that draws it two cells wide must not
        break the row.
        """
        room = self._inner - indent - 2
        parts = wrapped(text, room, self._most)
        head = " " * indent
        lines: list[Line] = [[(head + "  " + part, "")] for part in parts]
        lines[0] = [(head, ""), (mark, _MARK_STYLES.get(mark, "note")), (" " + parts[0], "")]
        if not clause:
            return lines
        clause = shortened(clause, room)
        if widest(parts[-1]) + 2 + widest(clause) > room:
            lines.append([(" " * (self._inner - widest(clause)), ""), (clause, "clause")])
        else:
            space = room - widest(parts[-1]) - widest(clause)
            lines[-1] += [(" " * space, ""), (clause, "clause")]
        return lines

    def _detail(self, text: str, indent: int) -> list[Line]:
        parts = wrapped(self.fit(text), self._inner - indent, self._most)
        return [[(" " * indent + part, "detail")] for part in parts]

    def _steps(self, row: EntryRow, indent: int) -> list[Line]:
        """The way to a decision, a step a line; only with -v."""
        steps = row["fields"].get("steps")
        if not self._verbose or not isinstance(steps, list):
            return []
        lines: list[Line] = []
        for step in steps:
            text = self.fit(step_said(self._words, step["check"], step["outcome"], step["found"]))
            lines += self._remark(text, _STEP_MARKS[step["outcome"]], self.fit(step["clause"]), indent)
        return lines

    # -- annotations ---------------------------------------------------------------------

    def _annotations(self, annotations: list[AnnotationRow], indent: int) -> list[Line]:
        """Each sentence in full once in a run; afterwards only the names of its concepts."""
        lines: list[Line] = []
        again: dict[str, str] = {}  # "!" sorts before "*"
        for annotation in annotations:
            mark = "!" if annotation["level"] in _WARNINGS else _NOTE_MARK
            text = self.fit(annotation["text"])
            if self._is_new(annotation, text) or self._verbose:
                clause = self._clause(annotation["basis"], annotation["reference"])
                lines += self._remark(text, mark, clause, indent)
            elif annotation["concept"] not in self._named and again.get(annotation["concept"]) != "!":
                again[annotation["concept"]] = mark
        if again:
            self._named.update(again)
            titles = tuple(self._title(concept) for concept in again)
            lines += self._remark(self.say("view.again", {"titles": titles}), min(again.values()), "", indent)
        return lines

    def _is_new(self, annotation: AnnotationRow, text: str) -> bool:
        """Whether it is to be read in full: not the same sentence again, nor one more of its kind."""
        key = hash(annotation["code"] + text)
        if key in self._said:
            return False
        if len(self._said) < _REMEMBERED:
            self._said.add(key)
        times = self._told.get(annotation["code"], 0) + 1
        self._told[annotation["code"]] = times
        return times <= _MOST_TIMES.get(annotation["level"], times)

    def _title(self, concept: str) -> str:
        key = f"concept.{concept}.title"
        return self.say(key, {}) if self._words.has(key) else concept

    def _clause_of(self, row: EntryRow) -> str:
        reference = row["fields"].get("reference")
        return self._clause(row["basis"], reference if isinstance(reference, str) else "")

    def _clause(self, basis: str, reference: str) -> str:
        """The clause, behind the basis where that is another than the row's above."""
        known = "" if basis == self._basis or basis not in _BASES else self._words.say(_BASES[basis], {})
        return self.fit(", ".join([part for part in (known, reference) if part]))

    def _mark(self, row: EntryRow) -> str:
        """The mark of a remark; "" for a row that is an arrow."""
        key = f"mark.{row['kind']}"
        if self._words.has(key):
            return self._words.say(key, {})
        if row["layer"] == "call":
            return _CALL_MARK
        return _NOTE_MARK if row["side"] is None else ""

    @staticmethod
    def _indented(lines: list[Line]) -> list[Line]:
        return [[_INDENT, *line] for line in lines]


def _warns(row: EntryRow) -> bool:
    return any(annotation["level"] in _WARNINGS for annotation in row["annotations"])


def _right(text: str, cells: int, measure: Callable[[str], int] = width) -> str:
    return " " * (cells - measure(text)) + text


def _dashes(size: int, tag: str) -> str:
    """A shaft of `size` cells with the channel's name in its middle."""
    if not tag:
        return "-" * size
    left = (size - len(tag) - 2) // 2
    return f"{'-' * left} {tag} {'-' * (size - left - len(tag) - 2)}"


def _milliseconds(time_ns: int) -> str:
    """Relative time in at most 9 cells up to eleven days: fewer decimals the longer it is."""
    ms = time_ns / 1e6
    for decimals in (3, 1, 0):
        text = f"{ms:.{decimals}f}"
        if len(text) <= 9:
            return text
    return f"{ms / 1000:.0f}s"


def _frames(frames: list[int]) -> str:
    """`#4`, `#4-6` for frames in a row, `#4..9` for others; `..#120`, `#123456` where that is too long."""
    if not frames:
        return ""
    first, last = frames[0], frames[-1]
    if first == last:
        return f"#{last}"
    whole = f"#{first}-{last}" if last - first == len(frames) - 1 else f"#{first}..{last}"
    return next((text for text in (whole, f"..#{last}") if len(text) <= 6), f"#{last}")
