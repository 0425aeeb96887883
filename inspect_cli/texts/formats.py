"""How values are shown: one function for each spec of a template."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from inspect_cli.texts.escape import ELLIPSIS, visible

CUT: Final = 48
"""Characters that `cut` leaves of a long value."""
_MANY_FRAMES: Final = 6
_SHOWN_FRAMES: Final = 4
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def plain(value: object) -> str:
    """Any value as one line: bytes and str escaped, None as nothing, tuples joined."""
    if value.__class__ is str:
        return value if value.isascii() and value.isprintable() else visible(value)
    if isinstance(value, bytes | str):
        return visible(value)
    if value is None:
        return ""
    if isinstance(value, tuple | list | set | frozenset):
        return joined(value)
    return str(value)


def joined(value: object, separator: str = ", ") -> str:
    """Items with commas; a pair is `name=value`."""
    if not isinstance(value, tuple | list | set | frozenset):
        return plain(value)
    return separator.join([_pair(item) for item in value])


def flags(value: object) -> str:
    """TCP flags `SYN,ACK` as `SYN, ACK`."""
    return plain(value).replace(",", ", ")


def _pair(item: object) -> str:
    if isinstance(item, tuple) and len(item) == 2:
        name, value = plain(item[0]), plain(item[1])
        return f"{name}={value}" if value else name
    return plain(item) or '""'


def cut(limit: int) -> Callable[[object], str]:
    def show(value: object) -> str:
        return visible(value if isinstance(value, bytes | str) else plain(value), limit)

    return show


def milliseconds(value: object) -> str:
    """Nanoseconds as `0.042 ms`, `12.3 ms`, `1,234 ms`, `95.1 s`."""
    if not isinstance(value, int | float):
        return plain(value)
    ms = value / 1e6
    size = abs(ms)
    if size < 1:
        return f"{ms:.3f} ms"
    if size < 100:
        return f"{ms:.1f} ms"
    return f"{ms:,.0f} ms" if size < 10_000 else f"{ms / 1000:,.1f} s"


def frames(value: object) -> str:
    """`#4`, `#4 #6`, `#4 #5 #6 .. #90`; a number, or numbers with None among them."""
    if isinstance(value, int):
        return f"#{value}"
    if not isinstance(value, tuple | list):
        return plain(value)
    numbers = [number for number in value if number is not None]
    if len(numbers) > _MANY_FRAMES:
        shown = " ".join([f"#{number}" for number in numbers[: _SHOWN_FRAMES - 1]])
        return f"{shown} {ELLIPSIS} #{numbers[-1]}"
    return " ".join([f"#{number}" for number in numbers])


def hexadecimal(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return f"0x{value:x}" if isinstance(value, int) else plain(value)


def moment(value: object) -> str:
    """Unix nanoseconds as `2026-11-21 04:09:00 UTC`; what no calendar holds as its seconds."""
    if not isinstance(value, int):
        return plain(value)
    try:
        return (_EPOCH + timedelta(seconds=value // 1_000_000_000)).strftime("%Y-%m-%d %H:%M:%S UTC")
    except OverflowError:
        return f"@{value // 1_000_000_000:,}"


def grouped(value: object) -> str:
    """`3,000`; of a tuple how many it holds."""
    if isinstance(value, tuple):
        value = len(value)
    return f"{value:,}" if isinstance(value, int) else plain(value)


def counted(one: str, many: str) -> Callable[[object], str]:
    """`1 request`, `3,000 requests`; of a tuple how many it holds."""

    def show(value: object) -> str:
        if isinstance(value, tuple):
            value = len(value)
        if not isinstance(value, int):
            return f"{plain(value)} {many}"
        return f"{value:,} {one if value == 1 else many}"

    return show


def size(value: object) -> tuple[str, bool]:
    """(number with its unit prefix, "" unit means bytes) of a size in bytes."""
    if not isinstance(value, int):
        return plain(value), False
    if value < 100_000:
        return f"{value:,}", False
    return (f"{value / 1024:,.1f} KiB", True) if value < 1 << 20 else (f"{value / (1 << 20):,.1f} MiB", True)
