"""A practice site on loopback: sessions, cookies of all kinds, WebSockets, and bad manners.

Knows: starlette and hypercorn, and what a server may send, rightly or wrongly.
Does not know: who asks, that anybody captures, or how it is shown.
Hands on: URLs of running servers, and a log of the bytes that their sockets took and gave.
"""
