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
