"""What the cookie rules need of a message head, read once per head."""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from inspect_cli.cookies.clues import FIELDS, host_without_port, is_websocket, read_clues, split_authority
from inspect_cli.events.base import Basis, Where
from inspect_cli.events.cookies import BIS, Asking, Step
from inspect_cli.events.http import MessageHead, ResponseHead, split_fields

_K = TypeVar("_K")
_V = TypeVar("_V")

_WANTED = FIELDS | {b"host", b"user-agent"}
_MAX_NAME = 256
LONGEST_KEPT = 4096
"""Bytes of a head, or of a part of one, that is kept with what was read from it."""
_LONGEST_HOST = 1024
_NOWHERE = Where(0, 0, "", None)
_FOLDS = (b" ", b"\t")
_METHODS = {name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")}


class Recent(OrderedDict[_K, _V], Generic[_K, _V]):
    """A dict of at most `most` keys: the one touched longest ago goes first."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def put(self, key: _K, value: _V) -> None:
        self[key] = value
        self.move_to_end(key)
        if len(self) > self.most:
            self.popitem(last=False)


class FieldLine(NamedTuple):
    """One field line of a head: its bytes [start, end) without the line end, and its value."""

    start: int
    end: int
    value: bytes


class Asked(NamedTuple):
    """A request as a recorded client made it, as far as its head tells."""

    asking: Asking
    who: Step
    """How same-site and top-level are known: from which field, or assumed."""
    may_omit: bool
    """A script may have asked that no cookies go along."""


def connection_of(channel: str) -> str:
    """`tcp/3` of `tcp/3`, `tcp/3/tls`, `tcp/3/tls/h2/5`."""
    if channel.count("/") < 2:
        return channel
    return channel[: channel.find("/", channel.find("/") + 1)]


def is_101(response: ResponseHead) -> bool:
    """Whether the server switches protocols (RFC 9110 §15.2.2)."""
    head = response.head
    return head[9:13] in (b"101 ", b"101\r", b"101\n") if head[8:9] == b" " else response.status == 101


def is_final(response: ResponseHead) -> bool:
    """Whether nothing else answers the request: no 1xx (RFC 9110 §15.2), or a 101."""
    if response.head[9:10] != b"1":
        return True
    status = response.status
    return status == 101 or not 100 <= status < 200


def field_lines(head: bytes, name: bytes) -> list[FieldLine]:
    """Lines of the field `name` (lower case), values as MessageHead.values gives them."""
    lowered = head.lower()
    wanted = b"\n" + name + b":"
    at = lowered.find(wanted)
    found: list[FieldLine] = []
    while at >= 0:
        start, behind = at + 1, at + len(wanted)
        end = head.find(b"\n", start)
        if end < 0:
            end = len(head)
        if head[end + 1 : end + 2] in _FOLDS:
            line, end = _folded(head, start, behind, end)
        elif head[end - 1 : end] == b"\r":
            line = FieldLine(start, end - 1, head[behind : end - 1].strip(b" \t"))
        else:
            line = FieldLine(start, end, head[behind:end].strip(b" \t"))
        found.append(line)
        at = lowered.find(wanted, end)
    return found


def _folded(head: bytes, start: int, behind: int, end: int) -> tuple[FieldLine, int]:
    """A line that goes on in the next ones (obs-fold, RFC 9112 §5.2), and where the last one ends."""
    while head[end : end + 1] and head[end + 1 : end + 2] in _FOLDS:
        end = _line_end(head, end + 1)
    parts = [part.removesuffix(b"\r") for part in head[behind:end].split(b"\n")]
    stop = end - 1 if head[end - 1 : end] == b"\r" else end
    return FieldLine(start, stop, b" ".join(part.strip(b" \t") for part in parts)), end


def _line_end(head: bytes, start: int) -> int:
    end = head.find(b"\n", start)
    return len(head) if end < 0 else end


class Lines(NamedTuple):
    """What stands behind the first line of a request: its Cookie fields, and the others."""

    cookies: tuple[FieldLine, ...]
    """Places count from behind the first line."""
    others: bytes
    """All other lines: a client repeats them in every request."""
    user_agent: bytes


def read_lines(rest: bytes) -> Lines:
    """Cookie fields, the other lines, and User-Agent of what stands behind the first line of a head."""
    return (_kept_lines if len(rest) <= LONGEST_KEPT else _lines)(rest)


def _lines(rest: bytes) -> Lines:
    head = b"\n" + rest
    lines = field_lines(head, b"cookie")
    others = head
    for line in reversed(lines):
        behind = others.find(b"\n", line.end)
        others = others[: line.start] + (others[behind + 1 :] if behind >= 0 else b"")
    others = others[1:]
    user_agent = _kept_user_agent(others) if len(others) <= LONGEST_KEPT else user_agent_of(b"\n" + others)
    return Lines(tuple([FieldLine(start - 1, end - 1, value) for start, end, value in lines]), others, user_agent)


_kept_lines = lru_cache(maxsize=256)(_lines)


@lru_cache(maxsize=256)
def _kept_user_agent(others: bytes) -> bytes:
    return user_agent_of(b"\n" + others)


def where_of_line(head: MessageHead, line: FieldLine, basis: Basis, first: int = 0) -> Where:
    """Where one field line is; the whole head's place where that is no run of bytes.

    `first`: bytes of the head before the place that the line's own counts from.
    """
    line_start, line_end, _ = line
    at, time_ns, channel, side, frames, start, end, _ = head.where
    if start >= 0 and end - start == len(head.head):
        end = start + first + line_end
        start += first + line_start
    return tuple.__new__(Where, (at, time_ns, channel, side, frames, start, end, basis))  # half the time of Where(...)


def user_agent_of(head: bytes) -> bytes:
    """The User-Agent, cut to what tells clients apart."""
    lines = field_lines(head, b"user-agent")
    return lines[0].value[:_MAX_NAME] if lines else b""


def read_request(head: bytes, *, is_tls: bool) -> Asked | None:
    """Who asks for what, by the head alone; None for a CONNECT, which asks for no resource."""
    first, _, rest = head.partition(b"\n")
    return read_asked(first, read_lines(rest).others, is_tls=is_tls)


def read_asked(first: bytes, others: bytes, *, is_tls: bool) -> Asked | None:
    """The same of a first line and the lines that are no Cookie fields."""
    parts = first.rstrip(b"\r").split(b" ")
    method = parts[0]
    if method == b"CONNECT":
        return None
    target = b" ".join(parts[1:-1]) if len(parts) > 2 else b" ".join(parts[1:])
    scheme, authority, path = "https" if is_tls else "http", b"", target
    if not target.startswith(b"/"):
        before, found, behind = target.partition(b"://")
        if found and before.isalpha():
            # RFC 9112 §3.2.2: the absolute form goes before Host.
            scheme = before.decode("ascii").lower()
            authority, path = split_authority(behind)
    path = path.partition(b"#")[0].partition(b"?")[0]
    text = path.decode("latin-1") if path.startswith(b"/") else "/"
    who = (_kept_who if len(others) + len(target) <= LONGEST_KEPT else _who_asks)(others, scheme, authority)
    asking = Asking(
        who.scheme, who.host, text, _method(method), who.same_site, who.top_level, who.same_domain, who.top_site
    )
    return Asked(asking, who.step, who.may_omit)


class Request:
    """A request, read as far as the answer to it may ask; without its Cookie fields."""

    __slots__ = ("_asked", "_first", "_others", "user_agent", "where")

    def __init__(self, where: Where, first: bytes, others: bytes, user_agent: bytes) -> None:
        self.where = where
        self._first: bytes | None = first
        """None: `_asked` is read."""
        self._others = others
        self._asked: Asked | None = None
        self.user_agent = user_agent

    @property
    def asked(self) -> Asked | None:
        """As `read_request`."""
        first = self._first
        if first is not None:
            self._asked = read_asked(first, self._others, is_tls="/tls" in self.where.channel)
            self._first, self._others = None, b""
        return self._asked

    def is_of(self, head: MessageHead) -> bool:
        """Whether this is what was read: the head may be a copy, made in another process."""
        return self.where == head.where

    def shortened(self) -> Request:
        """One of which nothing but the host is known: for a head that is too long to keep."""
        asked = self.asked
        found = Request(_NOWHERE, b"", b"", self.user_agent)
        found._first = None
        if asked is not None:
            asking = Asking(asked.asking.scheme, asked.asking.host[:_LONGEST_HOST], "/")
            found._asked = Asked(asking, asked.who, asked.may_omit)
        return found


def read_event(head: MessageHead) -> tuple[Request, tuple[FieldLine, ...], int]:
    """A request, its Cookie fields, and how many bytes of the head stand before what their places count from."""
    first, _, rest = head.head.partition(b"\n")
    cookies, others, user_agent = read_lines(rest)
    return Request(head.where, first, others, user_agent), cookies, len(first) + 1


class _Who(NamedTuple):
    scheme: str
    host: str
    same_site: bool
    top_level: bool
    same_domain: bool | None
    top_site: str
    may_omit: bool
    step: Step


def _method(method: bytes) -> str:
    return _METHODS.get(method) or method.decode("latin-1")[:_MAX_NAME]


def _who_asks(others: bytes, scheme: str, authority: bytes) -> _Who:
    """What the field lines tell; a client repeats them, so this is read once for many requests."""
    fields: dict[bytes, bytes] = {}
    for name, value in split_fields(b"\n" + others):
        known = name.lower()
        if known in _WANTED:
            fields.setdefault(known, value)
    if is_websocket(fields):
        scheme = {"http": "ws", "https": "wss"}.get(scheme, scheme)
    host = host_without_port(authority or fields.get(b"host", b""))
    told = read_clues(fields, scheme, host)
    words = (
        f"{'same-site' if told.same_site else 'cross-site'} ({told.same_by}), "
        f"{'top-level' if told.top_level else 'not top-level'} ({told.top_by})"
    )
    step = Step(f"{BIS} §5.2", "who-asks", "applied", words)
    return _Who(scheme, host, told.same_site, told.top_level, told.same_domain, told.top_site, told.may_omit, step)


_kept_who = lru_cache(maxsize=256)(_who_asks)


_joined: dict[tuple[int, int], tuple[Step, tuple[Step, ...], tuple[Step, ...]]] = {}
_MOST_JOINED = 1024


def joined(who: Step, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """All steps of a decision: who asks, then the others; the same object for the same two."""
    key = (id(who), id(steps))
    found = _joined.get(key)
    if found is None:
        if len(_joined) >= _MOST_JOINED:
            _joined.clear()
        # It holds both, so that nothing else has their identities.
        found = _joined[key] = (who, steps, (who, *steps))
    return found[2]
