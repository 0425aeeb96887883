"""A name looked up, and its host asked: a DNS server, a resolver and a client in a namespace of their own.

The name does not exist elsewhere, and nothing else is on the loopback of that namespace: all of it is captured.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from inspect_cli.sources.packet_socket import ETH_P_ALL, ETHERNET, FrameReader, await_frames, drops_of, tune
from inspect_cli.wire.gathering import Captured, batch_of
from inspect_cli.wire.pcapng_writer import PcapngWriter

NAME: Final = "www.shop.example"
_ALIAS_OF: Final = "shop.example"
ADDRESS: Final = "127.0.0.2"
"""Of the host; the resolver and the client have 127.0.0.1."""
_SERVER: Final = "127.0.0.1"
_DNS_PORT: Final = 53
_A: Final = 1
_CNAME: Final = 5
_INTERNET: Final = 1
_TTL_S: Final = 300
_RESPONSE_FLAGS: Final = 0x8580
"""A response, authoritative, recursion wanted and to be had, NOERROR (RFC 1035 §4.1.1)."""
_WITHOUT_RESOLVERS: Final = 'mount --bind /dev/null /etc/resolv.conf && exec "$@"'
"""A resolver that is told no server asks 127.0.0.1 (resolv.conf(5)); its own mount namespace keeps this to itself."""


def answer(query: bytes) -> bytes:
    """What the server says: A is the alias and the address, any other type has no records (RFC 1035 §4.1)."""
    number, _, questions = struct.unpack_from(">3H", query)
    end = query.index(b"\0", 12) + 5
    question, kind = query[12:end], int.from_bytes(query[end - 4 : end - 2])
    alias = labels(_ALIAS_OF)
    # The name in full, then a pointer to it (§4.1.4).
    records = [_record(b"\xc0\x0c", _CNAME, alias), _record(alias, _A, socket.inet_aton(ADDRESS))]
    records = records if kind == _A else records[:1]
    return struct.pack(">6H", number, _RESPONSE_FLAGS, questions, len(records), 0, 0) + question + b"".join(records)


def labels(name: str) -> bytes:
    """A name as on the wire (RFC 1035 §3.1)."""
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def _record(name: bytes, kind: int, data: bytes) -> bytes:
    return name + struct.pack(">HHIH", kind, _INTERNET, _TTL_S, len(data)) + data


@contextmanager
def name_server() -> Iterator[None]:
    """Answers on UDP port 53 of this namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plug:
        plug.bind((_SERVER, _DNS_PORT))

        def serve() -> None:
            while True:
                query, asker = plug.recvfrom(512)
                if not query:  # ours: it is over
                    return
                plug.sendto(answer(query), asker)

        thread = threading.Thread(target=serve, name="dns", daemon=True)
        thread.start()
        try:
            yield
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stopper:
                stopper.sendto(b"", (_SERVER, _DNS_PORT))
            thread.join()


@contextmanager
def recorded(path: Path) -> Iterator[None]:
    """All that is on the loopback of this namespace goes into a file."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as listener:
        tune(listener, loopback=True)
        reader = FrameReader(listener, ETHERNET, 0, loopback=True)
        listener.bind(("lo", ETH_P_ALL))
        found: list[Captured] = []
        over = threading.Event()

        def read() -> None:
            while await_frames([listener], 0.05) or not over.is_set():
                found.extend(reader.read())

        thread = threading.Thread(target=read, name="recorder", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
        with path.open("wb") as file:
            writer = PcapngWriter(file, ["lo"])
            writer.write(batch_of(found, 1))
            writer.close(drops_of(listener))


def ask(url: str) -> None:
    """`cookie-trace`, with a name to look up; the packets are captured by whoever looks on."""
    command = [sys.executable, "-m", "inspect_cli", "cookie-trace", url, "--sniff", "never", "-q"]
    isolated = ["unshare", "--mount", "sh", "-c", _WITHOUT_RESOLVERS, "sh", *command]
    done = subprocess.run(isolated, stdout=subprocess.DEVNULL, check=False)
    print(f"  exit {done.returncode}: inspect-cli cookie-trace {url}")
