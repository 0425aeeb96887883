"""The usual head: clean, and silent about everything that a rule of HTTP would have to decide.

Nearly all heads of a capture are of this kind, so they are read in a straight line: one match
finds such a head whole, one search counts its fields. No rule stands here. A head that does
not match (folded, bare LF, `Connection: close`, an upgrade, a 1xx, 204 or 304, ...) goes the
long way (`http1_reading`, `http1_head`, `http1_body`), which gives the same for usual ones
too: a property test holds both ways equal.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from inspect_cli.protocols.http1_body import CHUNKED, NO_BODY, Framing
from inspect_cli.protocols.http1_head import TOKEN

# No group stands inside the repeat: before Python 3.13 one in a possessive repeat may fail (gh-101955).
# Any byte but NUL, LF and CR, in the form that `re` is quickest with.
_LINES = (
    rb"(?:(?![CcTtUu](?i:onnection|ransfer-encoding|pgrade):)"
    + TOKEN
    + rb"++:[\x01-\x09\x0b\x0c\x0e-\xff]*+\r\n"
    + rb"|[Cc](?i:onnection:[ \t]*+keep-alive)\r\n|[Tt](?i:ransfer-encoding:[ \t]*+chunked)\r\n)*+\r\n"
)
USUAL_REQUEST: Final = re.compile(rb"(?!CONNECT )(" + TOKEN + rb"++) [\x21-\x7e\x80-\xff]++ HTTP/1\.1\r\n" + _LINES)
USUAL_RESPONSE: Final = re.compile(rb"HTTP/1\.1 (?!204|304)[2-5]\d\d(?: [^\r\n]*+)?\r\n" + _LINES)

_COUNTED = re.compile(
    rb"\n(?:content-length:[ \t]*(\d{1,18})\r|(host|cookie|set-cookie|transfer-encoding|content-length):)"
)


class Usual(NamedTuple):
    """How the body of a usual head is framed, and how often fields stand in it."""

    framing: Framing
    hosts: int
    cookies: int
    set_cookies: int


def read_usual(head: bytes) -> Usual | None:
    """Count the fields of a head that matched; None where its framing is not told by one of them, or none."""
    framing = NO_BODY
    hosts = cookies = set_cookies = 0
    for digits, name in _COUNTED.findall(head.lower()):
        if name == b"host":
            hosts += 1
        elif name == b"cookie":
            cookies += 1
        elif name == b"set-cookie":
            set_cookies += 1
        elif framing is not NO_BODY or name == b"content-length":
            return None
        else:
            framing = Framing("length", int(digits)) if digits else CHUNKED
    return Usual(framing, hosts, cookies, set_cookies)
