"""SOCKS 5 (RFC 1928, RFC 1929), 4 and 4a: a proxy is asked for a connection, then passes its bytes on.

What comes behind the proxy's success is read as what it is: HTTP, or opaque.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

from inspect_cli.events.base import Event
from inspect_cli.events.socks import SocksReply, SocksRequest
from inspect_cli.protocols.recognise import looks_like_http1
from inspect_cli.protocols.talk import TwoSided, go_on_alone, is_out_of_patience, is_too_late
from inspect_cli.streams.channel import HEAD_BYTES, Parsed, Parser, Protocol, Recognition, Report
from inspect_cli.streams.reader import NOWHERE, Missing, Place, Reader

_CONNECT: Final = 1
_NO_LOGIN, _PASSWORD, _NONE_ACCEPTABLE = 0, 2, 0xFF
_NAME: Final = 3
_ADDRESS_BYTES: Final = {1: 4, 4: 16}
_LONGEST_TEXT: Final = 255
_REPLIES_5: Final = (
    "succeeded", "general-failure", "not-allowed", "network-unreachable", "host-unreachable", "refused",
    "ttl-expired", "command-not-supported", "address-type-not-supported",
)  # fmt: skip
_REPLIES_4: Final = {0x5A: "succeeded", 0x5B: "general-failure", 0x5C: "no-identd", 0x5D: "wrong-identd"}


def looks_like(client_head: bytes, server_head: bytes) -> Recognition:
    """YES only where both sides show it: few bytes prove little."""
    if not client_head or not server_head:
        return _of_client(client_head) if client_head else Recognition.MORE
    answers = (_of_client(client_head), _of_server(client_head, server_head))
    if Recognition.NO in answers:
        return Recognition.NO
    return Recognition.MORE if Recognition.MORE in answers else Recognition.YES


def _of_client(head: bytes) -> Recognition:
    if head[0] == 5:
        return Recognition.MORE if len(head) < 2 else Recognition.YES if head[1] else Recognition.NO
    if head[0] == 4:
        return Recognition.MORE if len(head) < 2 else Recognition.YES if head[1] in (1, 2) else Recognition.NO
    return Recognition.NO


def _of_server(client_head: bytes, head: bytes) -> Recognition:
    if len(head) < 2:
        return Recognition.MORE if head[0] == (5 if client_head[0] == 5 else 0) else Recognition.NO
    if client_head[0] == 4:
        return Recognition.YES if head[0] == 0 and head[1] in _REPLIES_4 else Recognition.NO
    offered = client_head[2 : 2 + client_head[1]] if len(client_head) > 1 else b""
    # RFC 1928 §3: one of the methods that were offered, or none of them.
    fits = head[0] == 5 and (head[1] == _NONE_ACCEPTABLE or head[1] in offered)
    return Recognition.YES if fits else Recognition.NO


@dataclass(slots=True)
class SocksTalk(TwoSided):
    """What one side has to know of the other to go on; each with its place."""

    version: int | None = None
    version_place: Place = NOWHERE
    method: int | None = None
    method_place: Place = NOWHERE
    succeeded: bool | None = None
    """Whether the proxy passes bytes on from here."""
    succeeded_place: Place = NOWHERE
    inside: str | None = None
    inside_place: Place = NOWHERE


class _Side:
    """What both sides do: read a number of bytes, wait for the other, leave."""

    def __init__(self, reader: Reader, talk: SocksTalk, report: Report) -> None:
        self.reader = reader
        self.talk = talk
        self.report = report
        talk.join(reader)

    def take(self, size_of: Callable[[bytes], int]) -> Generator[Parsed, None, bytes]:
        """One message, consumed whole, so that its frames are known; b"" where it is broken or never comes.

        `size_of` tells from the bytes so far how many there must be, 0 where they are wrong.
        """
        size = 1
        while size:
            found = self.reader.look(size)
            if found is Missing.BYTES:
                yield self.talk.wait(self.reader)
                continue
            needed = 0 if isinstance(found, Missing) else size_of(found)
            if needed == size:
                self.reader.skip(size)
                return b"" if isinstance(found, Missing) else found
            size = needed
        return b""

    def heed(self, known: str) -> Generator[Parsed, None, bool]:
        """Wait until the other side has made `known` known; False where it will not."""
        reader, talk, other = self.reader, self.talk, self.reader.side.other
        while True:
            place: Place = getattr(talk, f"{known}_place")
            if getattr(talk, known) is not None and not is_too_late(reader, place):
                reader.heed(place)
                return True
            if talk.over[other] and getattr(talk, known) is None and not is_too_late(reader, talk.over_place[other]):
                reader.heed(talk.over_place[other])
                return False
            if is_out_of_patience(reader) and talk.caught_up(other):
                go_on_alone(reader)
                return False
            yield talk.wait(reader)

    def tell(self, known: str, value: object) -> None:
        setattr(self.talk, known, value)
        setattr(self.talk, f"{known}_place", self.reader.place)

    def leave(self, name: str) -> str:
        self.talk.leave(self.reader, name)
        return name


def _greeting(so_far: bytes) -> int:
    """RFC 1928 §3: version, number of methods, methods."""
    return 2 if len(so_far) < 2 else 2 + so_far[1] if so_far[1] else 0


def _login(so_far: bytes) -> int:
    """RFC 1929 §2: version, user name and password, each behind its length."""
    if len(so_far) < 2:
        return 2
    name = 2 + so_far[1]
    return name + 1 if len(so_far) <= name else name + 1 + so_far[name]


def _with_address(so_far: bytes) -> int:
    """RFC 1928 §4, §6: version, command or reply, reserved, address type, address, port."""
    if so_far[0] != 5:
        return 0
    if len(so_far) < 5:
        return 5
    if so_far[3] == _NAME:
        return 7 + so_far[4] if so_far[4] else 0
    return 6 + _ADDRESS_BYTES[so_far[3]] if so_far[3] in _ADDRESS_BYTES else 0


def _request_4(so_far: bytes) -> int:
    """Version, command, port, address, user; in 4a (address 0.0.0.x) a name: both end with NUL."""
    if len(so_far) < 9:
        return 9
    texts = 2 if so_far[4:7] == b"\0\0\0" and so_far[7] else 1
    if so_far.count(b"\0", 8) == texts:
        return len(so_far)
    return len(so_far) + 1 if len(so_far) < 8 + texts * (_LONGEST_TEXT + 1) else 0


def _exactly(size: int) -> Callable[[bytes], int]:
    return lambda so_far: size


def _client(reader: Reader, talk: SocksTalk, report: Report) -> Parser:
    """The client's side."""
    side = _Side(reader, talk, report)
    while (first := reader.look(1)) is Missing.BYTES:
        yield talk.wait(reader)
    version = 0 if isinstance(first, Missing) else first[0]
    side.tell("version", version)
    asked = yield from (_ask_4(side) if version == 4 else _ask_5(side))
    if asked is None or not (yield from side.heed("succeeded")) or not talk.succeeded or asked != _CONNECT:
        side.tell("inside", "opaque")
        return side.leave("opaque")
    while True:
        # Who asked for the connection speaks first in what we read behind it.
        head = reader.peek(HEAD_BYTES)
        found = looks_like_http1(head, b"") if head else Recognition.MORE
        if found is Recognition.MORE and not (reader.is_finished or len(head) >= HEAD_BYTES or reader.gap_bytes):
            yield talk.wait(reader)
            continue
        if found is Recognition.MORE and reader.is_finished:
            reader.heed_end()
        reader.reach(len(head))
        side.tell("inside", "http/1" if found is Recognition.YES else "opaque")
        return side.leave(talk.inside or "opaque")


def _ask_5(side: _Side) -> Generator[Parsed, None, int | None]:
    """Greeting, login where the proxy wants one, request: its command."""
    greeting = yield from side.take(_greeting)
    if not greeting or not (yield from side.heed("method")) or side.talk.method not in (_NO_LOGIN, _PASSWORD):
        return None
    login = side.talk.method == _PASSWORD
    if login and not (yield from side.take(_login)):
        return None
    request = yield from side.take(_with_address)
    if not request:
        return None
    host = request[5:-2] if request[3] == _NAME else str(ip_address(request[4:-2])).encode()
    port = int.from_bytes(request[-2:])
    yield from _said(side, SocksRequest, len(request), 5, request[1], host, port, login)
    return request[1]


def _ask_4(side: _Side) -> Generator[Parsed, None, int | None]:
    """The one message of SOCKS 4 and 4a."""
    request = yield from side.take(_request_4)
    if not request:
        return None
    user, _, name = request[8:-1].partition(b"\0")
    host = name or str(ip_address(request[4:8])).encode()
    yield from _said(side, SocksRequest, len(request), 4, request[1], host, int.from_bytes(request[2:4]), bool(user))
    return request[1]


def _said(side: _Side, kind: type[Event], size: int, *told: object) -> Generator[Event, None, None]:
    """The event of the last `size` bytes."""
    if side.report.wants(kind):
        end = side.reader.position
        yield kind(side.reader.where(end - size, end), *told)


def _server(reader: Reader, talk: SocksTalk, report: Report) -> Parser:
    """The proxy's side."""
    side = _Side(reader, talk, report)
    known = yield from side.heed("version")
    ok = known and (yield from (_answer_4(side) if talk.version == 4 else _answer_5(side)))
    side.tell("succeeded", bool(ok))
    if not ok or not (yield from side.heed("inside")):
        return side.leave("opaque")
    return side.leave(talk.inside or "opaque")


def _answer_5(side: _Side) -> Generator[Parsed, None, bool]:
    chosen = yield from side.take(_exactly(2))
    side.tell("method", chosen[1] if chosen[:1] == b"\5" else _NONE_ACCEPTABLE)
    if side.talk.method == _PASSWORD:
        status = yield from side.take(_exactly(2))
        if not status or status[1]:  # RFC 1929 §2: refused
            return False
    elif side.talk.method != _NO_LOGIN:
        return False
    answer = yield from side.take(_with_address)
    if not answer:
        return False
    reply = _REPLIES_5[answer[1]] if answer[1] < len(_REPLIES_5) else f"reply-{answer[1]}"
    yield from _said(side, SocksReply, len(answer), 5, reply)
    return reply == "succeeded"


def _answer_4(side: _Side) -> Generator[Parsed, None, bool]:
    answer = yield from side.take(_exactly(8))
    if answer[:1] != b"\0":
        return False
    reply = _REPLIES_4.get(answer[1], f"reply-{answer[1]}")
    yield from _said(side, SocksReply, len(answer), 4, reply)
    return reply == "succeeded"


def _make_talk(carry: object) -> SocksTalk:
    return SocksTalk()


SOCKS = Protocol("socks", looks_like, _client, _server, _make_talk)
