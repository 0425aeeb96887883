"""What the blocks of pcapng are made of (draft-ietf-opsawg-pcapng): numbers, options, times, names."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, Literal

import numpy as np

from inspect_cli.wire.frames import Int64
from inspect_cli.wire.peeling import Mask, gather

SHB, IDB, PACKET, SPB, NRB, ISB, EPB, DSB = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6, 10
"""Block types; PACKET is the obsolete packet block (Appendix A)."""
MAX_BLOCK_SIZE: Final = 256 << 20
SMALLEST: Final[dict[int, int]] = {
    SHB: 28,
    IDB: 20,
    PACKET: 32,
    SPB: 16,
    ISB: 24,
    EPB: 32,
    DSB: 20,
}
BYTE_ORDER_MAGIC: Final = bytes.fromhex("1a2b3c4d")
TLS_KEY_LOG: Final = 0x544C534B

END_OF_OPTIONS, COMMENT = 0, 1
IF_NAME, IF_TSRESOL, IF_TSOFFSET = 2, 9, 14
ISB_IFDROP, ISB_OSDROP = 5, 7
EPB_DROPCOUNT: Final = 4
UNKNOWN_DROPS: Final = 0xFFFF
"""Of an old packet block: nobody knows."""
NRB_IPV4, NRB_IPV6 = 1, 2
_ORDERS: Final[tuple[tuple[Literal["little", "big"], Literal["<", ">"]], ...]] = (("little", "<"), ("big", ">"))
BEHIND_PACKETS: Final = (NRB, ISB, DSB, 0x0BAD, 0x40000BAD)
"""Blocks that may stand at the end of a file, custom ones (§4.8) too."""

LAST_SECOND: Final = (2**63 - 1) // 1_000_000_000 - 1
"""Times are clamped here (year 2262) so that ns fit 64 bits."""
MAX_NAMES: Final = 1024
"""More different names of interfaces than that are not kept, nor more names of hosts in one block."""
MAX_NAME_BYTES: Final = 255
QUICK_OPTIONS: Final = 8
"""So many options of a packet are looked through by columns before a row is read by itself."""


def block_type(order: Literal["<", ">"]) -> np.dtype[np.void]:
    """Head of a packet block: EPB (§4.3), and its fields where SPB (§4.4) has another."""
    names = [
        "kind",
        "length",
        "interface",
        "time_hi",
        "time_lo",
        "size",
        "original",
        "simple_size",
    ]
    offsets = [0, 4, 8, 12, 16, 20, 24, 8]
    return np.dtype(
        {
            "names": names,
            "formats": [f"{order}u4"] * 8,
            "offsets": offsets,
            "itemsize": 28,
        }
    )


def old_interface(numbers: Int64, order: Literal["<", ">"]) -> tuple[Int64, Int64]:
    """The obsolete packet block has 16 bits of interface, then 16 of drops (Appendix A)."""
    high, low = numbers >> 16, numbers & 0xFFFF
    return (high, low) if order == ">" else (low, high)


def padded(size: int) -> int:
    return size + 3 & ~3


def options_of(block: bytes | memoryview, at: int, order: Literal["<", ">"]) -> Iterator[tuple[int, bytes]]:
    """Code and value of each option (§3.5), up to the last that fits before the block's final 4 bytes."""
    end = len(block) - 4
    head = struct.Struct(f"{order}HH")
    while at + 4 <= end:
        code, size = head.unpack_from(block, at)
        if code == END_OF_OPTIONS or at + 4 + size > end:
            return
        yield code, bytes(block[at + 4 : at + 4 + size])
        at += 4 + padded(size)


def rows_with_options(
    buffer: bytes | bytearray,
    at: Int64,
    end: Int64,
    may: Mask,
    order: Literal["<", ">"],
) -> list[int]:
    """Rows whose options hold a comment or drops, or may hold one behind many other options."""
    rows = np.nonzero(may & (at + 4 <= end))[0]
    found: list[Int64] = []
    head = np.dtype([("code", f"{order}u2"), ("size", f"{order}u2")])
    for _ in range(QUICK_OPTIONS):
        if not len(rows):
            break
        option = gather(buffer, at[rows], head)
        code = option["code"]
        is_wanted = (code == COMMENT) | (code == EPB_DROPCOUNT)
        found.append(rows[is_wanted])
        at = at.copy()
        at[rows] += 4 + (option["size"].astype(np.int64) + 3 & ~3)
        rows = rows[~is_wanted & (code != END_OF_OPTIONS) & (at[rows] + 4 <= end[rows])]
    found.append(rows)
    return sorted(np.concatenate(found).tolist())


def nanoseconds(
    ticks: np.ndarray[tuple[int, ...], np.dtype[np.uint64]],
    resolution: int,
    offset: Int64,
) -> Int64:
    """Ticks of 10**-n or 2**-n seconds as ns, exactly (rounded down), clamped to 64 bits."""
    exponent = resolution & 0x7F
    per_second = (2 if resolution & 0x80 else 10) ** exponent
    if per_second >= 2**63:
        # Less than two seconds fit 64 bits: too fine for columns of 64 bits, and nobody writes it.
        exact = np.array([tick * 1_000_000_000 // per_second for tick in ticks.tolist()], np.int64)
        seconds = np.clip(exact // 1_000_000_000 + offset, 0, LAST_SECOND)
        return np.asarray(seconds * 1_000_000_000 + exact % 1_000_000_000)
    seconds = np.minimum(ticks // np.uint64(per_second), np.uint64(LAST_SECOND)).astype(np.int64)
    fraction = ticks % np.uint64(per_second)
    if 1_000_000_000 % per_second == 0:
        fraction = fraction * np.uint64(1_000_000_000 // per_second)
    elif per_second % 1_000_000_000 == 0:
        fraction = fraction // np.uint64(per_second // 1_000_000_000)
    elif per_second < 2**34:
        fraction = fraction * np.uint64(1_000_000_000) // np.uint64(per_second)
    else:
        fraction = np.array([f * 1_000_000_000 // per_second for f in fraction.tolist()], np.uint64)
    seconds = np.clip(seconds + offset, 0, LAST_SECOND)
    times: Int64 = seconds * 1_000_000_000 + fraction.astype(np.int64)
    return times


def names_at_end(tail: bytes) -> list[tuple[str, str]]:
    """Addresses and names of name resolution blocks (§4.5) behind the last packet, in file order.

    `tail`: last bytes of a pcapng file. Wireshark writes names there, where a reader in order
    comes last; blocks end with their length (§3.1), so that they can be walked backwards.
    """
    found: list[list[tuple[str, str]]] = []
    end = len(tail)
    while True:
        for word, order in _ORDERS:
            size = int.from_bytes(tail[max(0, end - 4) : end], word)
            start = end - size
            kind = int.from_bytes(tail[start : start + 4], word) if 12 <= size <= end else 0
            if kind in BEHIND_PACKETS and tail[start + 4 : start + 8] == tail[end - 4 : end]:
                found += [host_names(tail[start:end], order)[0]] if kind == NRB else []
                end = start
                break
        else:
            return [pair for pairs in reversed(found) for pair in pairs]


def host_names(block: bytes, order: Literal["<", ">"]) -> tuple[list[tuple[str, str]], int]:
    """Address and name of each record of a name resolution block (§4.5), and where its options begin.

    An unreadable record ends the list; records of other kinds are skipped.
    """
    from ipaddress import ip_address

    found: list[tuple[str, str]] = []
    head = struct.Struct(f"{order}HH")
    at, end = 8, len(block) - 4
    while at + 4 <= end:
        kind, size = head.unpack_from(block, at)
        at += 4
        if kind == END_OF_OPTIONS or at + size > end:
            break
        address_size = {NRB_IPV4: 4, NRB_IPV6: 16}.get(kind, 0)
        if address_size and size > address_size and len(found) < MAX_NAMES:
            address = str(ip_address(block[at : at + address_size]))
            names = block[at + address_size : at + size].split(b"\0")
            found += [(address, name[:MAX_NAME_BYTES].decode("utf-8", "replace")) for name in names if name]
        at += padded(size)
    return found[:MAX_NAMES], at
