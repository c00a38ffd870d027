"""Whether a request comes from the province's own security server, whose word on who asks is taken. Without settings: never.

Every condition that is set must hold. An address alone is trusted only when nothing says the request was handed on by a proxy:
behind a proxy on the same machine every request has the proxy's address.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass

from lienthong.errors import SettingsError
from lienthong.settings import Settings

SECRET = b"lienthong-security-server"
CERTIFICATE = b"client-cert"  # RFC 9440: the proxy that ends TLS tells the client's certificate, base64 between colons
HANDED_ON = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")
SHORTEST_SECRET = 24
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Trust:
    """The conditions. `networks` empty: nobody is trusted."""

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    secret: bytes = b""
    certificates: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> Trust:
        """Raises SettingsError for conditions that make no sense or would trust anybody."""
        try:
            networks = tuple(ipaddress.ip_network(text.strip()) for text in settings.xroad_networks.split(",") if text.strip())
        except ValueError as error:
            raise SettingsError(f"LIENTHONG_XROAD_NETWORKS: {error}.", hint="For example 127.0.0.1/32,10.1.2.3/32.") from error
        certificates = frozenset(text.strip().lower().replace(":", "") for text in settings.xroad_certificates.split(",") if text.strip())
        for text in certificates:
            if not _FINGERPRINT.fullmatch(text):
                raise SettingsError(f"LIENTHONG_XROAD_CERTIFICATES: expected 64 hexadecimal digits, found `{text[:70]}`.")
        if 0 < len(settings.xroad_secret) < SHORTEST_SECRET:
            raise SettingsError(f"LIENTHONG_XROAD_SECRET: expected at least {SHORTEST_SECRET} characters.")
        if (certificates or settings.xroad_secret) and not networks:
            raise SettingsError(
                "LIENTHONG_XROAD_NETWORKS is empty: a secret or a certificate in a header counts only from a known address.",
                hint="Name the address of the security server, or of the proxy before this server.",
            )
        return cls(networks, settings.xroad_secret.encode(), certificates)

    def holds(self, peer: str, headers: Mapping[bytes, bytes]) -> bool:
        """Whether a request from this address with these headers (lower-case names) is the security server's."""
        if not self.networks or not self._is_near(peer):
            return False
        if not self.secret and not self.certificates:
            return not any(name in headers for name in HANDED_ON)
        if self.secret and not hmac.compare_digest(self.secret, headers.get(SECRET, b"")):
            return False
        return not self.certificates or _fingerprint(headers.get(CERTIFICATE, b"")) in self.certificates

    def _is_near(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)


def _fingerprint(value: bytes) -> str:
    """Hex SHA-256 of the certificate in a `Client-Cert` header; empty when there is none."""
    text = value.strip()
    if len(text) < 3 or not text.startswith(b":") or not text.endswith(b":"):
        return ""
    try:
        return hashlib.sha256(b64decode(text[1:-1], validate=True)).hexdigest()
    except ValueError:
        return ""
