"""WebSocket frames by hand, right or wrong (RFC 6455 §5.2)."""

from __future__ import annotations

KEY = b"\x37\xfa\x21\x3d"


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    key: bytes = b"",
    fin: bool = True,
    rsv: int = 0,
    form: int | None = None,
    size: int | None = None,
) -> bytes:
    """One frame. `form`: 7, 16 or 64 bits of length (None: the shortest); `size`: what the length says."""
    length = len(payload) if size is None else size
    form = form or (7 if length < 126 else 16 if length < 65_536 else 64)
    short = length if form == 7 else 126 if form == 16 else 127
    head = bytes([fin << 7 | rsv << 4 | opcode, bool(key) << 7 | short])
    head += b"" if form == 7 else length.to_bytes(form // 8, "big")
    if key:
        payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
    return head + key + payload


def masked(opcode: int, payload: bytes = b"", key: bytes = KEY, **bits: int | bool | None) -> bytes:
    """The same from a client."""
    return frame(opcode, payload, key=key, **bits)  # type: ignore[arg-type]


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    """Payload of a Close."""
    return b"" if code is None else code.to_bytes(2, "big") + reason
