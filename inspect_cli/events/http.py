"""HTTP/1 messages. A head is kept as its bytes and split into fields when asked."""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, Literal

from inspect_cli.events.base import Event, Layer, Secret, noun

EndedBy = Literal["none", "length", "chunked", "close", "gap", "tunnel"]

_SECRET_FIELDS: dict[bytes, tuple[str, Literal["pairs", "set-cookie", "scheme"]]] = {
    b"cookie": ("cookie", "pairs"),
    b"set-cookie": ("cookie", "set-cookie"),
    b"authorization": ("authorization", "scheme"),
    b"proxy-authorization": ("authorization", "scheme"),
}


def split_fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """Field lines of a head in wire order, names as sent, values trimmed (RFC 9112 §5).

    Folded lines (obs-fold, §5.2) are joined by one space; a line without a colon is given
    with an empty name, so that nothing is lost.
    """
    return list(_fields(head))


@lru_cache(maxsize=32)
def _fields(head: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """The same head is asked for several times, soon after one another."""
    found: list[tuple[bytes, bytes]] = []
    before = b""
    for line in head.replace(b"\r\n", b"\n").split(b"\n")[1:]:
        before, previous = line, before
        if not line:
            continue
        if line[0] in b" \t" and found and previous:
            name, value = found[-1]
            found[-1] = (name, value + b" " + line.strip(b" \t"))
            continue
        name, colon, value = line.partition(b":")
        found.append((name, value.strip(b" \t")) if colon else (b"", line))
    return tuple(found)


@lru_cache(maxsize=32)
def _start_parts(head: bytes) -> list[bytes]:
    return _start_line(head).split(b" ")


def _start_line(head: bytes) -> bytes:
    return head.partition(b"\n")[0].rstrip(b"\r")


def own_lines(head: bytes) -> list[bytes] | None:
    """The field lines of a head, each a field of its own; None where one may be folded (§5.2)."""
    if b"\n " in head or b"\n\t" in head:
        return None
    return [line for line in head.replace(b"\r\n", b"\n").split(b"\n")[1:] if line]


def guarded_fields(head: bytes) -> list[tuple[bytes, bytes | Secret]]:
    """As `split_fields`; values of Cookie, Set-Cookie and the like are Secrets."""
    return [_guarded(name, value) for name, value in _fields(head)]


def guarded_field(line: bytes) -> tuple[bytes, bytes | Secret]:
    """The same of one line that is not folded."""
    name, colon, value = line.partition(b":")
    return _guarded(name, value.strip(b" \t")) if colon else (b"", line)


def _guarded(name: bytes, value: bytes) -> tuple[bytes, bytes | Secret]:
    secret = _SECRET_FIELDS.get(name.lower())
    return (name, Secret(value, *secret) if secret else value)


@noun
class MessageHead(Event):
    """Start line and field lines, with the empty line that ends them.

    `index` counts the messages of its side on its connection from 0, as captured.
    """

    layer: ClassVar[Layer] = "http"

    head: bytes
    index: int

    def is_same(self, other: MessageHead | None) -> bool:
        """Whether this is the same message: objects may be copies, made in another process."""
        return other is self or (
            other is not None
            and other.index == self.index
            and other.where == self.where
            and other.__class__ is self.__class__
        )

    @property
    def start_line(self) -> bytes:
        return _start_line(self.head)

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        return split_fields(self.head)

    @property
    def headers(self) -> list[tuple[bytes, bytes | Secret]]:
        return guarded_fields(self.head)

    def values(self, name: bytes) -> list[bytes]:
        """All values of the field `name` (lower case), in wire order."""
        head = self.head
        lowered = head.lower()
        wanted = b"\n" + name + b":"
        at = lowered.find(wanted)
        if at < 0:
            return []
        if b"\n " in head or b"\n\t" in head:  # a line may be folded (§5.2)
            return [value for field, value in _fields(head) if field.lower() == name]
        found: list[bytes] = []
        while at >= 0:
            end = head.find(b"\n", at + 1)
            line = head[at + len(wanted) :] if end < 0 else head[at + len(wanted) : end].removesuffix(b"\r")
            found.append(line.strip(b" \t"))
            at = lowered.find(wanted, end) if end >= 0 else -1
        return found


@noun
class RequestHead(MessageHead):
    """Head of a request. Method, target and version are as sent, odd ones included."""

    kind: ClassVar[str] = "request"
    shown: ClassVar[tuple[str, ...]] = ("method", "target", "version", "host", "headers")

    @property
    def method(self) -> bytes:
        return _start_parts(self.head)[0]

    @property
    def target(self) -> bytes:
        parts = _start_parts(self.head)
        return b" ".join(parts[1:-1]) if len(parts) > 2 else b" ".join(parts[1:])

    @property
    def version(self) -> bytes:
        parts = _start_parts(self.head)
        return parts[-1] if len(parts) > 2 else b""

    @property
    def host(self) -> bytes:
        """Value of the first Host field, b"" where there is none (RFC 9110 §7.2)."""
        values = self.values(b"host")
        return values[0] if values else b""


@noun
class ResponseHead(MessageHead):
    """Head of a response with the request that it answers, by position in the streams.

    `request` None: not captured, or answered before any request was seen.
    """

    kind: ClassVar[str] = "response"
    shown: ClassVar[tuple[str, ...]] = ("status", "reason", "version", "headers", "request_missing")

    request: RequestHead | None

    @property
    def version(self) -> bytes:
        return _start_parts(self.head)[0]

    @property
    def status(self) -> int:
        parts = _start_parts(self.head)
        return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() and len(parts[1]) < 10 else 0

    @property
    def reason(self) -> bytes:
        return b" ".join(_start_parts(self.head)[2:])

    @property
    def request_missing(self) -> bool:
        return self.request is None


@noun
class MessageEnd(Event):
    """The end of a message: how its length was known, and whether all of it came.

    An entry only where it tells something: see `NotableMessageEnd`.
    """

    kind: ClassVar[str] = "message-end"
    layer: ClassVar[Layer] = "http"
    is_entry: ClassVar[bool] = False

    of: MessageHead
    ended_by: EndedBy
    body_bytes: int
    """Body bytes on the wire, chunk framing apart."""
    complete: bool
    trailers: bytes


@noun
class NotableMessageEnd(MessageEnd):
    """An end in a later frame that was cut short, has trailers, or came by the close."""

    is_entry: ClassVar[bool] = True


@noun
class RequestForm(Event):
    """The fields of a urlencoded form in a request body (at most 64 KiB of it).

    Values of fields whose names are those of passwords or tokens are Secrets.
    """

    kind: ClassVar[str] = "request-form"
    layer: ClassVar[Layer] = "http"
    is_entry: ClassVar[bool] = False

    of: RequestHead
    form: tuple[tuple[bytes, bytes | Secret], ...]


@noun
class Exchange(Event):
    """A request and the final response to it (derived; interim 1xx are not final)."""

    kind: ClassVar[str] = "exchange"
    layer: ClassVar[Layer] = "http"
    is_entry: ClassVar[bool] = False

    request: RequestHead
    response: ResponseHead
