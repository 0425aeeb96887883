"""Addresses as text."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv6Address


def address_text(hi: int, lo: int, version: int) -> str:
    """`192.0.2.1` or `2001:db8::1` (RFC 5952) from 128 bits; an IPv4 address is in the low 32."""
    if version == 4:
        return f"{lo >> 24 & 255}.{lo >> 16 & 255}.{lo >> 8 & 255}.{lo & 255}"
    if hi == 0 and lo >> 32 == 0xFFFF:
        # RFC 5952 §5: IPv4-mapped addresses show the IPv4 address (ipaddress does so from Python 3.13).
        return "::ffff:" + address_text(0, lo & 0xFFFFFFFF, 4)
    return _ipv6_text(hi << 64 | lo)


def endpoint_text(hi: int, lo: int, version: int, port: int) -> str:
    """`192.0.2.1:80` or `[2001:db8::1]:80`."""
    address = address_text(hi, lo, version)
    return f"{address}:{port}" if version == 4 else f"[{address}]:{port}"


@lru_cache(maxsize=4096)
def _ipv6_text(number: int) -> str:
    return IPv6Address(number).compressed
