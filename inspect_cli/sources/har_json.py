"""The JSON of a HAR, read as it comes: what is looked at is kept, everything else passed over.

Bodies are most of a HAR; none stays in memory. What has another type than the format says is
as if it were not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Protocol

import ijson  # a HAR is the only JSON that is read in pieces

from inspect_cli.wire.unpacking import Unpacked

PIECE_BYTES: Final = 64 << 10
MOST_IN_LIST: Final = 10_000
"""Field lines or cookies of one message; more are passed over."""

BadJson: Final = (ijson.JSONError, ValueError, OverflowError)
"""What reading may raise: it is no JSON, or none that a machine can hold (numbers of 5,000 digits)."""

SCALAR: Final = "scalar"
COUNT: Final = "count"
Shape = Any
"""A dict by key, a list with the shape of its elements, SCALAR, COUNT (how many elements), or an Each."""


class Each:
    """A list whose elements are handed on one by one."""

    def __init__(self, name: str, shape: Shape) -> None:
        self.name = name
        self.shape = shape


_PAIRS: Final = [{"name": SCALAR, "value": SCALAR}]
ENTRY: Final = {
    "startedDateTime": SCALAR,
    "time": SCALAR,
    "pageref": SCALAR,
    "_resourceType": SCALAR,
    "_fromCache": SCALAR,
    "_fetchedViaServiceWorker": SCALAR,
    "_initiator": {"type": SCALAR, "url": SCALAR},
    "_webSocketMessages": COUNT,
    "timings": dict.fromkeys(("blocked", "dns", "connect", "send", "wait"), SCALAR),
    "request": {
        "method": SCALAR,
        "url": SCALAR,
        "httpVersion": SCALAR,
        "headers": _PAIRS,
        "cookies": _PAIRS,
        "bodySize": SCALAR,
        "postData": {"text": SCALAR},
    },
    "response": {
        "status": SCALAR,
        "statusText": SCALAR,
        "httpVersion": SCALAR,
        "headers": _PAIRS,
        "cookies": [
            dict.fromkeys(("name", "value", "path", "domain", "expires", "secure", "httpOnly", "sameSite"), SCALAR)
        ],
        "bodySize": SCALAR,
        "content": {"size": SCALAR},
        "_error": SCALAR,
    },
}
PAGE: Final = {"id": SCALAR, "title": SCALAR}
ROOT: Final = {"log": {"pages": Each("page", PAGE), "entries": Each("entry", ENTRY)}}


_STARTS: Final = ("start_map", "start_array")
_ENDS: Final = ("end_map", "end_array")


class _Text(Protocol):
    def read(self, size: int = -1) -> bytes: ...


class Text:
    """What was read of a file already, and the rest of it, as a stream to read from."""

    def __init__(self, begun: bytes, rest: Unpacked) -> None:
        self._begun = begun.removeprefix(b"\xef\xbb\xbf")
        self._rest = rest
        self._room = bytearray(PIECE_BYTES)

    @property
    def problem(self) -> str:
        """Why the input broke off by itself; "" where it did not."""
        return self._rest.problem

    def read(self, size: int = -1) -> bytes:
        if not size:  # asked to see whether it is bytes or text
            return b""
        if self._begun:
            piece, self._begun = self._begun, b""
            return piece
        with memoryview(self._room) as view:
            got = self._rest.read_into(view)
            return bytes(view[:got])


class _Open:
    """A list or object that is not closed yet."""

    __slots__ = ("key", "shape", "value")

    def __init__(self, value: Any, shape: Shape) -> None:
        self.value = value
        self.shape = shape
        self.key = ""

    def shape_inside(self) -> Shape:
        """Of what comes next inside it."""
        shape = self.shape
        if isinstance(shape, dict):
            return shape.get(self.key)
        return shape.shape if isinstance(shape, Each) else shape[0] if isinstance(shape, list) else None

    def put(self, value: Any) -> None:
        if isinstance(self.value, dict):
            self.value[self.key] = value
        elif isinstance(self.value, list) and len(self.value) < MOST_IN_LIST:
            self.value.append(value)


def read_log(text: _Text) -> Iterator[tuple[str, dict[str, Any]]]:
    """Pages and entries of a HAR, as ("page", {...}) and ("entry", {...}), in the order of the file.

    What is no object among them is given as an empty one.
    Raises: one of BadJson, after what came before was given.
    """
    reading = _Reading()
    for event, value in ijson.basic_parse(text, buf_size=PIECE_BYTES, use_float=True):
        found = reading.take(event, value)
        if found is not None:
            yield found
        if reading.is_over:
            return


class _Reading:
    """What is open, and how deep we are inside something that is passed over."""

    def __init__(self) -> None:
        self.is_over = False
        self._open: list[_Open] = []
        self._passed = 0

    def take(self, event: str, value: Any) -> tuple[str, dict[str, Any]] | None:
        """One more event of the parser; what it completes."""
        if event == "map_key":
            if not self._passed:
                self._open[-1].key = value
        elif event in _ENDS:
            return self._close()
        elif self._passed:
            self._passed += event in _STARTS
        else:
            return self._begin(event, value)
        return None

    def _close(self) -> tuple[str, dict[str, Any]] | None:
        if self._passed:
            self._passed -= 1
            self.is_over = not self._open and not self._passed
            return None
        closed = self._open.pop()
        if not self._open:
            self.is_over = True
            return None
        outer = self._open[-1]
        if isinstance(outer.shape, Each):
            return outer.shape.name, closed.value
        if closed.shape is COUNT:
            outer.put(closed.value)
        return None

    def _begin(self, event: str, value: Any) -> tuple[str, dict[str, Any]] | None:
        inside = self._open[-1] if self._open else None
        shape = inside.shape_inside() if inside is not None else ROOT
        opened = _opened(event, shape)
        if opened is not None:
            if inside is not None and opened.shape is not COUNT and not isinstance(inside.shape, Each):
                inside.put(opened.value)
            self._open.append(opened)
            return None
        self._passed = int(event in _STARTS)
        if inside is None:
            self.is_over = not self._passed
        elif inside.shape is COUNT:
            inside.value += 1
        elif isinstance(inside.shape, Each):
            return inside.shape.name, {}
        elif shape is SCALAR and not self._passed:
            inside.put(value)
        return None


def _opened(event: str, shape: Shape) -> _Open | None:
    """What begins here, if it is what is looked for."""
    if event == "start_map" and isinstance(shape, dict):
        return _Open({}, shape)
    if event == "start_array":
        if shape is COUNT:
            return _Open(0, COUNT)
        if isinstance(shape, list | Each):
            return _Open([], shape)
    return None
