"""The same application with the ledger left out, to see what proof costs. Exists for measuring only; the product has no such switch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lienthong.log import configure_logging
from lienthong.memory import keep_what_is_loaded
from lienthong.settings import read_settings
from lienthong.sharing.ledger_writer import Held
from lienthong.store import open_database
from lienthong.web.app import App, create_app
from lienthong.web.services import make_services


class NoLedger:
    async def append(self, body: bytes) -> None:
        """Nothing is kept."""

    def hold(self, held: Sequence[Held[Any]]) -> None:
        for _, done, answer in held:
            if not done.done():
                done.set_result(answer)


def application() -> App:
    settings = read_settings()
    configure_logging(settings.log_level)
    services = make_services(settings, open_database(settings))
    services.ledger = NoLedger()
    app = create_app(services)
    keep_what_is_loaded()  # as the product does
    return app
