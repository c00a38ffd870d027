"""Cursors: where a caller is in a list or a feed, sealed so that it can be neither read nor changed.

A cursor holds values of the last row, some of which the caller may not see; hence sealed, not only signed.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lienthong.errors import BadRequest

_NONCE = 12
_TAG = 16  # bytes: two texts of one purpose share a name once in 2^64
_LONGEST = 4096


class Cursors:
    """Seals and opens cursors under a key of this province's server; `purpose` binds one to its dataset and question."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(hashlib.sha256(b"lienthong cursor\x00" + secret).digest())
        self._tag_key = hashlib.sha256(b"lienthong tag\x00" + secret).digest()

    def tag(self, purpose: str, text: str) -> str:
        """A short name for a text, the same each time for the same purpose, that tells nobody else what the text is."""
        return hmac.digest(self._tag_key, f"{purpose}\x1f{text}".encode(), "sha256")[:_TAG].hex()

    def seal(self, purpose: str, place: Sequence[Any]) -> str:
        """A cursor as text that fits a URL. `place` holds plain values, dates and instants."""
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, msgspec.json.encode([_plain(value) for value in place]), purpose.encode())
        return urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()

    def open(self, purpose: str, cursor: str) -> list[Any]:
        """The place a cursor holds. Raises BadRequest when it was not sealed here for this question."""
        try:
            if len(cursor) > _LONGEST or not cursor.isascii():
                raise ValueError
            sealed = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            values = msgspec.json.decode(self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], purpose.encode()))
        except (ValueError, binascii.Error, InvalidTag) as error:
            raise BadRequest(
                "This cursor was not given for this request.",
                hint="Use `next` of the answer before, with the same filters, order and fields; or begin without a cursor.",
                vi="Con trỏ này không thuộc yêu cầu này.",
                hint_vi="Dùng `next` của câu trả lời trước, giữ nguyên điều kiện lọc, thứ tự và các trường; hoặc bắt đầu không kèm con trỏ.",
            ) from error
        return [_value(value) for value in values]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"t": value.astimezone(UTC).isoformat()}
    if isinstance(value, date):
        return {"d": value.isoformat()}
    return value


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["t"]) if "t" in value else date.fromisoformat(value["d"])
    return value
