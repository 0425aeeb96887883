"""From a URL, and the page that it was asked from, to who asks for what."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, quote, urlsplit

from inspect_cli.cookies.hosts import canonical_host, is_secure_scheme, site_of
from inspect_cli.events.cookies import Asking

_AS_SENT = "".join(chr(c) for c in range(0x21, 0x7F))

VIAS: Final = ("navigate", "link", "redirect", "post", "fetch", "img", "iframe", "js")
"""How a request came about: the address bar; a link, a form or a redirect that changes the page;
a request, an image or a frame inside it; a script that reads document.cookie."""
NAVIGATIONS: Final = frozenset(("navigate", "link", "redirect", "post"))
"""Those after which another page is open."""


def asking_for(url: str, method: str = "GET", *, same_site: bool = True, top_level: bool = True) -> Asking:
    """The request for `url`; its path as the wire carries it (not ASCII: percent-encoded).

    Raises ValueError where the URL has no scheme or host, or is none.
    """
    parts = _split(url)
    return Asking(parts.scheme.lower(), parts.hostname or "", _path_of(parts), method, same_site, top_level)


def asking_from(
    url: str, via: str, *, page: str | None = None, top: str | None = None, method: str | None = None
) -> Asking:
    """The request for `url` that began on `page`, inside the top-level page `top`.

    `page` None: typed into the address bar. `top` None: `page`; of navigations the URL itself.
    A redirect is asked by whom the first request of its chain was: the caller hands in that
    one's `via`, `page` and `top` (browsers do not look at the hosts in between; the draft's
    §5.2.1 does not either).

    Raises ValueError where a URL has no scheme or host, or is none, and for another `via`.
    """
    if via not in VIAS:
        raise ValueError(via)
    parts = _split(url)
    top_level = via in NAVIGATIONS
    asker = None if page is None or via == "navigate" else _split(page)
    around = parts if top_level else asker if top is None else _split(top)
    own = _site(parts)
    # 6265bis §5.2.1: the site for cookies is the top-level page's, unless the asking document is another site's.
    others = [_site(one) for one in (asker, around) if one is not None]
    return Asking(
        parts.scheme.lower(),
        parts.hostname or "",
        _path_of(parts),
        method or ("POST" if via == "post" else "GET"),
        all(_is_same(own, other) for other in others),
        top_level,
        all(own[1] == other[1] != "" for other in others),
        "" if around is None or top_level else "://".join(_site(around)),
        via == "js",
    )


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    if not parts.scheme or not parts.hostname:
        raise ValueError(url)
    return parts


def _path_of(parts: SplitResult) -> str:
    return quote(parts.path, safe=_AS_SENT) or "/"


def _site(parts: SplitResult) -> tuple[str, str]:
    """Scheme and site; "" as the site of a host that has no canonical form: it is nobody's."""
    host = canonical_host(parts.hostname or "")
    return parts.scheme.lower(), site_of(host) if host else ""


def _is_same(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Schemefully: both secure or both not (wss counts as https)."""
    return one[1] == other[1] != "" and is_secure_scheme(one[0]) == is_secure_scheme(other[0])
