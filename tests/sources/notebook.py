"""What a client tells, written down; and frames, read back to streams."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from inspect_cli.events.base import Item, Side
from inspect_cli.events.calls import Call, Context, Reported, Secrets
from inspect_cli.sources.client import Journal
from inspect_cli.sources.peek import Peek, peek
from inspect_cli.wire.frames import Frames


class Notebook(Journal):
    """Sees no packets, so clients tell their bytes too."""

    def __init__(self) -> None:
        self.items: list[Call | Context | Secrets | Reported] = []
        self.announced: list[tuple[str, int]] = []
        self.locals: list[int] = []

    def announce(self, address: str, port: int) -> bool:
        self.announced.append((address, port))
        return False

    def opened(self, address: str, port: int, local_address: str, local_port: int) -> None:
        self.locals.append(local_port)

    def tell(self, item: Call | Context | Secrets | Reported) -> None:
        self.items.append(item)

    @property
    def contexts(self) -> list[Context]:
        return [item for item in self.items if isinstance(item, Context)]

    @property
    def calls(self) -> list[Call]:
        return [item for item in self.items if isinstance(item, Call)]

    def told(self, side: Side, channel: int = 0) -> bytes:
        return told(self.items, side, channel)


def told(items: Iterable[object], side: Side, channel: int = 0) -> bytes:
    """Bytes of one side of a reported channel."""
    reported = [item for item in items if isinstance(item, Reported) and item.channel == channel]
    return b"".join(item.data for item in reported if item.side is side)


def segments(items: Iterable[Item]) -> list[Peek]:
    """The TCP segments of all frames, in order."""
    found: list[Peek] = []
    for item in items:
        if isinstance(item, Frames):
            for i in range(len(item)):
                start = int(item.offset[i])
                data = bytes(item.buffer[start : start + int(item.size[i])])
                assert int(item.size[i]) == int(item.original_size[i])
                segment = peek(data, 14 if item.link_type[i] == 1 else 0)
                assert segment is not None
                found.append(segment)
    return found


def payloads(items: Sequence[Item], port: int) -> dict[tuple[int, int], bytes]:
    """Stream bytes by (source port, target port), from frames alone; each byte once."""
    streams: dict[tuple[int, int], dict[int, bytes]] = {}
    for item in items:
        if not isinstance(item, Frames):
            continue
        for i in range(len(item)):
            start = int(item.offset[i])
            data = bytes(item.buffer[start : start + int(item.size[i])])
            segment = peek(data, 14)
            assert segment is not None
            assert port in (segment.source_port, segment.target_port)
            if segment.size:
                stream = streams.setdefault((segment.source_port, segment.target_port), {})
                stream.setdefault(segment.seq, data[len(data) - segment.size :])
    return {ports: _joined(pieces) for ports, pieces in streams.items()}


def _joined(pieces: dict[int, bytes]) -> bytes:
    """Segments by sequence number as one stream; what was sent again (a probe for a lost tail, say) stands once."""
    base = next(iter(pieces))
    stream = bytearray()
    for seq, data in sorted(pieces.items(), key=lambda piece: (piece[0] - base) & 0xFFFFFFFF):
        at = (seq - base) & 0xFFFFFFFF
        assert at <= len(stream), "a hole"
        stream[at : at + len(data)] = data
    return bytes(stream)
