"""Bytes to events: one parser for each side of a protocol.

Knows: grammars, and how to go on where they are broken.
Does not know: packets, sockets, what an event means, or who wants to know.
Hands on: events with the place in the stream that shows them.
"""
