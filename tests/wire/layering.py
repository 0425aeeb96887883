"""Packets in link layers and tunnels of every kind, as scapy writes them (by hand where it does not)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from scapy.contrib.erspan import ERSPAN_II, ERSPAN_III
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
from scapy.contrib.mpls import MPLS
from scapy.layers.dot11 import Dot11, Dot11QoS, PrismHeader, RadioTap
from scapy.layers.inet import IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, LLC, SNAP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Dot3, Ether, Loopback
from scapy.layers.l2tp import L2TP
from scapy.layers.ppp import HDLC, PPP, PPPoE
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet, Raw

IPV4, IPV6, BRIDGED, MPLS_TYPE = 0x0800, 0x86DD, 0x6558, 0x8847
MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}
ROAD4, ROAD6 = {"src": "198.51.100.1", "dst": "198.51.100.2"}, {"src": "2001:db8::a", "dst": "2001:db8::b"}


class Content(NamedTuple):
    """Bytes and the ethertype that names them (BRIDGED: an Ethernet frame)."""

    data: bytes
    ethertype: int

    @property
    def is_ip(self) -> bool:
        return self.ethertype in (IPV4, IPV6)


Wrap = Callable[[Content], Content | None]
"""A layer around it; None where the layer cannot carry that."""


def _in_udp(port: int, head: Packet, content: Content, road: int = 4) -> Content:
    network = IP(**ROAD4) if road == 4 else IPv6(**ROAD6)
    return Content(
        bytes(network / UDP(sport=50000, dport=port) / head / Raw(content.data)), IPV4 if road == 4 else IPV6
    )


def _ppp_number(content: Content) -> int:
    return {IPV4: 0x21, IPV6: 0x57, MPLS_TYPE: 0x281}[content.ethertype]


def _in_ppp(content: Content) -> Packet:
    return PPP(proto=_ppp_number(content)) / Raw(content.data)


def ppp_of(content: Content) -> bytes:
    """Two bytes of protocol and what it carries."""
    return struct.pack(">H", _ppp_number(content)) + content.data


def _ether(content: Content) -> Content:
    return Content(bytes(Ether(**MACS, type=content.ethertype) / Raw(content.data)), BRIDGED)


def _snap(content: Content) -> Content | None:
    if len(content.data) > 1400:
        return None
    return Content(bytes(Dot3(**MACS) / LLC() / SNAP(code=content.ethertype) / Raw(content.data)), BRIDGED)


def _tag(content: Content) -> Content:
    return Content(bytes(Dot1Q(vlan=7, type=content.ethertype) / Raw(content.data)), 0x8100)


def _service_tag(content: Content) -> Content:
    return Content(bytes(Dot1AD(vlan=9, type=content.ethertype) / Raw(content.data)), 0x88A8)


def _mpls(content: Content) -> Content | None:
    if content.ethertype not in (IPV4, IPV6, BRIDGED, MPLS_TYPE):
        return None
    last = content.ethertype != MPLS_TYPE
    return Content(bytes(MPLS(label=17, s=int(last), ttl=9) / Raw(content.data)), MPLS_TYPE)


def _pseudowire(content: Content) -> Content | None:
    """With a control word in front of the frame."""
    if content.ethertype != BRIDGED:
        return None
    return Content(bytes(MPLS(label=18, s=1, ttl=9)) + struct.pack(">HH", 0, 5) + content.data, MPLS_TYPE)


def _pppoe(content: Content) -> Content | None:
    if content.ethertype not in (IPV4, IPV6, MPLS_TYPE):
        return None
    return Content(bytes(PPPoE(sessionid=3, len=len(content.data) + 2)) + ppp_of(content), 0x8864)


def _gre(content: Content) -> Content:
    return Content(bytes(IP(**ROAD4, proto=47) / GRE(proto=content.ethertype) / Raw(content.data)), IPV4)


def _gre_with_all(content: Content) -> Content:
    head = GRE(proto=content.ethertype, chksum_present=1, key_present=1, key=5, seqnum_present=1, sequence_number=6)
    return Content(bytes(IPv6(**ROAD6, nh=47) / head / Raw(content.data)), IPV6)


def _pptp(content: Content) -> Content | None:
    if content.ethertype not in (IPV4, IPV6):
        return None
    head = struct.pack(">HHHHII", 0x3081, 0x880B, 0, 9, 1, 2)
    return Content(bytes(IP(**ROAD4, proto=47) / Raw(head + b"\xff\x03" + ppp_of(content))), IPV4)


def _erspan(version: int) -> Wrap:
    def wrap(content: Content) -> Content | None:
        if content.ethertype != BRIDGED:
            return None
        sequence = {} if version == 1 else {"seqnum_present": 1, "sequence_number": 4}
        head = GRE(proto=0x22EB if version == 3 else 0x88BE, **sequence)
        span = {1: Raw(), 2: ERSPAN_II(session_id=1), 3: ERSPAN_III(session_id=1)}[version]
        return Content(bytes(IP(**ROAD4, proto=47) / head / span / Raw(content.data)), IPV4)

    return wrap


def _ip_in_ip(content: Content) -> Content | None:
    number = {IPV4: 4, IPV6: 41}.get(content.ethertype)
    return (number and Content(bytes(IP(**ROAD4, proto=number) / Raw(content.data)), IPV4)) or None


def _ip_in_ipv6(content: Content) -> Content | None:
    number = {IPV4: 4, IPV6: 41}.get(content.ethertype)
    return (number and Content(bytes(IPv6(**ROAD6, nh=number) / Raw(content.data)), IPV6)) or None


def _vxlan(content: Content) -> Content | None:
    return _in_udp(4789, VXLAN(vni=42), content) if content.ethertype == BRIDGED else None


def _vxlan_old_port(content: Content) -> Content | None:
    return _in_udp(8472, VXLAN(vni=42), content, 6) if content.ethertype == BRIDGED else None


def _vxlan_gpe(content: Content) -> Content | None:
    number = {IPV4: 1, IPV6: 2, BRIDGED: 3}.get(content.ethertype)
    return _in_udp(4790, Raw(struct.pack(">BHBI", 0x0C, 0, number, 42 << 8)), content) if number else None


def _geneve(content: Content) -> Content:
    options = [GeneveOptions(classid=1, type=1, data=b"12345678")]
    return _in_udp(6081, GENEVE(proto=content.ethertype, vni=1, options=options), content)


def _gtp_u(content: Content) -> Content | None:
    return _in_udp(2152, GTP_U_Header(gtp_type=255, teid=1), content) if content.is_ip else None


def _gtp_u_with_extensions(content: Content) -> Content | None:
    head = GTP_U_Header(gtp_type=255, teid=1, E=1) / GTPPDUSessionContainer(QFI=1)
    return _in_udp(2152, head, content, 6) if content.is_ip else None


def _l2tp(content: Content) -> Content | None:
    if not content.is_ip:
        return None
    head = struct.pack(">HHHHHHH", 0x4A02, 30, 1, 2, 3, 4, 2) + b"\0\0"  # length, sequence, offset
    return _in_udp(1701, Raw(head), Content(b"\xff\x03" + ppp_of(content), 0))


def _l2tp_short(content: Content) -> Content | None:
    return _in_udp(1701, L2TP(hdr=0) / _in_ppp(content), Content(b"", 0)) if content.is_ip else None


WRAPS: dict[str, Wrap] = {
    "ether": _ether,
    "802.3": _snap,
    "802.1Q": _tag,
    "802.1ad": _service_tag,
    "MPLS": _mpls,
    "pseudowire": _pseudowire,
    "PPPoE": _pppoe,
    "GRE": _gre,
    "GRE with key and sequence": _gre_with_all,
    "PPTP": _pptp,
    "ERSPAN I": _erspan(1),
    "ERSPAN II": _erspan(2),
    "ERSPAN III": _erspan(3),
    "IP in IP": _ip_in_ip,
    "IP in IPv6": _ip_in_ipv6,
    "VXLAN": _vxlan,
    "VXLAN 8472": _vxlan_old_port,
    "VXLAN-GPE": _vxlan_gpe,
    "Geneve": _geneve,
    "GTP-U": _gtp_u,
    "GTP-U with extensions": _gtp_u_with_extensions,
    "L2TP": _l2tp,
    "L2TP short": _l2tp_short,
}

Link = Callable[[Content], bytes | None]


def _snap_bytes(content: Content) -> bytes:
    return bytes(LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(code=content.ethertype) / Raw(content.data))


def _wlan(content: Content) -> bytes:
    return bytes(Dot11(type=2, subtype=8, FCfield=2) / Dot11QoS()) + _snap_bytes(content)


def _mesh_wlan(content: Content) -> bytes:
    """All four addresses, no QoS."""
    return bytes(Dot11(type=2, subtype=0, FCfield=3, addr4="02:00:00:00:00:04")) + _snap_bytes(content)


def _padded_wlan(content: Content) -> bytes:
    """The header has 26 bytes: two of padding, as the radiotap flags say (behind a timestamp and two words)."""
    head = bytes(Dot11(type=2, subtype=8, FCfield=2) / Dot11QoS())
    present = struct.pack("<II", 0x80000003, 0)
    radio = present + bytes(4) + struct.pack("<QB", 1, 0x20)
    return struct.pack("<BBH", 0, 0, 4 + len(radio)) + radio + head + b"\0\0" + _snap_bytes(content)


def _loopback(content: Content) -> bytes | None:
    return bytes(Loopback(type=2 if content.ethertype == IPV4 else 24)) + content.data if content.is_ip else None


def _only(ethertype: int, head: bytes = b"") -> Link:
    return lambda content: head + content.data if content.ethertype == ethertype else None


def _ip_behind(head: bytes) -> Link:
    return lambda content: head + content.data if content.is_ip else None


def _ppp_behind(head: bytes) -> Link:
    return lambda content: head + ppp_of(content) if content.ethertype in (IPV4, IPV6, MPLS_TYPE) else None


def _nflog(order: str) -> Link:
    def link(content: Content) -> bytes | None:
        if not content.is_ip:
            return None
        head = struct.pack("BB", 2 if content.ethertype == IPV4 else 10, 0) + b"\0\0"
        prefix = struct.pack(f"{order}HH", 7, 10) + b"in\0" + b"\0"
        return head + prefix + struct.pack(f"{order}HH", 4 + len(content.data), 9) + content.data

    return link


def _ppi(number: int, link: Link) -> Link:
    def wrap(content: Content) -> bytes | None:
        data = link(content)
        return data and struct.pack("<BBHI", 0, 0, 12, number) + bytes(4) + data

    return wrap


def _frame(content: Content) -> bytes:
    return content.data if content.ethertype == BRIDGED else bytes(Ether(**MACS, type=content.ethertype)) + content.data


def _pflog(content: Content) -> bytes | None:
    family = 2 if content.ethertype == IPV4 else 24
    return struct.pack("BB", 61, family) + bytes(62) + content.data if content.is_ip else None


LINKS: dict[str, tuple[int, Link]] = {
    "Ethernet": (1, _frame),
    "cooked": (113, lambda c: bytes(CookedLinux(proto=c.ethertype)) + c.data),
    "cooked v2": (276, lambda c: bytes(CookedLinuxV2(proto=c.ethertype)) + c.data),
    "cooked LLC": (113, lambda c: bytes(CookedLinux(proto=4)) + _snap_bytes(c)),
    "NULL": (0, _loopback),
    "LOOP": (108, lambda c: (data := _loopback(c)) and data[3::-1] + data[4:]),
    "raw": (101, _ip_behind(b"")),
    "IPv4": (228, _only(IPV4)),
    "IPv6": (229, _only(IPV6)),
    "SLIP": (8, _ip_behind(bytes(16))),
    "PPP": (9, _ppp_behind(b"")),
    "PPP framed": (9, lambda c: bytes(HDLC()) + ppp_of(c) if c.is_ip else None),
    "PPP short": (9, lambda c: ppp_of(c)[1:] if c.is_ip else None),
    "PPP in HDLC": (50, _ppp_behind(b"\xff\x03")),
    "Cisco HDLC": (104, lambda c: struct.pack(">BBH", 0x0F, 0, c.ethertype) + c.data),
    "PPP pppd": (166, _ppp_behind(b"\x01\x03")),
    "PPP with direction": (204, _ppp_behind(b"\x01\xff\x03")),
    "PPPoE": (51, lambda c: (inside := _pppoe(c)) and inside.data),
    "LLC": (100, _snap_bytes),
    "FDDI": (10, lambda c: b"\x57" + bytes(12) + _snap_bytes(c)),
    "IEEE 1394": (138, lambda c: bytes(16) + struct.pack(">H", c.ethertype) + c.data),
    "enc": (109, lambda c: (data := _loopback(c)) and data[:4] + bytes(8) + data[4:]),
    "pflog": (117, _pflog),
    "NFLOG": (239, _nflog("<")),
    "NFLOG big-endian": (239, _nflog(">")),
    "802.11": (105, _wlan),
    "802.11 mesh": (105, _mesh_wlan),
    "radiotap": (127, lambda c: bytes(RadioTap(present="Flags+Rate", Flags=0, Rate=2)) + _wlan(c)),
    "radiotap padded": (127, _padded_wlan),
    "Prism": (119, lambda c: bytes(PrismHeader()).ljust(144, b"\0") + _wlan(c)),
    "Prism AVS": (119, lambda c: struct.pack(">II", 0x80211001, 64) + bytes(56) + _wlan(c)),
    "AVS": (163, lambda c: struct.pack(">II", 0x80211001, 64) + bytes(56) + _wlan(c)),
    "PPI 802.11": (192, _ppi(105, _wlan)),
    "PPI Ethernet": (192, _ppi(1, _frame)),
}
"""A link type and its frame around something; None where it cannot carry that."""
