"""The Set-Cookie line and the Cookie field, octet by octet (6265bis §5.6, §4.2.1)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

from inspect_cli.cookies.dates import parse_date
from inspect_cli.cookies.profiles import RFC6265BIS, Profile
from inspect_cli.events.base import Secret
from inspect_cli.events.cookies import SameSite, SetCookie

MAX_PAIR_BYTES: Final = 4096
_WSP = b" \t"
_CONTROLS = bytes((*range(0x09), *range(0x0A, 0x20), 0x7F))
_MAX_AGE = re.compile(rb"-?[0-9]+")
_MAX_AGE_PLUS = re.compile(rb"[-+]?[0-9]+")
_LONGEST_NUMBER = 1024
"""Digits of a Max-Age that are read: those after them change nothing."""
SAME_SITE: dict[bytes, SameSite] = {
    b"strict": "strict",
    b"lax": "lax",
    b"none": "none",
}

_FLAGS: Final = (b"secure", b"httponly", b"partitioned")
"""Attributes that need no value (§5.6.5, §5.6.6, CHIPS)."""
_PRIORITY: dict[bytes, Literal["low", "medium", "high"]] = {b"low": "low", b"high": "high"}


def has_control_character(line: bytes) -> bool:
    """Whether §5.6 step 1 (and §5.7 step 3) drops it: a control character but TAB."""
    return len(line.translate(None, _CONTROLS)) != len(line)


def cut_line(line: bytes, ends: bytes) -> bytes:
    """The line as far as the first octet that ends it."""
    if len(line.translate(None, ends)) == len(line):
        return line
    first = min([at for end in ends if (at := line.find(end)) >= 0], default=len(line))
    return line[:first]


def split_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Name, value, and what stands behind the first ";", whatever else is wrong with it (§5.6 steps 2-4)."""
    pair, _, rest = line.partition(b";")
    name, equals, value = pair.partition(b"=")
    if not equals:
        return b"", pair.strip(_WSP), rest  # step 3: all of it is the value
    return name.strip(_WSP), value.strip(_WSP), rest


def split_pair(line: bytes) -> tuple[bytes, bytes]:
    """Name and value of a Set-Cookie line."""
    return split_line(line)[:2]


def parse_set_cookie(line: bytes) -> SetCookie | None:
    """The line as parsed; None where §5.6 drops it whole: a control character, > 4096 bytes."""
    if has_control_character(line):
        return None  # step 1
    name, value, rest = split_line(line)
    if len(name) + len(value) > MAX_PAIR_BYTES:
        return None  # step 5
    return SetCookie(name, Secret(value, "cookie"), *read_attributes(rest, RFC6265BIS))


def read_attributes(rest: bytes, profile: Profile) -> Attributes:
    """What stands behind the pair: the fields of SetCookie from `expires_ns` on. Expiry dates are not capped here."""
    read = _again if len(rest) <= LONGEST_KEPT else _attributes
    return read(rest, profile.max_attribute_bytes, profile.plus_in_max_age, profile.early_years_expire)


Attributes = tuple[
    int | None,
    int | None,
    bytes | None,
    bytes | None,
    bool,
    bool,
    SameSite,
    tuple[tuple[bytes, bytes], ...],
    bool,
    Literal["low", "medium", "high"],
]


def _attributes(rest: bytes, limit: int | None, plus: bool, early_expire: bool) -> Attributes:
    expires_ns: int | None = None
    max_age: int | None = None
    domain: bytes | None = None
    path: bytes | None = None
    flags: set[bytes] = set()
    same_site: SameSite = "default"
    priority: Literal["low", "medium", "high"] = "medium"
    attributes: list[tuple[bytes, bytes]] = []
    for attribute in rest.split(b";") if rest else ():
        said, equals, content = attribute.partition(b"=")
        said = said.strip(_WSP)  # step 5
        content = content.strip(_WSP)
        if not (said or equals):
            continue  # nothing between two semicolons
        attributes.append((said, content))
        if limit is not None and len(content) > limit:
            continue  # step 6: ignored, an earlier one of its name stays
        known = said.lower()
        if known == b"path":
            path = content  # §5.6.4
        elif known in _FLAGS:
            flags.add(known)
        elif known == b"samesite":
            same_site = SAME_SITE.get(content.lower(), "default")  # §5.6.7
        elif known == b"expires":
            moment = parse_date(content, early_expire=early_expire)  # §5.6.1
            expires_ns = expires_ns if moment is None else moment
        elif known == b"max-age":
            if (_MAX_AGE_PLUS if plus else _MAX_AGE).fullmatch(content):  # §5.6.2
                max_age = int(content[:_LONGEST_NUMBER])
        elif known == b"domain":
            domain = (content[1:] if content[:1] == b"." else content).lower()  # §5.6.3
        elif known == b"priority":
            priority = _PRIORITY.get(content.lower(), "medium")
    secure, http_only, partitioned = (flag in flags for flag in _FLAGS)
    return expires_ns, max_age, domain, path, secure, http_only, same_site, tuple(attributes), partitioned, priority


_again = lru_cache(maxsize=1024)(_attributes)
LONGEST_KEPT: Final = 512
"""Servers repeat themselves: the value changes, what stands behind it does not. So it is kept if it is no longer."""


def parse_cookie_header(value: bytes) -> list[tuple[bytes, bytes]]:
    """Pairs of a Cookie field in wire order; a piece without `=` has an empty name.

    The draft gives no algorithm for servers; this mirrors §5.8.3 step 6, which wrote it.
    """
    pairs: list[tuple[bytes, bytes]] = []
    for piece in value.split(b";"):
        name, equals, content = piece.partition(b"=")
        if equals:
            pairs.append((name.strip(_WSP), content.strip(_WSP)))
        elif name := piece.strip(_WSP):
            pairs.append((b"", name))
    return pairs
