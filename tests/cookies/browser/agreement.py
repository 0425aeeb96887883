"""A recorded case as a story for a profile, and what the profile tells otherwise than Chromium did."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from inspect_cli.cookies import Jar
from inspect_cli.cookies.asking import asking_from
from inspect_cli.cookies.stories import tell
from tests.cookies.browser.shapes import filled, unfolded

NOW_S: Final = 1_795_000_000
"""When the stories take place; the recorded lines mean the same on any day."""

SILENT: Final = frozenset(
    (
        "Expired",
        "NamelessEquals",
        "PartitionedNeedsSecure",
        "HttpOnlyFromScript",
        "OverwriteHttpOnly",
    )
)
"""Our names where DevTools has none: Chromium drops such a line without a word."""


def field_value(line: str) -> str:
    """The Set-Cookie value that is left of a line with CR or LF in it (RFC 9112 §5, §5.2)."""
    unfolded_line = re.sub(r"\r\n[ \t]+", " ", line)
    return re.split(r"[\r\n]", unfolded_line)[0]


def story_of(case: dict[str, Any]) -> dict[str, Any]:
    """The steps of a recorded case as stories.tell takes them."""
    steps: list[dict[str, Any]] = []
    if "page" in case:
        steps.append({"url": case["page"], "via": "navigate", "at": NOW_S})
    at_s = NOW_S
    for step in case["steps"]:
        at_s += 1 + step.get("later_s", 0)
        lines = step.get("set", step.get("document_cookie_set", []))
        told: dict[str, Any] = {key: step[key] for key in ("url", "via", "from", "top") if key in step}
        if step.get("wire"):
            told["method"] = step["wire"][0]["method"]
        if lines and "failed" not in step:  # what was given up set nothing
            written = [filled(line, NOW_S).decode("latin-1") for line in lines]
            told["set_cookie"] = written if step["via"] == "js" else [field_value(line) for line in written]
        steps.append(told | {"at": at_s})
    return {"steps": steps}


def octets(text: str) -> str:
    """A text of DevTools (UTF-8 was decoded) in the form of the recorded lines."""
    return text.encode().decode("latin-1")


def differences(case: dict[str, Any], profile: str = "chromium") -> list[str]:
    """One sentence for each thing that the profile tells otherwise; none: they agree."""
    story = story_of(case)
    told = tell(story, profile, block_third_party=case.get("blocked", False), now_ns=NOW_S * 10**9)["steps"]
    if "page" in case:
        del told[0]
        del story["steps"][0]
    case = unfolded(case)
    return [
        f"step {number}, {what}: Chromium {expected!r}, {profile} {actual!r}"
        for number, (step, ours) in enumerate(zip(case["steps"], told, strict=True), 1)
        for what, expected, actual in _compared(case, number - 1, step, ours)
        if expected != actual
    ]


def _compared(
    case: dict[str, Any], at: int, step: dict[str, Any], ours: dict[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    if step["via"] == "js":
        yield "document.cookie", octets(step["document_cookie"]) or None, ours["cookie"]
    else:
        yield "Cookie", (step["wire"][0]["cookie"] or [None])[0], ours["cookie"]
        if case["group"] != "limit":
            yield (
                "withheld",
                _withheld(step),
                sorted((one["name"], one["path"], one["reasons"]) for one in ours["withheld"]),
            )
    if case["group"] != "limit":
        yield from _lines(case, at, step, ours)


def _withheld(step: dict[str, Any]) -> list[tuple[str, str, list[str]]]:
    return sorted(
        (octets(one["name"]), octets(one["path"]), one["blocked"]) for one in step["sent"][0] if one["blocked"]
    )


def _lines(case: dict[str, Any], at: int, step: dict[str, Any], ours: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    refused = [(octets(one["line"]), one["reasons"]) for one in step.get("blocked", [])]
    store = {(octets(kept["name"]), octets(kept["value"])) for kept in _store_after(case, at)}
    names = [one["name"] for one in ours["set"]]
    for line in ours["set"]:
        what = f"line {line['line']!r:.60}"
        match = next((one for one in refused if one[0] == line["line"].strip(" \t")), None)
        if match is not None:
            refused.remove(match)
            yield what, match[1], [reason for reason in line["reasons"] if reason not in SILENT]
        elif names.count(line["name"]) == 1:
            kept = (_lossy(line["name"]), _lossy(line["value"])) in store
            silent = line["stored"] or step["via"] == "js" or SILENT.issuperset(line["reasons"])
            yield what, (kept, []), (line["stored"], [] if silent else line["reasons"])
    yield "lines that are refused besides", [], refused


def _lossy(text: str) -> str:
    """DevTools leaves out what is no UTF-8."""
    return octets(text.encode("latin-1").decode(errors="ignore"))


def _store_after(case: dict[str, Any], at: int) -> list[dict[str, Any]]:
    """Chromium's cookies when the chain of redirects had ended."""
    steps = case["steps"]
    end = at
    while end + 1 < len(steps) and steps[end + 1]["via"] == "redirect":
        end += 1
    return next((step["store"] for step in reversed(steps[: end + 1]) if "store" in step), [])


def chromium_kept(kept: dict[str, Any]) -> dict[str, Any]:
    """A recorded cookie in plain words: what is told of it in both."""
    return {
        "name": octets(kept["name"]),
        "value": octets(kept["value"]),
        "domain": kept["domain"].strip("[]"),  # of an IPv6 address
        "path": octets(kept["path"]),
        "flags": [flag for flag in ("secure", "httpOnly") if kept.get(flag)],
        "same_site": kept.get("sameSite", "default").lower(),
        "partition": kept.get("partitionKey", {}).get("topLevelSite", ""),
        "lifetime_s": kept.get("lifetime_s"),
    }


def profile_keeps(case: dict[str, Any]) -> list[dict[str, Any]]:
    """What the profile has in its jar after the first step of a case that has a page."""
    jar = Jar("chromium")
    first = story_of(case)["steps"][1]
    asking = asking_from(first["url"], first["via"], page=case["page"])
    jar.store_all([line.encode("latin-1") for line in first.get("set_cookie", [])], asking, NOW_S * 10**9)
    return [
        {
            "name": _lossy(cookie.name.decode("latin-1")),
            "value": _lossy(cookie.value.value.decode("latin-1")),
            # DevTools puts a dot before the domain of a cookie that goes to subdomains.
            "domain": cookie.domain if cookie.host_only else f".{cookie.domain}",
            "path": cookie.path,
            "flags": [flag for flag, is_set in (("secure", cookie.secure), ("httpOnly", cookie.http_only)) if is_set],
            "same_site": cookie.same_site,
            "partition": cookie.partition,
            "lifetime_s": None if cookie.expires_ns is None else round(cookie.expires_ns / 10**9 - NOW_S, -1),
        }
        for cookie in jar.cookies
    ]
