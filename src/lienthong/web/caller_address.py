"""Where a caller is: the connection's own address, or what a trusted proxy says of it."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from lienthong.errors import SettingsError

HEADER = b"x-forwarded-for"


@dataclass(frozen=True)
class Addresses:
    """Networks whose word counts. Each proxy adds who it got the request from at the end; the last who is no proxy of ours is the caller."""

    trusted: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of_setting(cls, text: str) -> Addresses:
        """From networks by comma. Raises SettingsError naming the one that is none."""
        networks = []
        for name in (part.strip() for part in text.split(",")):
            if not name:
                continue
            try:
                networks.append(ip_network(name))
            except ValueError as error:
                raise SettingsError(f"LIENTHONG_TRUSTED_PROXIES: expected networks such as 10.0.0.0/8, found `{name}`.") from error
        return cls(tuple(networks))

    def of(self, scope: MutableMapping[str, Any]) -> str:
        """The caller's address, empty when nothing that counts says it."""
        client = scope.get("client")
        address = str(client[0]) if client else ""
        if not self.trusted or not self._is_trusted(address):
            return address
        said: list[str] = [
            part.strip() for name, value in scope["headers"] if name == HEADER for part in value.decode("latin-1").split(",")
        ]
        for address in reversed(said):
            if _address(address) is None:
                return ""
            if not self._is_trusted(address):
                return address
        return said[0] if said else address

    def _is_trusted(self, text: str) -> bool:
        found = _address(text)
        return found is not None and any(found in network for network in self.trusted)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return found if mapped is None else mapped
