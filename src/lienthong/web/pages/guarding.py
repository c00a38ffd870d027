"""Headers every answer carries: what a page may load (from here, and nothing else), and what others may do with it (nothing)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
ALWAYS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_OF_PAGES = (*ALWAYS.items(), (b"content-security-policy", PAGE_POLICY.encode()))
_OF_DATA = (*ALWAYS.items(), (b"content-security-policy", DATA_POLICY.encode()))
_STRICT = (b"strict-transport-security", b"max-age=31536000")


def guarded(send: Send, *, is_secure: bool) -> Send:
    """`send`, with our headers wherever an answer does not bring its own."""

    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            there = {name.lower(): value for name, value in headers}
            wanted = _OF_PAGES if there.get(b"content-type", b"").startswith(b"text/html") else _OF_DATA
            headers += [header for header in wanted if header[0] not in there]
            if is_secure and _STRICT[0] not in there:
                headers.append(_STRICT)
            message["headers"] = headers
        await send(message)

    return with_headers
