"""What happens to the capture itself, what is written into it, and what is wrong on the wire."""

from __future__ import annotations

from typing import ClassVar, Literal

from inspect_cli.events.base import Event, Item, Layer, noun

About = Literal["packet", "section", "interface"]
"""What a comment of a capture is about: the block of pcapng that it stands in."""


@noun
class Comment(Item):
    """A comment of a capture that belongs to no packet; `time_ns` is that of the frame beside it."""

    time_ns: int
    about: About
    name: str
    """Of the interface; "" where it is about none, or has no name."""
    comment: str


@noun
class Names(Item):
    """Names of hosts, as whoever captured knew them: (address, name)."""

    pairs: tuple[tuple[str, str], ...]


@noun
class HostsNamed(Event):
    """Names of hosts from here on, where no row gives them; no row itself, and no concept sees it.

    `where.frames` holds the DNS answer, or nothing where the file itself names them (Names).
    """

    kind: ClassVar[str] = "hosts-named"
    layer: ClassVar[Layer] = "capture"
    is_entry: ClassVar[bool] = False

    pairs: tuple[tuple[str, bytes], ...]
    """(address, name)"""


@noun
class Undecoded(Event):
    """A frame whose headers could not be read, or fragments of which the rest did not come.

    `reason` is a stable word: `link-type`, `protocol`, `truncated`, `ip-version`,
    `header-length`, `fragment`, `nesting`; `detail` a number or name (the link type, the
    ethertype, the identification of the fragments). Frames of other protocols (ARP, ICMP)
    are counted as undecoded, and are entries only with `-v`.
    """

    kind: ClassVar[str] = "undecoded-frame"
    layer: ClassVar[Layer] = "capture"

    reason: str
    detail: str


@noun
class FragmentOverlap(Event):
    """An IP fragment with bytes that an earlier one had, and not its copy (RFC 5722 §3).

    In IPv4 the bytes that came last are used, in IPv6 the datagram is given up.
    """

    kind: ClassVar[str] = "fragment-overlap"
    layer: ClassVar[Layer] = "capture"

    identification: int


@noun
class Gap(Event):
    """Bytes of a stream that the capture does not hold."""

    kind: ClassVar[str] = "gap"
    layer: ClassVar[Layer] = "tcp"

    missing_bytes: int
    acknowledged: bool
    """The other side had acknowledged them when they counted as lost: the network did not lose them."""
    cut: bool
    """A frame brought them, but was captured without them (snap length)."""


@noun
class Malformed(Event):
    """Something on the wire that breaks its grammar; what can be read goes on.

    `problem` is a stable word (`bare-lf`, `content-length-differs`, ...), counted in the
    summary's `problems`; expected and got are short and safe to show.
    """

    kind: ClassVar[str] = "malformed"
    layer: ClassVar[Layer] = "http"

    problem: str
    expected: str
    got: bytes
    reference: str


@noun
class MalformedWebSocket(Malformed):
    """The same in a WebSocket channel; `problem` is a name of REFERENCE's violation list."""

    kind: ClassVar[str] = "malformed-websocket"
    layer: ClassVar[Layer] = "websocket"


@noun
class Truncated(Event):
    """A message that ends before its end: the stream was over, or bytes are missing.

    `problem`: `head-cut`, `body-cut`, `frame-cut`.
    """

    kind: ClassVar[str] = "truncated"
    layer: ClassVar[Layer] = "http"

    problem: str
    got_bytes: int
    expected_bytes: int | None


@noun
class TruncatedWebSocket(Truncated):
    """The same in a WebSocket channel: `frame-cut`."""

    kind: ClassVar[str] = "truncated-websocket"
    layer: ClassVar[Layer] = "websocket"


@noun
class ParserFailed(Event):
    """A parser of ours failed; its channel is shut, everything else goes on."""

    kind: ClassVar[str] = "parser-failed"
    layer: ClassVar[Layer] = "capture"

    protocol: str
    error: str


@noun
class CaptureComment(Event):
    """A comment written into the capture by somebody."""

    kind: ClassVar[str] = "comment"
    layer: ClassVar[Layer] = "capture"

    comment: str
    about: About = "packet"
    name: str = ""


@noun
class CaptureEnd(Event):
    """The end of the capture; behind everything. An entry only where annotated."""

    kind: ClassVar[str] = "capture-end"
    layer: ClassVar[Layer] = "capture"
    is_entry: ClassVar[bool] = False
    entry_if_annotated: ClassVar[bool] = True

    packets: int
    complete: bool
