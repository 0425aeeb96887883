"""Each header as a numpy dtype, with the field names of its RFC and wire byte order.

Numbers are big-endian as sent. A row of such an array is one header of one packet.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

Header = np.dtype[Any]

ETHERNET: Final[Header] = np.dtype([("destination", "V6"), ("source", "V6"), ("ethertype", ">u2")])

# IEEE 802.1Q §9.6: the tag's own ethertype stands before it, the next one inside it.
VLAN_TAG: Final[Header] = np.dtype([("tag_control", ">u2"), ("ethertype", ">u2")])

LINUX_COOKED: Final[Header] = np.dtype(
    [
        ("packet_type", ">u2"),
        ("arphrd_type", ">u2"),
        ("address_length", ">u2"),
        ("address", "V8"),
        ("protocol_type", ">u2"),
    ]
)

LINUX_COOKED_2: Final[Header] = np.dtype(
    [
        ("protocol_type", ">u2"),
        ("reserved", ">u2"),
        ("interface_index", ">u4"),
        ("arphrd_type", ">u2"),
        ("packet_type", "u1"),
        ("address_length", "u1"),
        ("address", "V8"),
    ]
)

# IEEE 802.2 §3.2 and IEEE 802 §9.2 (SNAP): where both service access points are 0xaa, five bytes more.
LLC_SNAP: Final[Header] = np.dtype(
    [
        ("destination_sap", "u1"),
        ("source_sap", "u1"),
        ("control", "u1"),
        ("organization_high", "u1"),
        ("organization_low", ">u2"),
        ("protocol_type", ">u2"),
    ]
)

ADDRESS_FAMILY: Final[Header] = np.dtype([("family", ">u4")])

IP_VERSION: Final[Header] = np.dtype([("version_ihl", "u1")])

# RFC 791 §3.1
IPV4: Final[Header] = np.dtype(
    [
        ("version_ihl", "u1"),
        ("type_of_service", "u1"),
        ("total_length", ">u2"),
        ("identification", ">u2"),
        ("flags_fragment_offset", ">u2"),
        ("time_to_live", "u1"),
        ("protocol", "u1"),
        ("header_checksum", ">u2"),
        ("source_address", ">u4"),
        ("destination_address", ">u4"),
    ]
)

# RFC 8200 §3
IPV6: Final[Header] = np.dtype(
    [
        ("version_class", "u1"),
        ("class_flow", "V3"),
        ("payload_length", ">u2"),
        ("next_header", "u1"),
        ("hop_limit", "u1"),
        ("source_hi", ">u8"),
        ("source_lo", ">u8"),
        ("destination_hi", ">u8"),
        ("destination_lo", ">u8"),
    ]
)

# RFC 8200 §4.3 to §4.6: hop-by-hop, routing and destination options begin alike; the
# fragment header (§4.5) has its offset where those have their first options.
IPV6_EXTENSION: Final[Header] = np.dtype(
    [
        ("next_header", "u1"),
        ("extension_length", "u1"),
        ("fragment_offset", ">u2"),
        ("identification", ">u4"),
    ]
)

# RFC 9293 §3.1
TCP: Final[Header] = np.dtype(
    [
        ("source_port", ">u2"),
        ("destination_port", ">u2"),
        ("sequence_number", ">u4"),
        ("acknowledgment_number", ">u4"),
        ("data_offset", "u1"),
        ("flags", "u1"),
        ("window", ">u2"),
        ("checksum", ">u2"),
        ("urgent_pointer", ">u2"),
    ]
)

# RFC 768
UDP: Final[Header] = np.dtype(
    [
        ("source_port", ">u2"),
        ("destination_port", ">u2"),
        ("length", ">u2"),
        ("checksum", ">u2"),
    ]
)

# RFC 1662 §3.1 and Cisco's HDLC: address and control, then a protocol.
HDLC: Final[Header] = np.dtype([("address", "u1"), ("control", "u1"), ("protocol", ">u2")])

# RFC 1661 §2: two bytes, or one where the first is odd (§6.5).
PPP: Final[Header] = np.dtype([("first", "u1"), ("second", "u1")])

# RFC 2516 §4
PPPOE: Final[Header] = np.dtype(
    [("version_type", "u1"), ("code", "u1"), ("session_id", ">u2"), ("length", ">u2")],
)

# RFC 3032 §2.1: label, traffic class, bottom of stack, time to live.
MPLS: Final[Header] = np.dtype([("entry", ">u4")])

# RFC 2784 §2.1, RFC 2890 §2
GRE: Final[Header] = np.dtype([("flags_version", ">u2"), ("protocol_type", ">u2")])

# draft-foschiano-erspan-03 §4.1, §4.2: type III has 4 bytes more, and 8 optional ones.
ERSPAN_2: Final[Header] = np.dtype([("version_vlan", ">u2"), ("session", ">u2"), ("index", ">u4")])
ERSPAN_3: Final[Header] = np.dtype(
    [("version_vlan", ">u2"), ("session", ">u2"), ("timestamp", ">u4"), ("group", ">u2"), ("flags", ">u2")]
)

# RFC 2661 §3.1
L2TP: Final[Header] = np.dtype([("flags_version", ">u2")])

# RFC 7348 §5
VXLAN: Final[Header] = np.dtype([("flags", "u1"), ("reserved", "V3"), ("network_identifier", ">u4")])

# RFC 8926 §3.4
GENEVE: Final[Header] = np.dtype(
    [("version_length", "u1"), ("flags", "u1"), ("protocol_type", ">u2"), ("network_identifier", ">u4")]
)

# 3GPP TS 29.281 §5.1
GTP_U: Final[Header] = np.dtype(
    [("flags", "u1"), ("message_type", "u1"), ("length", ">u2"), ("tunnel_endpoint", ">u4")]
)

# Linux nfnetlink_log; lengths and types are in the byte order of who captured.
NFLOG: Final[Header] = np.dtype([("family", "u1"), ("version", "u1"), ("resource_id", ">u2")])
NFLOG_ATTRIBUTE: Final[Header] = np.dtype([("length", "<u2"), ("type", "<u2")])

RADIOTAP: Final[Header] = np.dtype(
    [("version", "u1"), ("pad", "u1"), ("length", "<u2"), ("present", "<u4")],
)
PPI: Final[Header] = np.dtype([("version", "u1"), ("flags", "u1"), ("length", "<u2"), ("link_type", "<u4")])
AVS: Final[Header] = np.dtype([("version", ">u4"), ("length", ">u4")])

# IEEE 802.11 §9.2.4.1: the first byte has version, type and subtype, the second the flags.
WLAN: Final[Header] = np.dtype([("kind", "u1"), ("flags", "u1")])

BYTE: Final[Header] = np.dtype([("value", "u1")])
SHORT: Final[Header] = np.dtype([("value", ">u2")])
WORD: Final[Header] = np.dtype([("value", "<u4")])
