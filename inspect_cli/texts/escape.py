"""Wire bytes as text that no terminal obeys: the one place where they are escaped."""

from __future__ import annotations

import re

ELLIPSIS = ".."
"""Stands for what a middle cut took out; U+2026 has no certain width on Korean terminals."""

# Printable by Unicode, yet drawn as nothing: Hangul fillers, the grapheme joiner, Khmer
# inherent vowels, variation selectors. What names hide behind.
_UNSEEN = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def visible(data: bytes | str, limit: int | None = None) -> str:
    r"""`data` as one line of harmless text, at most `limit` characters if given.

    Control characters below U+0080 and bytes that are no UTF-8 become `\xNN`; C1 and bidi
    controls, line separators, zero-width and other invisible characters become `\u{N}`.
    Printable text of every script stays, a backslash too. What is longer than `limit` is
    cut in the middle.
    """
    if limit is not None and len(data) > 8 * limit:
        # The cut keeps at most `limit` characters of at most 4 bytes: the rest needs no look.
        data = data[: 4 * limit] + data[-4 * limit :]  # type: ignore[operator]
    text = data if isinstance(data, str) else _decoded(data)
    if not text.isprintable() or (not text.isascii() and _UNSEEN.search(text)):
        text = "".join([_harmless(c) for c in text])
    return text if limit is None or len(text) <= limit else _cut(text, limit)


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode(errors="surrogateescape")


def _harmless(char: str) -> str:
    if char.isprintable() and not _UNSEEN.match(char):
        return char
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8, smuggled through by surrogateescape
        return f"\\x{code - 0xDC00:02x}"
    return f"\\u{{{code:x}}}"


def _cut(text: str, limit: int) -> str:
    room = limit - len(ELLIPSIS)
    if room < 2:
        return text[:limit]
    head = (room + 1) // 2
    return text[:head] + ELLIPSIS + text[len(text) - (room - head) :]
