"""Cookies as RFC 6265bis has them (draft 22), and as clients ship them: parse, store, send; a pure library.

Knows: the Set-Cookie and Cookie fields, dates, hosts, paths, the 24 steps of the storage
model, the retrieval model, partitions, limits and eviction, the Netscape file format; what
each client does otherwise (profiles, as data); stories of several requests.
Does not know: sockets, clocks (time is an argument), captures, events on the wire, words.
Hands on: decisions with their steps, each with its clause and reason.
"""

from inspect_cli.cookies.asking import asking_for, asking_from
from inspect_cli.cookies.cookie import Cookie
from inspect_cli.cookies.jar import Jar
from inspect_cli.cookies.parse import parse_cookie_header, parse_set_cookie
from inspect_cli.cookies.send import SendDecision
from inspect_cli.cookies.store import StoreDecision

__all__ = [
    "Cookie",
    "Jar",
    "SendDecision",
    "StoreDecision",
    "asking_for",
    "asking_from",
    "parse_cookie_header",
    "parse_set_cookie",
]
