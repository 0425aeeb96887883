"""What concepts remember, and how much of it at most."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")

MOST: Final = 16_384
"""Things of one kind that a concept remembers; the one met first is forgotten first."""


class Recent(dict[_K, _V], Generic[_K, _V]):
    """A dict that keeps its newest `most` keys."""

    __slots__ = ("most",)

    def __init__(self, most: int = MOST) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: _K, value: _V) -> None:
        if len(self) >= self.most and key not in self:
            del self[next(iter(self))]
        super().__setitem__(key, value)

    def first_time(self, key: _K, value: _V) -> bool:
        """Was `key` new? Then it is remembered now."""
        if key in self:
            return False
        self[key] = value
        return True


def connection_of(channel: str) -> str:
    """`tcp/3` of `tcp/3`, `tcp/3/tls`, `tcp/3/tls/h2/5`."""
    first = channel.find("/")
    second = channel.find("/", first + 1)
    return channel if second < 0 else channel[:second]
