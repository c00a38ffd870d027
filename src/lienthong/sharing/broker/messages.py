"""A call and its answer as values, whatever door the call came in by (HTTP, X-Road)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

Headers = Sequence[tuple[str, str]]  # names in lower case

HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-connection", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
        "expect", "content-length", "host",
    }
)  # fmt: skip  # RFC 9110 §7.6.1, and what is written anew for each hop
OURS = ("lienthong-", "x-lienthong-")
NOT_FORWARDED = HOP_BY_HOP | {
    "authorization", "cookie", "forwarded", "via", "x-real-ip", "x-original-url", "x-rewrite-url", "x-http-method-override", "x-http-method",
    "x-method-override", "x-client-cert", "x-ssl-client-cert", "dpop", "signature", "signature-input", "content-digest", "accept-encoding",
}  # fmt: skip  # the consumer's secrets are ours to see alone; the others make some servers take a call for another one
NOT_RETURNED = HOP_BY_HOP | {
    "set-cookie", "set-cookie2", "strict-transport-security", "clear-site-data", "alt-svc", "public-key-pins", "content-security-policy",
    "service-worker-allowed", "www-authenticate", "refresh", "link", "server", "x-powered-by", "report-to", "nel", "sourcemap", "sunset", "deprecation",
}  # fmt: skip  # what would speak for our own address to a browser, or tell of the inside
MOST_HEADERS = 100
LONGEST_HEADER = 8_000
_SPLITS = re.compile(r"[\r\n\0]")  # what could end a header
_SPLITS_NAME = re.compile(r"[\r\n\0 :]")


@dataclass
class Call:
    """What is asked. `path` as it was sent (percent-encoded, beginning with `/`), `caller` verified or None,
    `address` where the consumer is, for agreements that say from where.

    `body` gives the request's bytes as they arrive; `length` is what was promised of them, None when nothing was.
    """

    service: str
    verb: str
    path: bytes
    query: bytes = b""
    headers: Headers = ()
    body: AsyncIterator[bytes] | None = None
    length: int | None = None
    version: str | None = None
    caller: str | None = None
    official: str = ""
    purpose: str = ""
    address: str = ""
    endpoint: str = ""  # what the path was understood as; set where it is, as are agency and agreement
    agency: str = ""
    agreement: str = ""

    def header(self, name: str) -> str:
        """The value of a header, empty when it was not sent; of one sent twice, the last."""
        found = ""
        for key, value in self.headers:
            if key == name:
                found = value
        return found


@dataclass
class Answer:
    """What is answered. Exactly one of `body` (its entry is committed) and `stream` is set.

    Of a stream the entry that it has begun is committed before this value exists, and the one that it has ended before its last piece is given.
    A stream that raises was broken off: whoever passes it on must not let it look whole.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    stream: AsyncIterator[bytes] | None = None
    length: int | None = None


def forwarded(headers: Headers) -> list[tuple[str, str]]:
    """A request's headers as the provider may see them."""
    named = _named_by_connection(headers)
    return [
        (name, value)
        for name, value in headers
        if name not in NOT_FORWARDED and name not in named and not name.startswith((*OURS, "x-forwarded-", "x-road-")) and "_" not in name
    ]


def returned(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """An answer's headers as the consumer may see them, names in lower case. Raises ValueError for one that could split the answer."""
    found = [(name.lower(), value) for name, value in headers]
    if len(found) > MOST_HEADERS:
        raise ValueError("too many headers")
    for name, value in found:
        if len(value) > LONGEST_HEADER or _SPLITS.search(value) or not name.isascii() or _SPLITS_NAME.search(name):
            raise ValueError("a header that is none")
    named = _named_by_connection(found)
    return [
        (name, value)
        for name, value in found
        if name not in NOT_RETURNED and name not in named and not name.startswith((*OURS, "access-control-", "x-road-"))
    ]


def _named_by_connection(headers: Iterable[tuple[str, str]]) -> frozenset[str]:
    return frozenset(part.strip().lower() for name, value in headers if name == "connection" for part in value.split(","))
