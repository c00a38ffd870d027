"""Whether who sends a bound token holds what it is bound to: a client certificate, or a DPoP key.

Of a certificate tells the connection itself where TLS ends here (`web.secure_wire`), else the proxy that ended it. A proxy is believed when it
sends the secret both know, or, where no secret is set, from this very machine. Nobody else's header about a certificate counts.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import MutableMapping
from datetime import datetime
from pathlib import Path
from typing import Any

from lienthong.access import Proof, certificate_thumbprint, verify_dpop
from lienthong.clock import Clock
from lienthong.errors import SettingsError, Unauthenticated
from lienthong.settings import Settings

CERTIFICATE = "lienthong.certificate"  # in a request's scope: the thumbprint its connection was made with, None without one
PROVED = "lienthong.proved"  # in a request's scope: (token, its proof or None where it was used before), taken by all servers together
PROXY_HEADER = b"lienthong-proxy"
LOOPBACK = frozenset({"127.0.0.1", "::1"})
MOST_PROOFS = 100_000
Scope = MutableMapping[str, Any]


class Holding:
    """Checks proofs of possession. Proofs are taken once by all servers together (`web.signing`), and once by this process."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._header = settings.client_certificate_header.lower().encode("latin-1")
        self._secret = _secret(settings)
        self._public_url = settings.public_url
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str], datetime] = OrderedDict()

    def certificate(self, scope: Scope) -> str | None:
        """Thumbprint of the client certificate, None when there is none. Raises Unauthenticated for a bad one."""
        held: str | None = scope.get(CERTIFICATE)
        if held is not None or not self._header:
            return held
        return self._told(scope)

    def _told(self, scope: Scope) -> str | None:
        """Of which certificate a believed proxy tells."""
        sent = _values(scope, self._header)
        if not sent or not sent[0]:
            return None
        if len(sent) > 1 or not self._is_believed(scope):
            raise Unauthenticated("Nobody who sends this may tell of certificates.", vi="Nơi gửi không được phép khai chứng thư.")
        return certificate_thumbprint(sent[0].decode("latin-1"))

    def dpop(self, scope: Scope, token: str | None) -> Proof | None:
        """The request's DPoP proof, None without one. Each works once. Raises Unauthenticated."""
        sent = _values(scope, b"dpop")
        if not sent:
            return None
        if len(sent) > 1:
            raise Unauthenticated("Expected one DPoP proof.", vi="Chỉ gửi một bằng chứng DPoP.")
        taken: tuple[str | None, Proof | None] | None = scope.get(PROVED)
        if taken is not None and taken[0] == token:
            if taken[1] is None:
                raise _used()
            return taken[1]
        now = self._clock()
        raw = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0].decode("latin-1")
        proof = verify_dpop(sent[0].decode("latin-1"), scope["method"], self._public_url + raw, now, token)
        while self._seen and (next(iter(self._seen.values())) < now or len(self._seen) >= MOST_PROOFS):
            self._seen.popitem(last=False)
        if (proof.thumbprint, proof.jti) in self._seen:
            raise _used()
        self._seen[proof.thumbprint, proof.jti] = proof.expires_at
        return proof

    def require(self, scope: Scope | None, bound_to: tuple[str, str], token: str, scheme: str) -> None:
        """Raises Unauthenticated unless the sender holds what the token is bound to."""
        way, wanted = bound_to
        found: str | None = None
        if scope is not None and way == "jkt" and scheme == "dpop":
            proof = self.dpop(scope, token)
            found = None if proof is None else proof.thumbprint
        elif scope is not None and way == "x5t#S256":
            found = self.certificate(scope)
        if found is None or not hmac.compare_digest(found, wanted):
            raise Unauthenticated(
                "The token is bound to a certificate or key that this request does not prove.",
                hint="RFC 8705 §3, RFC 9449 §7.", hint_vi="RFC 8705 mục 3, RFC 9449 mục 7.", vi="Mã truy cập gắn với chứng thư hoặc khóa mà yêu cầu này không chứng minh.",
            )  # fmt: skip

    def _is_believed(self, scope: Scope) -> bool:
        if self._secret:
            sent = _values(scope, PROXY_HEADER)
            return len(sent) == 1 and hmac.compare_digest(sent[0], self._secret)
        client = scope.get("client")
        return client is not None and client[0] in LOOPBACK


def _used() -> Unauthenticated:
    return Unauthenticated(
        "The DPoP proof was used before.",
        hint="Sign a new one for each request.",
        hint_vi="Hãy ký bằng chứng mới cho mỗi yêu cầu.",
        vi="Bằng chứng DPoP đã dùng.",
    )


def _values(scope: Scope, name: bytes) -> list[bytes]:
    return [value for each, value in scope["headers"] if each == name]


def _secret(settings: Settings) -> bytes:
    if not settings.proxy_secret_file:
        return b""
    try:
        found = Path(settings.proxy_secret_file).read_bytes().strip()
    except OSError as error:
        raise SettingsError(f"LIENTHONG_PROXY_SECRET_FILE: the file cannot be read: {error.strerror}.") from error
    if len(found) < 16:
        raise SettingsError("LIENTHONG_PROXY_SECRET_FILE: expected at least 16 characters.")
    return found
