"""Asks the provider: connects where it may, tries again only where that is safe, and stops asking one that fails."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import aiohttp
from multidict import CIMultiDict

from lienthong.contracts.services import Service
from lienthong.errors import ProviderError, RequestError
from lienthong.sharing.broker.incoming import Incoming
from lienthong.sharing.broker.messages import returned
from lienthong.sharing.broker.providers import Provider, address, unavailable

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FAILING = frozenset({502, 503, 504})  # what a server in front of a failed one says
FIRST_PAUSE_SECONDS = 0.05

WRONG: dict[str, tuple[str, str]] = {
    "malformed": ("câu trả lời không phải HTTP hợp lệ", "its answer is not well-formed HTTP"),
    "cut_off": ("câu trả lời bị cắt giữa chừng", "its answer was cut off"),
    "too_large": ("câu trả lời lớn hơn mức cho phép", "its answer is larger than allowed"),
    "not_promised": ("câu trả lời không đúng mô tả của dịch vụ", "its answer is not what the service's description promises"),
}


@dataclass
class Asked:
    """What is sent to the provider."""

    verb: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: Incoming | bytes | None
    tries: int = 0


class Reply:
    """A provider's answer whose head has come. `close` must be called, whatever becomes of it."""

    def __init__(self, answer: aiohttp.ClientResponse, provider: Provider, service: Service) -> None:
        self.status = answer.status
        self.headers = returned(answer.headers.items())
        self._answer = answer
        self._provider = provider
        self._service = service
        self._is_open = True

    @property
    def length(self) -> int | None:
        """What the provider promised of the body, None when nothing."""
        return self._answer.content_length

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises ProviderError or ProviderUnavailable when it does not come whole, or grows too large."""
        size, limit = 0, self._service.limits.answer_bytes
        try:
            async for piece in self._answer.content.iter_any():
                size += len(piece)
                if size > limit:
                    raise wrong(self._service, "too_large")
                yield piece
        except TimeoutError as error:
            raise unavailable(self._service, "too_slow") from error
        except (aiohttp.ClientError, OSError) as error:
            raise wrong(self._service, "cut_off") from error

    async def read(self) -> bytes:
        """All of a short body of a known length."""
        try:
            return await self._answer.read()
        except TimeoutError as error:
            raise unavailable(self._service, "too_slow") from error
        except (aiohttp.ClientError, OSError) as error:
            raise wrong(self._service, "cut_off") from error

    def be_patient(self) -> None:
        """From now on the time between two pieces counts, no longer that until the first."""
        connection = self._answer.connection
        protocol: Any = None if connection is None else connection.protocol
        if protocol is not None:
            protocol.read_timeout = self._service.time_outs.idle

    def close(self) -> None:
        """Give the connection back when the answer was read to its end, end it otherwise."""
        if self._is_open:
            self._is_open = False
            self._answer.close() if not self._answer.content.at_eof() else self._answer.release()
            self._provider.bulkhead.leave()


async def forward(provider: Provider, base: str, service: Service, asked: Asked) -> Reply:
    """The provider's answer, its head read and judged. Raises ProviderError, ProviderUnavailable, or what was wrong with the request's own body."""
    can_repeat = not isinstance(asked.body, Incoming)
    is_safe = asked.verb in SAFE or asked.verb in service.retry.also
    last = 1 + (service.retry.times if can_repeat and is_safe else 0)
    loop = asyncio.get_running_loop()
    while True:
        asked.tries += 1
        wait = provider.circuit.admit(loop.time())
        if wait:
            raise unavailable(service, "circuit_open", retry_after=int(wait) + 1)
        if not provider.bulkhead.enter():
            provider.circuit.unsaid()
            raise unavailable(service, "too_many", retry_after=1)
        try:
            reply = await _once(provider, base, service, asked)
        except RequestError as error:
            provider.circuit.unsaid()  # no more than a word: what was said of the provider was said where it failed
            provider.bulkhead.leave()
            if asked.tries >= last or not error.facts.get("may_repeat"):
                raise
        except BaseException:
            provider.circuit.unsaid()
            provider.bulkhead.leave()
            raise
        else:
            if reply.status not in FAILING or asked.tries >= last:
                return reply
            reply.close()
        await asyncio.sleep(FIRST_PAUSE_SECONDS * 2 ** (asked.tries - 1) * (0.5 + random.random()))  # noqa: S311 # spreads tries, hides nothing


async def _once(provider: Provider, base: str, service: Service, asked: Asked) -> Reply:
    """One try. What it raises of the provider's carries `may_repeat`: nothing of an answer had come."""
    limits, loop = service.time_outs, asyncio.get_running_loop()
    headers = CIMultiDict(asked.headers)
    if provider.proves:
        headers.update(await provider.proof(service))
    body = asked.body.pieces() if isinstance(asked.body, Incoming) else asked.body
    try:
        answer = await provider.session.request(
            asked.verb, address(base, asked.path, asked.query), headers=headers, data=body, allow_redirects=False,
            timeout=_time_outs(limits.total, limits.connect, limits.first_byte),
        )  # fmt: skip
    except TimeoutError as error:
        provider.circuit.bad(loop.time())
        raise _again(unavailable(service, "too_slow"), may_repeat=isinstance(error, aiohttp.ConnectionTimeoutError)) from error
    except (aiohttp.ClientResponseError, aiohttp.InvalidURL, ValueError) as error:
        provider.circuit.bad(loop.time())
        raise wrong(service, "malformed") from error
    except (aiohttp.ClientError, OSError) as error:
        if isinstance(asked.body, Incoming) and asked.body.error is not None:
            provider.circuit.unsaid()
            raise asked.body.error from error
        provider.circuit.bad(loop.time())
        raise _again(unavailable(service, "no_answer"), may_repeat=True) from error
    try:
        reply = Reply(answer, provider, service)
    except ValueError as error:
        answer.close()
        provider.circuit.bad(loop.time())
        raise wrong(service, "malformed") from error
    if reply.status in FAILING:
        provider.circuit.bad(loop.time())
    else:
        provider.circuit.good()
    if reply.status == 401:
        provider.forget_token()
    return reply


@lru_cache(maxsize=1_000)
def _time_outs(total: float, connect: float, first_byte: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total, sock_connect=connect, sock_read=first_byte)


def wrong(service: Service, rule: str) -> ProviderError:
    """The provider's answer cannot be passed on."""
    vi, en = WRONG[rule]
    return ProviderError(
        f"{service.id}: {en}.",
        vi=f"{service.id}: {vi}.",
        hint_vi="Hãy báo cho cơ quan chủ quản dịch vụ.",
        rule=rule,
        hint="Tell the agency that owns the service.",
    )


def _again(error: RequestError, *, may_repeat: bool) -> RequestError:
    error.facts["may_repeat"] = may_repeat
    return error
