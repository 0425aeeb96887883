from __future__ import annotations

import numpy as np
import pytest

from inspect_cli.wire.link import LINKS
from inspect_cli.wire.more_links import MORE_LINKS
from inspect_cli.wire.names import LINK_NAMES, kind_name, link_type_name
from inspect_cli.wire.peeling import Cursor, Unread
from inspect_cli.wire.tunnels import LAYERS_INSIDE, UDP_TUNNELS


@pytest.mark.parametrize(
    ("number", "name"), [(1, "1 (Ethernet)"), (276, "276 (Linux cooked v2)"), (239, "239 (NFLOG)"), (9999, "9999")]
)
def test_a_link_type_has_a_number_and_a_name(number: int, name: str) -> None:
    assert link_type_name(number) == name


def test_every_link_type_that_is_read_has_a_name() -> None:
    assert (LINKS | MORE_LINKS).keys() - LINK_NAMES.keys() == set()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (0x0806, "ARP"),
        (0x1234, "ethertype 0x1234"),
        (0x10001, "ICMP"),
        (0x100FD, "IP protocol 253"),
        (0x2C021, "PPP LCP"),
        (0x21234, "PPP protocol 0x1234"),
        (0x300BD, "link type 189 (USB Linux)"),
        (0x40000, "IEEE 802.2 LLC"),
        (0x40001, "IEEE 802.11"),
        (0x50001, "Linux cooked, no ethertype"),
        (0x60007, "address family 7"),
        (0x60000 + 0xFFFFFFFF, "address family 4294967295"),
    ],
)
def test_whatever_stands_at_a_layer_has_a_name(kind: int, name: str) -> None:
    assert kind_name(kind) == name


@pytest.mark.parametrize(
    "peel", [*LINKS.values(), *MORE_LINKS.values(), *LAYERS_INSIDE.values(), *UDP_TUNNELS.values()]
)
def test_no_rows_are_no_rows_behind_the_header(peel: object) -> None:
    assert callable(peel)
    none = np.zeros(0, np.int64)
    assert len(peel(b"", Cursor(none, none, none, none, none), Unread(0)).row) == 0
