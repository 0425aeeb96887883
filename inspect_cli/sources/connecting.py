"""From a host and a port to an open socket: names, several addresses, TLS."""

from __future__ import annotations

import ipaddress
import socket
from typing import NamedTuple, cast

from inspect_cli.errors import CannotConnect, HostNotFound
from inspect_cli.sources.client import ClientOptions
from inspect_cli.sources.own_socket import OwnSocket, Teller, errno_name
from inspect_cli.sources.patience import Patience

SocketAddress = tuple[str, int] | tuple[str, int, int, int]


class Address(NamedTuple):
    """One of the addresses of a host."""

    family: int
    address: str
    where: SocketAddress


def addresses_of(host: str, port: int, options: ClientOptions, patience: Patience) -> list[Address]:
    """All addresses of a host in the order of preference (RFC 6724, by the C library).

    Raises: HostNotFound, TimedOut, Stopped.
    """
    name = options.resolve.get((host.lower(), port), host)
    try:
        found = patience.run(lambda: socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
    except (socket.gaierror, UnicodeError) as error:
        raise HostNotFound(host=host) from error
    addresses: list[Address] = []
    for family, _, _, _, where in found:
        if family in (socket.AF_INET, socket.AF_INET6):
            addresses.append(as_on_the_wire(Address(family, str(where[0]), cast("SocketAddress", where))))
    if not addresses:
        raise HostNotFound(host=host)
    return addresses


def as_on_the_wire(found: Address) -> Address:
    """The address that packets will carry, which is what the sniffer must be told.

    Linux takes the unspecified address for loopback, and an IPv4-mapped one (RFC 4291
    §2.5.5.2) goes out as IPv4.
    """
    port = found.where[1]
    ip = ipaddress.ip_address(found.address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return as_on_the_wire(Address(socket.AF_INET, str(ip.ipv4_mapped), (str(ip.ipv4_mapped), port)))
    if ip.is_unspecified:
        loopback = "127.0.0.1" if ip.version == 4 else "::1"
        return Address(found.family, loopback, (loopback, port))
    return found


def open_socket(host: str, port: int, options: ClientOptions, teller: Teller, patience: Patience) -> OwnSocket:
    """Try the addresses of a host one after another; the first that answers.

    Raises: HostNotFound, CannotConnect (with what the last address said), TimedOut, Stopped.
    """
    last: OSError | None = None
    for family, address, where in addresses_of(host, port, options, patience):
        try:
            opened = OwnSocket(family, address, port, teller, patience)
        except OSError as error:
            last = error
            continue
        try:
            opened.connect(where)
        except OSError as error:
            opened.close()
            last = error
            continue
        except BaseException:
            opened.close()
            raise
        return opened
    raise CannotConnect(host=host, port=port, reason=errno_name(last.errno if last else None)) from last
