"""WebSocket frames (RFC 6455 §5)."""

from __future__ import annotations

from typing import ClassVar

from inspect_cli.events.base import Event, Layer, noun
from inspect_cli.events.http import RequestHead, ResponseHead

OPCODES: dict[int, str] = {
    0: "continuation",
    1: "text",
    2: "binary",
    8: "close",
    9: "ping",
    10: "pong",
}


@noun
class WebSocketOpened(Event):
    """A 101 with `Upgrade: websocket`: frames follow (derived from the response's head).

    `accept_expected` is recomputed from the request's key; b"" where there was no key.
    """

    kind: ClassVar[str] = "websocket-opened"
    layer: ClassVar[Layer] = "websocket"
    is_entry: ClassVar[bool] = False

    of: ResponseHead
    request: RequestHead | None
    key: bytes
    accept: bytes
    accept_expected: bytes
    subprotocol: bytes
    extensions: bytes


@noun
class WebSocketFrame(Event):
    """One frame with its header bits; `payload` is unmasked, at most the first 4096 bytes.

    `first_opcode` is that of the message a continuation belongs to (its own otherwise).
    `inflated` holds the text of a whole compressed message on its last frame, else None.
    """

    kind: ClassVar[str] = "websocket-frame"
    layer: ClassVar[Layer] = "websocket"
    shown: ClassVar[tuple[str, ...]] = (
        "opcode",
        "name",
        "fin",
        "rsv",
        "masked",
        "mask_key",
        "size",
        "payload",
        "compressed",
        "inflated",
    )

    opcode: int
    fin: bool
    rsv: int
    """RSV1..3 as a number: RSV1 = 4."""
    masked: bool
    mask_key: bytes
    size: int
    """Payload bytes on the wire."""
    payload: bytes
    first_opcode: int
    compressed: bool
    inflated: bytes | None

    @property
    def name(self) -> str:
        return OPCODES.get(self.opcode, "reserved")


@noun
class WebSocketClose(WebSocketFrame):
    """A Close frame. `code` None: no status was sent (1005, §7.1.5)."""

    kind: ClassVar[str] = "websocket-close"
    shown: ClassVar[tuple[str, ...]] = ("code", "reason", "fin", "rsv", "masked", "mask_key", "size")

    code: int | None
    reason: bytes
    answers: int | None
    """Code of the other side's Close that this one answers; -1: that had no code; None: first."""


@noun
class WebSocketEnd(Event):
    """The end of a WebSocket channel: who sent Close, how many frames went each way."""

    kind: ClassVar[str] = "websocket-end"
    layer: ClassVar[Layer] = "websocket"
    is_entry: ClassVar[bool] = False
    entry_if_annotated: ClassVar[bool] = True

    close_client: int | None
    close_server: int | None
    """Code of that side's first Close, -1 without a code, None where none was sent."""
    close_frames: tuple[int, ...]
    frames_client: int
    frames_server: int
