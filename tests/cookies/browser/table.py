"""All cases, from an empty store each: `CASES`, in the order in which they are recorded."""

from __future__ import annotations

from tests.cookies.browser import lines, overwrites, places, situations
from tests.cookies.browser.shapes import Case, Step


def _one_line(group: str, host: str, table: dict[str, str], before: str = "") -> list[Case]:
    return [
        Case(
            f"{group}-{name}",
            group,
            (Step(f"https://{host}/d/p", "fetch", (before + line,)), Step(f"https://{host}/d/q", "fetch")),
            page=f"https://{host}/",
        )
        for name, line in table.items()
    ]


CASES: tuple[Case, ...] = (
    *_one_line("syntax", "a.test", lines.SYNTAX),
    *_one_line("control", "raw.test", lines.CONTROLS),
    *_one_line("attribute", "a.test", lines.PATHS),
    *_one_line("attribute", "a.test", lines.MAX_AGES),
    *_one_line("attribute", "a.test", lines.DATES, "a=1; Expires="),
    *_one_line("samesite-line", "a.test", lines.SAME_SITES),
    *_one_line("size", "raw.test", lines.SIZES),
    *_one_line("prefix", "a.test", lines.PREFIXES),
    *_one_line("partitioned-line", "a.test", lines.PARTITIONS),
    *_one_line("fault", "raw.test", lines.FAULTS),
    *places.CASES,
    *overwrites.CASES,
    *situations.CASES,
)
