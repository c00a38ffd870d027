"""Requests to an agency's service: signed in, tried again with patience, bounded, never led to another host with our credentials."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

from lienthong.clock import system_clock
from lienthong.connectors.options import Options
from lienthong.errors import HostileInputError, SourceError

TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_WAIT_SECONDS = 60.0
REDIRECTS = 5
EXPIRY_MARGIN_SECONDS = 10.0


@dataclass(frozen=True)
class Access:
    """How to sign in. `kind` is none, bearer, api_key, basic or oauth2_client_credentials."""

    kind: str
    token: str = ""
    header: str = "X-API-Key"
    token_url: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    scope: str = ""

    @classmethod
    def take(cls, options: Options | None) -> Access:
        if options is None:
            return cls("none")
        taken = cls(
            kind=options.choice("kind", ("none", "bearer", "api_key", "basic", "oauth2_client_credentials"), "bearer"),
            token=options.text("token"),
            header=options.text("header", "X-API-Key"),
            token_url=options.text("token_url"),
            client_id=options.text("client_id"),
            client_secret=options.text("client_secret"),
            scope=options.text("scope"),
        )
        options.close()
        wanted = {"bearer": ("token",), "api_key": ("token",), "oauth2_client_credentials": ("token_url", "client_id", "client_secret")}
        for name in wanted.get(taken.kind, ()):
            if not getattr(taken, name):
                raise options.required(f"auth.{name}")
        return taken


@dataclass(frozen=True)
class Limits:
    timeout_seconds: float
    retries: int
    max_bytes: int  # of one answer


@dataclass(frozen=True)
class Answer:
    url: str
    body: bytes
    next_link: str | None  # of the Link header, RFC 8288


class Manner:
    """How one kind of service is spoken to beside signing in: headers made afresh for each request, and what its refusals say."""

    def headers(self) -> Mapping[str, str]:
        return {}

    def check(self, response: httpx.Response, sent: Mapping[str, str], what: str) -> None:
        """Raises SourceError for an answer it would be no use to ask for again. `response` is not read yet."""


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: float = 300.0


class Session:
    """One signed-in conversation with one host."""

    def __init__(
        self, base_url: str, access: Access, limits: Limits, sleep: Callable[[float], None] = time.sleep, manner: Manner | None = None
    ) -> None:
        self._manner = manner or Manner()
        self._origin = _origin(base_url)
        self._access = access
        self._limits = limits
        self._sleep = sleep
        self._client = httpx.Client(timeout=limits.timeout_seconds, follow_redirects=False, headers={"Accept": "application/json"})
        self._token = access.token
        self._token_until = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._client.close()

    def get(self, url: str, query: Mapping[str, str], what: str) -> Answer:
        """The body of a successful answer. `what` names the page in errors.

        Raises SourceError after the last try or for a refusal, HostileInputError for too long an answer or a way to another host.
        """
        renewed = False
        for attempt in range(self._limits.retries + 1):
            last = attempt == self._limits.retries
            try:
                response, answer = self._get_once(url, query, what)
            except httpx.TransportError as error:
                if last:
                    raise SourceError(f"{what}: không kết nối được / cannot be reached ({type(error).__name__}).") from error
                self._wait(attempt, None)
                continue
            if answer is not None:
                return answer
            if response.status_code == 401 and self._access.kind == "oauth2_client_credentials" and not renewed:
                self._token_until, renewed = 0.0, True
                if last:
                    return self.get(url, query, what)
                continue
            if response.status_code not in TRY_AGAIN or last:
                raise SourceError(
                    f"{what}: máy chủ trả lời / the service answered {response.status_code}.", hint=_hint(response.status_code)
                )
            self._wait(attempt, response.headers.get("Retry-After"))
        raise AssertionError("the last try returns or raises")

    def _get_once(self, url: str, query: Mapping[str, str], what: str) -> tuple[httpx.Response, Answer | None]:
        """The response; with it the answer when it is a success."""
        for _ in range(REDIRECTS):
            self._keep_to_host(url, what)
            sent = self._manner.headers()
            with self._stream(url, query, sent) as response:
                self._manner.check(response, sent, what)
                if response.is_redirect:
                    url, query = urljoin(str(response.url), response.headers.get("Location", "")), {}
                    continue
                if not response.is_success:
                    return response, None
                body = self._body(response, what)
                link = response.links.get("next", {}).get("url")
                return response, Answer(str(response.url), body, urljoin(str(response.url), link) if link else None)
        raise SourceError(f"{what}: chuyển hướng quá nhiều lần / more than {REDIRECTS} redirects.")

    @contextmanager
    def _stream(self, url: str, query: Mapping[str, str], more: Mapping[str, str]) -> Iterator[httpx.Response]:
        headers = {**more, **self._credentials()}
        with self._client.stream("GET", url, params=query or None, headers=headers, auth=self._basic()) as response:
            yield response

    def _body(self, response: httpx.Response, what: str) -> bytes:
        parts: list[bytes] = []
        size = 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self._limits.max_bytes:
                raise HostileInputError(f"{what}: câu trả lời dài hơn / the answer is longer than {self._limits.max_bytes} bytes.")
            parts.append(chunk)
        return b"".join(parts)

    def _keep_to_host(self, url: str, what: str) -> None:
        if _origin(url) != self._origin:
            raise HostileInputError(
                f"{what}: dẫn sang máy chủ khác / leads from {self._origin} to {_origin(url)}: not followed, our credentials would go along."
            )

    def _credentials(self) -> dict[str, str]:
        kind = self._access.kind
        if kind == "api_key":
            return {self._access.header: self._access.token}
        if kind == "oauth2_client_credentials":
            if time.monotonic() >= self._token_until:
                self._renew_token()
            return {"Authorization": f"Bearer {self._token}"}
        return {"Authorization": f"Bearer {self._access.token}"} if kind == "bearer" else {}

    def _basic(self) -> httpx.Auth | None:
        return httpx.BasicAuth(self._access.client_id, self._access.client_secret) if self._access.kind == "basic" else None

    def _renew_token(self) -> None:
        """Client credentials grant, RFC 6749 §4.4, credentials in the form."""
        access = self._access
        form = {"grant_type": "client_credentials", "client_id": access.client_id, "client_secret": access.client_secret}
        form |= {"scope": access.scope} if access.scope else {}
        for attempt in range(self._limits.retries + 1):
            last = attempt == self._limits.retries
            try:
                response = self._client.post(access.token_url, data=form)
            except httpx.TransportError:
                if last:
                    raise
                self._wait(attempt, None)
                continue
            if response.status_code in TRY_AGAIN and not last:
                self._wait(attempt, response.headers.get("Retry-After"))
                continue
            break
        where = f"`{_origin(access.token_url)}`"
        if not response.is_success:
            raise SourceError(
                f"{where}: không cấp mã truy cập / gave no token, answered {response.status_code}.", hint="Check client id and secret."
            )
        try:
            granted = msgspec.json.decode(response.content, type=_TokenAnswer)
        except msgspec.DecodeError as error:
            raise SourceError(f"{where}: trả lời không phải mã truy cập / its answer is no token ({error}).") from error
        self._token = granted.access_token
        self._token_until = time.monotonic() + max(0.0, granted.expires_in - EXPIRY_MARGIN_SECONDS)

    def _wait(self, attempt: int, retry_after: str | None) -> None:
        asked = _seconds(retry_after)
        self._sleep(min(LONGEST_WAIT_SECONDS, asked if asked is not None else 0.5 * 2**attempt))


def _seconds(retry_after: str | None) -> float | None:
    """Retry-After as seconds from now: a number, or a date (RFC 9110 §10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - system_clock()).total_seconds())
    except (ValueError, TypeError):
        return None


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _hint(status: int) -> str:
    if status in (401, 403):
        return "Check the credentials in the variables of this source."
    return "Ask the agency whether its service is up." if status >= 500 else ""
