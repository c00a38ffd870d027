"""RFC 3161 stamps over checkpoints: what is asked of a time-stamping authority, and whether its answer holds. Nothing is fetched here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography.x509 import Certificate, load_pem_x509_certificates
from rfc3161_client import TimestampRequestBuilder, VerificationError, VerifierBuilder, decode_timestamp_response
from rfc3161_client.base import HashAlgorithm
from rfc3161_client.tsp import TimeStampRequest

from lienthong.errors import LedgerError, SettingsError


def stamp_request(text: bytes) -> TimeStampRequest:
    """What asks for a stamp over a checkpoint's text: SHA-256, a nonce, the authority's certificate in the answer."""
    return TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256).build()


def stamped_at(token: bytes, text: bytes, roots: Sequence[Certificate], request: TimeStampRequest | None = None) -> datetime:
    """When the authority says it saw this text. `request`: what the answer must be to (its nonce). Raises LedgerError when it does not hold."""
    try:
        response = decode_timestamp_response(token)
        builder = VerifierBuilder() if request is None else VerifierBuilder.from_request(request)
        for root in roots:
            builder = builder.add_root_certificate(root)
        builder.build().verify_message(response, text)
        return response.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise LedgerError(f"The time stamp does not hold: {error}.") from error


def read_roots(pem: bytes) -> list[Certificate]:
    """The certificates a stamp must lead back to. Raises SettingsError when there is none."""
    try:
        return load_pem_x509_certificates(pem)
    except ValueError as error:
        raise SettingsError("The file of the time-stamping authority's roots holds no certificate (PEM).") from error
