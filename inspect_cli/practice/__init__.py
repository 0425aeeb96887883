"""A practice site on loopback: sessions, cookies of all kinds, WebSockets, and bad manners.

Knows: starlette and hypercorn, and what a server may send, rightly or wrongly.
Does not know: who asks, that anybody captures, or how it is shown.
Hands on: URLs of running servers, and a log of the bytes that their sockets took and gave.

The site: `/` hands out `theme` (persistent) and `sid` (an anonymous session); `/login` gives the
session a name and a new ID, `/account` needs it, `/logout` drops it; `/shop` and `/shop/cart` use
a cookie that `/cart` never gets; `/theme/{name}`, `/cookies`, `/cookies/all`, `/cookies/bad`,
`/redirect`, `/redirect/target`, `/redirect/loop`, `/close`, `/gzip`, `/chunked`, `/status/{code}`,
`/slow`, `/size/{count}`, `/echo`, `/chat`.
Its WebSockets: `/ws/echo`, `/ws/push`, `/ws/close/{code}`, `/ws/refuse/{status}`, `/ws/origin`,
`/ws/account`, `/ws/chat`.

The misbehaving server, on a port of its own: `/`, `/http10`, `/no-answer`, `/closed`,
`/closed-in-head`, `/closed-in-body`, `/closed-in-chunk`, `/reset`, `/reset-in-body`, `/half-close`,
`/odd-fields`, `/interim`, `/trailers`, `/two-lengths`, `/garbage`, `/drip`.
Its WebSockets: `/ws/wrong-accept`, `/ws/no-accept`, `/ws/200`, `/ws/http10`, `/ws/closed-in-101`,
`/ws/subprotocol`, `/ws/extension`, `/ws/push`, `/ws/ping`, `/ws/pong`, `/ws/fragmented`,
`/ws/masked`, `/ws/bad-utf8`, `/ws/reserved-bit`, `/ws/unknown-opcode`, `/ws/long-ping`,
`/ws/close-no-code`, `/ws/close-bad-code`, `/ws/close-unanswered`, `/ws/fin`, `/ws/reset`.
The front page says what each of them shows.
"""

from __future__ import annotations

from inspect_cli.practice.byte_log import ByteLog, Traffic
from inspect_cli.practice.server import Practice, running
from inspect_cli.practice.tour import TOUR, WS_TOUR, TourStep

__all__ = ["TOUR", "WS_TOUR", "ByteLog", "Practice", "TourStep", "Traffic", "running"]
