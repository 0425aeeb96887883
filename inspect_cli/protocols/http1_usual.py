"""The usual head: clean, and silent about everything that a rule of HTTP would have to decide.

Nearly all heads of a capture are of this kind, so one match reads such a head whole, with the
one field, if any, that frames its body. No rule stands here: a head that does not match
(folded, bare LF, `Connection: close`, an upgrade, two lengths, a 1xx, 204 or 304, ...) goes
the long way (`http1_reading`, `http1_head`, `http1_body`), which gives the same for usual
ones too: a property test holds both ways equal.
"""

from __future__ import annotations

import re
from typing import Final

from inspect_cli.protocols.http1_body import CHUNKED, NO_BODY, Framing
from inspect_cli.protocols.http1_head import TOKEN

# Any byte but NUL, LF and CR, in the form that `re` is quickest with.
_VALUE = rb"[\x01-\x09\x0b\x0c\x0e-\xff]*+\r\n"
_HOST = rb"(?i:host):" + _VALUE
_KEEP_ALIVE = rb"(?i:connection:[ \t]*+keep-alive)\r\n"
_FRAMES = rb"(?i:content-length:[ \t]*+(\d{1,18})|transfer-encoding:[ \t]*+(chunked))\r\n"


# No group stands inside the repeat: before Python 3.13 one in a possessive repeat may fail (gh-101955).
def _lines(named: bytes) -> bytes:
    """Field lines of other names than these."""
    return rb"(?:(?!(?i:" + named + rb"):)" + TOKEN + rb"++:" + _VALUE + rb"|" + _KEEP_ALIVE + rb")*+"


_LINES = _lines(rb"connection|content-length|host|transfer-encoding|upgrade")
_ANSWER_LINES = _lines(rb"connection|content-length|cookie|host|transfer-encoding|upgrade")

USUAL_REQUEST: Final = re.compile(
    rb"(?!CONNECT )(" + TOKEN + rb"++) [\x21-\x7e\x80-\xff]++ HTTP/1\.1\r\n"
    + _LINES + _HOST + _LINES + rb"(?:" + _FRAMES + _LINES + rb")?\r\n"
)  # fmt: skip
"""Groups: the method, the digits of Content-Length, `chunked`."""
USUAL_RESPONSE: Final = re.compile(
    rb"HTTP/1\.1 (?!204|304)([2-5]\d\d)(?: [^\r\n]*+)?\r\n" + _ANSWER_LINES + _FRAMES + _ANSWER_LINES + rb"\r\n"
)
"""The same, with the status first; one of the other two is there."""


def framing_said(length: bytes | None, chunked: bytes | None) -> Framing:
    """How the body of a usual head is framed."""
    if length is not None:
        return Framing("length", int(length))
    return CHUNKED if chunked is not None else NO_BODY
