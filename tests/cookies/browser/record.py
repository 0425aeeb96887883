"""Record what Chromium decides about the cases of `table.py`: `python -m tests.cookies.browser.record`.

A recorded case: `{"id", "group", "steps"}`, `"blocked": true` where third-party cookies were, and
`page` where a page was open before the first step.
A step: `url`; `via`; where they say something `method`, `from` (the frame it began in), `top` and
`later_s` (how long after the step before); `set` (Set-Cookie lines, as shapes.py has them);
`blocked` (lines that Chromium refused, with its SetCookieBlockedReason names; a line neither there
nor in `store` was dropped in silence); `sent` (for the request: each candidate cookie with its
CookieBlockedReason names, none: sent); `wire` (what the server received); `failed` (the response
was given up); `store` (Chromium's cookies after the step, where they are others than before; what
is false or absent is left out, `lifetime_s` is the time to live, to ten seconds); for `js`
`document_cookie_set` and `document_cookie` (what it then reads).
A redirect is a step of its own; the last of a chain has the `store`.
In the group `limit` `sent` (without the withheld) and `store` are names alone.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.cookies.browser.cdp import DevToolsError, chromium, profile
from tests.cookies.browser.recorder import Lifetimes, Recorder
from tests.cookies.browser.shapes import RECORDED, Case, Step, dump
from tests.cookies.browser.site import Sites, serving
from tests.cookies.browser.table import CASES

Steps = dict[str, list[dict[str, Any]]]
"""What is recorded of each case, by its id."""


def record(cases: Sequence[Case] = CASES) -> tuple[str, list[dict[str, Any]]]:
    """Which browser it was, and what it did; two at a time, each with sites of its own."""
    lanes = [[case for case in cases if bool(case.page or _parts(case)[1:]) is first] for first in (True, False)]
    product = ""
    done: Steps = {}
    with ThreadPoolExecutor(len(lanes)) as pool:
        for name, some in pool.map(_lane, lanes):
            product = name or product
            done |= some
    return product, [_whole(case, done[case.id]) for case in cases]


def _lane(cases: Sequence[Case]) -> tuple[str, Steps]:
    """A browser with third-party cookies, then one without; then those that are closed in between."""
    done: Steps = {}
    product = ""
    hosts = sorted({urlsplit(step.url).netloc for case in cases for step in case.steps})
    with serving() as sites:
        flags = (
            f"--host-resolver-rules={sites.resolver_rules(hosts)}",
            f"--ignore-certificate-errors-spki-list={sites.key_hash}",
        )
        for blocked in (False, True):
            some = [case for case in cases if case.blocked is blocked and not _parts(case)[1:]]
            if not some:
                continue
            with profile(_preferences(blocked)) as folder, chromium(folder, *flags) as browser:
                product = browser.call("Browser.getVersion")["product"]
                recorder = Recorder(browser, sites)
                for case in some:
                    with _told_where(case):
                        recorder.begin(case.page)
                        done[case.id] = recorder.steps(case.steps)
        if paused := [case for case in cases if case.id not in done]:
            done |= _with_pauses(paused, sites, flags)
    return product, done


def _with_pauses(cases: Sequence[Case], sites: Sites, flags: Sequence[str]) -> Steps:
    """The browser is closed in each pause, and the cookies of the case's own site are made older by as much."""
    done: Steps = {case.id: [] for case in cases}
    lifetimes: dict[str, Lifetimes] = {case.id: {} for case in cases}
    with profile(_preferences(blocked=False)) as folder:
        for number in range(max(len(_parts(case)) for case in cases)):
            some = [(case, _parts(case)[number]) for case in cases if len(_parts(case)) > number]
            for case, (first, *_) in some:
                if first.later_s:
                    make_older(folder, _site(case), first.later_s)
                    lifetimes[case.id] = {
                        key: (expires - first.later_s, lifetime_s - first.later_s)
                        for key, (expires, lifetime_s) in lifetimes[case.id].items()
                    }
            with chromium(folder, *flags) as browser:
                for case, part in some:
                    recorder = Recorder(browser, sites)
                    recorder.lifetimes = lifetimes[case.id]
                    with _told_where(case):
                        recorded = recorder.steps(part, _site(case))
                    if part[0].later_s:
                        recorded[0]["later_s"] = part[0].later_s
                    done[case.id] += recorded
    return done


def _parts(case: Case) -> list[list[Step]]:
    """The steps between one pause and the next."""
    parts: list[list[Step]] = [[]]
    for step in case.steps:
        if step.later_s:
            parts.append([])
        parts[-1].append(step)
    return parts


def _site(case: Case) -> str:
    return urlsplit(case.steps[0].url).netloc


def make_older(folder: Path, site: str, seconds: int) -> None:
    """Put every time of a site's cookies back, in the store of a closed browser."""
    paths = [path for path in folder.glob("Default/**/Cookies") if path.is_file()]
    with closing(sqlite3.connect(paths[0])) as store, store:
        for column in ("creation_utc", "expires_utc", "last_access_utc", "last_update_utc"):
            store.execute(
                f"UPDATE cookies SET {column} = {column} - ? WHERE {column} > 0 AND host_key LIKE ?",
                (seconds * 1_000_000, f"%{site}"),
            )


def _whole(case: Case, steps: list[dict[str, Any]]) -> dict[str, Any]:
    whole: dict[str, Any] = {"id": case.id, "group": case.group}
    if case.blocked:
        whole["blocked"] = True
    if case.page:
        whole["page"] = case.page
    if case.group == "limit":
        for step in steps:
            step["sent"] = [[one["name"] for one in candidates if not one["blocked"]] for candidates in step["sent"]]
            if "store" in step:
                step["store"] = [kept["name"] for kept in step["store"]]
    return whole | {"steps": steps}


def _preferences(blocked: bool) -> dict[str, Any]:
    return {"profile": {"cookie_controls_mode": int(blocked), "mixed_forms_warnings": False}}


@contextmanager
def _told_where(case: Case) -> Iterator[None]:
    try:
        yield
    except (TimeoutError, DevToolsError) as error:
        raise RuntimeError(f"{case.id}: {error}") from error


def main() -> None:
    """Write the recorded table anew."""
    began = time.monotonic()
    product, cases = record()
    RECORDED.write_text(dump(product, cases), encoding="ascii")
    sys.stderr.write(f"{product}: {len(cases)} cases in {time.monotonic() - began:.0f} s\n")


if __name__ == "__main__":
    main()
