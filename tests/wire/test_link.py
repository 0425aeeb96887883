from __future__ import annotations

import numpy as np
import pytest

from inspect_cli.wire.link import LINKS, OTHER_LINK_NAMES, link_type_name
from inspect_cli.wire.peeling import Cursor, Unread


@pytest.mark.parametrize(
    ("number", "name"), [(1, "1 (Ethernet)"), (276, "276 (Linux cooked v2)"), (239, "239 (NFLOG)"), (9999, "9999")]
)
def test_a_link_type_has_a_number_and_a_name(number: int, name: str) -> None:
    assert link_type_name(number) == name


def test_what_is_read_is_not_among_the_others() -> None:
    assert LINKS.keys() & OTHER_LINK_NAMES.keys() == set()


@pytest.mark.parametrize("tags", range(10))
def test_up_to_eight_tags_are_peeled(tags: int) -> None:
    frame = bytes(12) + b"\x88\xa8\0\1" * tags + b"\x08\0"
    column = np.array([0], np.int64)
    end = np.array([len(frame)], np.int64)
    found = LINKS[1].peel(frame, Cursor(column, column, end, end, column), Unread(1))
    peeled = min(tags, 8)
    assert (found.at.tolist(), found.kind.tolist()) == ([14 + 4 * peeled], [0x0800 if tags <= 8 else 0x88A8])


@pytest.mark.parametrize("link_type", LINKS)
def test_no_rows_are_no_rows_behind_the_link_header(link_type: int) -> None:
    none = np.zeros(0, np.int64)
    assert len(LINKS[link_type].peel(b"", Cursor(none, none, none, none, none), Unread(0)).row) == 0
