"""How many different hashes there were, in eight bytes each."""

from __future__ import annotations

import numpy as np

from inspect_cli.wire.frames import UInt64


class Distinct:
    """Counts what it has not met before."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: UInt64 = np.empty(0, np.uint64)
        """Sorted."""

    def __len__(self) -> int:
        return len(self._known)

    def add(self, hashes: UInt64) -> None:
        known, met = self._known, np.unique(hashes)
        places = np.searchsorted(known, met)
        is_new = np.ones(len(met), bool)
        there = places < len(known)
        is_new[there] = known[places[there]] != met[there]
        if is_new.any():
            self._known = np.insert(known, places[is_new], met[is_new])
