"""`cookie jar` as text: cookies by host, in file order, and beneath each what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from inspect_cli.render.layout import Line
from inspect_cli.render.measure import shortened, widest, wrapped
from inspect_cli.render.page import Page
from inspect_cli.texts import visible
from inspect_cli.texts.escape import ELLIPSIS

Json = Mapping[str, Any]
_HEADS: Final = ("line", "cookie", "path", "until", "flags")
_GAP: Final = "  "
_RANGES: Final = 8
"""Groups of line numbers that are listed."""
_PATH: Final = 16
"""Cells of a path, at most."""
_LEAST: Final = 12
"""Cells of name and value, at least."""


class JarTable:
    """Lays out one file."""

    def __init__(self, page: Page, document: Json) -> None:
        self._page = page
        self._document = document
        self._rows = {cookie["line"]: self._row(cookie) for cookie in document["cookies"]}

    def lines(self) -> list[Line]:
        """The whole page."""
        page, document = self._page, self._document
        cookies, unreadable = document["cookies"], document["unreadable"]
        groups: dict[tuple[str, bool], list[Json]] = {}
        for cookie in cookies:
            groups.setdefault((cookie["domain"], cookie["host_only"]), []).append(cookie)
        wrong = sum(1 for cookie in cookies if cookie["problems"])
        said = page.say(
            "cookie.jar",
            file=document["file"],
            stdin=document["file"] == "-",
            cookies=len(cookies),
            hosts=len({domain for domain, _ in groups}),
            wrong=wrong,
            unreadable=len(unreadable),
        )
        lines = page.text(said, "heading")
        if not document["has_head"] and (cookies or unreadable):
            lines += page.remark("!", page.say("cookie.no-head"))
        if cookies:
            lines += [[], self._columns([page.word("column", head) for head in _HEADS], "time")]
        for (domain, host_only), some in groups.items():
            lines += page.text(page.say("cookie.scope", domain=domain, host_only=host_only), "heading")
            for cookie in some:
                lines += [self._columns(self._rows[cookie["line"]], ""), *self._problems(cookie)]
        if unreadable:
            lines += [[], *page.text(page.say("cookie.unreadable-lines"), "heading")]
        alike: dict[str, list[int]] = {}
        for row in unreadable:
            alike.setdefault(row["text"], []).append(row["line"])
        for text, numbers in alike.items():
            lines += page.remark(
                "!",
                page.say("cookie.lines", numbers=_ranges(numbers), many=len(numbers) > 1, text=text),
                indent=len(_GAP),
            )
        return lines

    def _row(self, cookie: Json) -> list[str]:
        name, value = visible(cookie["name"]), visible(cookie["value"], 400)
        flags = [word for word, is_set in (("Secure", cookie["secure"]), ("HttpOnly", cookie["http_only"])) if is_set]
        return [
            str(cookie["line"]),
            f"{name}={value}" if name else value,
            shortened(visible(cookie["path"], 400), _PATH),
            self._until(cookie["expires_ns"]),
            " ".join(flags) or "-",
        ]

    def _until(self, expires_ns: int | None) -> str:
        page, now_ns = self._page, self._document["time_ns"]
        if expires_ns is None:
            return page.say("cookie.jar-session")
        if expires_ns < now_ns:
            return page.say("cookie.jar-expired", span=now_ns - expires_ns)
        return page.say("cookie.jar-until", span=expires_ns - now_ns)

    def _problems(self, cookie: Json) -> list[Line]:
        indent = len(_GAP) + self._widths()[0] + len(_GAP)
        return [
            line
            for problem in cookie["problems"]
            for line in self._page.remark("!", self._page.fit(problem["text"]), indent=indent)
        ]

    def _widths(self) -> list[int]:
        """Cells of each column; that of name and value takes what the others leave, if it needs it."""
        heads = [self._page.word("column", head) for head in _HEADS]
        found = [max([widest(head), *(widest(row[n]) for row in self._rows.values())]) for n, head in enumerate(heads)]
        room = self._page.width - sum(found) + found[1] - len(_GAP) * len(found)
        found[1] = min(found[1], max(room, _LEAST))
        return found

    def _columns(self, cells: list[str], style: str) -> Line:
        """One line; where even the narrowest does not fit, the last columns are cut."""
        widths = self._widths()
        number, *others = [shortened(cell, width) for cell, width in zip(cells, widths, strict=True)]
        line = _GAP + " " * (widths[0] - widest(number)) + number
        for cell, width in zip(others, widths[1:], strict=True):
            line += _GAP + cell + " " * (width - widest(cell))
        return [(wrapped(line.rstrip(), self._page.width)[0], style)]


def _ranges(numbers: list[int]) -> str:
    """`3, 5-9, 12`; of many the first and the last."""
    found: list[tuple[int, int]] = []
    for number in numbers:
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in found]
    return ", ".join(shown if len(shown) <= _RANGES else [*shown[: _RANGES - 2], ELLIPSIS, shown[-1]])
