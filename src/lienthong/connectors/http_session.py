"""Requests to an agency's service: signed in, tried again with patience, bounded, never led to another host with our credentials."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urljoin, urlsplit

import httpcore
import httpx
import msgspec

from lienthong.clock import system_clock
from lienthong.connectors.addresses import not_metadata
from lienthong.connectors.assertion import ASSERTION_TYPE, sign_assertion
from lienthong.connectors.options import Options
from lienthong.errors import HostileInputError, SourceError

TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
LONGEST_WAIT_SECONDS = 60.0
REDIRECTS = 5
EXPIRY_MARGIN_SECONDS = 10.0
UNPACKED_AT_A_TIME = 1 << 20
ACCESS_KINDS = ("none", "bearer", "api_key", "basic", "oauth2_client_credentials", "oauth2_private_key_jwt")


@dataclass(frozen=True)
class Access:
    """How to sign in. `kind` is none, bearer, api_key, basic, oauth2_client_credentials or oauth2_private_key_jwt.

    A key goes into `header`, or into the address where `parameter` names one. `credentials`: how a client shows itself when it asks for a token.
    """

    kind: str
    token: str = ""
    header: str = "X-API-Key"
    token_url: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    scope: str = ""
    parameter: str = ""
    credentials: str = "form"
    key_file: str = ""
    audience: str = ""

    @classmethod
    def take(cls, options: Options | None) -> Access:
        if options is None:
            return cls("none")
        taken = cls(
            kind=options.choice("kind", ACCESS_KINDS, "bearer"),
            token=options.text("token"),
            header=options.text("header", "X-API-Key"),
            token_url=options.text("token_url"),
            client_id=options.text("client_id"),
            client_secret=options.text("client_secret"),
            scope=options.text("scope"),
            parameter=options.text("parameter"),
            credentials=options.choice("credentials", ("form", "basic"), "form"),
            key_file=options.text("key_file"),
            audience=options.text("audience"),
        )
        options.close()
        wanted = {"bearer": ("token",), "api_key": ("token",), "oauth2_client_credentials": ("token_url", "client_id", "client_secret"),
                  "oauth2_private_key_jwt": ("token_url", "client_id", "key_file")}  # fmt: skip
        for name in wanted.get(taken.kind, ()):
            if not getattr(taken, name):
                raise options.required(f"auth.{name}")
        return taken


@dataclass(frozen=True)
class Limits:
    timeout_seconds: float
    retries: int
    max_bytes: int  # of one answer, unpacked
    requests_per_second: float = 0  # 0: as fast as it answers


@dataclass(frozen=True)
class Asked:
    """A question that is more than an address: its verb, its own headers, what is posted."""

    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


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


class _Backend(httpcore.SyncBackend):
    """Connects to an address that was judged, never to a name that could mean another the next time."""

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        last: Exception = httpcore.ConnectError("no such host")
        for address in not_metadata(host, port):
            try:
                return super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last


class Session:
    """One signed-in conversation with one host."""

    def __init__(
        self, base_url: str, access: Access, limits: Limits, sleep: Callable[[float], None] = time.sleep, manner: Manner | None = None,
        *, accept: str = "application/json",
    ) -> None:  # fmt: skip
        self._manner = manner or Manner()
        self._origin = _origin(base_url)
        self._access = access
        self._limits = limits
        self._sleep = sleep
        self._client = httpx.Client(
            timeout=limits.timeout_seconds, follow_redirects=False, headers={"Accept": accept, "Accept-Encoding": "gzip, deflate"}
        )
        self._client._transport._pool._network_backend = _Backend()  # type: ignore[attr-defined]  # noqa: SLF001 # httpx has no other way to say how
        self._token = access.token
        self._token_until = 0.0
        self._next_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._client.close()

    def get(self, url: str, query: Mapping[str, str], what: str, asked: Asked = Asked()) -> Answer:  # frozen
        """The body of a successful answer. `what` names the page in errors; `asked` is a question that is more than an address.

        Raises SourceError after the last try or for a refusal, HostileInputError for too long an answer or a way to another host.
        """
        renewed = False
        for attempt in range(self._limits.retries + 1):
            last = attempt == self._limits.retries
            try:
                response, answer = self._get_once(url, query, what, asked)
            except httpx.TransportError as error:
                if last:
                    raise SourceError(f"{what}: không kết nối được / cannot be reached ({type(error).__name__}).") from error
                self._wait(attempt, None)
                continue
            if answer is not None:
                return answer
            if response.status_code == 401 and self._access.kind.startswith("oauth2") and not renewed:
                self._token_until, renewed = 0.0, True
                if last:
                    return self.get(url, query, what, asked)
                continue
            if response.status_code not in TRY_AGAIN or last:
                raise SourceError(
                    f"{what}: máy chủ trả lời / the service answered {response.status_code}.", hint=_hint(response.status_code)
                )
            self._wait(attempt, response.headers.get("Retry-After"))
        raise AssertionError("the last try returns or raises")

    def marks(self, url: str, query: Mapping[str, str], what: str) -> str | None:
        """What the service says of its content without giving it (ETag, else Last-Modified); None when it says nothing."""
        self._keep_to_host(url, what)
        try:
            with self._stream(url, query, self._manner.headers(), Asked("HEAD")) as response:
                if not response.is_success:
                    return None
                return str(response.headers.get("ETag") or response.headers.get("Last-Modified") or "") or None
        except httpx.TransportError:
            return None  # reading says it in words

    def _get_once(self, url: str, query: Mapping[str, str], what: str, asked: Asked) -> tuple[httpx.Response, Answer | None]:
        """The response; with it the answer when it is a success."""
        for _ in range(REDIRECTS):
            self._keep_to_host(url, what)
            sent = self._manner.headers()
            with self._stream(url, query, sent, asked) as response:
                self._manner.check(response, sent, what)
                if response.is_redirect:
                    if asked.method != "GET":
                        raise SourceError(f"{what}: chuyển hướng một câu hỏi POST / redirects a question that was posted.")
                    url, query = urljoin(str(response.url), response.headers.get("Location", "")), {}
                    continue
                if not response.is_success:
                    return response, None
                body = self._body(response, what)
                link = response.links.get("next", {}).get("url")
                return response, Answer(str(response.url), body, urljoin(str(response.url), link) if link else None)
        raise SourceError(f"{what}: chuyển hướng quá nhiều lần / more than {REDIRECTS} redirects.")

    @contextmanager
    def _stream(self, url: str, query: Mapping[str, str], more: Mapping[str, str], asked: Asked) -> Iterator[httpx.Response]:
        self._keep_pace()
        headers = {**asked.headers, **more, **self._credentials()}
        key = {self._access.parameter: self._access.token} if self._access.kind == "api_key" and self._access.parameter else {}
        if query or key:  # httpx would drop what the address asks for already
            url = str(httpx.URL(url).copy_merge_params({**query, **key}))
        with self._client.stream(asked.method, url, headers=headers, content=asked.body, auth=self._basic()) as response:
            yield response
        response.stream = httpx.ByteStream(
            b""
        )  # a response and its stream hold each other, with what was read: pages would pile up for long

    def _keep_pace(self) -> None:
        """No more requests a second than was agreed."""
        if not self._limits.requests_per_second:
            return
        now = time.monotonic()
        if now < self._next_at:
            self._sleep(self._next_at - now)
        self._next_at = max(now, self._next_at) + 1 / self._limits.requests_per_second

    def _body(self, response: httpx.Response, what: str) -> bytes:
        parts: list[bytes] = []
        size = 0
        for chunk in _unpacked(response, what):
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
            return {} if self._access.parameter else {self._access.header: self._access.token}
        if kind.startswith("oauth2"):
            if time.monotonic() >= self._token_until:
                self._renew_token()
            return {"Authorization": f"Bearer {self._token}"}
        return {"Authorization": f"Bearer {self._access.token}"} if kind == "bearer" else {}

    def _basic(self) -> httpx.Auth | None:
        return httpx.BasicAuth(self._access.client_id, self._access.client_secret) if self._access.kind == "basic" else None

    def _renew_token(self) -> None:
        """Client credentials grant, RFC 6749 §4.4; the client shows a secret, or an assertion it signs (RFC 7523)."""
        access = self._access
        for attempt in range(self._limits.retries + 1):
            last = attempt == self._limits.retries
            try:
                form, basic = self._shown()
                response = self._client.post(access.token_url, data=form, auth=basic)
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

    def _shown(self) -> tuple[dict[str, str], httpx.Auth]:
        access = self._access
        form = {"grant_type": "client_credentials", **({"scope": access.scope} if access.scope else {})}
        if access.kind == "oauth2_private_key_jwt":
            assertion = sign_assertion(access.client_id, access.audience or access.token_url, access.key_file)
            return {**form, "client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}, httpx.Auth()
        if access.credentials == "basic":
            return form, httpx.BasicAuth(quote(access.client_id, safe=""), quote(access.client_secret, safe=""))
        return {**form, "client_id": access.client_id, "client_secret": access.client_secret}, httpx.Auth()

    def _wait(self, attempt: int, retry_after: str | None) -> None:
        asked = _seconds(retry_after)
        self._sleep(min(LONGEST_WAIT_SECONDS, asked if asked is not None else 0.5 * 2**attempt))


def _unpacked(response: httpx.Response, what: str) -> Iterator[bytes]:
    """The body, unpacked a little at a time, so that what grows without end is met by a bound. Raises HostileInputError for packing of other kinds."""
    packed = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packed == "identity":
        yield from response.iter_raw()
        return
    if packed not in ("gzip", "deflate"):
        raise HostileInputError(f"{what}: đóng gói/content encoding `{packed[:60]}` was not asked for: refused.")
    unpacker: Any = None
    for chunk in response.iter_raw():
        if unpacker is None:  # `deflate` is sent with and without the head of zlib
            has_head = packed == "gzip" or (chunk[0] & 0x0F == 8 and chunk[0] >> 4 <= 7)
            unpacker = zlib.decompressobj((zlib.MAX_WBITS | 32) if has_head else -zlib.MAX_WBITS)
        try:
            part = unpacker.decompress(chunk, UNPACKED_AT_A_TIME)
            while part:
                yield part
                part = unpacker.decompress(unpacker.unconsumed_tail, UNPACKED_AT_A_TIME)
        except zlib.error as error:
            raise SourceError(f"{what}: câu trả lời đóng gói hỏng / the packed answer is damaged ({error}).") from error
    if unpacker is not None and not unpacker.eof:
        raise httpx.ReadError("the packed answer ends early")


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
