from __future__ import annotations

import pytest

from inspect_cli.wire import headers
from inspect_cli.wire.headers import Header


@pytest.mark.parametrize(
    ("header", "size"),
    [
        (headers.ETHERNET, 14),
        (headers.VLAN_TAG, 4),
        (headers.LINUX_COOKED, 16),
        (headers.LINUX_COOKED_2, 20),
        (headers.ADDRESS_FAMILY, 4),
        (headers.IP_VERSION, 1),
        (headers.IPV4, 20),
        (headers.IPV6, 40),
        (headers.IPV6_EXTENSION, 8),
        (headers.TCP, 20),
        (headers.UDP, 8),
    ],
)
def test_a_header_is_as_long_as_its_standard_says(header: Header, size: int) -> None:
    assert header.itemsize == size
