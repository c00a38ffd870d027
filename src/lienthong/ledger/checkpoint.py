"""A signed statement of the ledger's state: the text of C2SP tlog-checkpoint, signed with Ed25519."""

from __future__ import annotations

import hmac
import os
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

from lienthong.errors import SettingsError

DEFAULT_ORIGIN = "lienthong/VN"
_SEALING = b"lienthong ledger seal"
_ONCE = 16  # bytes of a number used once
_TIME = 8  # bytes of an instant: microseconds since 1970; the first is zero until the year 4253, and so never begins a text
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORMS = (0, _ONCE, _ONCE + _TIME)  # lengths of what stands before the code of a seal
_NEVER_IN_TEXT = b"\0"  # so that no seal of one form is one of the other: PostgreSQL's text holds no NUL
_OTHERS = b"lienthong other keys"


def checkpoint_text(origin: str, size: int, root: bytes, at: datetime) -> bytes:
    """The signed text: origin, size in decimal, root in base64, a line each (C2SP tlog-checkpoint).

    Its one extension line says when, in UTC to the microsecond, so that the time of a batch cannot be changed either.
    """
    return f"{origin}\n{size}\n{b64encode(root).decode()}\nat {at.astimezone(UTC).isoformat(timespec='microseconds')}\n".encode()


class SigningKey(Protocol):
    """An Ed25519 key that signs, wherever it lies. Its signatures are those of RFC 8032: of one message always the same."""

    @property
    def public_key(self) -> bytes:
        """The raw public key, 32 bytes."""
        ...

    def sign(self, message: bytes) -> bytes: ...


class Signer:
    """Holds the platform's signing key. `key_id` is the first eight bytes of SHA-256 over the public key, in hex.

    The key of seals is what the signing key says of a text nothing else signs: the same whether it lies in a file or in a module that never
    shows it, and nobody can make it without the key. `secret` is what other keys of the platform are made of (cursors, addresses of files).
    """

    def __init__(
        self, key: SigningKey, origin: str = DEFAULT_ORIGIN, *, secret: bytes = b"", seal_keys_before: tuple[bytes, ...] = ()
    ) -> None:
        self._key = key
        self._origin = origin.encode()
        self.origin = origin
        self.public_key = key.public_key
        self.key_id = key_id(self.public_key)
        self._seal_keys = (sha256(key.sign(_SEALING)).digest(), *seal_keys_before)
        self.secret = secret or sha256(key.sign(_OTHERS)).digest()

    @classmethod
    def new(cls, origin: str = DEFAULT_ORIGIN) -> Signer:
        """A signer with a fresh key that is kept nowhere."""
        return cls.from_pem(new_key_pem(), origin)

    @classmethod
    def from_pem(cls, pem: bytes, origin: str = DEFAULT_ORIGIN) -> Signer:
        """The signer of an unencrypted PKCS#8 PEM. Raises SettingsError when it holds no Ed25519 key."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise SettingsError("The ledger's key file holds no readable private key.") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise SettingsError(f"The ledger's key: expected Ed25519, found {type(key).__name__}.")
        before = hmac.digest(key.private_bytes_raw(), _SEALING, "sha256")  # seals of ledgers begun before keys could lie in a module
        return cls(_FileKey(key), origin, secret=_pem(key), seal_keys_before=(before,))

    def sign_checkpoint(self, size: int, root: bytes, at: datetime) -> bytes:
        """The signature (64 bytes) over the checkpoint of a tree at an instant."""
        return self._key.sign(checkpoint_text(self.origin, size, root, at))

    def seal(self, batch: bytes, at: datetime) -> bytes:
        """That the platform itself wrote a batch, once, at an instant: a number never used before, the time, and HMAC-SHA256 over both and the batch.

        Who can write to the database has no key to make one, and one that comes a second time is a copy (`store.sequencing`).
        """
        said = os.urandom(_ONCE) + ((at - _BEGIN) // _MICROSECOND).to_bytes(_TIME, "big")
        return said + hmac.digest(self._seal_keys[0], _NEVER_IN_TEXT + said + batch, "sha256")

    def has_sealed(self, batch: bytes, seal: bytes) -> bool:
        """Whether a seal is ours over this batch; older ones hold no time, or no number either."""
        said = seal[: -sha256().digest_size]
        is_odd = len(said) not in _FORMS or (len(said) == _ONCE + _TIME and said[_ONCE])
        if is_odd or batch.startswith(_NEVER_IN_TEXT):  # or part of a text could pass for part of its seal, or of a seal for text
            return False
        text = _NEVER_IN_TEXT + said + batch if said else batch
        return any(hmac.compare_digest(hmac.digest(key, text, "sha256"), seal[len(said) :]) for key in self._seal_keys)

    def mark(self, text: bytes) -> bytes:
        """What nobody else can make of a text, always the same (HMAC-SHA256)."""
        return hmac.digest(self._seal_keys[0], text, "sha256")


class _FileKey:
    """A key that was read from a file."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self.public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.sign = key.sign


def new_key_pem() -> bytes:
    """A fresh key as an unencrypted PKCS#8 PEM."""
    return _pem(Ed25519PrivateKey.generate())


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def signed_note(origin: str, size: int, root: bytes, at: datetime, public_key: bytes, signature: bytes) -> str:
    """A checkpoint as others read it (C2SP signed-note): the text, an empty line, the signature under the key's name.

    The four bytes before the signature are the first of SHA-256(name || 0x0A || 0x01 || public key); 0x01 says Ed25519.
    """
    hint = sha256(origin.encode() + b"\n\x01" + public_key).digest()[:4]
    return f"{checkpoint_text(origin, size, root, at).decode()}\n— {origin} {b64encode(hint + signature).decode()}\n"


def sealed_at(seal: bytes) -> datetime | None:
    """The instant a seal holds; None for one of the time before they held one."""
    said = seal[: -sha256().digest_size]
    return _BEGIN + int.from_bytes(said[_ONCE:], "big") * _MICROSECOND if len(said) == _ONCE + _TIME and not said[_ONCE] else None


def key_id(public_key: bytes) -> str:
    return sha256(public_key).hexdigest()[:16]


def verify_checkpoint(public_key: bytes, origin: str, size: int, root: bytes, at: datetime, signature: bytes) -> bool:
    """Whether `signature` is that key's over this checkpoint."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, checkpoint_text(origin, size, root, at))
    except (InvalidSignature, ValueError):
        return False
    return True
