"""Capture bytes to packet columns, and back to capture files.

Knows: capture formats, link layers and the headers of IP, TCP and UDP.
Does not know: connections, streams, or anything inside a payload.
Hands on: `Frames` (captured records in one buffer) and `Packets` (columns of headers).
"""
