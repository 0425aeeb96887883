"""A summary as one would write it with scapy: `rdpcap`, then packet by packet.

python tests/benchmarks/with_scapy.py FILE.pcap
"""

from __future__ import annotations

import json
import sys

from scapy.layers.inet import TCP
from scapy.layers.l2 import Ether  # noqa: F401 - rdpcap knows the link layers that are loaded
from scapy.utils import rdpcap


def main() -> None:
    counts = dict.fromkeys(("packets", "syn", "fin", "rst", "http_requests", "http_responses"), 0)
    for packet in rdpcap(sys.argv[1]):
        counts["packets"] += 1
        if TCP not in packet:
            continue
        tcp = packet[TCP]
        data = bytes(tcp.payload)
        counts["syn"] += int(tcp.flags) & 18 == 2
        counts["fin"] += int(tcp.flags) & 1
        counts["rst"] += int(tcp.flags) >> 2 & 1
        counts["http_responses"] += data[:5] == b"HTTP/"
        counts["http_requests"] += data[:4] in (b"GET ", b"POST", b"HEAD", b"PUT ")
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
