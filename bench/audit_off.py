"""The same application with the ledger left out, to see what proof costs. Exists for measuring only; the product has no such switch."""

from __future__ import annotations

from lienthong.settings import read_settings
from lienthong.store import open_database
from lienthong.web.app import App, create_app
from lienthong.web.services import make_services


class NoLedger:
    async def append(self, body: bytes) -> None:
        """Nothing is kept."""


def application() -> App:
    settings = read_settings()
    services = make_services(settings, open_database(settings))
    services.ledger = NoLedger()
    return create_app(services)
