"""The recorded Chromium as stories, and what it decided."""

from __future__ import annotations

import re
from typing import Any

START = 1_795_207_301
"""When the record was made, to a minute: it has lifetimes as seconds from then."""
LONGEST = 80
"""The record cuts long values of the store."""
ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
LANDING = {"ss-redirect-set": ["la=1; SameSite=Strict"]}
"""What the target of a redirect set: the record has the lines of a step's first response alone."""


def story_of(case: dict[str, Any]) -> dict[str, Any]:
    """The case as a story; the requests that followed a step's first one are redirects."""
    steps: list[dict[str, Any]] = []
    for number, step in enumerate(case["steps"]):
        one: dict[str, Any] = {"url": step["url"], "via": step["via"], "at": START + number}
        one["set_cookie"] = [step["document_cookie_set"]] if step["via"] == "js" else step.get("set", [])
        steps.append(one)
        for wire in step["wire"][1:]:
            url = f"{wire['scheme']}://{wire['host']}{wire['path']}"
            lines = LANDING.get(case["id"].partition("@")[0], [])
            steps.append({"url": url, "via": "redirect", "at": START + number, "set_cookie": lines})
    return {"steps": steps}


def decided_by(case: dict[str, Any]) -> list[dict[str, Any]]:
    """What the story should tell: headers, the reasons of cookies that stay, of lines that are refused."""
    told: list[dict[str, Any]] = []
    for step in case["steps"]:
        blocked = {one["line"]: one["reasons"] for one in step.get("blocked", ())}
        refused = {line: reasons for line in step.get("set", ()) if (reasons := _blocked(line, blocked)) is not None}
        if step["via"] == "js":
            told.append({})  # the record has no reasons for scripts: the requests after it show what they did
            continue
        for number, (wire, sent) in enumerate(zip(step["wire"], step["sent"], strict=True)):
            one: dict[str, Any] = {"cookie": _unescaped("; ".join(wire["cookie"])) or None}
            one["withheld"] = sorted((c["name"], c["path"], tuple(c["blocked"])) for c in sent if c["blocked"])
            if number == 0:
                one["refused"] = refused
            told.append(one)
    return told


def _blocked(line: str, blocked: dict[str, list[str]]) -> list[str] | None:
    """DevTools tells lines as UTF-8 where they are."""
    found = blocked.get(line)
    return found if found is not None else blocked.get(line.encode("latin-1").decode("utf-8", "replace"))


def _unescaped(text: str) -> str:
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


def store_of(step: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The store after a step: name, value, size, domain, path, flags, seconds to live, partition."""
    return sorted(
        (
            c["name"][:LONGEST],
            c["value"][:LONGEST],
            c["size"],
            c["domain"],
            c["path"],
            c["secure"],
            c["httpOnly"],
            c.get("sameSite", "default").lower(),
            None if c["session"] else c["expires"],
            c.get("partitionKey", {}).get("topLevelSite", ""),
        )
        for c in step["store"]
    )
