"""What is counted: the summary and the capture of the JSON contract."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

SCHEMA = "inspect-cli/1"

FRAME_NAMES = ("continuation", "text", "binary", "close", "ping", "pong", "other")


@dataclass(slots=True)
class Tally:
    """Counters that wire, streams and protocols raise as they go; keys of the summary."""

    packets: int = 0
    undecoded_packets: int = 0
    bytes: int = 0
    connections: int = 0
    udp_conversations: int = 0
    syn: int = 0
    syn_ack: int = 0
    fin: int = 0
    rst: int = 0
    handshakes_complete: int = 0
    http_requests: int = 0
    http_responses: int = 0
    http_interim_responses: int = 0
    set_cookie: int = 0
    cookie: int = 0
    websocket_handshakes: int = 0
    websocket_frames: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FRAME_NAMES, 0))
    tls_connections: int = 0
    tls_decrypted: int = 0
    http2_streams: int = 0
    concepts: dict[str, int] | None = None
    problems: dict[str, int] = field(default_factory=dict)
    capture_drops: int = 0

    def add(self, other: Tally) -> None:
        """Count what another one counted too, of the same capture; `concepts` and drops apart."""
        for name, value in asdict(other).items():
            mine = getattr(self, name)
            if isinstance(value, dict) and isinstance(mine, dict):
                for kind, count in value.items():
                    mine[kind] = mine.get(kind, 0) + count
            elif isinstance(value, int) and name != "capture_drops":
                setattr(self, name, mine + value)

    def problem(self, kind: str) -> None:
        """Count one gap, truncation or malformed thing by its stable word."""
        self.problems[kind] = self.problems.get(kind, 0) + 1


@dataclass(slots=True)
class CaptureFile:
    """One file of the capture: its name, the number of its first frame, how many it has."""

    name: str
    first_frame: int
    frames: int


@dataclass(slots=True)
class Capture:
    """The capture as a whole; None for what only the end knows."""

    source: str
    """`live`, `file`, or `reported`: made from what the client's sockets told."""
    files: list[CaptureFile]
    interfaces: list[str]
    started_ns: int | None = None
    ended_ns: int | None = None
    complete: bool | None = None
    slow: bool = False
    """A file that comes as it is written: a pipe, or one that grows. Not told."""

    def as_dict(self) -> dict[str, Any]:
        """The object of the JSON contract."""
        return {
            "source": self.source,
            "files": [{"name": f.name, "first_frame": f.first_frame, "frames": f.frames} for f in self.files],
            "interfaces": self.interfaces,
            "started_ns": self.started_ns,
            "ended_ns": self.ended_ns,
            "complete": self.complete,
        }
