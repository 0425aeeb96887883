"""Who asks, as far as a request's own fields tell: of a recorded client nobody else does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from inspect_cli.cookies.hosts import canonical_host, is_secure_scheme, same_site, site_of

FIELDS: Final = frozenset(
    (
        b"upgrade",
        b"accept",
        b"origin",
        b"referer",
        b"sec-fetch-site",
        b"sec-fetch-mode",
        b"sec-fetch-dest",
        b"access-control-request-method",
    )
)
"""Names of the fields that are looked at, in lower case."""

_SAME: Final = {b"same-origin": True, b"same-site": True, b"none": True, b"cross-site": False}


class Page(NamedTuple):
    """The page that asks, by Origin or Referer."""

    scheme: str
    host: str
    by: str


class Clues(NamedTuple):
    """What the fields tell, and which of them did."""

    same_site: bool
    same_by: str
    top_level: bool
    top_by: str
    same_domain: bool | None
    """None: as `same_site`."""
    top_site: str
    """Of the page that asks from another site: `https://a.test`; "" where nothing tells."""
    may_omit: bool
    """A script may have asked for no cookies to go along, and its default may be none."""


def read_clues(fields: Mapping[bytes, bytes], scheme: str, host: str) -> Clues:
    """`fields`: by lower-case name, the first of each; `scheme` and `host` of what is asked for."""
    page = page_of(fields)
    said = _SAME.get(fields.get(b"sec-fetch-site", b"").lower())
    if said is not None:
        near, near_by = said, "Sec-Fetch-Site"
    elif page is not None:
        near, near_by = same_site(page.scheme, page.host, scheme, host), page.by
    else:
        near, near_by = True, "assumed"
    top, top_by = _is_top_level(fields, near)
    domain = None if near or page is None else _differs_by_scheme(page, scheme, host)
    away = "" if near or top or page is None else origin_site(page.scheme, page.host)
    return Clues(near, near_by, top, top_by, domain, away, _may_omit(fields, page, host))


def page_of(fields: Mapping[bytes, bytes]) -> Page | None:
    """Whose page it is; an Origin of `null` tells nothing."""
    for name, shown in ((b"origin", "Origin"), (b"referer", "Referer")):
        before, found, rest = fields.get(name, b"").partition(b"://")
        if found:
            return Page(before.decode("latin-1").lower(), host_without_port(split_authority(rest)[0]), shown)
    return None


def origin_site(scheme: str, host: str) -> str:
    """The site of an origin (HTML "obtain a site"); "" where the host is none."""
    canonical = canonical_host(host)
    return f"{scheme}://{site_of(canonical)}" if canonical else ""


def is_websocket(fields: Mapping[bytes, bytes]) -> bool:
    """Whether the request asks for a WebSocket (RFC 6455 §4.1)."""
    return b"websocket" in fields.get(b"upgrade", b"").lower()


def split_authority(rest: bytes) -> tuple[bytes, bytes]:
    """What stands behind `://`: the authority without user information, and the rest."""
    cut = min((i for i in map(rest.find, (b"/", b"?", b"#")) if i >= 0), default=len(rest))
    return rest[:cut].rpartition(b"@")[2], rest[cut:]


def host_without_port(authority: bytes) -> str:
    """The host of a Host field or authority, lower case, IPv6 without brackets."""
    text = authority.strip().decode("latin-1").lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    name, colon, port = text.rpartition(":")
    return name if colon and (port.isdigit() or not port) and ":" not in name else text


def _is_top_level(fields: Mapping[bytes, bytes], near: bool) -> tuple[bool, str]:
    if is_websocket(fields):
        return False, "Upgrade"
    mode = fields.get(b"sec-fetch-mode", b"").lower()
    if mode:
        destination = fields.get(b"sec-fetch-dest", b"document").lower()
        return mode == b"navigate" and destination == b"document", "Sec-Fetch-Mode"
    if not near:
        # A page asks for text/html first where it is loaded, for anything else where it is part of one.
        return fields.get(b"accept", b"").lower().startswith(b"text/html"), "Accept"
    return True, "assumed"


def _differs_by_scheme(page: Page, scheme: str, host: str) -> bool:
    """Cross-site by nothing but the scheme (HTML "schemelessly same site")."""
    if is_secure_scheme(page.scheme) == is_secure_scheme(scheme):
        return False  # a redirect over another site made it so, or it is another one
    one, other = canonical_host(page.host), canonical_host(host)
    return one is not None and other is not None and site_of(one) == site_of(other)


def _may_omit(fields: Mapping[bytes, bytes], page: Page | None, host: str) -> bool:
    """Fetch §2.2.5: the credentials mode of a script's request is "same-origin" unless it says "include"."""
    if b"access-control-request-method" in fields:
        return True  # Fetch §4.8: a preflight never has cookies
    mode = fields.get(b"sec-fetch-mode", b"").lower()
    if mode:
        return mode == b"cors" and fields.get(b"sec-fetch-site", b"").lower() != b"same-origin"
    return page is not None and page.by == "Origin" and page.host != host
