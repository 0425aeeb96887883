"""Urlencoded forms in request bodies (WHATWG URL §5.1)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote_to_bytes

from inspect_cli.events.base import Secret

FORM_BYTES: Final = 65_536
"""Bodies longer than this are not read as forms."""
FORM_FIELDS: Final = 1_000
_SHORT_NAME: Final = 64

_FORM_TYPE = re.compile(rb"\ncontent-type[ \t]*:[ \t]*application/x-www-form-urlencoded[ \t]*[;\r\n]")
_PASSWORD = re.compile(rb"pass|pwd|secret|\bpin\b|pin$|credential|cvc|cvv|card")
_TOKEN = re.compile(rb"token|csrf|xsrf|nonce|otp|auth|api.?key|session|\bsid\b|signature|assertion|saml|jwt|code$")


def is_form(head: bytes) -> bool:
    """Whether the head says that its body is a urlencoded form."""
    return _FORM_TYPE.search(head.lower()) is not None


def read_form(body: bytes) -> tuple[tuple[bytes, bytes | Secret], ...]:
    """Names and values in wire order; values whose names are those of secrets are Secrets."""
    is_coded = b"%" in body or b"+" in body
    pairs: list[tuple[bytes, bytes | Secret]] = []
    for part in body.split(b"&", FORM_FIELDS)[:FORM_FIELDS]:
        if not part:
            continue
        name, _, value = part.partition(b"=")
        if is_coded:
            name, value = _plain(name), _plain(value)
        kind = _kind_of(name) if len(name) <= _SHORT_NAME else _find_kind(name)
        pairs.append((name, Secret(value, kind) if kind else value))
    return tuple(pairs)


def _plain(text: bytes) -> bytes:
    return unquote_to_bytes(text.replace(b"+", b" "))


def _find_kind(name: bytes) -> str:
    """The kind of secret that fields of this name hold, "" for none."""
    lowered = name.lower()
    if _PASSWORD.search(lowered):
        return "password"
    return "token" if _TOKEN.search(lowered) else ""


_kind_of = lru_cache(maxsize=512)(_find_kind)
"""The same names come again and again."""
