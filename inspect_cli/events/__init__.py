"""Nouns: what happened, and where.

Knows: the words of every layer and the shape of an event, an annotation, an entry.
Does not know: how any of them is found, decided, worded or shown.
Hands on: frozen values that every other room may hold.
"""
