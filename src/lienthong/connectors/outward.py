"""Sends to addresses that others name: every address is judged before it is connected to, and the one judged is the one connected to.

Nothing that is not on the public internet is reached unless the operator allows its network: not this machine, not the network it stands in,
not a cloud's metadata. A name that changes its mind between two look-ups gains nothing. No redirect is followed; answers are read to a bound.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import httpcore

from lienthong.clock import Clock
from lienthong.errors import SettingsError, Unprocessable

Networks = tuple[IPv4Network | IPv6Network, ...]
KEPT_SECONDS = 30.0
MOST_KEPT = 1_000  # servers to which connections are kept
MOST_READ = 65_536  # bytes of an answer
LONGEST_URL = 2_000
NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address inside
ANSWER_TIMED_OUT, REFUSED_ADDRESS, NOT_REACHED = "timed_out", "address_refused", "not_reached"
_TROUBLES = (httpcore.NetworkError, httpcore.ProtocolError, httpcore.UnsupportedProtocol, ssl.SSLError, OSError)


class AddressRefused(httpcore.ConnectError):
    """The name leads to an address nothing is sent to."""


def read_networks(text: str, setting: str = "LIENTHONG_WEBHOOK_NETWORKS") -> Networks:
    """Networks from a list with commas. Raises SettingsError naming what is none."""
    found = []
    for part in filter(None, text.replace(" ", "").split(",")):
        try:
            found.append(ip_network(part, strict=False))
        except ValueError as error:
            raise SettingsError(f"{setting}: expected networks such as 10.20.0.0/16, found `{part[:60]}`.") from error
    return tuple(found)


def may_reach(address: str, networks: Networks) -> bool:
    """Whether an address is public, or in a network that is allowed. What holds an IPv4 address inside an IPv6 one is judged as that."""
    found = _judgeable(address)
    if found is None:
        return False
    return lies_in(address, networks) or (found.is_global and not found.is_multicast)


def lies_in(address: str, networks: Networks) -> bool:
    """Whether an address is in one of the networks; an IPv4 address inside an IPv6 one is judged as itself."""
    found = _judgeable(address)
    return found is not None and any(found in network for network in networks if network.version == found.version)


def _judgeable(address: str) -> IPv4Address | IPv6Address | None:
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return _inner(found) if isinstance(found, IPv6Address) else found


def _inner(address: IPv6Address) -> IPv4Address | IPv6Address:
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None) or address


def check_url(url: str, networks: Networks) -> None:
    """Judge an address as it is registered. Raises Unprocessable; names are resolved again, and judged again, at every connection.

    Plain http is taken only where the host is an address in an allowed network.
    """
    fault = _fault(url, networks)
    if fault:
        raise Unprocessable(f"`url`: {fault[1]}.", vi=f"`url`: {fault[0]}.", rule="address_refused")


def _fault(url: str, networks: Networks) -> tuple[str, str] | None:
    if len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return "cần một địa chỉ https viết bằng ASCII", f"expected an https address in ASCII of at most {LONGEST_URL} characters"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "không đọc được địa chỉ", "it cannot be read as an address"
    if parts.scheme not in ("https", "http") or not parts.hostname or port == 0:
        return "cần một địa chỉ https", "expected an https address"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "địa chỉ không được có tên, mật khẩu hay phần sau #", "no name, password or fragment may stand in it"
    try:
        found = [info[4][0] for info in socket.getaddrinfo(parts.hostname, port or 443, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        return "không tìm thấy máy chủ này", "no such host is found"
    refused = ("máy chủ này không ở trên mạng công cộng hay mạng được phép", "this host is neither public nor in an allowed network")
    if not found or not all(may_reach(str(address), networks) for address in found):
        return refused
    if parts.scheme == "http" and not all(any(ip_address(str(address)) in network for network in networks) for address in found):
        return "http chỉ dùng trong mạng được phép; hãy dùng https", "plain http is for allowed networks only; use https"
    return None


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to an address that was judged, never to a name."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None,  # noqa: ASYNC109 # as httpcore asks it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:  # fmt: skip
        last: Exception = httpcore.ConnectError("no such host")
        for address in await self._judged(host, port):
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as error:
                last = error
        raise last

    async def _judged(self, host: str, port: int) -> list[str]:
        try:
            return [str(ip_address(host))] if may_reach(host, self._networks) else _refuse()
        except ValueError:
            pass  # a name
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("no such host") from error
        addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
        if not addresses or not all(may_reach(address, self._networks) for address in addresses):
            _refuse()  # one address that is not allowed spoils the name: it could be chosen next time
        return addresses

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def _refuse() -> list[str]:
    raise AddressRefused


@dataclass(frozen=True)
class Sent:
    """What became of one request. `status` None: no answer came, and `reason` says why; `retry_after` in seconds, as the answer asks."""

    status: int | None
    reason: str
    milliseconds: int
    retry_after: float | None = None


class Poster:
    """Posts bodies, many at once, over connections that are kept.

    One list of idle connections a server, and no bound on those in use: who asks bounds them. httpcore's own pool walks all connections at
    every request: 200 at once took seconds (measured).
    """

    def __init__(self, networks: Networks, timeout_seconds: float, clock: Clock) -> None:
        self._timeout = timeout_seconds
        self._clock = clock
        self._backend = GuardedBackend(networks)
        self._ssl = ssl.create_default_context()
        self._idle: OrderedDict[bytes, list[httpcore.AsyncHTTPConnection]] = OrderedDict()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Sent:
        """Post, and read a bounded part of the answer. Never raises for what the other side does."""
        began = time.monotonic()

        def sent(status: int | None, reason: str, retry_after: float | None = None) -> Sent:
            return Sent(status, reason, int((time.monotonic() - began) * 1000), retry_after)

        named = [(name.encode(), value.encode()) for name, value in headers.items()]
        request = httpcore.Request("POST", url, headers=[*named, (b"Host", _host(url))], content=body, extensions=self._limits())
        try:
            async with asyncio.timeout(self._timeout):  # of the whole; one byte a second keeps nobody waiting
                return sent(*await self._answer(request))
        except AddressRefused:
            return sent(None, REFUSED_ADDRESS)
        except (TimeoutError, httpcore.TimeoutException):
            return sent(None, ANSWER_TIMED_OUT)
        except _TROUBLES:
            return sent(None, NOT_REACHED)

    async def close(self) -> None:
        for idle in self._idle.values():
            for connection in idle:
                await connection.aclose()
        self._idle.clear()

    async def _answer(self, request: httpcore.Request) -> tuple[int, str, float | None]:
        """(status, no reason, what it asks to wait). A kept connection that the other side has closed meanwhile is tried anew, once."""
        connection = await self._kept(request.url.origin)
        if connection is not None:
            try:
                return await self._over(connection, request)
            except (httpcore.NetworkError, httpcore.RemoteProtocolError):
                pass  # what was sent twice has one id
        return await self._over(self._new(request.url.origin), request)

    async def _over(self, connection: httpcore.AsyncHTTPConnection, request: httpcore.Request) -> tuple[int, str, float | None]:
        try:
            response = await connection.handle_async_request(request)
            read = 0
            async for part in response.aiter_stream():
                read += len(part)
                if read > MOST_READ:
                    break
            await response.aclose()
            return response.status, "", self._retry_after(response)
        finally:
            if connection.is_idle():
                self._keep(request.url.origin, connection)
            else:
                await connection.aclose()

    def _new(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=self._ssl, keepalive_expiry=KEPT_SECONDS, http1=True, http2=False, network_backend=self._backend
        )

    async def _kept(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection | None:
        idle = self._idle.get(str(origin).encode(), [])
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            await connection.aclose()
        return None

    def _keep(self, origin: httpcore.Origin, connection: httpcore.AsyncHTTPConnection) -> None:
        name = str(origin).encode()
        self._idle.setdefault(name, []).append(connection)
        self._idle.move_to_end(name)
        while len(self._idle) > MOST_KEPT:
            for old in self._idle.popitem(last=False)[1]:
                asyncio.get_running_loop().create_task(old.aclose())  # nobody waits for a farewell

    def _limits(self) -> dict[str, Any]:
        return {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._timeout)}

    def _retry_after(self, response: httpcore.Response) -> float | None:
        found = next((value for name, value in response.headers if name.lower() == b"retry-after"), None)
        if found is None:
            return None
        text = found.decode("latin-1").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            return max((parsedate_to_datetime(text) - self._clock()).total_seconds(), 0.0)
        except (ValueError, TypeError):
            return None


def _host(url: str) -> bytes:
    return urlsplit(url).netloc.encode()
