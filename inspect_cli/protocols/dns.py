"""DNS messages in datagrams (RFC 1035 §4), read tolerantly: what can be read is told, the rest is nothing.

Port 53 is DNS; of mDNS (5353, RFC 6762) only what names addresses. DNS over TCP is not read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from inspect_cli.events.base import Where
from inspect_cli.events.udp import DnsAnswer, DnsUnanswered
from inspect_cli.streams.udp import DatagramProtocol, Told
from inspect_cli.wire.addresses import address_text

PORT, MULTICAST_PORT = 53, 5353
MOST_QUESTIONS: Final = 16_384
"""Questions that wait for an answer in a capture; the oldest is forgotten first."""
MOST_REPEATS: Final = 16
"""Frames that are remembered of one question."""
MOST_RECORDS: Final = 256
"""Records that are read of one answer."""

_HEADER: Final = struct.Struct(">6H")
_QUESTION: Final = struct.Struct(">2H")
_RECORD: Final = struct.Struct(">2HIH")
_RESPONSE, _OPCODE, _TRUNCATED, _CODE = 0x8000, 0x7800, 0x0200, 0x000F
_INTERNET: Final = 1
_CACHE_FLUSH: Final = 0x8000
"""The top bit of the class has other meanings in mDNS (RFC 6762 §10.2, §5.4)."""
A, CNAME, AAAA, ANY = 1, 5, 28, 255
_TYPES: Final = {
    1: "A",
    2: "NS",
    5: "CNAME",
    6: "SOA",
    12: "PTR",
    15: "MX",
    16: "TXT",
    28: "AAAA",
    33: "SRV",
    35: "NAPTR",
    43: "DS",
    48: "DNSKEY",
    64: "SVCB",
    65: "HTTPS",
    255: "ANY",
    257: "CAA",
}
_CODES: Final = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")
"""RFC 1035 §4.1.1."""


class Record(NamedTuple):
    """A resource record, as far as it is needed here."""

    name: bytes
    type: int
    address: str
    """Of an A or AAAA record, else ""."""
    alias: bytes
    """Of a CNAME record, else b""."""


@dataclass(slots=True)
class Message:
    """A message with at most one question."""

    id: int
    is_response: bool
    code: int
    truncated: bool
    name: bytes
    """Asked for; b"" where nothing is asked (the root is b".")."""
    type: int
    records: list[Record] = field(default_factory=list)
    """Of the answer section, up to the first that cannot be read."""


def message_of(data: bytes) -> Message | None:
    """A query or its response; None for other opcodes, several questions, and what is no such message."""
    if len(data) < _HEADER.size:
        return None
    number, flags, questions, answers, _, _ = _HEADER.unpack_from(data)
    if flags & _OPCODE or questions > 1:
        return None
    message = Message(number, bool(flags & _RESPONSE), flags & _CODE, bool(flags & _TRUNCATED), b"", 0)
    at = _HEADER.size
    if questions:
        name, at = _name(data, at)
        if at < 0 or at + _QUESTION.size > len(data):
            return None
        message.name = name
        message.type, kind = _QUESTION.unpack_from(data, at)
        if kind & ~_CACHE_FLUSH != _INTERNET:
            return None
        at += _QUESTION.size
    if message.is_response:
        _read_records(data, at, min(answers, MOST_RECORDS), message.records)
    return message


def _read_records(data: bytes, at: int, count: int, records: list[Record]) -> None:
    for _ in range(count):
        name, at = _name(data, at)
        if at < 0 or at + _RECORD.size > len(data):
            return
        kind, group, _, size = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        if at + size > len(data):
            return
        address, alias = "", b""
        if kind == A and size == 4:
            address = address_text(0, int.from_bytes(data[at : at + 4]), 4)
        elif kind == AAAA and size == 16:
            address = address_text(int.from_bytes(data[at : at + 8]), int.from_bytes(data[at + 8 : at + 16]), 6)
        elif kind == CNAME:
            alias = _name(data, at)[0]
        if group & ~_CACHE_FLUSH == _INTERNET:
            records.append(Record(name, kind, address, alias))
        at += size


def _name(data: bytes, at: int) -> tuple[bytes, int]:
    """A name and where it ends; (b"", -1) where there is none. Labels are joined by dots."""
    labels: list[bytes] = []
    size, end, earliest = 1, -1, at
    while at < len(data):
        length = data[at]
        if length >= 0xC0:
            # RFC 1035 §4.1.4: a pointer to a prior occurrence, so each leads further back.
            target = int.from_bytes(data[at : at + 2]) & 0x3FFF
            if at + 2 > len(data) or target >= earliest:
                break
            end = at + 2 if end < 0 else end
            at = earliest = target
            continue
        at += 1
        if not length:
            return b".".join(labels) or b".", at if end < 0 else end
        size += length + 1
        # RFC 1035 §2.3.4 and §4.1.4: 63 octets a label, 255 a name.
        if length > 63 or size > 255 or at + length > len(data):
            break
        label = data[at : at + length]
        labels.append(label.replace(b"\\", b"\\\\").replace(b".", b"\\."))
        at += length
    return b"", -1


class _Asked(NamedTuple):
    frames: tuple[int, ...]
    time_ns: int


_Key = tuple[int, bytes, int]
"""Of a question: its ID, its name in lower case (RFC 4343), its type."""


class Dns:
    """Pairs questions with answers, in each conversation."""

    def __init__(self) -> None:
        self._asked: dict[str, dict[_Key, _Asked]] = {}
        """By channel."""
        self._count = 0

    def take(self, where: Where, data: bytes, source_port: int, target_port: int) -> list[Told]:
        """A datagram from or to one of the ports."""
        message = message_of(data)
        if message is None:
            return []
        if message.is_response and source_port in (PORT, MULTICAST_PORT):
            answer = self._answer(where, message)
            # A multicast response has no question (RFC 6762 §6); one that names no address is let be.
            if answer.addresses or (message.name and source_port == PORT):
                return [Told(answer, answer.question_frames + where.frames)]
            return []
        if not message.is_response and message.name and target_port == PORT:
            self._ask(where, message)
        return []

    def over(self, channel: str, where: Where) -> Iterator[Told]:
        """What was asked there and not answered."""
        asked = self._asked.pop(channel, {})
        self._count -= len(asked)
        for (_, name, kind), (frames, _) in asked.items():
            yield Told(DnsUnanswered(where, name, _type(kind), frames), frames)

    def _ask(self, where: Where, message: Message) -> None:
        inside = self._asked.setdefault(where.channel, {})
        key = _key(message)
        before = inside.get(key)
        if before is not None:
            if len(before.frames) < MOST_REPEATS:
                inside[key] = _Asked(before.frames + where.frames, before.time_ns)
            return
        inside[key] = _Asked(where.frames, where.time_ns)
        self._count += 1
        if self._count > MOST_QUESTIONS:
            self._forget()

    def _forget(self) -> None:
        channel, inside = next(iter(self._asked.items()))
        del inside[next(iter(inside))]
        self._count -= 1
        if not inside:
            del self._asked[channel]

    def _answer(self, where: Where, message: Message) -> DnsAnswer:
        inside = self._asked.get(where.channel, {})
        asked = inside.pop(_key(message), None)
        if asked is not None:
            self._count -= 1
            if not inside:
                del self._asked[where.channel]
        frames, since_ns = asked or _Asked((), where.time_ns)
        first = next((record for record in message.records if record.address), None)
        name, kind = message.name, message.type
        if not name and first is not None:
            name, kind = first.name, first.type
        found = _Found(name, kind, message.records)
        return DnsAnswer(
            where,
            name,
            _type(kind),
            _CODES[message.code] if message.code < len(_CODES) else f"RCODE{message.code}",
            tuple(found.addresses),
            tuple(found.aliases),
            found.count,
            message.truncated,
            frames,
            where.time_ns - since_ns if asked else None,
        )


class _Found:
    """What the records say of a name: RFC 1034 §3.6.2, from alias to alias."""

    def __init__(self, name: bytes, kind: int, records: list[Record]) -> None:
        self.aliases: list[bytes] = []
        self.addresses: list[str] = []
        self.count = 0
        meant = {name.lower()}
        for record in records:
            if record.name.lower() not in meant:
                continue
            self.count += kind in (record.type, ANY)
            if record.alias and record.alias.lower() not in meant:
                meant.add(record.alias.lower())
                self.aliases.append(record.alias)
            elif record.address and record.address not in self.addresses:
                self.addresses.append(record.address)


def _key(message: Message) -> _Key:
    return message.id, message.name.lower(), message.type


def _type(number: int) -> str:
    return _TYPES.get(number, f"TYPE{number}")  # RFC 3597 §5


DNS: Final = DatagramProtocol("dns", (PORT, MULTICAST_PORT), Dns)
