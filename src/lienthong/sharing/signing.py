"""Signatures of webhooks after Standard Webhooks 1.0: `v1` under a shared secret, `v1a` under a key pair."""

from __future__ import annotations

import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SHARED, PAIR = "v1", "v1a"
KINDS = (SHARED, PAIR)
_SECRET = 32  # bytes; the specification asks for 24 to 64
_RAW = serialization.Encoding.Raw


@dataclass(frozen=True)
class Secret:
    """What one side signs with. `private` is kept sealed; `shown` is what the other side verifies with: for `v1` the secret itself."""

    kind: str
    private: bytes
    shown: str


def new_secret(kind: str) -> Secret:
    """A fresh secret of a kind."""
    if kind == SHARED:
        private = os.urandom(_SECRET)
        return Secret(kind, private, "whsec_" + b64encode(private).decode())
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(_RAW, serialization.PublicFormat.Raw)
    private = key.private_bytes(_RAW, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    return Secret(kind, private, "whpk_" + b64encode(public).decode())


def sign(secrets: Iterable[tuple[str, bytes]], id: str, timestamp: int, body: bytes) -> str:
    """The `webhook-signature` header under (kind, private part) of every secret that holds; several while one replaces another."""
    content = f"{id}.{timestamp}.".encode() + body
    signatures = []
    for kind, private in secrets:
        if kind == SHARED:
            made = hmac.digest(private, content, hashlib.sha256)
        else:
            made = Ed25519PrivateKey.from_private_bytes(private).sign(content)
        signatures.append(f"{kind},{b64encode(made).decode()}")
    return " ".join(signatures)


def shared_secret(shown: str) -> bytes:
    """The bytes of a `whsec_…`."""
    return b64decode(shown.removeprefix("whsec_"))
