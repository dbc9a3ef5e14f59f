"""Checks every address of a target's name, and allows connections only to checked addresses.

A name that suddenly resolves into our network, or to a cloud's metadata service, is refused.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress

from processors.errors import Refused, shorten

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class AddressRefused(Refused):
    """A name resolves to an address that its target may not have."""

    reason = "address_refused"


async def resolve(host: str, port: int) -> Sequence[Address]:
    """Every address of a name, in the order of preference. Raises OSError if there is none."""
    with suppress(ValueError):  # an address needs no look-up, which would occupy a thread for each request
        return [ipaddress.ip_address(host)]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(str(address[0]).partition("%")[0]) for *_, address in found))


def checked(host: str, addresses: Iterable[Address], networks: Sequence[Network]) -> Sequence[Address]:
    """The addresses, if all of them are allowed: a single forbidden one makes all suspicious.

    Raises AddressRefused. Link-local, multicast and unspecified addresses are always refused.
    """
    allowed = [_plain(address) for address in addresses]
    for address in allowed:
        if address.is_link_local or address.is_multicast or address.is_unspecified:
            raise AddressRefused(f"`{shorten(host)}` resolves to {address}, which no target may have")
        if not any(address in network for network in networks):
            raise AddressRefused(f"`{shorten(host)}` resolves to {address}, which is outside of its `networks`")
    return allowed


def _plain(address: Address) -> Address:
    """An IPv4 address in IPv6 notation counts as that IPv4 address."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
