"""Which interface a packet to an address leaves by: asked of the kernel (rtnetlink)."""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from typing import Final

_RTM_NEWROUTE: Final = 24
_RTM_GETROUTE: Final = 26
_NLM_F_REQUEST: Final = 1
_RTA_DST: Final = 1
_RTA_OIF: Final = 4
_HEADER = struct.Struct("=IHHII")
_ROUTE = struct.Struct("=BBBBBBBBI")
_ATTRIBUTE = struct.Struct("=HH")


def interface_for(address: str) -> str:
    """Name of the interface that packets to `address` leave by; "" where there is no route.

    An address of this machine gives `lo`: its packets never leave.
    """
    bare, _, scope = address.partition("%")
    if scope:
        return scope
    ip = ipaddress.ip_address(bare)
    if sys.platform != "linux":
        return ""
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    destination = _ATTRIBUTE.pack(_ATTRIBUTE.size + len(ip.packed), _RTA_DST) + ip.packed
    body = _ROUTE.pack(family, len(ip.packed) * 8, 0, 0, 0, 0, 0, 0, 0) + destination
    message = _HEADER.pack(_HEADER.size + len(body), _RTM_GETROUTE, _NLM_F_REQUEST, 1, 0) + body
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as asker:
            asker.settimeout(1.0)
            asker.send(message)
            return _interface(asker.recv(65536))
    except OSError:
        return ""


def _interface(answer: bytes) -> str:
    """Name of the outgoing interface (RTA_OIF) in the kernel's answer, "" if it has none."""
    if len(answer) < _HEADER.size + _ROUTE.size:
        return ""
    size, kind, *_ = _HEADER.unpack_from(answer)
    if kind != _RTM_NEWROUTE:
        return ""
    at = _HEADER.size + _ROUTE.size
    while at + _ATTRIBUTE.size <= min(size, len(answer)):
        length, name = _ATTRIBUTE.unpack_from(answer, at)
        if length < _ATTRIBUTE.size:
            break
        if name == _RTA_OIF and length >= 8:
            try:
                return socket.if_indextoname(int.from_bytes(answer[at + 4 : at + 8], sys.byteorder))
            except OSError:
                return ""
        at += (length + 3) & ~3
    return ""
