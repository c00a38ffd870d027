"""Keeps small secrets unreadable where they are stored: AES-256-GCM under a key that is not in the database."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lienthong.errors import StoreError

NONCE_BYTES = 12  # NIST SP 800-38D


class Sealer:
    """Seals and opens bytes. `place` says what they are (a column, a row): what is moved elsewhere does not open."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, None, b"lienthong sealing").derive(secret))

    def seal(self, content: bytes, place: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """What was sealed. Raises StoreError when it was changed, moved, or sealed under another key."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError) as error:
            raise StoreError("A sealed value does not open.", hint="Is `keys/sealing.key` the one it was sealed with?") from error
