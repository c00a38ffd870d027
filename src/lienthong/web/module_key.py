"""The ledger's key in a hardware module, by PKCS#11: the module signs, and what it signs with never leaves it.

Each process holds one session; one that breaks (a module taken out, a network module restarted) is opened anew at the next signature.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from lienthong.errors import LedgerError, SettingsError

if TYPE_CHECKING:
    from pkcs11 import Session

SETTING = "LIENTHONG_LEDGER_KEY"
KNOWN = ("token", "object", "module-path", "pin-source")
PUBLIC_BYTES = 32
POINT_HEADS = (b"\x04\x20", b"\x03\x21\x00")  # CKA_EC_POINT as an OCTET STRING (PKCS#11 2.40), as a BIT STRING (some 3.0 modules); or bare
PROBE = b"lienthong key probe"


@dataclass(frozen=True)
class KeyPlace:
    """Where a key lies: the module's library, the token's label, the key's label, the file that holds the PIN."""

    module: str
    token: str
    label: str
    pin_file: str

    @classmethod
    def of(cls, uri: str) -> KeyPlace:
        """Read a PKCS#11 URI (RFC 7512). Raises SettingsError saying what is wrong with it; never what a PIN is."""
        scheme, _, rest = uri.partition(":")
        path, _, query = rest.partition("?")
        found = {name: unquote(value) for name, _, value in (part.partition("=") for part in path.split(";"))}
        found |= dict(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True))
        if "pin-value" in found:
            raise SettingsError(f"{SETTING}: the PIN does not stand in the address.", hint="Write it in a file, and `pin-source=file:/…`.")
        missing = [name for name in KNOWN if not found.get(name)]
        if scheme != "pkcs11" or missing or set(found) - set(KNOWN):
            raise SettingsError(
                f"{SETTING}: expected `pkcs11:token=…;object=…?module-path=…&pin-source=file:…`"
                + (f"; it lacks {', '.join(missing)}." if missing else "."),
                hint="docs/how-to/keep-the-ledger-key-in-a-module.md",
            )
        return cls(found["module-path"], found["token"], found["object"], found["pin-source"].removeprefix("file:"))


class ModuleKey:
    """An Ed25519 key of a PKCS#11 token."""

    def __init__(self, place: KeyPlace) -> None:
        self._place = place
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._private: Any = None
        with self._lock:
            self.public_key = self._open()
        self._prove()

    @classmethod
    def named(cls, uri: str) -> ModuleKey:
        """The key a URI names. Raises SettingsError when the module, the token, the PIN or the key is not there or is no Ed25519 key."""
        return cls(KeyPlace.of(uri))

    def sign(self, message: bytes) -> bytes:
        """The module's signature. Raises LedgerError when the module does not sign; the next call tries it anew."""
        import pkcs11  # noqa: PLC0415 # an extra

        with self._lock:
            try:
                if self._session is None:
                    self._open()
                signature: bytes = self._private.sign(message, mechanism=pkcs11.Mechanism.EDDSA)
            except (pkcs11.PKCS11Error, SettingsError) as error:
                self._forget()
                raise LedgerError(
                    f"The module of the ledger's key does not sign ({type(error).__name__}).",
                    vi=f"Thiết bị giữ khóa của sổ không ký được ({type(error).__name__}).",
                    hint="Look at the module; nothing else is lost.",
                    hint_vi="Hãy xem lại thiết bị; ngoài ra không mất gì.",
                ) from error
        return signature

    def _open(self) -> bytes:
        """Open a session and find the key; gives its public half."""
        try:
            import pkcs11  # noqa: PLC0415 # an extra
        except ImportError as error:
            raise SettingsError(f"{SETTING} needs python-pkcs11.", hint="pip install 'lienthong[pkcs11]'") from error
        place = self._place
        try:
            token = pkcs11.lib(place.module).get_token(token_label=place.token)
            try:
                session = token.open(user_pin=_pin(place.pin_file))
            except pkcs11.UserAlreadyLoggedIn:  # another session of this process has: a login is the token's, not the session's
                session = token.open()
            kind = pkcs11.KeyType.EC_EDWARDS
            private = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY, key_type=kind, label=place.label)
            public = session.get_key(object_class=pkcs11.ObjectClass.PUBLIC_KEY, key_type=kind, label=place.label)
            point = bytes(public[pkcs11.Attribute.EC_POINT])
        except (pkcs11.PKCS11Error, OSError) as error:
            raise SettingsError(
                f"{SETTING}: {_what(error)} (module {place.module}, token `{place.token}`, key `{place.label}`).",
                hint="docs/how-to/keep-the-ledger-key-in-a-module.md",
            ) from error
        self._session, self._private = session, private
        return next(
            (point[len(head) :] for head in POINT_HEADS if point.startswith(head) and len(point) == len(head) + PUBLIC_BYTES), point
        )

    def _prove(self) -> None:
        """That both halves are one Ed25519 key, and that it signs as RFC 8032 says: seals are made of what it says of one text."""
        first, again = self.sign(PROBE), self.sign(PROBE)
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(first, PROBE)
        except (InvalidSignature, ValueError) as error:
            raise SettingsError(f"{SETTING}: the key `{self._place.label}` is no Ed25519 pair.") from error
        if first != again:
            raise SettingsError(f"{SETTING}: the module does not sign as RFC 8032 says: one text has one signature.")

    def _forget(self) -> None:
        import pkcs11  # noqa: PLC0415 # an extra

        session, self._session, self._private = self._session, None, None
        if session is not None:
            with suppress(pkcs11.PKCS11Error):  # it is broken: that is why
                session.close()


def _pin(path: str) -> str:
    try:
        return Path(path).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{SETTING}: the file of the PIN cannot be read.") from error


def _what(error: Exception) -> str:
    """What a module's error means, in a word."""
    told = {
        "NoSuchToken": "there is no such token",
        "MultipleTokensReturned": "several tokens have this label",
        "NoSuchKey": "there is no such Ed25519 key",
        "MultipleObjectsReturned": "several keys have this label",
        "PinIncorrect": "the PIN is wrong",
        "PinLocked": "the PIN is locked",
    }
    return told.get(type(error).__name__, f"the module says {type(error).__name__}")
