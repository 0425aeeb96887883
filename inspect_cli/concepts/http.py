"""What HTTP does and does not keep: its connection, and the client's state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from inspect_cli.concepts.base import Concept
from inspect_cli.concepts.memory import Recent, connection_of, may_be_interim
from inspect_cli.events.base import Annotation, Event, Side
from inspect_cli.events.http import MessageEnd, MessageHead, NotableMessageEnd, RequestHead, ResponseHead
from inspect_cli.events.tcp import ConnectionEnd, Fin, Rst


def _option(head: MessageHead, option: bytes) -> bool:
    """Whether the Connection field names this option (RFC 9110 §7.6.1: a list, in any case)."""
    if option not in head.head.lower():  # nearly every head: no need to split it
        return False
    options = b",".join(head.values(b"connection")).lower().split(b",")
    return option in [name.strip() for name in options]


@dataclass(slots=True)
class _Use:
    """How HTTP uses one connection."""

    first: tuple[int, ...] = ()
    """Frames of its first request."""
    requests: int = 0
    begun: int = 0
    """Final responses whose head was seen, and of them those whose end was."""
    ended: int = 0
    ended_ns: int = 0
    ended_frames: tuple[int, ...] = ()
    is_reuse_said: bool = False
    is_close_said: bool = False
    is_end_announced: bool = False
    is_switched: bool = False
    """After a 101 it is no HTTP any more."""


class Connectionless(Concept):
    """Whether the connection ends with the response, who ends it, how many requests share it."""

    id = "connectionless"
    reference = "RFC 9112 §9.3"
    watches = (RequestHead, ResponseHead, MessageEnd, NotableMessageEnd, Fin, Rst, ConnectionEnd)
    codes = (
        "connectionless.kept",
        "connectionless.pipelined",
        "connectionless.close-requested",
        "connectionless.close-announced",
        "connectionless.http-1.0",
        "connectionless.closed",
        "connectionless.close-ends-response",
        "connectionless.closed-unanswered",
        "connectionless.still-open",
    )

    def __init__(self) -> None:
        self._uses: Recent[str, _Use] = Recent()

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Annotation]]]:
        return {
            RequestHead: self._request,
            ResponseHead: self._response,
            MessageEnd: self._message_end,
            NotableMessageEnd: self._message_end,
            Fin: self._closing,
            Rst: self._closing,
            ConnectionEnd: self._end,
        }

    def _message_end(self, event: MessageEnd) -> Iterable[Annotation]:
        if event.of.__class__ is not ResponseHead:
            return ()
        where = event.where
        use = self._uses.get(connection_of(where.channel))
        if use is not None:
            use.ended += 1
            use.ended_ns = where.time_ns
            use.ended_frames = where.frames or event.of.where.frames
        return ()

    def _use(self, event: Event) -> _Use:
        channel = connection_of(event.where.channel)
        use = self._uses.get(channel)
        if use is None:
            use = self._uses[channel] = _Use()
        return use

    def _request(self, event: RequestHead) -> Iterable[Annotation]:
        use = self._use(event)
        waiting = use.requests - use.ended
        use.requests += 1
        closes = not use.is_close_said and _option(event, b"close")
        if use.requests == 1:
            use.first = event.where.frames
        elif not use.is_reuse_said:
            return self._reused(event, use, waiting, closes=closes)
        return self._close_requested(event, use) if closes else ()

    def _reused(self, event: RequestHead, use: _Use, waiting: int, *, closes: bool) -> Iterable[Annotation]:
        use.is_reuse_said = True
        frames = use.first + event.where.frames
        if waiting > 0:
            yield self.note(event, "pipelined", reference="RFC 9112 §9.3.2", waiting=waiting)
        else:
            yield self.note(event, "kept", frames=frames, first=use.first)
        if closes:
            yield from self._close_requested(event, use)

    def _close_requested(self, event: RequestHead, use: _Use) -> Iterable[Annotation]:
        use.is_close_said = True
        return (self.note(event, "close-requested", reference="RFC 9112 §9.6"),)

    def _response(self, event: ResponseHead) -> Iterable[Annotation]:
        head = event.head
        use = self._use(event)
        if may_be_interim(head):
            status = event.status
            if status == 101:
                use.is_switched = True
            if 100 <= status < 200:
                return ()
        use.begun += 1
        if use.is_end_announced:
            return ()
        if _option(event, b"close"):
            is_new = not use.is_close_said  # else the client asked for it
            use.is_close_said = use.is_end_announced = True
            return (self.note(event, "close-announced", reference="RFC 9112 §9.6"),) if is_new else ()
        if head.startswith(b"HTTP/1.0") and event.version == b"HTTP/1.0" and not _option(event, b"keep-alive"):
            use.is_close_said = use.is_end_announced = True
            return (self.note(event, "http-1.0"),)
        return ()

    def _closing(self, event: Fin | Rst) -> Iterable[Annotation]:
        use = self._uses.get(connection_of(event.where.channel))
        if use is None or use.is_switched or not use.requests:
            return
        if isinstance(event, Rst):
            if event.after_close:
                return
        elif event.repeated or not event.first:
            return
        self._uses.pop(connection_of(event.where.channel))
        side = event.where.side or Side.CLIENT
        data: dict[str, Any] = {"by": side.word, "requests": use.requests}
        if use.begun > use.ended:
            if side is Side.SERVER and isinstance(event, Fin):
                yield self.note(event, "close-ends-response", reference="RFC 9112 §6.3", **data)
        elif use.ended < use.requests:
            unanswered = use.requests - use.ended
            reference = "RFC 9112 §9.3.1"
            yield self.note(
                event, "closed-unanswered", level="warning", reference=reference, unanswered=unanswered, **data
            )
        else:
            frames = use.ended_frames[-1:] + event.where.frames
            waited_ns = max(0, event.where.time_ns - use.ended_ns)
            yield self.note(event, "closed", frames=frames, reference="RFC 9112 §9.6", waited_ns=waited_ns, **data)

    def _end(self, event: ConnectionEnd) -> Iterable[Annotation]:
        use = self._uses.pop(connection_of(event.where.channel), None)
        if use is not None and event.connection.closed == "open" and use.requests and not use.is_switched:
            yield self.note(event, "still-open", frames=use.ended_frames, requests=use.requests)


class Stateless(Concept):
    """No request of HTTP says by itself that another one came before it."""

    id = "stateless"
    reference = "RFC 9110 §3.3"
    watches = (RequestHead, ConnectionEnd)
    codes = ("stateless.nothing-ties", "stateless.alike")

    def __init__(self) -> None:
        self._said: Recent[str, bool] = Recent()
        self._seen: Recent[int, tuple[int, ...] | None] = Recent(4096)
        """Hash of a head -> frames of its first appearance; None: its likeness was said."""

    def ways(self) -> Mapping[type[Event], Callable[[Any], Iterable[Annotation]]]:
        return {
            RequestHead: self._request,
            ConnectionEnd: self._ended,
        }

    def _ended(self, event: ConnectionEnd) -> Iterable[Annotation]:
        self._said.pop(event.where.channel, None)
        return ()

    def _request(self, event: RequestHead) -> Iterable[Annotation]:
        head = event.head.lower()
        if b"\ncookie:" in head or b"\nauthorization:" in head:
            return ()
        key = hash(event.head)
        if key in self._seen:
            before = self._seen[key]
            if before is None:
                return ()
            self._seen[key] = None
            return (self.note(event, "alike", frames=before + event.where.frames, before=before),)
        self._seen[key] = event.where.frames
        if self._said.first_time(connection_of(event.where.channel), True):
            return (self.note(event, "nothing-ties"),)
        return ()
