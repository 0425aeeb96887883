"""The filter of a run as a classic BPF program, made without libpcap.

Hosts and ports of the run (TCP), and the nonce that proves listening (UDP). The kernel runs
it on each frame, so what others do costs nothing; whose connection it is the sniffer decides.
"""

from __future__ import annotations

import ctypes
import ipaddress
import socket
import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

SO_ATTACH_FILTER: Final = 26
ACCEPTED_BYTES: Final = 0x40000
"""Whole frames: none is longer."""
MAX_TARGETS: Final = 16
"""More would not fit into net.core.optmem_max (20 KiB on older kernels): they become "all TCP"."""

_LOAD_WORD, _LOAD_HALF, _LOAD_BYTE = 0x20, 0x28, 0x30
_LOAD_HALF_BEHIND_X = 0x48
_X_IS_IP_HEADER_SIZE = 0xB1
_AND = 0x54
_EQUAL, _ANY_BIT = 0x15, 0x45
_RETURN = 0x06

_ETHERTYPE_IP, _ETHERTYPE_IPV6 = 0x0800, 0x86DD
_TCP, _UDP = 6, 17


class Target(NamedTuple):
    """A server of the run."""

    address: str
    port: int


class Instruction(NamedTuple):
    """`struct sock_filter`: jumps count from the next instruction."""

    code: int
    if_true: int
    if_false: int
    k: int


class _Block:
    """Instructions with jumps to names; falls out at its end ("next")."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, int, str, str]] = []
        self._labels: dict[str, int] = {}

    def line(self, code: int, k: int, if_true: str = "", if_false: str = "") -> None:
        self._lines.append((code, k, if_true, if_false))

    def label(self, name: str) -> None:
        self._labels[name] = len(self._lines)

    def must_equal(self, load: int, offset: int, value: int) -> None:
        """Go on where the loaded value is `value`, else leave the block."""
        self.line(load, offset)
        self.line(_EQUAL, value, "", "next")

    def instructions(self) -> list[Instruction]:
        labels = {**self._labels, "next": len(self._lines)}
        made: list[Instruction] = []
        for i, (code, k, if_true, if_false) in enumerate(self._lines):
            jumps = [labels[name] - i - 1 if name else 0 for name in (if_true, if_false)]
            made.append(Instruction(code, jumps[0], jumps[1], k))
        return made


def program(targets: Sequence[Target], *, ethernet: bool, nonce: Target | None = None) -> list[Instruction]:
    """Accept TCP from or to the targets and UDP to `nonce`; nothing else.

    `ethernet` False: frames begin with the IP header. Later fragments and IPv6 packets with
    extension headers before TCP are not accepted: they do not show their ports.
    """
    made: list[Instruction] = []
    if nonce is not None:
        made += _nonce(nonce, ethernet)
    if len(targets) > MAX_TARGETS:
        made += _all_tcp(4, ethernet) + _all_tcp(6, ethernet)
    else:
        for target in dict.fromkeys(targets):
            made += _target(target, ethernet)
    made.append(Instruction(_RETURN, 0, 0, 0))
    return made


def _version(block: _Block, version: int, ethernet: bool) -> int:
    """Only this IP version goes on; the offset of its header."""
    if ethernet:
        block.must_equal(_LOAD_HALF, 12, _ETHERTYPE_IP if version == 4 else _ETHERTYPE_IPV6)
        return 14
    block.line(_LOAD_BYTE, 0)
    block.line(_AND, 0xF0)
    block.line(_EQUAL, version << 4, "", "next")
    return 0


def _protocol(block: _Block, version: int, base: int, protocol: int) -> None:
    block.must_equal(_LOAD_BYTE, base + (9 if version == 4 else 6), protocol)
    if version == 4:
        block.line(_LOAD_HALF, base + 6)
        block.line(_ANY_BIT, 0x1FFF, "next", "")  # a later fragment: its ports are elsewhere
        block.line(_X_IS_IP_HEADER_SIZE, base)


def _port(block: _Block, version: int, base: int, offset: int) -> None:
    if version == 4:
        block.line(_LOAD_HALF_BEHIND_X, base + offset)
    else:
        block.line(_LOAD_HALF, base + 40 + offset)


def _address(block: _Block, address: bytes, offset: int, otherwise: str) -> None:
    for i in range(0, len(address), 4):
        block.line(_LOAD_WORD, offset + i)
        block.line(_EQUAL, int.from_bytes(address[i : i + 4], "big"), "", otherwise)


def _target(target: Target, ethernet: bool) -> list[Instruction]:
    ip = ipaddress.ip_address(target.address.partition("%")[0])
    block = _Block()
    base = _version(block, ip.version, ethernet)
    _protocol(block, ip.version, base, _TCP)
    source, destination = (12, 16) if ip.version == 4 else (8, 24)
    _address(block, ip.packed, base + source, "to")
    _port(block, ip.version, base, 0)
    block.line(_EQUAL, target.port, "accept", "to")
    block.label("to")
    _address(block, ip.packed, base + destination, "next")
    _port(block, ip.version, base, 2)
    block.line(_EQUAL, target.port, "accept", "next")
    block.label("accept")
    block.line(_RETURN, ACCEPTED_BYTES)
    return block.instructions()


def _nonce(nonce: Target, ethernet: bool) -> list[Instruction]:
    version = ipaddress.ip_address(nonce.address).version
    block = _Block()
    base = _version(block, version, ethernet)
    _protocol(block, version, base, _UDP)
    _port(block, version, base, 2)
    block.line(_EQUAL, nonce.port, "", "next")
    block.line(_RETURN, ACCEPTED_BYTES)
    return block.instructions()


def _all_tcp(version: int, ethernet: bool) -> list[Instruction]:
    block = _Block()
    base = _version(block, version, ethernet)
    _protocol(block, version, base, _TCP)
    block.line(_RETURN, ACCEPTED_BYTES)
    return block.instructions()


def attach(listener: socket.socket, instructions: Sequence[Instruction]) -> None:
    """Set or replace the filter of a socket; it holds for frames that arrive from now on."""
    code = b"".join(struct.pack("=HBBI", *line) for line in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("@HP", len(instructions), ctypes.addressof(buffer))
    listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, head)
