"""Events to further events, without words.

Knows: what follows from events: a cookie stored or withheld, a request paired, a session issued.
Does not know: bytes, packets, words, or any concept.
Hands on: events that name their cause.
"""
