"""Whether a source's address may be connected to at all, judged on what its name leads to; the address judged is the one to connect to.

A contract is written by many hands: it must not make the platform look into itself. Private networks are normal for a province and allowed
unless the operator says otherwise; this machine, link-local networks and a cloud's metadata are not.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from ipaddress import ip_address, ip_network

from lienthong.connectors.outward import Networks, lies_in, may_reach
from lienthong.errors import HostileInputError, SourceError

CONNECT_SECONDS = 10.0
PRIVATE: Networks = tuple(ip_network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))

METADATA: Networks = tuple(
    ip_network(each)
    for each in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32")
)  # link-local (RFC 3927, RFC 4291), and what AWS, Alibaba, Azure and Oracle keep elsewhere


def judged(host: str, port: int, networks: Networks) -> list[str]:
    """Addresses a name leads to. Raises SourceError when there is none, HostileInputError when one of them is not to be reached."""
    try:
        found = [str(ip_address(host))]
    except ValueError:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise SourceError(
                f"`{host}`: không tìm thấy máy chủ này / no such host is found.",
                hint="Is the name written right, and does this machine's name server know it?",
            ) from error
        found = list(dict.fromkeys(str(info[4][0]) for info in infos))
    if not found or not all(may_reach(address, networks) for address in found):
        raise HostileInputError(
            f"`{host}`: địa chỉ không được phép kết nối / this address is in no network sources may be in.",
            hint="If it is right, the operator allows its network in LIENTHONG_NETWORKS_OF_SOURCES.",
        )
    return found


def not_metadata(host: str, port: int) -> list[str]:
    """Addresses a database's or service's name leads to. Raises HostileInputError when one of them is link-local or a cloud's metadata.

    These sources may be on this machine and in its own networks, but nothing a province would read is where a cloud keeps its keys. A name
    nobody knows gives none: who connects says it in words.
    """
    try:
        found = [str(ip_address(host.partition("%")[0]))]
    except ValueError:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        found = list(dict.fromkeys(str(info[4][0]) for info in infos))
    if any(lies_in(address, METADATA) for address in found):
        raise HostileInputError(
            f"`{host}`: địa chỉ không được phép kết nối / this address is link-local or a cloud's own: nothing was sent.",
            hint="Write the address of the agency's server.",
        )
    return found


def leads_to(host: str, port: int) -> list[str]:
    """Like `not_metadata`. Raises SourceError when a name leads nowhere: nobody may look it up once more, and find something else."""
    found = not_metadata(host, port)
    if not found:
        raise SourceError(
            f"`{host}`: không tìm thấy máy chủ này / no such host is found.",
            hint="Is the name written right, and does this machine's name server know it?",
        )
    return found


def connected(host: str, port: int, addresses: list[str], timeout_seconds: float) -> socket.socket:
    """A connection to the first judged address that answers. Raises SourceError."""
    last: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), min(timeout_seconds, CONNECT_SECONDS))
        except OSError as error:
            last = error
    said = "hết giờ / timed out" if isinstance(last, TimeoutError) else (last.strerror or type(last).__name__) if last else ""
    raise SourceError(
        f"`{host}:{port}`: không kết nối được / cannot be reached ({said}).",
        hint="Is the service up, is the port right, does a firewall stand between?",
    ) from last


def close_quietly(closing: object) -> None:
    """Close what may be broken already."""
    with suppress(Exception):
        closing.close()  # type: ignore[attr-defined] # anything with a close
