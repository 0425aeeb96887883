"""A way on which packets get lost: two network namespaces, joined by TUN devices and a forwarder.

What the kernel sends on one TUN device comes to the forwarder as a packet; it hands it to the
other device a little later, or does not. Root only.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import select
import struct
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Final

CLIENT: Final = "192.0.2.1"
SERVER: Final = "192.0.2.2"
"""Addresses that nobody has (RFC 5737)."""
ONE_WAY_S: Final = 0.005
"""How long a packet is under way."""

_CLONE_NEWNET: Final = 0x40000000
_TUNSETIFF: Final = 0x400454CA
_IFF_TUN_NO_PI: Final = 0x1001
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Way:
    """What happens to the data segments of each side, by their number from 1; those sent again count too."""

    client_lost: frozenset[int] = field(default_factory=frozenset)
    server_lost: frozenset[int] = field(default_factory=frozenset)
    server_late: frozenset[int] = field(default_factory=frozenset)
    """The next one overtakes them."""


@contextmanager
def namespace(path: str = "") -> Iterator[str]:
    """This thread, and whatever it starts, is in a network namespace: a new one, or that of `path`."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(path, os.O_RDONLY) if path else -1
    try:
        _call(_LIBC.setns(there, _CLONE_NEWNET) if path else _LIBC.unshare(_CLONE_NEWNET))
        try:
            if not path:
                subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
                there = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            yield f"/proc/{os.getpid()}/fd/{there}"
        finally:
            _call(_LIBC.setns(home, _CLONE_NEWNET))
    finally:
        for descriptor in (home, there):
            if descriptor >= 0:
                os.close(descriptor)


def _call(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextmanager
def joined(way: Way) -> Iterator[str]:
    """This thread is in the client's namespace; the path of the server's."""
    with ExitStack() as stack:
        server = stack.enter_context(namespace())
        far = _device(SERVER)
        stack.callback(os.close, far)
        stack.enter_context(namespace())
        near = _device(CLIENT)
        stack.callback(os.close, near)
        forwarder = Forwarder(near, far, way)
        forwarder.start()
        stack.callback(forwarder.stop)
        yield server


def _device(address: str) -> int:
    """A TUN device in this namespace, with an address; its descriptor."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", b"tun0", _IFF_TUN_NO_PI))
    for words in (f"addr add {address}/24 dev tun0", "link set tun0 addrgenmode none up"):
        subprocess.run(["ip", *words.split()], check=True)
    return device


class Forwarder:
    """Carries packets between two devices, in a thread of its own."""

    def __init__(self, near: int, far: int, way: Way) -> None:
        self._lost = {near: way.client_lost, far: way.server_lost}
        self._late: dict[int, frozenset[int]] = {near: frozenset(), far: way.server_late}
        self._target = {near: far, far: near}
        self._counts = {near: 0, far: 0}
        self._held: dict[int, bytes] = {}
        self._under_way: deque[tuple[float, int, bytes]] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="forwarder", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        poll = select.poll()
        for device in self._target:
            poll.register(device, select.POLLIN)
        while not self._stopping.is_set():
            wait_s = max(0.0, self._under_way[0][0] - time.monotonic()) if self._under_way else 0.05
            for device, _ in poll.poll(wait_s * 1000):
                self._take(device, os.read(device, 65536))
            while self._under_way and self._under_way[0][0] <= time.monotonic():
                _, device, packet = self._under_way.popleft()
                os.write(device, packet)

    def _take(self, device: int, packet: bytes) -> None:
        if has_data(packet):
            count = self._counts[device] = self._counts[device] + 1
            if count in self._lost[device]:
                return
            if count in self._late[device]:
                self._held[device] = packet
                return
        self._send(device, packet)
        if device in self._held and has_data(packet):
            self._send(device, self._held.pop(device))

    def _send(self, device: int, packet: bytes) -> None:
        self._under_way.append((time.monotonic() + ONE_WAY_S, self._target[device], packet))


def has_data(packet: bytes) -> bool:
    """Whether an IPv4 packet is a TCP segment with payload."""
    if packet[0] >> 4 != 4 or packet[9] != 6:
        return False
    ip_size = (packet[0] & 15) * 4
    return int.from_bytes(packet[2:4]) > ip_size + (packet[ip_size + 12] >> 4) * 4
