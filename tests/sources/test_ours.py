from __future__ import annotations

import ipaddress

from inspect_cli.sources.ours import Ours, Verdict
from inspect_cli.sources.peek import ACK, RST, SYN, Peek

SERVER = ("192.0.2.7", 80)
CLIENT = ("192.0.2.1", 5000)
OTHER = ("192.0.2.1", 5001)


def segment(source: tuple[str, int], target: tuple[str, int], flags: int = ACK) -> Peek:
    one, other = ipaddress.ip_address(source[0]), ipaddress.ip_address(target[0])
    return Peek(one.packed, source[1], other.packed, target[1], 0, 0, flags, 0)


def test_both_directions_of_an_opened_connection_are_ours() -> None:
    ours = Ours()
    ours.announce(*SERVER)
    ours.open(*SERVER, *CLIENT)
    assert ours.judge(segment(CLIENT, SERVER)) is Verdict.OURS
    assert ours.judge(segment(SERVER, CLIENT)) is Verdict.OURS


def test_a_connection_of_somebody_else_to_the_same_server_is_not() -> None:
    ours = Ours()
    ours.announce(*SERVER)
    ours.open(*SERVER, *CLIENT)
    assert ours.judge(segment(OTHER, SERVER)) is Verdict.OTHERS
    assert ours.judge(segment(("192.0.2.2", 5000), SERVER)) is Verdict.OTHERS


def test_a_syn_seen_before_its_port_is_known_waits() -> None:
    ours = Ours()
    ours.announce(*SERVER)
    assert ours.judge(segment(CLIENT, SERVER, SYN)) is Verdict.UNKNOWN
    assert ours.judge(segment(CLIENT, ("192.0.2.9", 80))) is Verdict.OTHERS
    ours.open(*SERVER, *CLIENT)
    assert ours.judge(segment(CLIENT, SERVER, SYN)) is Verdict.OURS


def test_a_connect_that_could_not_begin_lets_all_go() -> None:
    ours = Ours()
    ours.announce(*SERVER)
    ours.open(*SERVER, "", 0)
    assert ours.judge(segment(CLIENT, SERVER, SYN)) is Verdict.OTHERS
    assert ours.are_over


def test_an_unanswered_syn_is_not_waited_for() -> None:
    ours = Ours()
    ours.announce(*SERVER)
    ours.open(*SERVER, *CLIENT)
    ours.judge(segment(CLIENT, SERVER, SYN))
    assert ours.are_over


def test_an_answered_one_is_over_when_it_was_closed() -> None:
    ours = Ours()
    ours.announce(*SERVER)
    ours.open(*SERVER, *CLIENT)
    ours.judge(segment(SERVER, CLIENT, SYN | ACK))
    assert not ours.are_over
    ours.judge(segment(SERVER, CLIENT, RST))
    assert ours.are_over
