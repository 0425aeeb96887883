"""What is kept of a cookie, as the cells of its table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from inspect_cli.render.page import Cell, Page
from inspect_cli.texts import visible

Json = Mapping[str, Any]


def _domain(page: Page, cookie: Json, profile: Json, row: Json) -> Cell:
    domain, host_only = cookie["domain"], cookie["host_only"]
    said = page.say("cookie.scope", domain=domain, host_only=host_only)
    if not host_only:
        return Cell(said, short=page.fit(f".{domain}"))
    is_own = domain == urlsplit(row["url"]).hostname
    return Cell(said, short=page.say("cookie.host-only") if is_own else page.fit(domain))


def _path(page: Page, cookie: Json, profile: Json, row: Json) -> Cell:
    return Cell(visible(cookie["path"], 200))


def _lifetime(page: Page, cookie: Json, profile: Json, row: Json) -> Cell:
    expires_ns = cookie["expires_ns"]
    if expires_ns is None:
        return Cell(page.say("cookie.session"), short=page.say("cookie.jar-session"))
    span = expires_ns - row["time_ns"]
    return Cell(page.say("cookie.until", span=span, time=expires_ns), short=page.say("cookie.span", span=span))


def _same_site(page: Page, cookie: Json, profile: Json, row: Json) -> Cell:
    if not profile["knows_same_site"]:
        return Cell(page.say("cookie.ignored"))
    return Cell(page.label("same_site", cookie["same_site"]))


def _partition(page: Page, cookie: Json, profile: Json, row: Json) -> Cell:
    if not cookie["partition"]:
        return Cell(page.word("flag", "no"))
    site = cookie["partition"].removesuffix("^cross")
    return Cell(page.say("cookie.partition", site=site), short=page.word("flag", "yes"))


def _flag(name: str) -> Callable[[Page, Json, Json, Json], Cell]:
    return lambda page, cookie, profile, row: Cell(page.word("flag", "yes" if cookie[name] else "no"))


PARTS: Final[Mapping[str, Callable[[Page, Json, Json, Json], Cell]]] = {
    "domain": _domain,
    "path": _path,
    "lifetime": _lifetime,
    "secure": _flag("secure"),
    "http_only": _flag("http_only"),
    "same_site": _same_site,
    "partition": _partition,
}
"""What is kept of a cookie, and how it is shown."""
