"""The cookies.txt format of Netscape, as curl and browsers' exporters write it.

Seven fields with a TAB between: domain, whether subdomains get it, path, secure, expiry in
Unix seconds (0: session), name, value; `#HttpOnly_` before the domain marks HttpOnly. The
format has no SameSite, no partition, no creation time, and no place for a TAB in a name or path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.hosts import canonical_host
from inspect_cli.events.base import Secret

HEADER = "# Netscape HTTP Cookie File"
_HTTP_ONLY = "#HttpOnly_"
_NS = 1_000_000_000
_LATEST_S = 1 << 40


class Unreadable(NamedTuple):
    """A line that holds no cookie and is no comment."""

    problem: Literal["spaces", "fields", "domain", "path", "expiry"]
    found: str
    """How many fields there are, or the field that is wrong."""


class Found(NamedTuple):
    """What a line of a file holds."""

    number: int
    """From 1."""
    text: str
    cookie: Cookie | Unreadable
    domain: str = ""
    """As written, with a leading dot or without."""


def read(text: str) -> list[Cookie]:
    """Cookies of a file, in its order; lines that hold none are passed over.

    `text` is the file decoded as UTF-8 with `surrogateescape`, so that every octet lives.
    """
    return [found.cookie for found in examine(text) if isinstance(found.cookie, Cookie)]


def examine(text: str) -> Iterator[Found]:
    """Each line but comments and empty ones."""
    for number, ended in enumerate(text.split("\n"), 1):
        line = ended.removesuffix("\r")
        http_only = line.startswith(_HTTP_ONLY)
        bare = line[len(_HTTP_ONLY) :] if http_only else line
        if bare.strip() and (http_only or not line.startswith("#")):
            yield Found(number, line, _read_line(bare, http_only), bare.partition("\t")[0])


def _read_line(line: str, http_only: bool) -> Cookie | Unreadable:
    fields = line.split("\t", 6)
    if len(fields) == 6:
        fields.append("")  # an empty value whose TAB was trimmed
    if len(fields) != 7:
        spaced = len(line.split()) in (6, 7)
        return Unreadable("spaces" if spaced else "fields", str(len(fields)))
    domain, subdomains, path, secure, expires, name, value = fields
    host = canonical_host(domain.removeprefix("."))
    if host is None:
        return Unreadable("domain", domain)
    if not path.startswith("/"):
        return Unreadable("path", path)
    expires = expires.strip()
    if not expires.removeprefix("-").isdecimal() or not expires.isascii():
        return Unreadable("expiry", expires)
    seconds = int(expires) if len(expires) < 20 else _LATEST_S
    return Cookie(
        _octets(name),
        Secret(_octets(value), "cookie"),
        host,
        subdomains.upper() != "TRUE",
        _octets(path).decode("latin-1"),
        secure.upper() == "TRUE",
        http_only,
        "default",
        min(seconds, _LATEST_S) * _NS if seconds else None,
    )


def write(cookies: Iterable[Cookie]) -> str:
    """The file's text; a cookie that the format cannot hold becomes a comment that says so."""
    lines = [
        HEADER,
        "# Made by inspect-cli. Expiry is in Unix seconds, 0 means until the session is over.",
        "",
    ]
    lines += [_line(cookie) for cookie in cookies]
    return "\n".join(lines) + "\n"


def _line(cookie: Cookie) -> str:
    path = _text(cookie.path.encode("latin-1", "replace"))
    name = _text(cookie.name)
    value = _text(cookie.value.value)
    if cookie.partition:
        return f"# A Partitioned cookie of {cookie.domain} is left out: this format has no place for a partition."
    if "\t" in path or "\t" in name or "\n" in path + name + value:
        return f"# A cookie of {cookie.domain} is left out: this format has no place for a TAB in its name or path."
    domain = ("" if cookie.host_only else ".") + cookie.domain
    # A second more than the rules say, never less: the file has no fractions.
    seconds = 0 if cookie.expires_ns is None else -(-cookie.expires_ns // _NS) or 1
    fields = (
        (_HTTP_ONLY if cookie.http_only else "") + domain,
        "FALSE" if cookie.host_only else "TRUE",
        path,
        "TRUE" if cookie.secure else "FALSE",
        str(seconds),
        name,
        value,
    )
    return "\t".join(fields)


def _octets(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no octet
        return text.encode("utf-8", "replace")


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "surrogateescape")
