"""Names of what is on the wire: link types, ethertypes, protocols; for people, never for decisions."""

from __future__ import annotations

from typing import Final

from inspect_cli.wire.peeling import (
    FAMILY,
    IP_PROTOCOL,
    LAYERS,
    LINK,
    LINK_TYPE,
    LLC,
    NAMED,
    NESTING,
    PPP_PROTOCOL,
    PROTOCOL,
    TRUNCATED,
)
from inspect_cli.wire.peeling import HEADER_LENGTH as WRONG_LENGTH

LINK_NAMES: Final[dict[int, str]] = {
    0: "NULL",
    1: "Ethernet",
    3: "AX.25",
    6: "Token Ring",
    7: "ARCNET",
    8: "SLIP",
    9: "PPP",
    10: "FDDI",
    12: "raw IP",
    14: "raw IP",
    50: "PPP in HDLC",
    51: "PPPoE",
    100: "LLC/SNAP ATM",
    101: "raw IP",
    104: "Cisco HDLC",
    105: "IEEE 802.11",
    107: "Frame Relay",
    108: "LOOP",
    109: "OpenBSD encapsulation",
    113: "Linux cooked",
    114: "LocalTalk",
    117: "OpenBSD pflog",
    119: "IEEE 802.11 Prism",
    122: "IP over Fibre Channel",
    123: "SunATM",
    127: "IEEE 802.11 radiotap",
    129: "ARCNET Linux",
    138: "IP over IEEE 1394",
    139: "MTP2 with pseudo-header",
    140: "MTP2",
    141: "MTP3",
    142: "SCCP",
    143: "DOCSIS",
    144: "Linux IrDA",
    147: "user 0",
    163: "IEEE 802.11 AVS",
    165: "BACnet MS/TP",
    166: "PPP with direction",
    177: "LAPD Linux",
    187: "Bluetooth HCI H4",
    189: "USB Linux",
    192: "PPI",
    195: "IEEE 802.15.4",
    197: "Endace ERF",
    201: "Bluetooth HCI H4 with direction",
    204: "PPP with direction",
    209: "I2C Linux",
    220: "USB Linux mmapped",
    224: "Fibre Channel",
    226: "IPNET",
    227: "CAN",
    228: "IPv4",
    229: "IPv6",
    230: "IEEE 802.15.4 without FCS",
    231: "D-Bus",
    235: "DVB-CI",
    239: "NFLOG",
    240: "netANALYZER",
    242: "IP over InfiniBand",
    243: "MPEG-2 TS",
    247: "InfiniBand",
    248: "SCTP",
    249: "USBPcap",
    250: "RTAC serial",
    251: "Bluetooth LE",
    252: "Wireshark upper PDU",
    253: "netlink",
    254: "Bluetooth monitor",
    256: "Bluetooth LE with pseudo-header",
    266: "USB Darwin",
    270: "LoRaTap",
    271: "vsock",
    272: "nRF Sniffer",
    274: "Ethernet mPacket",
    276: "Linux cooked v2",
    278: "OpenVizsla USB",
    283: "IEEE 802.15.4 TAP",
    288: "USB 2.0",
}

ETHERTYPE_NAMES: Final[dict[int, str]] = {
    0x0806: "ARP",
    0x0842: "Wake-on-LAN",
    0x2000: "CDP",
    0x22F0: "AVTP",
    0x22F3: "TRILL",
    0x6003: "DECnet",
    0x8035: "RARP",
    0x809B: "AppleTalk",
    0x80F3: "AppleTalk ARP",
    0x8137: "IPX",
    0x8808: "Ethernet flow control",
    0x8809: "slow protocols (LACP)",
    0x8863: "PPPoE discovery",
    0x886D: "Intel ANS probe",
    0x888E: "EAPOL",
    0x8892: "PROFINET",
    0x88A2: "ATA over Ethernet",
    0x88CC: "LLDP",
    0x88E1: "HomePlug",
    0x88E5: "MACsec",
    0x88F7: "PTP",
    0x8902: "CFM",
    0x8906: "FCoE",
    0x890D: "IEEE 802.11 encapsulated",
    0x894F: "NSH",
    0x9000: "Ethernet loopback test",
}
IP_PROTOCOL_NAMES: Final[dict[int, str]] = {
    1: "ICMP",
    2: "IGMP",
    33: "DCCP",
    46: "RSVP",
    50: "ESP",
    51: "AH",
    58: "ICMPv6",
    59: "no next header",
    88: "EIGRP",
    89: "OSPF",
    97: "EtherIP",
    103: "PIM",
    112: "VRRP",
    115: "L2TP",
    132: "SCTP",
    136: "UDP-Lite",
}
PPP_PROTOCOL_NAMES: Final[dict[int, str]] = {
    0x003D: "PPP multilink",
    0x00FD: "PPP compressed",
    0x8021: "PPP IPCP",
    0x8057: "PPP IPv6CP",
    0x80FD: "PPP CCP",
    0xC021: "PPP LCP",
    0xC023: "PPP PAP",
    0xC223: "PPP CHAP",
}
OTHERS: Final = (
    "IEEE 802.2 LLC",
    "Linux cooked, no ethertype",
    "HDLC",
    "PPPoE discovery",
    "NFLOG without IP",
    "IEEE 802.11 management",
    "IEEE 802.11 control",
    "IEEE 802.11 without data",
    "IEEE 802.11 encrypted",
    "IEEE 802.11 fragment",
    "IEEE 802.11 A-MSDU",
    "MPLS payload",
    "GRE",
    "ERSPAN",
    "L2TP control",
    "VXLAN",
    "Geneve",
    "GTP",
    "FDDI",
)


def other(name: str) -> int:
    """The kind of something that is not read."""
    return NAMED + OTHERS.index(name)


def link_type_name(number: int) -> str:
    """`239 (NFLOG)`; the number alone where no name is known."""
    name = LINK_NAMES.get(number)
    return f"{number} ({name})" if name else str(number)


def detail_text(reason: int, number: int) -> str:
    """The number of detail that goes with a reason, as its name where it has one."""
    if reason == LINK_TYPE:
        return link_type_name(number)
    if reason in (TRUNCATED, WRONG_LENGTH):
        return LAYERS[number]
    return kind_name(number) if reason in (PROTOCOL, NESTING) else str(number)


def kind_name(kind: int) -> str:
    """What stands at a layer, as peeling numbers it."""
    if kind >= FAMILY:
        return f"address family {kind - FAMILY}"
    if kind >= NAMED:
        return OTHERS[kind - NAMED]
    if kind >= LLC:
        return "IEEE 802.2 LLC" if kind == LLC else "IEEE 802.11"
    if kind >= LINK:
        return f"link type {link_type_name(kind - LINK)}"
    if kind >= PPP_PROTOCOL:
        return PPP_PROTOCOL_NAMES.get(kind - PPP_PROTOCOL, f"PPP protocol 0x{kind - PPP_PROTOCOL:04x}")
    if kind >= IP_PROTOCOL:
        return IP_PROTOCOL_NAMES.get(kind - IP_PROTOCOL, f"IP protocol {kind - IP_PROTOCOL}")
    return ETHERTYPE_NAMES.get(kind, f"ethertype 0x{kind:04x}")
