"""A connection over TLS that ends here: whose client certificate it was made with goes along with each of its requests.

TLS itself has verified the certificate against the authorities of the settings, and that the client holds its key; nothing a client writes
into a request can say so.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from ssl import CERT_NONE, CERT_OPTIONAL, SSLError, create_default_context
from typing import Any

from lienthong.access import thumbprint_of_der
from lienthong.errors import SettingsError
from lienthong.settings import Settings
from lienthong.web.holding import CERTIFICATE
from lienthong.web.wire import Wire


class SecureWire(Wire):
    """One connection over TLS."""

    _certificate: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        secured = transport.get_extra_info("ssl_object")
        der = None if secured is None else secured.getpeercert(binary_form=True)
        self._certificate = thumbprint_of_der(der) if der else None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: Any = self.scope
        scope[CERTIFICATE] = self._certificate  # ours, beside ASGI's own


def tls_options(settings: Settings) -> dict[str, Any]:
    """What uvicorn needs to speak TLS; nothing where a proxy does. Raises SettingsError for files that cannot be used."""
    authorities = settings.tls_client_authorities
    if not settings.tls_certificate:
        if authorities or settings.tls_key:
            raise SettingsError("LIENTHONG_TLS_CERTIFICATE is empty: without it the server does not speak TLS.")
        return {}
    if authorities and settings.client_certificate_header:
        raise SettingsError("Either the server or a proxy asks for client certificates: empty LIENTHONG_CLIENT_CERTIFICATE_HEADER.")
    _require(settings)
    return {
        "http": "lienthong.web.secure_wire:SecureWire",
        "ssl_certfile": settings.tls_certificate,
        "ssl_keyfile": settings.tls_key or None,
        "ssl_ca_certs": authorities or None,
        "ssl_cert_reqs": CERT_OPTIONAL if authorities else CERT_NONE,
    }


def _require(settings: Settings) -> None:
    """Look at the files before any process is started: what is wrong is told once, in words."""
    for name in ("tls_certificate", "tls_key", "tls_client_authorities"):
        path = getattr(settings, name)
        if path and not Path(path).is_file():
            raise SettingsError(f"LIENTHONG_{name.upper()}: there is no file {path}.")
    try:
        context = create_default_context(cafile=settings.tls_client_authorities or None)
        context.load_cert_chain(settings.tls_certificate, settings.tls_key or None, password=lambda: "")
    except (SSLError, OSError, ValueError) as error:
        raise SettingsError(
            f"LIENTHONG_TLS_CERTIFICATE: the certificate, its key or the authorities cannot be used ({type(error).__name__}).",
            hint="PEM files; the key without a password, and of this certificate.",
        ) from error
