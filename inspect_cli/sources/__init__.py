"""Items in: from clients of ours with their packets, or from what their sockets told.

Knows: sockets, packet sockets, clocks, threads, the right to capture, scapy, httpx, websockets.
Does not know: what the bytes mean, what is shown of them.
Hands on: items in one order (Frames, Secrets, Call, Context, Reported).

Nothing is imported here: `python -m inspect_cli.sources.rights` must stay a process without threads.
"""
