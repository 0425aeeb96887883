"""Inputs that a target once failed for, each with what was wrong."""

from __future__ import annotations

from typing import Final

CRASHERS: Final[tuple[tuple[str, bytes, str], ...]] = (
    (
        "packed",
        bytes.fromhex(
            "001f8b0800000000000203bb7278d3422606160618f8ff9f8181910182998098158ad3328b8a4b98810c9052362f28"
            "2e4e446f6d61696e3df6650743000000"
        ),
        "a broken gzip file gave as much before the damage as the batch had room for",
    ),
    (
        "packed",
        bytes.fromhex(
            "1b502a4d180300000061626328b52ffd20438d01002402d4c3b2a102000400ffff0000010002000000056669727374"
            "030000067365636f6e640500bb144e350e9cdee142002e"
        ),
        "the target took what begins with a skippable frame for something that is not packed",
    ),
)
