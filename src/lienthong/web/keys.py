"""The platform's own keys: made at first use, kept in files only their owner can read, never shown."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from joserfc.jwk import ECKey, OKPKey

from lienthong.errors import SettingsError
from lienthong.ledger import Signer, new_key_pem
from lienthong.settings import Settings


def ledger_signer(settings: Settings) -> Signer:
    """Signs the ledger's batches and checkpoints; origin `lienthong/<instance>`. Raises SettingsError when its key cannot be used."""
    origin = f"lienthong/{settings.instance}"
    if not settings.ledger_key:
        return Signer.from_pem(_kept(settings, "ledger.pem", new_key_pem), origin)
    from lienthong.web.module_key import ModuleKey  # noqa: PLC0415 # few have one, and its library is an extra

    return Signer(ModuleKey.named(settings.ledger_key), origin)


def token_key(settings: Settings) -> OKPKey:
    """Signs access tokens."""
    made = _kept(settings, "tokens.jwk", lambda: json.dumps(OKPKey.generate_key("Ed25519", auto_kid=True).as_dict(private=True)).encode())
    try:
        return OKPKey.import_key(json.loads(made))
    except (ValueError, TypeError, KeyError) as error:
        raise SettingsError(
            "The key file `tokens.jwk` holds no Ed25519 key.", hint="Move it away; a new one is made at the next start."
        ) from error


def provider_key(settings: Settings) -> ECKey:
    """Signs what the built-in identity provider says."""
    made = _kept(settings, "oidc.jwk", lambda: json.dumps(ECKey.generate_key("P-256", auto_kid=True).as_dict(private=True)).encode())
    return ECKey.import_key(json.loads(made))


def practice_signer(settings: Settings) -> Signer:
    """Signs the trees subsystems practise on; what it signs is never the ledger."""
    origin = f"lienthong/{settings.instance}/practice"
    return Signer.from_pem(_kept(settings, "practice.pem", new_key_pem), origin)


def subject_key(settings: Settings) -> bytes:
    """Hides in the ledger which record an act was about."""
    return _kept(settings, "subjects.key", lambda: secrets.token_hex(32).encode())


def sealing_key(settings: Settings) -> bytes:
    """Keeps what the database must not be able to tell: who is signed in, second factors."""
    return _kept(settings, "sealing.key", lambda: secrets.token_hex(32).encode())


def _kept(settings: Settings, name: str, make: Callable[[], bytes]) -> bytes:
    folder = Path(settings.home) / "keys"
    path = folder / name
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = folder / f".{name}.{os.getpid()}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
        try:
            os.link(fresh, path)  # who comes second keeps the first's key
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"The key file `{name}` cannot be read: {error.strerror}.", hint="It belongs to another account.") from error
