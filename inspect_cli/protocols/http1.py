"""HTTP/1.0 and HTTP/1.1 as an observer sees them (RFC 9110, RFC 9112).

It never refuses, answers or normalises: what is wrong is said, and reading goes on wherever
the framing lets it. `http_requests` counts heads whose first line is `method SP target SP
HTTP/x.y`; a broken one is a RequestHead too (with `invalid-start-line` beneath it) and takes
its place among the requests, as the other side will answer it.
"""

from __future__ import annotations

from inspect_cli.protocols.http1_requests import Requests
from inspect_cli.protocols.http1_responses import Responses
from inspect_cli.protocols.http1_talk import HttpTalk
from inspect_cli.protocols.recognise import looks_like_http1
from inspect_cli.streams.channel import Parser, Protocol, Report
from inspect_cli.streams.reader import Reader


def requests(reader: Reader, talk: HttpTalk, report: Report) -> Parser:
    """The client's side."""
    return Requests(reader, talk, report).run()


def responses(reader: Reader, talk: HttpTalk, report: Report) -> Parser:
    """The server's side."""
    return Responses(reader, talk, report).run()


def make_talk(carry: object) -> HttpTalk:
    """What both sides share; nothing comes from a protocol before."""
    return HttpTalk()


HTTP1 = Protocol("http/1", looks_like_http1, requests, responses, make_talk)
