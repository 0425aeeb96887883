"""What a case is, and how its lines are written so that they mean the same on any day.

In a line `{+100d|FORMAT}` is the time in a hundred days (`s` for seconds), as `time.strftime` writes
it, in UTC; `{x*4096}` is that many of one character. Characters are octets (Latin-1).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RECORDED: Final = Path(__file__).parent / "chromium.json"

_MOMENT: Final = re.compile(r"\{([+-]\d+)([ds])\|([^}]*)\}")
_REPEATED: Final = re.compile(r"\{(.)\*(\d+)\}", re.DOTALL)
_RUN: Final = re.compile(r"([^{}])\1{31,}", re.DOTALL)
_SECONDS: Final = {"d": 86_400, "s": 1}


@dataclass(frozen=True, slots=True)
class Step:
    """One request and its answer, or one use of `document.cookie` (via `js`)."""

    url: str
    via: str = "navigate"
    lines: tuple[str, ...] = ()
    """Set-Cookie fields of the answer; for `js` what the script writes."""

    method: str = ""
    """"": the usual one of `via`."""

    frame: str = ""
    """URL of the frame in which it begins; "": the page that is open."""

    status: int = 302
    """How it is redirected, where a step via `redirect` follows."""

    later_s: int = 0
    """How long after the step before; the browser is closed in between."""


@dataclass(frozen=True, slots=True)
class Case:
    """A story that begins with an empty cookie store."""

    id: str
    group: str
    steps: tuple[Step, ...]
    blocked: bool = False
    """Whether third-party cookies are blocked."""

    page: str = ""
    """A page that is open already, where the first step is neither typed in nor a link."""


def filled(line: str, now_s: float) -> bytes:
    """The octets of a line as a server writes it at this time."""

    def moment(match: re.Match[str]) -> str:
        at_s = now_s + int(match[1]) * _SECONDS[match[2]]
        return time.strftime(match[3], time.gmtime(at_s))

    return _REPEATED.sub(lambda match: match[1] * int(match[2]), _MOMENT.sub(moment, line)).encode("latin-1")


def shortened(text: str) -> str:
    """The text with long runs of one character written as `{x*4096}`."""
    return _RUN.sub(lambda match: f"{{{match[1]}*{len(match[0])}}}", text)


def unfolded(value: Any) -> Any:
    """A recorded value with its `{x*4096}` written out."""
    if isinstance(value, str):
        return _REPEATED.sub(lambda match: match[1] * int(match[2]), value)
    if isinstance(value, list):
        return [unfolded(part) for part in value]
    if isinstance(value, dict):
        return {key: unfolded(part) for key, part in value.items()}
    return value


def dump(browser: str, cases: Iterable[dict[str, Any]]) -> str:
    """The file: one case a line."""
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    return f'{{"browser":{json.dumps(browser)},"cases":[\n{rows}\n]}}\n'


def load() -> dict[str, Any]:
    """The recorded table as it is stored."""
    table: dict[str, Any] = json.loads(RECORDED.read_text(encoding="ascii"))
    return table
