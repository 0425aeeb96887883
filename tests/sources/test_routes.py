from __future__ import annotations

import socket
import sys

import pytest

from inspect_cli.sources.routes import interface_for

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="rtnetlink is Linux only")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_addresses_leave_by_lo(address: str) -> None:
    assert interface_for(address) == "lo"


def test_an_address_of_this_machine_leaves_by_lo() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        try:
            asker.connect(("192.0.2.99", 9))  # nothing is sent: only a route is chosen
        except OSError:
            pytest.skip("no route but loopback on this machine")
        own = asker.getsockname()[0]
    assert interface_for(own) == "lo"
    assert interface_for("192.0.2.99") in [name for _, name in socket.if_nameindex()]


def test_a_scope_names_the_interface_itself() -> None:
    assert interface_for("fe80::1%lo") == "lo"


def test_no_route_gives_no_interface() -> None:
    assert interface_for("0.0.0.1") in ("", *(name for _, name in socket.if_nameindex()))
