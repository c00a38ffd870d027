"""`GET /health`: whether we serve, and why not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import msgspec
from starlette.responses import Response

from lienthong import __version__
from lienthong.errors import LedgerError

if TYPE_CHECKING:
    from lienthong.web.services import Services

WITNESS = {
    "away": "does not answer",
    "refuses": "refuses to sign: what it saw before is not part of this ledger",
    "ahead": "has signed a longer ledger: this store went back; recover what is missing before anything is relied on",
}
LATE = 30.0  # seconds; a checkpoint follows within two


async def give_health(services: Services) -> Response:
    """200 when the database answers, else 503 with the reason."""
    try:
        size, waiting = await services.store.ledger_standing()
        ledger = "ok" if waiting < LATE else f"late: entries have waited {waiting:.0f} s for their checkpoint"
        witnesses = {witness.partition("+")[0]: WITNESS[state] for witness, state in await services.store.ledger_witnesses()}
        answer = {"status": "ok", "database": "ok", "ledger": ledger, "ledger_size": size, "version": __version__}
        if witnesses:
            answer["witnesses"] = witnesses
        status = 200
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, LedgerError) as error:
        answer, status = {"status": "unavailable", "database": type(error).__name__, "version": __version__}, 503
    return Response(msgspec.json.encode(answer), status, media_type="application/json", headers={"Cache-Control": "no-store"})
