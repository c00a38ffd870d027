"""Tells the provider who asks, in headers of ours and in a signed statement that any JWT library verifies with our published keys.

The statement is for one service, one call and a minute: `aud` is the service's id, `path` the digest of what is asked, so that nobody who sees it
can use it for something else. It is no access token: its type and audience are its own.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import msgspec

from lienthong.sharing.broker.messages import Call

TYPE = "lienthong-call+jwt"
GOOD_FOR_SECONDS = 60
HEADER = "Lienthong-Identity"
_ENCODE = msgspec.json.Encoder().encode
Sign = Callable[[bytes], bytes]


class Stamp:
    """Makes the statements. JWS (RFC 7515) is put together here because the general way took twice the time of the whole rest of a call's headers (measured)."""

    def __init__(self, sign: Sign, key_id: str, issuer: str) -> None:
        self._sign = sign
        self._issuer = issuer
        self._head = _text(_ENCODE({"alg": "EdDSA", "typ": TYPE, "kid": key_id}))

    def headers(self, call: Call, agreement: str, call_id: str, asked: str, now: datetime) -> list[tuple[str, str]]:
        """What the provider is told. `asked`: verb, path and query as they are sent."""
        issued = int(now.timestamp())
        claims: dict[str, Any] = {
            "iss": self._issuer, "sub": call.caller, "aud": call.service, "iat": issued, "exp": issued + GOOD_FOR_SECONDS, "jti": call_id,
            "official": call.official, "purpose": call.purpose, "agreement": agreement, "path": sha256(asked.encode()).hexdigest(),
        }  # fmt: skip
        signed = self._head + b"." + _text(_ENCODE(claims))
        statement = (signed + b"." + _text(self._sign(signed))).decode("ascii")
        told = [
            (HEADER, statement),
            ("Lienthong-Caller", str(call.caller)),
            ("Lienthong-Call", call_id),
            ("Lienthong-Purpose", quoted(call.purpose)),
        ]
        return [*told, ("Lienthong-Official", quoted(call.official))] if call.official else told


def quoted(text: str) -> str:
    """A text as a header can hold it: percent-encoded where it is not ASCII."""
    return text if text.isascii() else quote(text, safe=" ")


def _text(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
