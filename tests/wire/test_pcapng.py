from __future__ import annotations

import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.events.calls import Call, Secrets
from inspect_cli.events.capture import Comment, Names
from inspect_cli.wire.notes import write_note
from inspect_cli.wire.pcapng_blocks import names_at_end
from tests.wire.making import Pcapng, pcap, read

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

ORDERS = ["<", ">"]
CALL = Call(5, "connect", 3, "begun", "", "127.0.0.1:80", "", "")
NOTE = write_note(CALL)[0].encode()


@pytest.mark.parametrize("order", ORDERS)
def test_an_enhanced_packet_is_read_in_either_byte_order(order: str) -> None:
    p = Pcapng(order)
    data = p.shb() + p.idb(113) + p.epb(b"frame", 1_790_000_000_123_456, original=60)
    assert read(data).items == [(1, 1_790_000_000_123_456_000, b"frame", 60, 113)]


@pytest.mark.parametrize("order", ORDERS)
def test_a_simple_packet_is_cut_to_the_snap_length_and_has_the_time_before_it(order: str) -> None:
    p = Pcapng(order)
    data = p.shb() + p.idb(1, 6) + p.spb(b"sixbyt", 60) + p.epb(b"x", 7) + p.spb(b"ab", 2) + p.spb(b"abcd", 3)
    assert read(data).items == [
        (1, 0, b"sixbyt", 60, 1),
        (2, 7000, b"x", 1, 1),
        (3, 7000, b"ab", 2, 1),
        (4, 7000, b"abc", 3, 1),
    ]


@pytest.mark.parametrize("order", ORDERS)
def test_the_obsolete_packet_block_is_read(order: str) -> None:
    p = Pcapng(order)
    data = p.shb() + p.idb() + p.idb(101) + p.old_packet(b"abcde", 9, 1)
    assert read(data).items == [(1, 9000, b"abcde", 5, 101)]


def test_each_interface_has_its_own_link_type_and_clock() -> None:
    p = Pcapng()
    data = p.shb() + p.idb(1, 0, (2, b"eth0"), (9, b"\x09")) + p.idb(101, 0, (9, b"\x80"), (14, struct.pack("<q", 100)))
    data += p.epb(b"a", 5, 1) + p.epb(b"b", 5, 0) + p.idb(0, 0, (2, b"lo0\0"), (9, b"\x03")) + p.epb(b"c", 5, 2)
    found = read(data)
    assert found.items == [(1, 105 * 10**9, b"a", 1, 101), (2, 5, b"b", 1, 1), (3, 5_000_000, b"c", 1, 0)]
    assert found.interfaces == ["eth0", "lo0"]


def test_a_section_has_its_own_byte_order_and_interfaces() -> None:
    one, two = Pcapng("<"), Pcapng(">")
    data = one.shb() + one.idb(1) + one.epb(b"a", 1) + two.shb() + two.idb(101) + two.epb(b"b", 2)
    for batch_bytes in (64, 100, 1000):
        assert read(data, batch_bytes).items == [(1, 1000, b"a", 1, 1), (2, 2000, b"b", 1, 101)]


RESOLUTIONS = st.one_of(st.integers(0, 22), st.integers(128, 128 + 70), st.integers(0, 255))


@settings(max_examples=150, deadline=None)
@given(RESOLUTIONS, st.integers(0, 2**64 - 1), st.integers(-(2**40), 2**40))
def test_time_is_exact_for_every_resolution(resolution: int, ticks: int, offset: int) -> None:
    p = Pcapng()
    data = p.shb() + p.idb(1, 0, (9, bytes([resolution])), (14, struct.pack("<q", offset))) + p.epb(b"", ticks)
    per_second = (2 if resolution & 0x80 else 10) ** (resolution & 0x7F)
    seconds, rest = divmod(Fraction(ticks, per_second), 1)
    last = 9_223_372_035
    expected = max(0, min(min(seconds, last) + max(-last, min(offset, last)), last)) * 10**9 + int(rest * 10**9)
    assert read(data).rows[0][1] == expected


@pytest.mark.parametrize("order", ORDERS)
def test_dropped_frames_are_those_of_the_last_statistics_of_each_interface(order: str) -> None:
    p = Pcapng(order)
    data = p.shb() + p.idb() + p.idb() + p.isb(0, (5, p.number(1))) + p.isb(0, (5, p.number(4)), (7, p.number(2)))
    data += p.isb(1, (5, p.number(10))) + p.isb(9, (5, p.number(99))) + p.shb() + p.idb() + p.isb(0, (7, p.number(100)))
    assert read(data).drops == 116


@pytest.mark.parametrize("order", ORDERS)
def test_drops_that_packets_tell_count_where_no_statistics_tell_all(order: str) -> None:
    """The obsolete packet block has 16 bits for them (ffff: unknown), the enhanced one an option."""
    p = Pcapng(order)
    packets = p.old_packet(b"a", 1, 0, 3) + p.old_packet(b"b", 2, 0) + p.old_packet(b"c", 3, 1, 0)
    packets += p.epb(b"d", 4, 1, None, (2, bytes(4)), (4, p.number(40)), (1, b"comment")) + p.epb(b"e", 5, 1)
    data = p.shb() + p.idb() + p.idb() + packets
    for batch_bytes in (64, 1000):
        found = read(data, batch_bytes)
        assert (found.drops, len(found.rows)) == (43, 5)
        assert read(data + p.isb(1, (5, p.number(100))) + p.isb(0), batch_bytes).drops == 103
        assert read(data + p.shb() + p.idb() + packets[: len(p.old_packet(b"a", 1, 0))], batch_bytes).drops == 46


@pytest.mark.parametrize("order", ORDERS)
def test_comments_of_sections_and_interfaces_come_before_the_next_frame(order: str) -> None:
    """With its time; those at the end have that of the last one. dumpcap's own in statistics are none."""
    p = Pcapng(order)
    data = p.shb((1, b"one"), (4, b"dumpcap"), (1, "둘".encode())) + p.idb(1, 0, (2, b"lo"), (1, b"three"))
    data += p.isb(0, (1, b"Counters provided by dumpcap")) + p.epb(b"a", 7) + p.epb(b"b", 8)
    data += p.idb(1, 0, (1, b"four")) + p.epb(b"c", 9, 1) + p.shb((1, b"five"))
    for batch_bytes in (64, 1000):
        assert read(data, batch_bytes).items == [
            Comment(7000, "section", "", "one"),
            Comment(7000, "section", "", "둘"),
            Comment(7000, "interface", "lo", "three"),
            (1, 7000, b"a", 1, 1),
            (2, 8000, b"b", 1, 1),
            Comment(9000, "interface", "", "four"),
            (3, 9000, b"c", 1, 1),
            Comment(9000, "section", "", "five"),
        ]
    cut = read(data[:-1])
    assert (cut.reason, len(cut.items)) == ("ends-inside-record", 7)
    assert read(p.shb((1, b"nothing else"))).items == [Comment(0, "section", "", "nothing else")]


@pytest.mark.parametrize("order", ORDERS)
def test_names_of_hosts_are_read(order: str) -> None:
    p = Pcapng(order)
    v4, v6 = bytes([192, 0, 2, 1]), bytes.fromhex("20010db8000000000000000000000001")
    records = [(1, v4 + b"a.example\0b.example\0"), (77, b"what"), (2, v6 + b"six\0"), (1, b"\x7f"), (1, v4 + b"\xff")]
    data = p.shb() + p.nrb(*records) + p.idb() + p.epb(b"x") + p.nrb() + p.block(4, b"") + p.nrb((1, v4))
    assert read(data).items == [
        Names(
            (
                ("192.0.2.1", "a.example"),
                ("192.0.2.1", "b.example"),
                ("2001:db8::1", "six"),
                ("192.0.2.1", "\N{REPLACEMENT CHARACTER}"),
            )
        ),
        (1, 0, b"x", 1, 1),
    ]


@pytest.mark.parametrize("order", ORDERS)
def test_names_behind_the_last_packet_are_found_from_the_end(order: str) -> None:
    p = Pcapng(order)
    first, second = (1, bytes([192, 0, 2, 1]) + b"a.example\0"), (1, bytes([192, 0, 2, 2]) + b"b.example\0")
    packets = p.shb() + p.idb() + p.nrb((1, bytes(4) + b"before\0")) + p.epb(b"x")
    end = p.nrb(first) + p.dsb(b"CLIENT_RANDOM 1 2\n") + p.block(0x0BAD, b"what") + p.nrb(second) + p.isb(0)
    named = [("192.0.2.1", "a.example"), ("192.0.2.2", "b.example")]

    assert names_at_end(packets + end) == named
    assert names_at_end(end) == named
    assert names_at_end(end[len(p.nrb(first)) - 1 :]) == named[1:]
    assert names_at_end(packets) == names_at_end(b"") == names_at_end(packets + end[:-1]) == []


@given(st.binary(max_size=80), st.integers(0, 80))
def test_no_bytes_make_the_search_for_names_fail(data: bytes, cut: int) -> None:
    names = Pcapng().nrb((1, bytes(4) + b"x\0"), (77, data))

    assert names_at_end(data + names)[-1:] == [("0.0.0.0", "x")]
    names_at_end((data + names)[: len(data) + len(names) - cut])
    names_at_end(data)


def test_more_names_or_longer_ones_than_anybody_needs_are_not_kept() -> None:
    p = Pcapng()
    (names,) = read(p.shb() + p.nrb((1, bytes(4) + b"x\0" * 3000), (1, bytes(4) + b"y" * 3000))).items
    assert names == Names((("0.0.0.0", "x"),) * 1024)
    (names,) = read(p.shb() + p.nrb((1, bytes(4) + b"y" * 3000))).items
    assert names == Names((("0.0.0.0", "y" * 255),))


@needs_tshark
def test_tshark_reads_every_kind_of_block_as_we_do(tmp_path: Path) -> None:
    """Sections of either byte order, interfaces with clocks of their own, old, simple and enhanced packets."""
    little, big = Pcapng("<"), Pcapng(">")
    frame = bytes(12) + b"\x88\xb5" + bytes(46)
    data = b""
    for p in (little, big):
        data += p.shb((1, b"section")) + p.idb(1, 0, (2, b"eth0"))
        offset = struct.pack(f"{p.order}q", 1_790_000_000)
        data += p.idb(101, 0, (2, b"tun0"), (9, b"\x09"), (14, offset)) + p.idb(1, 0, (9, b"\x8a"))
        data += p.nrb((1, bytes([192, 0, 2, 1]) + b"a.example\0"))
        data += p.epb(frame, 1_790_000_000_123_456, 0, 80, (1, b"comment"))
        data += p.epb(b"\x45" + bytes(19), 987_654_321, 1) + p.epb(frame, 1_790_000_000 << 10 | 511, 2)
        data += p.old_packet(frame, 1_790_000_001_000_001, 0, 5) + p.isb(0, (5, p.number(7)))
    path = tmp_path / "all.pcapng"
    path.write_bytes(data)
    fields = ["frame.number", "frame.time_epoch", "frame.cap_len", "frame.len", "frame.interface_name"]
    command = ["tshark", "-r", str(path), "-T", "fields", *(word for field in fields for word in ("-e", field))]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    told = [line.split("\t") for line in out.splitlines()]
    found = read(data)
    assert [(int(n), int(t.replace(".", "")), int(c), int(size)) for n, t, c, size, _ in told] == [
        (number, time_ns, len(captured), size) for number, time_ns, captured, size, _ in found.rows
    ]
    assert (len(told), found.drops, found.interfaces) == (8, 14, ["eth0", "tun0"])


@needs_tshark
@pytest.mark.parametrize("magic", ["d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d", "34cdb2a1", "a1b2cd34"])
def test_tshark_reads_every_kind_of_pcap_as_we_do(magic: str, tmp_path: Path) -> None:
    frame = bytes(12) + b"\x88\xb5" + bytes(46)
    data = pcap([(1_790_000_000, 123_456, frame), (1_790_000_001, 999_999, frame * 2)], magic)
    path = tmp_path / "all.pcap"
    path.write_bytes(data)
    command = ["tshark", "-r", str(path), "-T", "fields", "-e", "frame.time_epoch", "-e", "frame.cap_len"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    told = [line.split("\t") for line in out.splitlines()]
    assert [(int(time.replace(".", "")), int(size)) for time, size in told] == [
        (row[1], len(row[2])) for row in read(data).rows
    ]


def test_tls_keys_come_where_they_stand_and_other_secrets_are_skipped() -> None:
    p = Pcapng()
    data = p.shb() + p.idb() + p.epb(b"a") + p.dsb(b"CLIENT_RANDOM 1 2\n") + p.dsb(b"ssh", 0x5353484B) + p.epb(b"b")
    assert read(data).items == [(1, 0, b"a", 1, 1), Secrets(b"CLIENT_RANDOM 1 2\n"), (2, 0, b"b", 1, 1)]


def test_names_and_unknown_and_custom_blocks_are_skipped() -> None:
    p = Pcapng()
    skipped = p.block(4, bytes(20)) + p.block(0xBAD, bytes(32)) + p.block(0x80000001, b"")
    found = read(p.shb() + skipped + p.idb() + p.epb(b"a") + skipped)
    assert (found.items, found.complete) == ([(1, 0, b"a", 1, 1)], True)


def test_comments_of_packets_are_kept() -> None:
    p = Pcapng()
    others = [(2, bytes(4))] * 12
    data = p.shb() + p.idb() + p.epb(b"abc", 0, 0, None, (2, bytes(4)), (1, "é".encode()), (1, b"\xff"))
    data += p.epb(b"", 0, 0, None, (2, bytes(4))) + p.epb(b"", 0, 0, None, *others, (1, b"late"))
    assert [item for item in read(data, 64).items if item[0] == "comment"] == [
        ("comment", 1, ("é", "\N{REPLACEMENT CHARACTER}")),
        ("comment", 3, ("late",)),
    ]


@pytest.mark.parametrize("batch_bytes", [64, 150, 10_000])
def test_our_items_come_before_the_frame_that_carries_them(batch_bytes: int) -> None:
    p = Pcapng()
    data = p.shb() + p.idb() + p.epb(b"a", 0, 0, None, (1, b"hello")) + p.epb(b"b", 1, 0, None, (1, NOTE), (1, b"hi"))
    data += p.epb(b"c", 2) + p.isb(0, (1, NOTE), (1, b"no item"))
    one, two, three = ((i + 1, i * 1000, b"abc"[i : i + 1], 1, 1) for i in range(3))
    expected = [one, ("comment", 1, ("hello",)), CALL, two, ("comment", 2, ("hi",)), three, CALL]
    assert read(data, batch_bytes).items == expected


P = Pcapng()
FILE = P.shb() + P.idb(1, 0, (2, b"eth0")) + P.epb(b"one", 1, 0, None, (1, NOTE)) + P.dsb(b"keys") + P.epb(b"2", 2)


@settings(max_examples=100, deadline=None)
@given(st.integers(4, len(FILE)), st.integers(64, 500))
def test_a_file_cut_anywhere_gives_what_stands_before_the_cut(size: int, batch_bytes: int) -> None:
    found = read(FILE[:size], batch_bytes)
    whole = read(FILE).items
    assert found.items == whole[: len(found.items)]
    ends, at = [0], 0
    while at < len(FILE):
        at += struct.unpack_from("<I", FILE, at + 4)[0]
        ends.append(at)
    assert found.complete == (size in ends)
    if not found.complete:
        assert found.error is not None
        assert found.error.data["byte"] == max(end for end in ends if end < size)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (struct.pack("<II", 6, 2**32 - 4), "impossible-length"),
        (struct.pack("<II", 6, 300 << 20), "impossible-length"),
        (struct.pack("<II", 6, 28) + bytes(20), "impossible-length"),
        (struct.pack("<II", 77, 13) + bytes(20), "impossible-length"),
        (struct.pack("<II", 77, 0) + bytes(20), "impossible-length"),
        (Pcapng().epb(b"x")[:-4] + bytes(4), "lengths-differ"),
        (Pcapng().idb()[:-4] + bytes(4), "lengths-differ"),
        (Pcapng().epb(b"x", 0, 1), "unknown-interface"),
        (Pcapng().block(6, struct.pack("<IIIII", 0, 0, 0, 5, 5) + b"four"), "impossible-length"),
        (Pcapng().block(10, struct.pack("<II", 0x544C534B, 5) + b"four"), "impossible-length"),
        (struct.pack("<III", 0x0A0D0D0A, 28, 0x11111111) + bytes(16), "bad-section"),
        (struct.pack("<II", 6, 80) + bytes(20), "ends-inside-record"),
    ],
)
@pytest.mark.parametrize("batch_bytes", [64, 4096])
def test_a_broken_block_ends_the_file_behind_the_good_ones(bad: bytes, reason: str, batch_bytes: int) -> None:
    p = Pcapng()
    good = p.shb() + p.idb() + p.epb(b"good", 1)
    behind = p.epb(b"behind") if reason != "ends-inside-record" else b""
    found = read(good + bad + behind, batch_bytes)
    assert found.items == [(1, 1000, b"good", 4, 1)]
    assert found.error is not None
    assert found.error.data == {"path": "x", "byte": len(good), "frame": 1, "reason": reason}


def test_a_packet_before_any_interface_ends_the_file() -> None:
    p = Pcapng()
    for packet in (p.epb(b"x"), p.spb(b"x", 1)):
        assert read(p.shb() + packet + p.idb()).reason == "unknown-interface"


def test_many_comments_take_no_more_than_their_time() -> None:
    """Each of 4,000 frames has a comment and every second one an item: cut, but not again and again."""
    p = Pcapng()
    pair = p.epb(b"a", 0, 0, None, (1, b"text")) + p.epb(b"b", 0, 0, None, (1, NOTE))
    found = read(p.shb() + p.idb() + pair * 2000)
    assert (len(found.rows), sum(item == CALL for item in found.items)) == (4000, 2000)


BLOCKS = st.sampled_from(
    [
        *(block for p in (Pcapng(), Pcapng(">")) for block in (p.shb(), p.idb(), p.epb(b"12345"), p.spb(b"1", 9))),
        P.epb(b"123", 4, 0, None, (1, NOTE)),
        P.isb(0, (1, NOTE)),
        P.shb((1, b"of a section")),
        P.idb(1, 0, (1, b"of an interface")),
        P.nrb((1, bytes(4) + b"name")),
        P.old_packet(b"12", 4, 0, 1),
        P.dsb(b"k"),
        P.block(0xBAD, b"1"),
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(BLOCKS, max_size=8), st.integers(0, 400), st.binary(max_size=4), st.integers(64, 400))
def test_damaged_files_never_break_the_reader_and_batches_change_nothing(
    blocks: list[bytes], place: int, damage: bytes, batch_bytes: int
) -> None:
    data = Pcapng().shb() + b"".join(blocks)
    data = data[: place + 12] + damage + data[place + 12 + len(damage) :]
    small, large = read(data, batch_bytes), read(data)
    assert small.items == large.items
    assert (small.complete, small.reason, small.drops) == (large.complete, large.reason, large.drops)
    assert (small.error and small.error.data) == (large.error and large.error.data)
