"""What goes into a request, and which request a redirect leads to; no socket here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urldefrag, urljoin, urlsplit

from inspect_cli import __version__
from inspect_cli.cookies.asking import asking_from
from inspect_cli.cookies.hosts import site_of
from inspect_cli.errors import BadUrl
from inspect_cli.events.base import Secret
from inspect_cli.events.calls import GivenCookie
from inspect_cli.events.cookies import Asking
from inspect_cli.sources.client import RequestStep

USER_AGENT = f"inspect-cli/{__version__}"
ENCODINGS = "gzip, deflate"
DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
REDIRECTS = frozenset((301, 302, 303, 307, 308))

Headers = tuple[tuple[str, str], ...]

_OF_THE_BODY = frozenset(("content-type", "content-length", "content-encoding", "transfer-encoding"))
_CREDENTIALS = frozenset(("authorization", "cookie"))


@dataclass(frozen=True, slots=True)
class Hop:
    """One request of a step: the first, or one that a redirect led to."""

    method: str
    url: str
    headers: Headers
    body: bytes | None
    via: str
    page: str | None
    top: str | None
    """Who asked for the first request of the chain: redirects do not change it (6265bis §5.2.1)."""
    by_hand: str
    """Cookies given by hand, as they are sent."""


def first_hop(step: RequestStep) -> Hop:
    """The request as asked for; cookies in a Cookie header of hand are cookies by hand too."""
    cookies = [step.cookies_by_hand, *(v for n, v in step.headers if n.lower() == "cookie")]
    return Hop(
        step.method,
        step.url,
        step.headers,
        step.body,
        step.via,
        step.url if step.page is None and step.via != "navigate" else step.page,
        step.top,
        joined_cookies(cookies),
    )


def redirected(hop: Hop, status: int, location: str) -> Hop:
    """The request that a 3xx with this Location leads to.

    Raises: BadUrl.
    """
    url = absolute(hop.url, location)
    method, body, headers = hop.method, hop.body, hop.headers
    # RFC 9110 §15.4.2-4: POST becomes GET on 301 and 302 as all browsers do; 303 makes
    # everything GET but HEAD. 307 and 308 change nothing.
    if (status in (301, 302) and method == "POST") or (status == 303 and method not in ("GET", "HEAD")):
        method, body = "GET", None
        headers = tuple((n, v) for n, v in headers if n.lower() not in _OF_THE_BODY)
    by_hand = hop.by_hand
    if origin_of(url) != origin_of(hop.url):
        # What was given for one origin is nobody else's to know (RFC 9110 §15.4; Fetch, HTTP-redirect).
        headers = tuple((n, v) for n, v in headers if n.lower() not in _CREDENTIALS | {"host"})
        by_hand = ""
    return replace(hop, method=method, url=url, headers=headers, body=body, by_hand=by_hand)


def asking_of(hop: Hop, url: str) -> Asking:
    """Who asks for it; `url` as it goes out. Raises: BadUrl where a page has no host."""
    try:
        return asking_from(url, hop.via, page=hop.page, top=hop.top, method=hop.method)
    except ValueError as error:
        raise BadUrl(url=str(error), problem="no-host") from error


def absolute(base: str, location: str) -> str:
    """A Location against the URL that gave it; its fragment is that of the URL if it has none."""
    try:
        url = urljoin(base, location.strip())
        checked(url, ("http", "https"))
    except ValueError as error:
        raise BadUrl(url=location, problem="not-a-url") from error
    return url


def checked(url: str, schemes: Iterable[str]) -> str:
    """The URL without fragment, if it can be requested.

    Raises: BadUrl with the problem `not-a-url`, `no-scheme`, `scheme`, `no-host` or `port`.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise BadUrl(url=url, problem="not-a-url") from error
    if any(ord(c) < 0x21 or c == "\x7f" for c in url):
        raise BadUrl(url=url, problem="not-a-url")
    if not parts.scheme or "://" not in url:
        raise BadUrl(url=url, problem="no-scheme")
    if parts.scheme.lower() not in schemes:
        raise BadUrl(url=url, problem="scheme")
    if not parts.hostname:
        raise BadUrl(url=url, problem="no-host")
    try:
        if parts.port == 0:
            raise BadUrl(url=url, problem="port")
    except ValueError as error:
        raise BadUrl(url=url, problem="port") from error
    return urldefrag(url).url


def origin_of(url: str) -> tuple[str, str, int]:
    """Scheme, host and port (RFC 9110 §4.3.1)."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, parts.hostname or "", parts.port or DEFAULT_PORTS.get(scheme, 0)


def header_lines(given: Headers, defaults: Headers) -> list[tuple[str, str]]:
    """Defaults, each replaced or taken away where one was given, then the rest as given.

    As curl's -H: an empty value takes away, a name that ends in ";" is sent without a value.
    Cookie is composed elsewhere.
    """
    named = {name.rstrip(";").lower() for name, _ in given}
    lines = [(name, value) for name, value in defaults if name.lower() not in named]
    for name, value in given:
        if name.lower() == "cookie":
            continue
        if name.endswith(";") and not value:
            lines.append((name[:-1], ""))
        elif value:
            lines.append((name, value))
    return lines


def joined_cookies(parts: Iterable[str]) -> str:
    """Several cookie lines as one."""
    return "; ".join(part.strip("; ") for part in parts if part.strip("; "))


def cookies_by_hand(text: str) -> tuple[GivenCookie, ...]:
    """The cookies of a line given by hand, for a Context."""
    given: list[GivenCookie] = []
    for pair in text.split(";"):
        if not pair.strip():
            continue
        name, equals, value = pair.strip().partition("=")
        if not equals:
            name, value = "", name
        given.append(
            GivenCookie(
                name=name.strip().encode(),
                value=Secret(value.strip().encode(), "cookie"),
                domain="",
                host_only=True,
                path="/",
                secure=False,
                http_only=False,
                same_site="default",
                expires_ns=None,
                by_hand=True,
            )
        )
    return tuple(given)


def concerning(given: Iterable[GivenCookie], host: str) -> tuple[GivenCookie, ...]:
    """Cookies of the host's site: those that could go along, or be worth telling why not."""
    site = site_of(host)
    return tuple(cookie for cookie in given if site_of(cookie.domain.lstrip(".").lower()) == site)


def given_at_restart(given: Iterable[GivenCookie], host: str) -> tuple[GivenCookie, ...]:
    """Those of the host's site, and all session cookies: they go when the client is closed."""
    given = tuple(given)
    of_site = concerning(given, host)
    return of_site + tuple([cookie for cookie in given if cookie.expires_ns is None and cookie not in of_site])


def cookie_value(of_jar: bytes, by_hand: str) -> bytes:
    """The Cookie field: what the jar sends, then what was given by hand, as curl orders them."""
    parts = [part for part in (of_jar, by_hand.encode()) if part]
    return b"; ".join(parts)
