"""Random traffic of several connections, and a protocol of four-byte words to read it with."""

from __future__ import annotations

import random
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st

from inspect_cli.events.base import Event, noun
from inspect_cli.events.summary import Tally
from inspect_cli.events.tcp import Connection
from inspect_cli.streams.channel import WAIT, Protocol, Recognition, Report, Wait
from inspect_cli.streams.channel import Talk as ChannelTalk
from inspect_cli.streams.reader import Missing, Reader
from inspect_cli.streams.tracker import Tracker
from tests.streams.segments import ACK, RST, SYN, Seg, Talk, frames_of


@noun
class Word(Event):
    """Four bytes of a side, or what is left at its end."""

    kind = "word"

    data: bytes


@noun
class Hole(Event):
    kind = "hole"

    size: int


def words(reader: Reader, talk: Any, report: Report) -> Generator[Event | Wait, None, str | None]:
    while True:
        start = reader.position
        got = reader.look(4)
        reader.skip(4 if isinstance(got, bytes) else 0)
        if got is Missing.BYTES:
            yield WAIT
        elif got is Missing.GAP:
            rest = reader.peek(4)
            reader.skip(len(rest))
            if rest:
                yield Word(reader.where(start, reader.position), rest)
            gap = reader.gap_bytes
            start = reader.position
            reader.skip(gap)
            yield Hole(reader.where(start, reader.position), gap)
        elif got is Missing.END:
            rest = reader.peek(4)
            reader.skip(len(rest))
            reader.heed_end()
            yield Word(reader.where(start, reader.position), rest)
            return None
        else:
            yield Word(reader.where(start, reader.position), got)


WORDS = Protocol("words", lambda c, s: Recognition.YES, words, words, lambda carry: ChannelTalk())


def read(
    segments: list[Seg],
    sizes: list[int] | None = None,
    wanted: frozenset[type[Event]] | None = None,
    protocol: Protocol = WORDS,
    **options: Any,
) -> tuple[list[Event | Connection], Tally]:
    """Events, rows and counts of segments fed in batches of these sizes, over and over."""
    tally = Tally()
    tracker = Tracker([protocol], Report(tally, wanted), strict=True, **options)
    found: list[Event | Connection] = []
    at, turn = 0, 0
    while at < len(segments):
        size = len(segments) if sizes is None else sizes[turn % len(sizes)]
        for events, rows in tracker.feed(frames_of(segments[at : at + size], at + 1)):
            found += [*events, *rows]
        at += size
        turn += 1
    for events, rows in tracker.close():
        found += [*events, *rows]
    return found, tally


STORIES = (
    "syn", "lose", "repeat", "seen-twice", "other-bytes", "probe", "asked-again", "urgent",
    "late", "reset", "cut", "close-window",
)  # fmt: skip


def _happen(draw: st.DrawFn, mixed: list[Seg]) -> None:
    """Something goes wrong, or only seems to."""
    i = draw(st.integers(0, len(mixed) - 1))
    match draw(st.sampled_from(STORIES)):
        case "syn":
            seq = mixed[i].seq - draw(st.integers(-1, 1))
            mixed.insert(
                i, Seg(draw(st.integers(0, 1)), SYN | draw(st.sampled_from([0, ACK])), seq, port=mixed[i].port)
            )
        case "lose":
            del mixed[i]
        case "repeat":
            mixed.insert(draw(st.integers(i, len(mixed))), mixed[i])
        case "seen-twice":
            mixed[i] = Seg(**{**mixed[i].__dict__, "id": draw(st.integers(0, 2))})
            mixed.insert(draw(st.integers(i, len(mixed))), mixed[i])
        case "other-bytes":
            other = {"data": bytes(255 - b for b in mixed[i].data), "damaged": draw(st.booleans())}
            mixed.insert(draw(st.integers(i, len(mixed))), Seg(**{**mixed[i].__dict__, **other}))
        case "probe":
            mixed.insert(i, Seg(**{**mixed[i].__dict__, "seq": mixed[i].seq - 1, "data": b"?"[: i % 2]}))
        case "asked-again":
            mixed[i:i] = [Seg(**{**mixed[i].__dict__, "data": b"", "flags": ACK})] * 4
        case "urgent":
            mixed[i] = Seg(**{**mixed[i].__dict__, "flags": mixed[i].flags | 32, "urgent": i})
        case "late":
            segment = mixed.pop(i)
            mixed.insert(min(len(mixed), i + draw(st.integers(1, 5))), segment)
        case "reset":
            seq = mixed[i].seq + draw(st.sampled_from([0, 0, -3, 5, 1 << 31]))
            mixed.insert(i, Seg(mixed[i].d, RST | draw(st.sampled_from([0, ACK])), seq, port=mixed[i].port))
        case "cut":
            mixed[i] = Seg(**{**mixed[i].__dict__, "cut": min(2, len(mixed[i].data))})
        case _:
            mixed[i] = Seg(**{**mixed[i].__dict__, "window": 0})


@st.composite
def traffic(draw: st.DrawFn) -> list[Seg]:
    """Several connections on few ports, interleaved, with loss, repeats, disorder and resets."""
    chunks: list[list[Seg]] = []
    for _ in range(draw(st.integers(1, 3))):
        isn = draw(st.integers(0, 0xFFFFFFFF)), draw(st.integers(0, 0xFFFFFFFF))
        talk = Talk(port=draw(st.integers(40000, 40001)), isn=isn)
        if draw(st.booleans()):
            talk.open()
        for _ in range(draw(st.integers(0, 8))):
            d = draw(st.integers(0, 1))
            for _ in range(draw(st.sampled_from([1, 1, 1, 20]))):
                talk.say(d, draw(st.binary(max_size=9)))
            if draw(st.booleans()):
                talk.acks(1 - d)
        if draw(st.booleans()):
            talk.close(draw(st.integers(0, 1)))
        chunks.append(talk.segments)
    mixed: list[Seg] = []
    while any(chunks):
        chosen = draw(st.sampled_from([c for c in chunks if c]))
        count = draw(st.sampled_from([1, 2, 30]))
        mixed += chosen[:count]
        del chosen[:count]
    for _ in range(draw(st.integers(0, 6))):
        if mixed:
            _happen(draw, mixed)
    return mixed


def disturbed(dice: random.Random) -> list[Seg]:
    """One conversation, long enough for every bound, with a few segments late, lost, again or changed."""
    talk = Talk(isn=(dice.choice([1000, 2**32 - 200]), 9000))
    if dice.random() < 0.9:
        talk.open()
    for _ in range(dice.choice([3, 30, 120])):
        d = dice.randrange(2)
        talk.say(d, dice.randbytes(dice.choice([1, 4, 9])))
        if dice.random() < 0.5:
            talk.acks(1 - d)
    if dice.random() < 0.8:
        talk.close(dice.randrange(2))
    sent = talk.segments
    for _ in range(dice.choice([0, 1, 1, 2, 4, 8])):
        i = dice.choice([dice.randrange(len(sent)), max(0, len(sent) - dice.randint(1, 6))])
        one = sent[i]
        match dice.randrange(7):
            case 0 | 1:
                sent.insert(min(len(sent), i + dice.choice([1, 2, 3, 10, 62, 63, 64, 65, 80])), sent.pop(i))
            case 2:
                sent.insert(min(len(sent), i + dice.randint(1, 9)), one)
            case 3:
                sent.insert(i + 1, replace(one, data=bytes(len(one.data))))
                if i:
                    sent.insert(min(len(sent), i + dice.randint(1, 9)), sent.pop(i - 1))
            case 4:
                sent[i] = replace(one, ack=one.ack + dice.randint(-3, 6))
            case 5:
                sent.insert(i + 1, replace(one, seq=one.seq + dice.randint(-5, 5), data=one.data * dice.randrange(3)))
            case _:
                del sent[i : i + dice.choice([0, 1, 1])]
    return sent
