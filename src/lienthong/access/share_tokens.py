"""What opens shares without a header of ours: a profile's token, a short token for its secret, a signed address of one file.

Only digests of tokens and secrets are kept. Addresses and short tokens carry a code made with a key of this province's servers,
so nothing has to be looked up to refuse a false one; whether profile and right still stand is asked each time all the same.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex, token_urlsafe

BEARER, SHORT = "ltp_", "lts_"
LONGEST = 300
_BEARER = re.compile(r"ltp_(p[0-9a-f]{16})\.([A-Za-z0-9_-]{43})")
_SHORT = re.compile(r"lts_(p[0-9a-f]{16})\.([0-9]{1,12})\.([0-9a-f]{64})")


def new_profile_id() -> str:
    return "p" + token_hex(8)


def new_grant_id() -> str:
    """Nobody can guess one: it is a part of addresses."""
    return token_hex(16)


def new_secret() -> str:
    return token_urlsafe(32)


def bearer_token(profile: str, secret: str) -> str:
    """What a profile file of version 1 holds."""
    return f"{BEARER}{profile}.{secret}"


def read_bearer(token: str) -> tuple[str, str] | None:
    """(profile, secret) a token claims; None when it is none of ours."""
    found = _BEARER.fullmatch(token) if len(token) <= LONGEST else None
    return None if found is None else (found[1], found[2])


def secret_digest(secret: str) -> bytes:
    """What is kept of a secret. It has 256 bits of chance, so a plain hash cannot be turned back."""
    return hashlib.sha256(secret.encode()).digest()


def is_secret(secret: str, digest: bytes | None) -> bool:
    return digest is not None and hmac.compare_digest(secret_digest(secret), digest)


@dataclass(frozen=True)
class ShareKey:
    """Codes under the key of this province's servers."""

    key: bytes

    @classmethod
    def of(cls, secret: bytes) -> ShareKey:
        return cls(hashlib.sha256(b"lienthong shares\x00" + secret).digest())

    def short_token(self, profile: str, expires_at: datetime) -> str:
        """What the token endpoint gives for a profile's proof."""
        until = int(expires_at.timestamp())
        return f"{SHORT}{profile}.{until}.{self._code('token', profile, until)}"

    def read_short(self, token: str, now: datetime) -> str | None:
        """The profile a short token is for; None when it is false or over."""
        found = _SHORT.fullmatch(token) if len(token) <= LONGEST else None
        if found is None or int(found[2]) <= now.timestamp():
            return None
        return found[1] if hmac.compare_digest(found[3], self._code("token", found[1], int(found[2]))) else None

    def sign(self, grant: str, file: str, until: int) -> str:
        """The code of one file's address, good until an instant (seconds)."""
        return self._code("file", grant, file, until)

    def is_signed(self, grant: str, file: str, until: int, code: str) -> bool:
        return hmac.compare_digest(self.sign(grant, file, until).encode(), code.encode("utf-8", "replace"))

    def _code(self, *parts: object) -> str:
        return hmac.digest(self.key, "\x1f".join(map(str, parts)).encode(), "sha256").hex()
