"""Which record an act was about, without saying so to who reads the ledger."""

from __future__ import annotations

import hmac


def subject_hash(key: bytes, dataset: str, record_key: str) -> str:
    """HMAC-SHA256 (hex) of a record's place under a key of the province: equal for equal records, no use without the key."""
    return hmac.digest(key, f"{dataset}\x1f{record_key}".encode(), "sha256").hex()
