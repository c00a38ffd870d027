"""What a browser is asked and answers when a passkey is made or used, in WebAuthn's words. Loaded by who uses passkeys."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

import webauthn
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

UNPROVED = (WebAuthnException, ValueError, KeyError, TypeError)


class Site(NamedTuple):
    """For whom a passkey is good."""

    host: str
    origin: str
    name: str


class Made(NamedTuple):
    """A passkey that was made."""

    id: bytes
    public_key: bytes
    sign_count: int


def to_make(site: Site, user: bytes, handle: str, name: str, known: Iterable[bytes]) -> tuple[dict[str, Any], bytes]:
    """(options for the browser, the challenge in them)."""
    options = webauthn.generate_registration_options(
        rp_id=site.host,
        rp_name=site.name,
        user_id=user,
        user_name=handle,
        user_display_name=name,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
    )
    return json.loads(webauthn.options_to_json(options)), options.challenge


def made(site: Site, credential: dict[str, Any], challenge: bytes) -> Made:
    """The passkey an answer proves. Raises one of `UNPROVED`."""
    found = webauthn.verify_registration_response(
        credential=credential,
        expected_challenge=challenge,
        expected_rp_id=site.host,
        expected_origin=site.origin,
        require_user_verification=True,
    )
    return Made(found.credential_id, found.credential_public_key, found.sign_count)


def to_use(site: Site, known: Iterable[bytes]) -> tuple[dict[str, Any], bytes]:
    """(options for the browser, the challenge in them)."""
    options = webauthn.generate_authentication_options(
        rp_id=site.host,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return json.loads(webauthn.options_to_json(options)), options.challenge


def used(site: Site, credential: dict[str, Any], challenge: bytes, public_key: bytes, sign_count: int) -> int:
    """The passkey's new count. Raises one of `UNPROVED`; also for a count that goes back."""
    found = webauthn.verify_authentication_response(
        credential=credential,
        expected_challenge=challenge,
        expected_rp_id=site.host,
        expected_origin=site.origin,
        credential_public_key=public_key,
        credential_current_sign_count=sign_count,
        require_user_verification=True,
    )
    return found.new_sign_count
