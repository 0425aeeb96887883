"""What happens in UDP conversations, and what DNS says there."""

from __future__ import annotations

from typing import ClassVar, Literal

from inspect_cli.events.base import Event, Layer, noun


@noun
class UdpConversation(Event):
    """The first datagram between two addresses and ports; who sent it is called the client.

    `resumed`: the conversation had ended as idle, and goes on.
    """

    kind: ClassVar[str] = "udp-conversation"
    layer: ClassVar[Layer] = "udp"

    client: str
    server: str
    """Both as "addr:port", "[addr]:port" for IPv6."""
    size: int
    """Payload of the datagram in bytes, as the IP header says."""
    resumed: bool


@noun
class UdpDatagram(Event):
    """A further datagram; an entry only with -v."""

    kind: ClassVar[str] = "udp-datagram"
    layer: ClassVar[Layer] = "udp"

    size: int


@noun
class UdpEnd(Event):
    """What a conversation carried, when it is idle or the capture ends.

    Only where other rows (its first datagram, what DNS said) have not told of every datagram.
    """

    kind: ClassVar[str] = "udp-end"
    layer: ClassVar[Layer] = "udp"

    client: str
    server: str
    datagrams_client: int
    datagrams_server: int
    bytes_client: int
    """Payloads that the client sent, in bytes."""
    bytes_server: int
    reason: Literal["idle", "capture-end"]


@noun
class DnsAnswer(Event):
    """What a DNS server answered (RFC 1035 §4.1), or an mDNS responder announced (RFC 6762)."""

    kind: ClassVar[str] = "dns-answer"
    layer: ClassVar[Layer] = "udp"

    name: bytes
    """That was asked for, labels joined by dots; a dot or backslash inside a label has a backslash before it."""
    type: str
    """`A`, `AAAA`, `TYPE64`."""
    rcode: str
    """`NOERROR`, `NXDOMAIN`, `RCODE11`."""
    addresses: tuple[str, ...]
    """Of that name, or of what it is an alias of."""
    aliases: tuple[bytes, ...]
    """Names that it stands for, one leading to the next."""
    records: int
    """Records of the type that was asked for."""
    truncated: bool
    """There was more than a datagram holds."""
    question_frames: tuple[int, ...]
    """Frames that asked, repeats included; none where the capture does not hold them."""
    after_ns: int | None
    """Time since it was first asked."""


@noun
class DnsUnanswered(Event):
    """A question that got no answer before its conversation was over."""

    kind: ClassVar[str] = "dns-unanswered"
    layer: ClassVar[Layer] = "udp"

    name: bytes
    type: str
    question_frames: tuple[int, ...]
    """Frames that asked, repeats included."""
