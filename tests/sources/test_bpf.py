"""The filter as the kernel runs it: a socket pair's receiving end has it attached."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inspect_cli.sources.bpf import MAX_TARGETS, Instruction, Target, attach, program

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_PACKET"), reason="classic BPF is Linux only")

V4 = Target("192.0.2.7", 8080)
V6 = Target("2001:db8::7", 8443)
NONCE = Target("127.0.0.1", 999)


Pair = tuple[socket.socket, socket.socket]


@contextlib.contextmanager
def filtering(instructions: Sequence[Instruction]) -> Iterator[Pair]:
    """A pair of datagram sockets: what the filter accepts of what one sends, the other receives."""
    sender, receiver = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with sender, receiver:
        attach(receiver, instructions)
        receiver.setblocking(False)
        yield sender, receiver


def accepts(pair: Pair, data: bytes) -> bool:
    sender, receiver = pair
    with contextlib.suppress(PermissionError):  # so send() says that the filter refused it
        sender.send(data)
    try:
        return receiver.recv(1 << 17) == data
    except BlockingIOError:
        return False


def frame(
    source: str,
    source_port: int,
    target: str,
    target_port: int,
    *,
    ethernet: bool = True,
    protocol: int = 6,
    fragment: int = 0,
    options: int = 0,
) -> bytes:
    one, other = ipaddress.ip_address(source), ipaddress.ip_address(target)
    ports = struct.pack(">HH", source_port, target_port) + bytes(16)
    if one.version == 4:
        head = bytes([0x45 + options]) + bytes(5) + struct.pack(">HBBH", fragment, 64, protocol, 0)
        ip = head + one.packed + other.packed + bytes(options * 4)
    else:
        ip = b"\x60" + bytes(5) + bytes([protocol, 64]) + one.packed + other.packed
    link = bytes(12) + (b"\x08\x00" if one.version == 4 else b"\x86\xdd")
    return (link if ethernet else b"") + ip + ports


@pytest.mark.parametrize("ethernet", [True, False])
@pytest.mark.parametrize(("target", "client"), [(V4, "192.0.2.1"), (V6, "2001:db8::1"), (V4, V4.address)])
def test_both_directions_of_a_target_pass(target: Target, client: str, *, ethernet: bool) -> None:
    with filtering(program([target], ethernet=ethernet)) as pair:
        assert accepts(pair, frame(client, 5000, *target, ethernet=ethernet))
        assert accepts(pair, frame(*target, client, 5000, ethernet=ethernet))


@pytest.mark.parametrize("ethernet", [True, False])
@pytest.mark.parametrize(("target", "client"), [(V4, "192.0.2.1"), (V6, "2001:db8::1")])
def test_other_ports_hosts_and_protocols_are_let_go(target: Target, client: str, *, ethernet: bool) -> None:
    with filtering(program([target], ethernet=ethernet)) as pair:
        assert not accepts(pair, frame(client, 5000, target.address, 81, ethernet=ethernet))
        assert not accepts(pair, frame(client, target.port, target.address, 81, ethernet=ethernet))
        assert not accepts(pair, frame(client, 5000, client, target.port, ethernet=ethernet))
        assert not accepts(pair, frame(client, 5000, *target, ethernet=ethernet, protocol=17))


def test_ports_are_found_behind_ip_options() -> None:
    with filtering(program([V4], ethernet=True)) as pair:
        assert accepts(pair, frame("192.0.2.1", 5000, *V4, options=10))


def test_a_later_fragment_is_let_go_for_it_shows_no_ports() -> None:
    with filtering(program([V4], ethernet=True)) as pair:
        assert not accepts(pair, frame("192.0.2.1", 5000, *V4, fragment=100))
        assert accepts(pair, frame("192.0.2.1", 5000, *V4, fragment=0x4000))


def test_the_nonce_passes_and_other_udp_does_not() -> None:
    with filtering(program([V4], ethernet=True, nonce=NONCE)) as pair:
        assert accepts(pair, frame("127.0.0.1", 5000, *NONCE, protocol=17))
        assert not accepts(pair, frame("127.0.0.1", 5000, "127.0.0.1", 53, protocol=17))
        assert not accepts(pair, frame("127.0.0.1", 5000, *NONCE, protocol=6))


def test_each_of_many_targets_passes() -> None:
    targets = [Target(f"2001:db8::{n:x}", 1000 + n) for n in range(1, MAX_TARGETS + 1)]
    with filtering(program(targets, ethernet=True, nonce=NONCE)) as pair:
        assert all(accepts(pair, frame("2001:db8:1::1", 5000, *target)) for target in targets)
        assert not accepts(pair, frame("2001:db8:1::1", 5000, "2001:db8::1", 999))


def test_more_targets_than_a_program_holds_become_all_tcp() -> None:
    targets = [Target("192.0.2.7", port) for port in range(1, MAX_TARGETS + 2)]
    made = program(targets, ethernet=True)
    with filtering(made) as pair:
        assert accepts(pair, frame("192.0.2.1", 5000, "192.0.2.9", 6000))
        assert not accepts(pair, frame("192.0.2.1", 5000, "192.0.2.9", 6000, protocol=17))


def test_jumps_stay_within_their_eight_bits() -> None:
    made = program([V4, V6], ethernet=False, nonce=NONCE)
    assert all(0 <= jump <= 255 for line in made for jump in (line.if_true, line.if_false))
    assert len(made) < 4096


@settings(max_examples=50, deadline=None)
@given(st.binary(min_size=1, max_size=200), st.booleans())
def test_no_bytes_are_accepted_by_chance(data: bytes, ethernet: bool) -> None:
    with filtering(program([V4, V6], ethernet=ethernet, nonce=NONCE)) as pair:
        if ipaddress.ip_address(V4.address).packed not in data and ipaddress.ip_address(V6.address).packed not in data:
            assert not accepts(pair, data) or b"\x03\xe7" in data
