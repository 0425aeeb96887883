"""From a URL to who asks for what."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from inspect_cli.events.cookies import Asking

_AS_SENT = "".join(chr(c) for c in range(0x21, 0x7F))


def asking_for(url: str, method: str = "GET", *, same_site: bool = True, top_level: bool = True) -> Asking:
    """The request for `url`; its path as the wire carries it (not ASCII: percent-encoded).

    Raises ValueError where the URL has no scheme or host, or is none.
    """
    parts = urlsplit(url)
    if not parts.scheme or not parts.hostname:
        raise ValueError(url)
    path = quote(parts.path, safe=_AS_SENT) or "/"
    return Asking(parts.scheme.lower(), parts.hostname, path, method, same_site, top_level)
