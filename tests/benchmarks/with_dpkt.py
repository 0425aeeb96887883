"""A summary as one would write it with dpkt: packet by packet, without putting streams together.

python tests/benchmarks/with_dpkt.py FILE.pcap
"""

from __future__ import annotations

import json
import sys

import dpkt


def main() -> None:
    counts = dict.fromkeys(
        ("packets", "syn", "fin", "rst", "http_requests", "http_responses", "set_cookie", "cookie"), 0
    )
    connections = set()
    with open(sys.argv[1], "rb") as file:
        for _, data in dpkt.pcap.Reader(file):
            counts["packets"] += 1
            ip = dpkt.ethernet.Ethernet(data).data
            if not isinstance(ip, dpkt.ip.IP) or not isinstance(ip.data, dpkt.tcp.TCP):
                continue
            tcp = ip.data
            connections.add(frozenset(((ip.src, tcp.sport), (ip.dst, tcp.dport))))
            counts["syn"] += tcp.flags & 18 == 2
            counts["fin"] += tcp.flags & 1
            counts["rst"] += tcp.flags >> 2 & 1
            if tcp.data[:5] == b"HTTP/":
                counts["http_responses"] += 1
                counts["set_cookie"] += tcp.data.count(b"\r\nSet-Cookie:")
            elif tcp.data[:4] in (b"GET ", b"POST", b"HEAD", b"PUT "):
                counts["http_requests"] += 1
                counts["cookie"] += tcp.data.count(b"\r\nCookie:")
    print(json.dumps({**counts, "connections": len(connections)}))


if __name__ == "__main__":
    main()
