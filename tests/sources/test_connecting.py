from __future__ import annotations

import socket

import pytest

from inspect_cli.errors import CannotConnect, HostNotFound, TimedOut
from inspect_cli.sources.client import ClientOptions, Journal
from inspect_cli.sources.connecting import Address, addresses_of, as_on_the_wire, open_socket
from inspect_cli.sources.own_socket import Teller
from inspect_cli.sources.patience import Patience
from tests.sources.notebook import Notebook


@pytest.mark.parametrize(
    ("family", "given", "expected"),
    [
        (socket.AF_INET, "192.0.2.7", (socket.AF_INET, "192.0.2.7", ("192.0.2.7", 80))),
        (socket.AF_INET, "0.0.0.0", (socket.AF_INET, "127.0.0.1", ("127.0.0.1", 80))),
        (socket.AF_INET6, "::", (socket.AF_INET6, "::1", ("::1", 80))),
        (socket.AF_INET6, "::ffff:192.0.2.7", (socket.AF_INET, "192.0.2.7", ("192.0.2.7", 80))),
        (socket.AF_INET6, "::ffff:0.0.0.0", (socket.AF_INET, "127.0.0.1", ("127.0.0.1", 80))),
    ],
)
def test_the_address_announced_is_the_one_that_packets_carry(
    family: int, given: str, expected: tuple[int, str, tuple[str, int]]
) -> None:
    assert as_on_the_wire(Address(family, given, (given, 80))) == Address(*expected)


def patient() -> Patience:
    patience = Patience(5)
    patience.start()
    return patience


def test_an_address_needs_no_resolver() -> None:
    patience = patient()
    found = addresses_of("::1", 8080, ClientOptions(), patience)
    assert [(each.family, each.address) for each in found] == [(socket.AF_INET6, "::1")]
    patience.close()


def test_a_lookup_that_takes_too_long_is_timed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    release = socket.socketpair()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release[0].recv(1))
    patience = Patience(0.02)
    patience.start()
    with release[0], release[1]:
        with pytest.raises(TimedOut):
            addresses_of("slow.test", 80, ClientOptions(), patience)
        release[1].send(b"x")
    patience.close()


def test_a_name_without_addresses_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])
    patience = patient()
    with pytest.raises(HostNotFound):
        addresses_of("none.test", 80, ClientOptions(), patience)
    patience.close()


class _Refusing(Notebook):
    def announce(self, address: str, port: int) -> bool:
        raise OSError(24, "Too many open files")


def test_a_socket_that_cannot_be_had_is_told_by_its_errno() -> None:
    patience = patient()
    journal: Journal = _Refusing()
    with pytest.raises(CannotConnect) as raised:
        open_socket("127.0.0.1", 9, ClientOptions(), Teller(journal, reported=False), patience)
    assert raised.value.data["reason"] == "EMFILE"
    patience.close()
