"""Packet columns to connections and ordered bytes.

Knows: TCP sequence numbers, openings, closings, holes; how a parser is run over two sides.
Does not know: what the bytes mean, or the words for it.
Hands on: TCP events, and Readers of ordered bytes to the parsers of a channel.
"""
