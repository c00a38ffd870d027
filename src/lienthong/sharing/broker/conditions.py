"""Conditional requests: what we ask a provider about an answer we keep, what we tell a consumer who keeps one (RFC 9110 §13)."""

from __future__ import annotations

from lienthong.sharing.broker.cache import Kept
from lienthong.sharing.broker.messages import Call

CONDITIONS = frozenset({"if-none-match", "if-modified-since", "if-match", "if-unmodified-since", "if-range"})


def validators(kept: Kept | None) -> list[tuple[str, str]]:
    if kept is None:
        return []
    pairs = (("if-none-match", kept.header("etag")), ("if-modified-since", kept.header("last-modified")))
    return [(name, value) for name, value in pairs if value]


def conditional(call: Call, status: int, headers: list[tuple[str, str]], body: bytes) -> tuple[int, bytes]:
    """304 when the consumer has the very answer already (RFC 9110 §13.1.2)."""
    sent = [tag.strip().removeprefix("W/") for tag in call.header("if-none-match").split(",") if tag.strip()]
    tag = next((value for name, value in headers if name == "etag"), "").removeprefix("W/")
    if status == 200 and tag and (tag in sent or sent == ["*"]):
        return 304, b""
    return status, b"" if call.verb == "HEAD" else body


def without(headers: list[tuple[str, str]], *names: str) -> list[tuple[str, str]]:
    return [(name, value) for name, value in headers if name not in names]
