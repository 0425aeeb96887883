"""One conversation in every link layer and tunnel, whole, cut by a snap length and in fragments: the same rows."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP
from scapy.packet import Raw

from inspect_cli.events.base import Entry
from inspect_cli.events.capture import FragmentOverlap, Gap, Undecoded
from inspect_cli.events.summary import Tally
from inspect_cli.streams.tracker import Share
from tests.reading import read
from tests.wire.layering import IPV4, LINKS, WRAPS, Content
from tests.wire.making import Pcapng

CLIENT, SERVER = ("192.0.2.1", 40000), ("192.0.2.2", 80)
REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\n\r\n"
BODY = b"0123456789" * 10
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nSet-Cookie: c=d\r\n\r\n" + BODY
CUT = 30
"""Bytes of the response's body that a snap length takes."""


def packet(from_client: bool, flags: str, seq: int, ack: int, data: bytes = b"", number: int = 0) -> Content:
    (source, sport), (target, dport) = (CLIENT, SERVER) if from_client else (SERVER, CLIENT)
    tcp = TCP(sport=sport, dport=dport, flags=flags, seq=seq, ack=ack)
    return Content(bytes(IP(src=source, dst=target, id=number) / tcp / Raw(data)), IPV4)


ASKED, ANSWERED = 101 + len(REQUEST), 201 + len(RESPONSE)
CONVERSATION = [
    packet(True, "S", 100, 0, number=1),
    packet(False, "SA", 200, 101, number=2),
    packet(True, "A", 101, 201, number=3),
    packet(True, "PA", 101, 201, REQUEST, number=4),
    packet(False, "PA", 201, ASKED, RESPONSE, number=5),
    packet(True, "A", ASKED, ANSWERED, number=6),
    packet(True, "FA", ASKED, ANSWERED, number=7),
    packet(False, "FA", ANSWERED, ASKED + 1, number=8),
    packet(True, "A", ASKED + 1, ANSWERED + 1, number=9),
]


def file(path: Path, frames: Sequence[bytes], link_type: int, cuts: dict[int, int]) -> Path:
    """A capture; `cuts`: bytes that the frame of an index has lost at its end."""
    made = Pcapng()
    blocks = [made.shb(), made.idb(link_type)]
    for i, data in enumerate(frames):
        kept = data[: len(data) - cuts.get(i, 0)]
        blocks.append(made.epb(kept, 1_000_000 + i * 1000, 0, len(data)))
    path.write_bytes(b"".join(blocks))
    return path


def told(path: Path, **options: Any) -> tuple[list[tuple[str, tuple[int, ...], Any]], dict[str, Any]]:
    """Kind, frames and text of each row, and what was counted but for bytes and times."""
    rows, tally = read(path, **options)
    entries = [row for row in rows if isinstance(row, Entry)]
    return [(e.event.kind, e.event.where.frames, e.annotations) for e in entries], counted(tally)


def counted(tally: Tally) -> dict[str, Any]:
    names = ("connections", "syn", "syn_ack", "fin", "http_requests", "http_responses", "set_cookie", "cookie")
    return {name: getattr(tally, name) for name in (*names, "undecoded_packets", "udp_conversations", "problems")}


def expected_counts(**more: Any) -> dict[str, Any]:
    once = dict.fromkeys(
        ("connections", "syn", "syn_ack", "http_requests", "http_responses", "set_cookie", "cookie"), 1
    )
    return once | {"fin": 2, "undecoded_packets": 0, "udp_conversations": 0, "problems": {}} | more


def around(link: Callable[[Content], bytes | None], *wraps: str) -> list[bytes]:
    frames = []
    for content in CONVERSATION:
        for wrap in wraps:
            content = WRAPS[wrap](content) or WRAPS[wrap](WRAPS["ether"](content) or content) or content  # noqa: PLW2901
        frames.append(link(content) or b"")
    return frames


LAYERS = {
    **{name: (name, "IP in IPv6") if name == "IPv6" else (name,) for name in LINKS},
    **{f"Ethernet, {wrap}": ("Ethernet", wrap) for wrap in WRAPS},
    "Ethernet, GRE, 802.1Q, VXLAN": ("Ethernet", "ether", "802.1Q", "GRE", "ether", "VXLAN"),
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_conversation_is_the_same_in_every_layer(name: str, tmp_path: Path) -> None:
    link_name, *wraps = LAYERS[name]
    link_type, link = LINKS[link_name]
    plain = told(file(tmp_path / "plain", around(LINKS["Ethernet"][1]), 1, {}))
    assert expected_counts() == plain[1]
    assert plain == told(file(tmp_path / "layered", around(link, *wraps), link_type, {}))


@pytest.mark.parametrize("name", LAYERS)
def test_what_a_snap_length_took_is_a_gap_in_every_layer(name: str, tmp_path: Path) -> None:
    link_name, *wraps = LAYERS[name]
    link_type, link = LINKS[link_name]
    path = file(tmp_path / "cut", around(link, *wraps), link_type, {4: CUT})
    plain = file(tmp_path / "plain", around(LINKS["Ethernet"][1]), 1, {4: CUT})
    rows, tally = read(path)
    gaps = [row.event for row in rows if isinstance(row, Entry) and isinstance(row.event, Gap)]
    assert [CUT] == [gap.missing_bytes for gap in gaps]
    assert expected_counts(problems={"gap": 1}) == counted(tally)
    assert told(plain) == told(path)
    assert read(path) == read(path, batch_bytes=300)


def test_the_padding_of_short_frames_is_no_payload(tmp_path: Path) -> None:
    short = around(LINKS["Ethernet"][1])
    padded = [frame.ljust(60, b"\xaa") for frame in short]
    assert short != padded
    assert told(file(tmp_path / "short", short, 1, {})) == told(file(tmp_path / "padded", padded, 1, {}))


def fragments_of(content: Content, size: int) -> list[bytes]:
    """An IPv4 packet cut into Ethernet frames of `size` bytes each behind their headers."""
    whole = IP(content.data)
    data = bytes(whole.payload)
    frames = []
    for start in range(0, len(data), size):
        head = IP(src=whole.src, dst=whole.dst, id=whole.id, proto=6, frag=start // 8)
        head.flags = "MF" if start + size < len(data) else 0
        frames.append(LINKS["Ethernet"][1](Content(bytes(head / Raw(data[start : start + size])), IPV4)) or b"")
    return frames


def test_a_conversation_in_fragments_is_the_same_for_every_batch_size(tmp_path: Path) -> None:
    frames: list[bytes] = []
    last: list[int] = []
    for content in CONVERSATION:
        frames += fragments_of(content, 8)
        last.append(len(frames))
    path = file(tmp_path / "fragments", frames, 1, {})
    rows, tally = read(path)
    assert expected_counts() == counted(tally)
    plain, _ = told(file(tmp_path / "plain", around(LINKS["Ethernet"][1]), 1, {}))
    kinds = [(kind, tuple(last[number - 1] for number in where)) for kind, where, _ in plain]
    assert kinds == [(e.event.kind, e.event.where.frames) for e in rows if isinstance(e, Entry)]
    for size in (64, 300, 1000):
        assert (rows, tally) == read(path, batch_bytes=size)


@pytest.mark.parametrize("seed", range(6))
def test_shuffled_and_lost_fragments_give_the_same_for_every_batch_size(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    frames = [frame for content in CONVERSATION for frame in fragments_of(content, 16)]
    kept = [frame for frame in frames if rng.random() < 0.9]
    for _ in range(20):
        i = rng.randrange(len(kept) - 1)
        kept[i], kept[i + 1] = kept[i + 1], kept[i]
    path = file(tmp_path / "shuffled", kept, 1, {rng.randrange(len(kept)): 5})
    whole = read(path)
    for size in (64, 300, 1000):
        assert whole == read(path, batch_bytes=size)
    whole[1].concepts = None
    assert whole[1] == read(path, summary_only=True)[1]
    # Several readers of one capture each put the fragments together; one of them counts what is lost.
    shared = [read(path, summary_only=True, share=Share(number, 2))[1] for number in (0, 1)]
    shared[0].add(shared[1])
    assert whole[1] == shared[0]


def test_fragments_without_the_rest_are_said_at_the_end_with_their_frames(tmp_path: Path) -> None:
    first, second, *_ = fragments_of(CONVERSATION[3], 16)
    path = file(tmp_path / "lost", [first, second], 1, {})
    rows, tally = read(path)
    undecoded = [row.event for row in rows if isinstance(row, Entry) and isinstance(row.event, Undecoded)]
    assert [("fragment", "4", (1, 2), 2)] == [(e.reason, e.detail, e.where.frames, e.where.at) for e in undecoded]
    assert ({"undecoded-fragment": 2}, 2) == (tally.problems, tally.undecoded_packets)


def test_an_overlap_is_a_row_and_a_problem(tmp_path: Path) -> None:
    first, *rest = fragments_of(CONVERSATION[3], 16)
    other = first[:-1] + b"\xff"
    rows, tally = read(file(tmp_path / "overlap", [first, other, *rest], 1, {}))
    found = [row.event for row in rows if isinstance(row, Entry) and isinstance(row.event, FragmentOverlap)]
    assert [(4, (2,))] == [(event.identification, event.where.frames) for event in found]
    assert 1 == tally.problems["fragment-overlap"]
