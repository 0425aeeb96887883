"""DNS messages: scapy is the oracle; any bytes give events or nothing."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from scapy.layers.dns import DNS as ScapyDns  # noqa: N811 - it is a class
from scapy.layers.dns import DNSQR, DNSRR

from inspect_cli.events.base import Event, Side, Where
from inspect_cli.events.udp import DnsAnswer, DnsUnanswered
from inspect_cli.protocols import dns
from inspect_cli.protocols.dns import Dns, Message, Record, message_of

CLIENT_PORT = 40000


def query(number: int, name: str, kind: str = "A") -> bytes:
    return bytes(ScapyDns(id=number, qd=DNSQR(qname=name, qtype=kind)))


def answer(number: int, name: str, kind: str = "A", *records: DNSRR, code: int = 0, cut: int = 0) -> bytes:
    question = DNSQR(qname=name, qtype=kind)
    return bytes(ScapyDns(id=number, qr=1, rcode=code, tc=cut, qd=question, an=list(records)))


def place(number: int, side: Side | None = Side.CLIENT) -> Where:
    return Where(number, number * 1000, "udp/0", side, (number,) if side is not None else ())


def said(*datagrams: bytes, port: int = 53) -> list[Event]:
    """What a conversation with that port says; its responses come from there."""
    reader, events = Dns(), []
    for number, data in enumerate(datagrams, start=1):
        is_response = len(data) > 2 and data[2] & 0x80
        ports = (port, CLIENT_PORT) if is_response else (CLIENT_PORT, port)
        where = place(number, Side.SERVER if is_response else Side.CLIENT)
        events += [told.event for told in reader.take(where, data, *ports)]
    return events + [told.event for told in reader.over("udp/0", place(99, None))]


def test_an_answer_names_addresses_and_the_aliases_on_the_way() -> None:
    records = [
        DNSRR(rrname="www.example", type="CNAME", rdata="cdn.example"),
        DNSRR(rrname="cdn.example", type="A", rdata="192.0.2.7"),
        DNSRR(rrname="cdn.example", type="A", rdata="192.0.2.8"),
        DNSRR(rrname="other.example", type="A", rdata="192.0.2.9"),
    ]

    assert said(query(5, "www.example"), answer(5, "WWW.example", "A", *records)) == [
        DnsAnswer(
            place(2, Side.SERVER),
            b"WWW.example",
            "A",
            "NOERROR",
            ("192.0.2.7", "192.0.2.8"),
            (b"cdn.example",),
            2,
            truncated=False,
            question_frames=(1,),
            after_ns=1000,
        )
    ]


@pytest.mark.parametrize(("code", "word"), [(3, "NXDOMAIN"), (2, "SERVFAIL"), (5, "REFUSED"), (11, "RCODE11")])
def test_a_failure_is_an_answer_too(code: int, word: str) -> None:
    assert said(query(1, "no.example"), answer(1, "no.example", code=code)) == [
        DnsAnswer(place(2, Side.SERVER), b"no.example", "A", word, (), (), 0, False, (1,), 1000)
    ]


def test_a_question_asked_again_is_one_question() -> None:
    (found,) = said(query(1, "a.example"), query(1, "a.example"), answer(1, "a.example"))

    assert isinstance(found, DnsAnswer)
    assert (found.question_frames, found.after_ns) == ((1, 2), 2000)


def test_what_is_not_answered_is_told_at_the_end() -> None:
    data = [query(1, "a.example"), query(2, "a.example", "AAAA"), answer(2, "a.example", "AAAA"), query(1, "a.example")]

    assert said(*data)[1:] == [DnsUnanswered(place(99, None), b"a.example", "A", (1, 4))]


def test_an_answer_to_another_question_answers_nothing() -> None:
    found = said(query(1, "a.example"), answer(2, "a.example"))

    assert [getattr(e, "question_frames", None) for e in found] == [(), (1,)]


def test_an_answer_that_did_not_fit_says_so_and_unusual_types_have_numbers() -> None:
    (found,) = said(answer(1, "a.example", "SVCB", cut=1))

    assert isinstance(found, DnsAnswer)
    assert (found.type, found.truncated, found.after_ns) == ("SVCB", True, None)


def test_mdns_is_told_where_it_names_addresses() -> None:
    announced = bytes(ScapyDns(qr=1, qd=[], an=[DNSRR(rrname="pc.local", rdata="192.0.2.1", rclass=0x8001)]))
    pointer = bytes(ScapyDns(qr=1, qd=[], an=[DNSRR(rrname="_http._tcp.local", type="PTR", rdata="pc.local")]))

    assert said(query(0, "pc.local"), pointer, announced, port=5353) == [
        DnsAnswer(place(3, Side.SERVER), b"pc.local", "A", "NOERROR", ("192.0.2.1",), (), 1, False, (), None)
    ]


def test_a_name_keeps_its_odd_labels_and_the_root_is_a_dot() -> None:
    head = bytes.fromhex("0001 0100 0001 0000 0000 0000")
    odd, root = message_of(head + b"\x03a.b\x02\\c\x00\x00\x01\x00\x01"), message_of(head + b"\x00\x00\x02\x00\x01")

    assert odd is not None
    assert root is not None
    assert (odd.name, root.name) == (rb"a\.b.\\c", b".")


@pytest.mark.parametrize(
    "name",
    [
        b"\xc0\x0c",  # points at itself
        b"\xc0\x0e\xc0\x0c",  # ahead
        b"\x40a\x00",  # neither label nor pointer
        b"\x05ab",  # cut off
        b"\xc0",
        (b"\x3f" + b"a" * 63) * 4 + b"\x00",  # 257 octets
    ],
)
def test_a_name_that_breaks_the_rules_is_no_message(name: bytes) -> None:
    assert message_of(bytes.fromhex("0001 0100 0001 0000 0000 0000") + name + b"\x00\x01\x00\x01") is None


def test_forgotten_questions_leave_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns, "MOST_QUESTIONS", 2)
    asked = [query(n, f"{n}.example") for n in range(4)]
    found = said(*asked, answer(0, "0.example"), answer(3, "3.example"))

    frames = [e.question_frames for e in found if isinstance(e, DnsAnswer | DnsUnanswered)]
    assert frames == [(), (4,), (3,)]


LABELS = st.lists(st.text("abcxyz-0189", min_size=1, max_size=12), min_size=1, max_size=4).map(".".join)
RECORDS = st.lists(
    st.one_of(
        st.tuples(LABELS, st.just("A"), st.ip_addresses(v=4).map(str)),
        st.tuples(LABELS, st.just("AAAA"), st.ip_addresses(v=6, network="2001:db8::/32").map(str)),
        st.tuples(LABELS, st.just("CNAME"), LABELS),
    ),
    max_size=5,
)


@given(st.integers(0, 65535), LABELS, RECORDS)
@settings(max_examples=100, deadline=None)
def test_messages_are_read_as_scapy_wrote_them(number: int, name: str, records: list[tuple[str, str, str]]) -> None:
    made = [DNSRR(rrname=owner, type=kind, rdata=data) for owner, kind, data in records]
    message = ScapyDns(id=number, qr=1, qd=DNSQR(qname=name), an=made)
    expected = Message(number, True, 0, False, name.encode(), 1)
    for owner, kind, data in records:
        address, alias = ("", data.encode()) if kind == "CNAME" else (data, b"")
        expected.records.append(Record(owner.encode(), getattr(dns, kind), address, alias))

    assert expected == message_of(bytes(message))
    assert expected == message_of(bytes(message.compress()))


@given(
    st.one_of(
        st.binary(max_size=80),
        st.tuples(st.binary(max_size=40), st.integers(0, 120)).map(
            lambda cut: answer(7, "www.example", "A", DNSRR(rrname="www.example", rdata="192.0.2.7"))[: cut[1]] + cut[0]
        ),
    ),
    st.sampled_from([53, 5353]),
)
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_events_or_nothing(data: bytes, port: int) -> None:
    for event in said(data, port=port):
        assert isinstance(event, DnsAnswer | DnsUnanswered)
        assert len(event.name) <= 4 * 255
