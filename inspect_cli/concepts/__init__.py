"""Events to annotations: what was seen means this concept.

Knows: the meaning of events, the clause that says so, and the evidence for it.
Does not know: bytes, parsers, other concepts' annotations, or the words (texts has them).
Hands on: annotations with a stable code and the data that fills its words.
"""
