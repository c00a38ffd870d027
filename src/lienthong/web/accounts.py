"""The built-in identity provider's accounts: a file for the demo and the sandbox, passwords as argon2id hashes. Not for real people's sign-in."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lienthong.errors import SettingsError

LONGEST_PASSWORD = 200
AT_ONCE = 2  # each check takes 64 MiB for a moment
ACCOUNT_WORDS = frozenset({"username", "password_hash", "name", "citizen_number", "agency", "email"})
CLIENT_WORDS = frozenset({"id", "secret_sha256", "redirect_uris"})


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in at the built-in provider."""

    username: str
    password_hash: str
    name: str
    citizen_number: str = ""
    agency: str = ""
    email: str = ""


@dataclass(frozen=True)
class Client:
    """A relying party of the built-in provider: exact addresses it may send people back to."""

    id: str
    secret_sha256: str
    redirect_uris: frozenset[str]


class Accounts:
    """Accounts and clients of a file. A password is checked in the same time whether or not there is such an account."""

    def __init__(self, accounts: Mapping[str, Account], clients: Mapping[str, Client]) -> None:
        self.clients = clients
        self._accounts = accounts
        self._hasher = PasswordHasher()
        self._gate = threading.Semaphore(AT_ONCE)
        self._nobody = next((account.password_hash for account in accounts.values()), None) or self._hasher.hash("nobody")

    @classmethod
    def read(cls, path: Path) -> Accounts:
        """The accounts of a file. Raises SettingsError naming what is wrong, never a hash."""
        try:
            found = yaml.safe_load(path.read_text("utf-8"))
            accounts = [Account(**_known(entry, ACCOUNT_WORDS)) for entry in found["accounts"]]
            clients = [
                Client(entry["id"], entry["secret_sha256"], frozenset(entry["redirect_uris"]))
                for entry in (_known(entry, CLIENT_WORDS) for entry in found["clients"])
            ]
        except OSError as error:
            raise SettingsError(f"LIENTHONG_OIDC_ACCOUNTS: the file cannot be read: {error.strerror}.") from error
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise SettingsError(
                "LIENTHONG_OIDC_ACCOUNTS: expected `accounts` and `clients`, each with its words.",
                hint="See docs/how-to/sign-people-in.md.",
            ) from error
        return cls({account.username: account for account in accounts}, {client.id: client for client in clients})

    def account(self, username: str) -> Account | None:
        return self._accounts.get(username)

    def check(self, username: str, password: str) -> Account | None:
        """The account whose password this is."""
        account = self._accounts.get(username)
        held = self._nobody if account is None else account.password_hash
        with self._gate:
            try:
                fits = bool(self._hasher.verify(held, password[:LONGEST_PASSWORD]))
            except (VerificationError, InvalidHashError):
                fits = False
        return account if fits and account is not None and len(password) <= LONGEST_PASSWORD else None


def hash_password(password: str) -> str:
    """What stands in the file for a password."""
    return PasswordHasher().hash(password)


def _known(entry: Any, words: frozenset[str]) -> dict[str, Any]:
    if not isinstance(entry, dict) or set(entry) - words:
        raise ValueError(words)
    return entry
