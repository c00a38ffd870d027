"""Where the platform may connect to for a provider: only networks the operator allows, judged on the address that is really connected to."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from lienthong.errors import SettingsError

Networks = tuple[IPv4Network | IPv6Network, ...]


def read_networks(text: str) -> Networks:
    """Networks from a list with commas. Raises SettingsError naming what is none."""
    found = []
    for part in text.replace(" ", "").split(","):
        if part:
            try:
                found.append(ip_network(part, strict=False))
            except ValueError as error:
                raise SettingsError(f"LIENTHONG_PROVIDER_NETWORKS: expected networks such as 10.0.0.0/8, found `{part[:60]}`.") from error
    return tuple(found)


def is_allowed(address: str, networks: Networks) -> bool:
    """Whether an address is in one of the networks. What names an IPv4 address inside an IPv6 one is judged as that."""
    try:
        found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None) or found
    return any(found in network for network in networks)


class GuardedResolver(AbstractResolver):
    """Resolves names as the system does, and gives only addresses that are allowed: a name that changes its mind gains nothing."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._inner = ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        allowed = list(_allowed(found, self._networks))
        if not allowed:
            raise OSError(None, "no address of it is in a network the operator allows")
        return allowed

    async def close(self) -> None:
        await self._inner.close()


def _allowed(found: Iterable[ResolveResult], networks: Networks) -> Iterable[ResolveResult]:
    return (each for each in found if is_allowed(each["host"], networks))
