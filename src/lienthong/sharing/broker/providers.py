"""Providers as the platform reaches them: one pool of connections each, its credentials, its circuit, its bulkhead."""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from lienthong.contracts.services import Access, Credentials, Service
from lienthong.errors import ProviderUnavailable
from lienthong.log import get_logger
from lienthong.sharing.broker.breaker import Bulkhead, Circuit
from lienthong.sharing.broker.guarding import GuardedResolver, Networks, is_allowed

PREFIX = "LIENTHONG_PROVIDER_"
LONGEST_LINE = 8_190  # of an answer's head
KEEP_SECONDS = 15.0  # shorter than most servers keep an idle connection: theirs must not close it under a call of ours
TOKEN_MARGIN_SECONDS = 30.0
MOST_FOUND = 1_000
LARGEST_TOKEN_ANSWER = 65_536
_NAME = re.compile(r"\$\{([A-Z][A-Z0-9_]*)\}")
log = get_logger("broker")


def provider_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """What the operator set for providers, without the prefix: `LIENTHONG_PROVIDER_DN_KEY`, or `…_FILE` naming a file that holds it."""
    named = {name.removeprefix(PREFIX): value for name, value in environment.items() if name.startswith(PREFIX) and value}
    for name in [name for name in named if name.endswith("_FILE")]:
        try:
            named.setdefault(name.removesuffix("_FILE"), Path(named[name]).read_text("utf-8").strip())
        except (OSError, UnicodeDecodeError):
            log.warning("provider_secret_not_read", variable=PREFIX + name)
    return named


class Provider:
    """One server of a provider. Made inside the event loop it is used in."""

    def __init__(self, service: Service, base: str, variables: Mapping[str, str], networks: Networks) -> None:
        self.base = base
        self.circuit = Circuit(service.breaker.failures, service.breaker.open_seconds)
        self.bulkhead = Bulkhead(service.limits.at_once)
        self._credentials = service.credentials
        self.proves = service.credentials.access not in (Access.NONE, Access.MTLS)  # in its headers
        self._variables = variables
        host = urlsplit(base).hostname or ""
        if _is_literal(host) and not is_allowed(host, networks):
            raise unavailable(service, "not_allowed")
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=service.limits.at_once, resolver=GuardedResolver(networks), keepalive_timeout=KEEP_SECONDS, ttl_dns_cache=10,
                ssl=self._ssl(service) if base.startswith("https:") else True,
            ),
            cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False, max_line_size=LONGEST_LINE, max_field_size=LONGEST_LINE,
            requote_redirect_url=False,
        )  # fmt: skip
        self._token, self._token_until = "", 0.0
        self._asking = asyncio.Lock()

    async def proof(self, service: Service) -> dict[str, str]:
        """The headers by which the platform proves itself. Raises ProviderUnavailable when a secret is not set or no token is given."""
        known = self._credentials
        if known.access in (Access.NONE, Access.MTLS):
            return {}
        if known.access is Access.OAUTH2:
            return {"Authorization": f"Bearer {await self._bearer(service)}"}
        secret = self._secret(service, known.secret)
        if known.access is Access.API_KEY:
            return {known.header: secret}
        if known.access is Access.BASIC:
            return {"Authorization": "Basic " + base64.b64encode(f"{known.user}:{secret}".encode()).decode()}
        return {"Authorization": f"Bearer {secret}"}

    def forget_token(self) -> None:
        """The provider no longer takes the token: the next call asks for another."""
        self._token_until = 0.0

    async def close(self) -> None:
        await self.session.close()

    async def _bearer(self, service: Service) -> str:
        """An access token by client credentials (RFC 6749 §4.4), asked for once for all who wait."""
        loop = asyncio.get_running_loop()
        async with self._asking:
            if loop.time() < self._token_until:
                return self._token
            known = self._credentials
            form = {"grant_type": "client_credentials", **({"scope": known.scope} if known.scope else {})}
            proof = aiohttp.BasicAuth(known.user, self._secret(service, known.secret))
            limit = aiohttp.ClientTimeout(total=service.time_outs.first_byte, sock_connect=service.time_outs.connect)
            url = expanded(known.token_url, self._variables, service)
            try:
                async with self.session.post(url, data=form, auth=proof, timeout=limit, allow_redirects=False) as answer:
                    found = await answer.json(content_type=None) if (answer.content_length or 0) <= LARGEST_TOKEN_ANSWER else {}
                    token, seconds = str(found["access_token"]), float(found.get("expires_in", 300))
                    if answer.status != 200 or not token.isprintable():
                        raise unavailable(service, "no_token")
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError, TypeError, AttributeError) as error:
                raise unavailable(service, "no_token") from error
            self._token, self._token_until = token, loop.time() + max(seconds - TOKEN_MARGIN_SECONDS, 1.0)
            return token

    def _secret(self, service: Service, name: str) -> str:
        found = self._variables.get(name, "")
        if not found or not found.isprintable():
            log.error("provider_secret_not_set", service=service.id, variable=PREFIX + name)
            raise unavailable(service, "no_secret")
        return found

    def _ssl(self, service: Service) -> ssl.SSLContext:
        known: Credentials = self._credentials
        try:
            context = ssl.create_default_context(cafile=self._secret(service, known.authority) if known.authority else None)
            if known.access is Access.MTLS:
                context.load_cert_chain(self._secret(service, known.certificate), self._secret(service, known.key))
        except (OSError, ssl.SSLError) as error:
            log.warning("provider_certificate_not_read", service=service.id, error=type(error).__name__)
            raise unavailable(service, "no_certificate") from error
        return context


class Providers:
    """Every provider reached so far. Services at one address with the same credentials share connections, circuit and bulkhead."""

    def __init__(self, variables: Mapping[str, str], networks: Networks) -> None:
        self._variables = variables
        self._networks = networks
        self._known: dict[tuple[Any, ...], Provider] = {}
        self._found: dict[
            int, tuple[Service, Provider, str]
        ] = {}  # what a definition led to; the definition is held, so its number stays its own

    def of(self, service: Service) -> tuple[Provider, str]:
        """(the provider, the base address). Raises ProviderUnavailable when a variable is not set or the address is not allowed."""
        found = self._found.get(id(service))
        if found is None:
            if len(self._found) >= MOST_FOUND:  # definitions of books that are over
                self._found.clear()
            found = self._found[id(service)] = (service, *self._reach(service))
        return found[1], found[2]

    def _reach(self, service: Service) -> tuple[Provider, str]:
        base = expanded(service.base_url, self._variables, service)
        key = (urlsplit(base)[:2], service.credentials, service.agency, service.breaker, service.limits.at_once)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Provider(service, base, self._variables, self._networks)
        return found, base

    def states(self, seconds: float) -> dict[str, str]:
        """Address → state of its circuit."""
        return {provider.base: provider.circuit.state(seconds) for provider in self._known.values()}

    async def close(self) -> None:
        known, self._known, self._found = self._known, {}, {}
        await asyncio.gather(*(provider.close() for provider in known.values()))


def expanded(text: str, variables: Mapping[str, str], service: Service) -> str:
    """An address with each `${NAME}` filled from what the operator set. Raises ProviderUnavailable."""

    def fill(match: re.Match[str]) -> str:
        if match[1] not in variables:
            log.error("provider_variable_not_set", service=service.id, variable=PREFIX + match[1])
            raise unavailable(service, "no_address")
        return variables[match[1]]

    return _NAME.sub(fill, text).rstrip("/")


def address(base: str, path: str, query: str) -> URL:
    """Where a call is sent: exactly these characters, nothing put in order on the way."""
    return URL(f"{base}{path}{'?' + query if query else ''}", encoded=True)


def unavailable(service: Service, rule: str, retry_after: int | None = None) -> ProviderUnavailable:
    """The provider cannot be asked: `rule` says why, in a word for the operator."""
    later = {} if retry_after is None else {"retry_after": retry_after}
    vi, en = WHY.get(rule, WHY["no_answer"])
    return ProviderUnavailable(
        f"{service.id}: {en}.", vi=f"{service.id}: {vi}.", hint_vi="Hãy thử lại sau.", rule=rule, hint="Try again later.", **later
    )


WHY: dict[str, tuple[str, str]] = {
    "no_answer": ("hệ thống cung cấp không trả lời", "the provider does not answer"),
    "too_slow": ("hệ thống cung cấp trả lời quá chậm", "the provider answers too slowly"),
    "circuit_open": ("hệ thống cung cấp vừa lỗi nhiều lần liền, đang tạm ngưng gọi", "the provider failed several times in a row and is left alone"),
    "too_many": ("hệ thống cung cấp đang bận", "the provider has as many calls as it takes"),
    "not_allowed": ("địa chỉ của hệ thống cung cấp không thuộc mạng được phép", "the provider's address is not in a network the operator allows"),
    "no_address": ("chưa đặt địa chỉ của hệ thống cung cấp", "the provider's address is not set"),
    "no_secret": ("chưa đặt khóa để gọi hệ thống cung cấp", "the key to the provider is not set"),
    "no_token": ("hệ thống cung cấp không cấp mã truy cập", "the provider gives no access token"),
    "no_certificate": ("không đọc được chứng thư để gọi hệ thống cung cấp", "the certificate for the provider cannot be read"),
}  # fmt: skip


def _is_literal(host: str) -> bool:
    return ":" in host or re.fullmatch(r"[\d.]+", host) is not None
