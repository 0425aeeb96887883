"""Is this HTTP/1? Asked of the first bytes of both sides (at most 64 of each)."""

from __future__ import annotations

import re

from inspect_cli.protocols.http1_head import METHODS
from inspect_cli.streams.channel import Recognition

_YES, _NO, _MORE = Recognition.YES, Recognition.NO, Recognition.MORE

_TLS = re.compile(rb"[\x14-\x17]\x03[\x00-\x04]")
_KNOWN = re.compile(rb"(?:" + METHODS + rb")(?: (?=/|\*|http://|https://)|/|\r?\n|HTTP/)")
_KNOWN_SOME_TARGET = re.compile(rb"(?:" + METHODS + rb") ")
_UNKNOWN_LONG = re.compile(rb"[A-Z_-]{2,24} /[\x21-\x7e]*\Z")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_HEAD_BYTES = 64


def looks_like_http1(client_head: bytes, server_head: bytes) -> Recognition:
    """YES as soon as either side shows it, NO when neither can; the other side may be silent.

    A client in the middle of a body proves nothing against HTTP: then the server's first
    status line decides. TLS is never HTTP, whatever answers it.
    """
    if _TLS.match(client_head):
        return _NO
    client, server = _client(client_head), _server(server_head)
    if _YES in (client, server):
        return _YES
    return _NO if client is server is _NO else _MORE


def _client(head: bytes) -> Recognition:
    """What the client's bytes alone say."""
    text = head.lstrip(b"\r\n")
    if not text:
        return _MORE
    line, ended, _ = text.partition(b"\n")
    if line.startswith((b"HTTP/", b"PRI * HTTP/2")):
        return _NO
    if _KNOWN.match(text):
        return _YES
    named = line.find(b"HTTP/")
    if _CONTROL.search(line if named < 0 else line[:named]):
        return _NO
    if named > 0 and line != b"PRI * HTTP/":
        return _YES
    if ended:
        return _NO
    if len(head) < _HEAD_BYTES:
        return _MORE
    return _YES if _KNOWN_SOME_TARGET.match(line) or _UNKNOWN_LONG.match(line) else _NO


def _server(head: bytes) -> Recognition:
    """What the server's bytes alone say."""
    text = head.lstrip(b"\r\n")
    if text.startswith((b"HTTP/1.", b"ICY 200")):
        return _YES
    return _MORE if b"HTTP/1.".startswith(text) or b"ICY 200".startswith(text) else _NO
