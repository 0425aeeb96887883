"""What waits for the answer to a request."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Generic, TypeVar

from inspect_cli.derive.heads import connection_of

_V = TypeVar("_V")
MOST_BYTES: Final = 16 << 20


class Waiting(Generic[_V]):
    """Things by the channel and index of a request: given back with its answer, or with its connection.

    At most `most` of them, and MOST_BYTES as far as they are told: the one put first goes first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._things: OrderedDict[tuple[str, int], _V] = OrderedDict()
        self._sizes: dict[tuple[str, int], int] = {}
        self._of: dict[str, dict[tuple[str, int], None]] = {}
        """Keys by connection."""
        self._size_bytes = 0

    def __len__(self) -> int:
        return len(self._things)

    def put(self, channel: str, index: int, thing: _V, size_bytes: int = 0) -> None:
        """Keep a thing; in the place of the one that is there."""
        key = (channel, index)
        if key in self._things:
            self.pop(channel, index)
        self._things[key] = thing
        connection = connection_of(channel)
        keys = self._of.get(connection)
        if keys is None:
            self._of[connection] = {key: None}
        else:
            keys[key] = None
        if len(self._things) > self._most:
            self._forget_first()
        if size_bytes:
            self.grow(channel, index, size_bytes)

    def grow(self, channel: str, index: int, size_bytes: int) -> None:
        """The thing holds so many bytes more."""
        key = (channel, index)
        if key not in self._things:
            return
        self._sizes[key] = self._sizes.get(key, 0) + size_bytes
        self._size_bytes += size_bytes
        while self._size_bytes > MOST_BYTES:
            self._forget_first()

    def get(self, channel: str, index: int) -> _V | None:
        return self._things.get((channel, index))

    def pop(self, channel: str, index: int) -> _V | None:
        """Give it back."""
        key = (channel, index)
        thing = self._things.pop(key, None)
        if thing is None:
            return None
        if self._sizes:
            self._size_bytes -= self._sizes.pop(key, 0)
        connection = connection_of(channel)
        keys = self._of[connection]
        del keys[key]
        if not keys:
            del self._of[connection]
        return thing

    def over(self, connection: str) -> None:
        """Nothing is answered there any more."""
        for channel, index in list(self._of.get(connection, ())):
            self.pop(channel, index)

    def _forget_first(self) -> None:
        channel, index = next(iter(self._things))
        self.pop(channel, index)
