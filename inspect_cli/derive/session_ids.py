"""Which cookies name a session: by the names that frameworks give, or by their look."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from types import MappingProxyType
from typing import Final

_LONGEST_KEPT: Final = 256
LEAST_BITS: Final = 64
"""Below it a value of unknown name is not taken for an ID (OWASP asks for 64 bits at least)."""

_KNOWN: Final = MappingProxyType(
    {
        b"jsessionid": "Java servlet",
        b"jsessionidsso": "Java servlet",
        b"phpsessid": "PHP",
        b"asp.net_sessionid": "ASP.NET",
        b".aspnetcore.session": "ASP.NET Core",
        b".aspnetcore.cookies": "ASP.NET Core",
        b"connect.sid": "Express",
        b"sessionid": "Django",
        b"session": "Flask",
        b"_session_id": "Rails",
        b"laravel_session": "Laravel",
        b"ci_session": "CodeIgniter",
        b"cfid": "ColdFusion",
        b"cftoken": "ColdFusion",
        b"rack.session": "Rack",
        b"beaker.session.id": "Pylons",
        b"sid": "common name",
        b"session_id": "common name",
        b"session-id": "common name",
        b"sessid": "common name",
    }
)
_RAILS = re.compile(rb"_[a-z0-9_]+_session")
_ASP = re.compile(rb"aspsessionid[a-z]{8}")
_PREFIXES = (b"__host-", b"__secure-", b"__http-")

_NO_ID = re.compile(rb"csrf|xsrf|nonce|consent|locale|lang|theme|track|visitor|prefs?|\Autm|\A_g[ac]|\A_fb|\Aroute")
_ID_LIKE = re.compile(rb"[A-Za-z0-9+/_.:%~-]{10,512}={0,2}")
_ENCODED_TEXT = re.compile(rb"%(?:22|7b|2c|20|3d|26)", re.IGNORECASE)
_LETTERS = re.compile(rb"[A-Za-z]")
_DIGITS = re.compile(rb"[0-9]")

_ALPHABETS: Final = (
    (re.compile(rb"[0-9]*"), 10),
    (re.compile(rb"[0-9a-f]*|[0-9A-F]*"), 16),
    (re.compile(rb"[0-9a-z]*|[0-9A-Z]*"), 36),
    (re.compile(rb"[0-9a-zA-Z]*"), 62),
    (re.compile(rb"[0-9a-zA-Z_-]*|[0-9a-zA-Z+/]*={0,2}"), 64),
)
_PRINTABLE = 94


def known_name(name: bytes) -> str:
    """The framework that names its session cookie so; "" for none."""
    return (_known_name if len(name) <= _LONGEST_KEPT else _known_name.__wrapped__)(name)


@lru_cache(maxsize=512)
def _known_name(name: bytes) -> str:
    lowered = name.lower()
    for prefix in _PREFIXES:
        lowered = lowered.removeprefix(prefix)
    found = _KNOWN.get(lowered)
    if found is not None:
        return found
    if _RAILS.fullmatch(lowered):
        return "Rails"
    return "ASP" if _ASP.fullmatch(lowered) else ""


def entropy_bits(value: bytes) -> int:
    """At most so many bits: the length times those of a character of its alphabet class."""
    for pattern, size in _ALPHABETS:
        if pattern.fullmatch(value):
            return math.floor(len(value) * math.log2(size))
    return math.floor(len(value) * math.log2(_PRINTABLE))


def looks_like_id(name: bytes, value: bytes) -> bool:
    """Long, mixed, no readable text, and its name says nothing else."""
    if not _ID_LIKE.fullmatch(value) or _NO_ID.search(name.lower()) or _ENCODED_TEXT.search(value):
        return False
    if len(_DIGITS.findall(value)) < 2 or len(_LETTERS.findall(value)) < 3:
        return False
    return entropy_bits(value) >= LEAST_BITS


def names_session(name: bytes, value: bytes, *, http_only: bool, is_persistent: bool) -> bool:
    """Whether a Set-Cookie hands out a session ID, as far as can be told from outside."""
    if not value:
        return False
    if known_name(name):
        return True
    return (http_only or not is_persistent) and looks_like_id(name, value)
