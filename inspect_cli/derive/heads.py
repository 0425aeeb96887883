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
    second = channel.find("/", channel.find("/") + 1)
    return channel if second < 0 else channel[:second]


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
        start = at + 1
        end = _line_end(head, start)
        while head[end : end + 1] and head[end + 1 : end + 2] in (b" ", b"\t"):
            end = _line_end(head, end + 1)  # obs-fold (RFC 9112 §5.2)
        parts = [part.removesuffix(b"\r") for part in head[start + len(name) + 1 : end].split(b"\n")]
        value = b" ".join(part.strip(b" \t") for part in parts) if len(parts) > 1 else parts[0].strip(b" \t")
        stop = end - 1 if head[end - 1 : end] == b"\r" else end
        found.append(FieldLine(start, stop, value))
        at = lowered.find(wanted, end)
    return found


def _line_end(head: bytes, start: int) -> int:
    end = head.find(b"\n", start)
    return len(head) if end < 0 else end


@lru_cache(maxsize=256)
def read_cookies(rest: bytes) -> tuple[tuple[FieldLine, ...], bytes]:
    """Cookie fields and User-Agent of a head, of what stands behind its first line.

    A client repeats its field lines: read once for many requests. Places count from `rest`.
    """
    head = b"\n" + rest
    lines = [FieldLine(start - 1, end - 1, value) for start, end, value in field_lines(head, b"cookie")]
    return tuple(lines), user_agent_of(head)


def where_of_line(head: MessageHead, line: FieldLine, basis: Basis, first: int = 0) -> Where:
    """Where one field line is; the whole head's place where that is no run of bytes.

    `first`: bytes of the head before the place that the line's own counts from.
    """
    line_start, line_end, _ = line
    at, time_ns, channel, side, frames, start, end, _ = head.where
    if start < 0 or end - start != len(head.head):
        return Where(at, time_ns, channel, side, frames, start, end, basis)
    return Where(at, time_ns, channel, side, frames, start + first + line_start, start + first + line_end, basis)


def user_agent_of(head: bytes) -> bytes:
    """The User-Agent, cut to what tells clients apart."""
    lines = field_lines(head, b"user-agent")
    return lines[0].value[:_MAX_NAME] if lines else b""


def read_request(head: bytes, *, is_tls: bool) -> Asked | None:
    """Who asks for what, by the head alone; None for a CONNECT, which asks for no resource."""
    first, _, rest = head.partition(b"\n")
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
    who = _who_asks(rest, scheme, authority)
    asking = Asking(
        who.scheme, who.host, text, _method(method), who.same_site, who.top_level, who.same_domain, who.top_site
    )
    return Asked(asking, who.step, who.may_omit)


class _Who(NamedTuple):
    scheme: str
    host: str
    same_site: bool
    top_level: bool
    same_domain: bool | None
    top_site: str
    may_omit: bool
    step: Step


@lru_cache(maxsize=256)
def _method(method: bytes) -> str:
    return method.decode("latin-1")[:_MAX_NAME]


@lru_cache(maxsize=256)
def _who_asks(rest: bytes, scheme: str, authority: bytes) -> _Who:
    """What the field lines tell; a client repeats them, so this is read once for many requests."""
    fields: dict[bytes, bytes] = {}
    for name, value in split_fields(b"\n" + rest):
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
