"""What concepts remember, and how much of it at most."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import Final, Generic, TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")

MOST: Final = 16_384
"""Things of one kind that a concept remembers; the one met first is forgotten first."""


_LONGEST: Final = 128
"""Octets of a thing that is remembered as it is."""


_put: Callable[..., None] = OrderedDict.__setitem__


class Recent(OrderedDict[_K, _V], Generic[_K, _V]):
    """A dict that keeps its newest `most` keys."""

    # Of a plain dict the first key is found ever more slowly when many before it have gone.

    def __init__(self, most: int = MOST) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: _K, value: _V) -> None:
        if len(self) >= self.most and key not in self:
            self.popitem(last=False)
        _put(self, key, value)

    def first_time(self, key: _K, value: _V) -> bool:
        """Was `key` new? Then it is remembered now."""
        if key in self:
            return False
        if len(self) >= self.most:
            self.popitem(last=False)
        _put(self, key, value)
        return True


def connection_of(channel: str) -> str:
    """`tcp/3` of `tcp/3`, `tcp/3/tls`, `tcp/3/tls/h2/5`."""
    if channel.count("/") < 2:
        return channel
    return channel[: channel.find("/", channel.find("/") + 1)]


def may_be_interim(head: bytes) -> bool:
    """False where a response is not 1xx for sure (RFC 9110 §15.2): asked of every head, so not split for that."""
    return head[:9] not in (b"HTTP/1.1 ", b"HTTP/1.0 ") or not b"2" <= head[9:10] <= b"9"


def brief(octets: bytes) -> bytes:
    """The octets, or a digest of many: enough to know them again, and thousands of them are remembered."""
    return octets if len(octets) <= _LONGEST else blake2b(octets, digest_size=32).digest()


def brief_text(text: str) -> str:
    """The same of text."""
    return text if len(text) <= _LONGEST else brief(text.encode("utf-8", "surrogatepass")).hex()


@lru_cache(maxsize=256)
def names_of(attributes: tuple[tuple[bytes, bytes], ...]) -> frozenset[bytes]:
    """What tells the attributes of cookies apart by their names, in lower case; servers repeat them."""
    names = frozenset([name.lower() for name, _ in attributes])
    if sum(map(len, names)) <= _LONGEST:
        return names
    return frozenset((brief(b";".join(sorted(names))),))
