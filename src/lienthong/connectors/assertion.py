"""How a system shows who it is where tokens are given: an assertion it signs with a key that never leaves it (RFC 7523)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from lienthong.access import ASSERTION_TYPE, make_assertion
from lienthong.clock import system_clock
from lienthong.errors import SourceError

__all__ = ["ASSERTION_TYPE", "sign_assertion"]
KINDS: tuple[type[OKPKey | ECKey | RSAKey], ...] = (OKPKey, ECKey, RSAKey)


def sign_assertion(client_id: str, audience: str, key_file: str) -> str:
    """A new assertion of a client for a token endpoint. Raises SourceError when the key cannot be read, never showing it."""
    return make_assertion(_private_key(key_file), client_id, audience, system_clock())


def _private_key(key_file: str) -> Mapping[str, Any]:
    """A private key in PEM, or as a JWK in JSON."""
    try:
        text = Path(key_file).read_bytes()
    except OSError as error:
        raise SourceError(f"Option `auth.key_file`: `{key_file}`: không đọc được / cannot be read ({error.strerror}).") from error
    for kind in KINDS:
        try:
            key = kind.import_key(json.loads(text) if text.lstrip().startswith(b"{") else text)
            return {**key.as_dict(private=True), **({"kid": key.kid} if key.kid else {})}
        except (ValueError, TypeError, KeyError, JoseError):
            continue
    raise SourceError(
        f"Option `auth.key_file`: `{key_file}`: không phải khóa riêng / is no private key (PEM or JWK; Ed25519, P-256 or RSA)."
    )
