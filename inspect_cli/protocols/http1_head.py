"""What one head says: grammar of start lines and fields, and everything that breaks it.

The head stays as its bytes. One regular expression over its lower-case copy finds the few
fields that framing and counting need; another tells whether it is clean, and only a head
that is not is looked at line by line.
"""

from __future__ import annotations

import re
from typing import Final

TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"

# RFC 9112 §3: method SP request-target SP HTTP-version. Targets with raw bytes above 127 are
# against RFC 3986 but common; they count as requests.
REQUEST_LINE: Final = re.compile(rb"(" + TOKEN + rb"+) ([^\x00-\x20\x7f]+) HTTP/(\d)\.(\d)\r?\n")
# RFC 9112 §4: HTTP-version SP status-code SP [ reason-phrase ]; many leave out the last SP.
STATUS_LINE: Final = re.compile(rb"HTTP/(\d)\.(\d) (\d{3})(?: [^\r\n]*)?\r?\n")

METHODS: Final = (
    rb"GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|QUERY|PROPFIND|PROPPATCH|MKCOL|COPY|MOVE|LOCK|UNLOCK|"
    rb"REPORT|SEARCH|PURGE|MKCALENDAR|CCM_POST|RPC_CONNECT|M-SEARCH|NOTIFY|SUBSCRIBE|UNSUBSCRIBE"
)
# A line that was meant as a start line, whatever is wrong with it.
REQUEST_LIKE: Final = re.compile(
    rb"(?:" + METHODS + rb")(?![0-9A-Za-z_-])|[^\x00-\x1f\x7f]*?HTTP/\d|(?:" + METHODS + rb")HTTP"
)
STATUS_LIKE: Final = re.compile(rb"HTTP/\d|ICY \d")

# For finding a head again: only what is surely one, at the beginning of a line.
FIND_REQUEST: Final = re.compile(rb"(?m)^" + TOKEN + rb"{1,24} [^\x00-\x20\x7f]{1,3900} HTTP/\d\.\d\r?\n")
FIND_STATUS: Final = re.compile(rb"(?m)^HTTP/\d\.\d \d{3}(?: [^\r\n]{0,500})?\r?\n")
MAYBE_REQUEST: Final = re.compile(TOKEN + rb"{1,24}(?: [^\x00-\x20\x7f]*(?: [HTP/.\d]*\r?)?)?\Z")
MAYBE_STATUS: Final = re.compile(rb"(?:HTTP/[\d.]* ?[^\n]*|H|HT|HTT|HTTP)\Z")

_WANTED = re.compile(
    rb"\n(content-length|transfer-encoding|connection|upgrade|set-cookie|cookie|host)[ \t]*:[ \t]*([^\r\n]*)"
)
_CLEAN = re.compile(rb"[^\r\n]*\r\n(?:" + TOKEN + rb"+:[^\r\n\x00]*\r\n)*+\r\n")
_FIELD_LINE = re.compile(TOKEN + rb"+:")
_DIGITS = re.compile(rb"\d{1,18}\Z")

PROBLEMS: Final[dict[str, tuple[str, str]]] = {
    "invalid-start-line": ("method SP request-target SP HTTP-version", "RFC 9112 §3"),
    "invalid-status-line": ("HTTP-version SP status-code SP [ reason-phrase ]", "RFC 9112 §4"),
    "head-too-long": ("CRLF CRLF within 262144 bytes", "RFC 9112 §3"),
    "bare-lf": ("CRLF", "RFC 9112 §2.2"),
    "bare-cr": ("CRLF", "RFC 9112 §2.2"),
    "obs-fold": ("field-line CRLF", "RFC 9112 §5.2"),
    "space-before-colon": ('field-name ":"', "RFC 9112 §5.1"),
    "invalid-field-line": ('field-name ":" OWS field-value OWS', "RFC 9112 §5"),
    "invalid-field-value": ("no NUL in a field value", "RFC 9110 §5.5"),
    "missing-host": ("one Host field", "RFC 9112 §3.2"),
    "duplicate-host": ("one Host field", "RFC 9112 §3.2"),
    "duplicate-cookie-field": ("at most one Cookie field", "RFC 6265 §5.4"),
    "invalid-content-length": ("1*DIGIT", "RFC 9110 §8.6"),
    "content-length-differs": ("one Content-Length value", "RFC 9112 §6.3"),
    "content-length-and-transfer-encoding": ("one of the two", "RFC 9112 §6.3"),
    "transfer-encoding-not-chunked-last": ("chunked as the last coding", "RFC 9112 §6.3"),
    "transfer-encoding-in-http-1.0": ("HTTP/1.1", "RFC 9112 §6.1"),
    "body-not-allowed": ("no Content-Length or Transfer-Encoding", "RFC 9110 §8.6"),
    "message-after-close": ("nothing after Connection: close", "RFC 9112 §9.6"),
    "invalid-chunk-size": ("chunk-size [ chunk-ext ] CRLF", "RFC 9112 §7.1"),
    "chunk-not-terminated": ("CRLF after chunk-data", "RFC 9112 §7.1"),
    "trailers-too-long": ("CRLF CRLF within 65536 bytes", "RFC 9112 §7.1.2"),
}
"""Problem word to (what was expected, clause). The words are counted in the summary."""


class Facts:
    """What framing and counting need of a head. `problems`: (word, what was found)."""

    __slots__ = ("closes", "codings", "cookies", "hosts", "is_plain", "lengths", "problems", "set_cookies", "upgrade")

    def __init__(self) -> None:
        self.is_plain = True
        """Nothing in it needs a second look: at most one length, Host and Cookie, no coding, no close, no problem."""
        self.lengths: list[bytes] | None = None
        self.codings: list[bytes] | None = None
        self.closes = False
        self.upgrade = b""
        """Value of the first Upgrade field, in lower case."""
        self.hosts = 0
        self.cookies = 0
        self.set_cookies = 0
        self.problems: list[tuple[str, bytes]] = []

    @property
    def is_chunked(self) -> bool:
        """Chunked is the last transfer coding (RFC 9112 §6.3, rule 4)."""
        return self.codings is not None and self.codings[-1:] == [b"chunked"]


def read_facts(head: bytes) -> Facts:
    """The facts of a head, its start line not looked at."""
    facts = Facts()
    for name, value in _WANTED.findall(head.lower()):
        if name == b"host":
            facts.hosts += 1
        elif name == b"cookie":
            facts.cookies += 1
        elif name == b"set-cookie":
            facts.set_cookies += 1
        elif name == b"content-length":
            if facts.lengths is None:
                facts.lengths = _parts(value) if b"," in value or value[-1:] in b" \t" else [value]
            else:
                facts.lengths += _parts(value)
        elif name == b"connection":
            facts.closes = facts.closes or (b"close" in value and b"close" in _parts(value))
        elif name == b"transfer-encoding":
            facts.codings = [*(facts.codings or ()), *filter(None, _parts(value))]
        elif not facts.upgrade:
            facts.upgrade = value.strip(b" \t")
    if _CLEAN.fullmatch(head) is None:
        facts.problems = _odd_lines(head)
        facts.is_plain = not facts.problems
    if facts.codings is not None or facts.closes or facts.hosts > 1 or facts.cookies > 1:
        facts.is_plain = False
    return facts


def _parts(value: bytes) -> list[bytes]:
    """The members of a comma-separated list (RFC 9110 §5.6.1)."""
    return [part.strip(b" \t") for part in value.split(b",")]


def body_length(facts: Facts) -> int | None:
    """What Content-Length says (RFC 9112 §6.3, rules 5 and 6); None: nothing usable.

    Several equal values are one (RFC 9110 §8.6); of different ones the first is followed,
    as what comes behind must be read somehow, and the difference is a problem.
    """
    if not facts.lengths:
        return None
    if len(facts.lengths) == 1 and facts.lengths[0].isdigit() and len(facts.lengths[0]) <= 18:
        return int(facts.lengths[0])
    for value in facts.lengths:
        if _DIGITS.match(value) is None:
            facts.problems.append(("invalid-content-length", value[:40]))
            return None
    lengths = [int(value) for value in facts.lengths]
    if len(lengths) > 1 and any(length != lengths[0] for length in lengths):
        facts.problems.append(("content-length-differs", b", ".join(facts.lengths)[:80]))
    return lengths[0]


def _odd_lines(head: bytes) -> list[tuple[str, bytes]]:
    """What is wrong with the lines of a head, each kind once, with the first name it befell.

    Values are not quoted: they may be secrets.
    """
    found: dict[str, bytes] = {}
    before = b""
    for i, line in enumerate(head.split(b"\n")[:-1]):
        text = line.rstrip(b"\r")
        name = text.partition(b":")[0][:40]
        if not line.endswith(b"\r"):
            found.setdefault("bare-lf", b"LF")
        if b"\r" in line.removesuffix(b"\r"):
            found.setdefault("bare-cr", b"CR")
        if not i or not text:
            continue
        if text[:1] in b" \t":
            found.setdefault("obs-fold", before)
            continue
        if b"\0" in text:
            found.setdefault("invalid-field-value", name)
        elif b":" not in text:
            found.setdefault("invalid-field-line", b"%d bytes without a colon" % len(text))
        elif name.rstrip(b" \t") != name:
            found.setdefault("space-before-colon", name)
        elif _FIELD_LINE.match(text) is None and b"\r" not in text:
            found.setdefault("invalid-field-line", name)
        before = name
    return list(found.items())
