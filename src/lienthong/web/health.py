"""`GET /health`: whether we serve, how each part stands, and why not. `/health/live`: the process answers; `/health/ready`: send it requests."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

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
WORKER_LATE = 60.0  # seconds since the worker was last seen at work; it says so every ten
CLOCK_APART = 5.0  # seconds between our clock and the database's
LEAST_FREE_PERCENT = 5.0
AWAY = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, LedgerError)
OK = "ok"
_BEGAN = time.monotonic()


@dataclass(frozen=True)
class Reason:
    """Why a part is not well."""

    part: str
    vi: str
    en: str


async def give_health(services: Services) -> Response:
    """200 when the database answers, else 503; `reasons` says of each part that is not well why not."""
    try:
        size, waiting = await services.store.ledger_standing()
        witnesses = {witness.partition("+")[0]: WITNESS[state] for witness, state in await services.store.ledger_witnesses()}
        reasons = [*_of_ledger(waiting), *await _of_store(services), *_of_disk(services.settings.home)]
    except AWAY as error:
        name = type(error).__name__
        away = Reason("database", f"Cơ sở dữ liệu không trả lời ({name})", f"The database does not answer ({name})")
        return _answer(503, {"status": "unavailable", "database": name, "version": __version__, "reasons": [away]})
    parts = {reason.part: reason.en for reason in reasons}
    answer = {
        "status": OK if not reasons else "degraded",
        "database": OK,
        "ledger": parts.get("ledger", OK),
        "ledger_size": size,
        "worker": parts.get("worker", OK if services.settings.worker else "not of this server"),
        "disk": parts.get("disk", OK),
        "clock": parts.get("clock", OK),
        "version": __version__,
        "reasons": reasons,
    }
    return _answer(200, answer | ({"witnesses": witnesses} if witnesses else {}))


def routes_of(services: Services) -> list[Route]:
    """The routes of this file; no token is asked for."""

    async def health(_: Request) -> Response:
        return await give_health(services)

    async def live(_: Request) -> Response:
        return _answer(200, {"status": "alive", "version": __version__})

    async def ready(_: Request) -> Response:
        found = await give_health(services)
        standing = msgspec.json.decode(found.body)
        is_ready = found.status_code == 200 and standing["ledger"] == OK
        return _answer(200 if is_ready else 503, {"status": "ready" if is_ready else "not ready", "reasons": standing["reasons"]})

    return [Route("/health", health), Route("/health/live", live), Route("/health/ready", ready)]


def _of_ledger(waiting: float) -> list[Reason]:
    if waiting < LATE:
        return []
    return [
        Reason("ledger", f"Bản ghi chờ điểm chốt đã {waiting:.0f} giây", f"late: entries have waited {waiting:.0f} s for their checkpoint")
    ]


async def _of_store(services: Services) -> list[Reason]:
    apart, beat = await services.store.clock_and_beat(services.workshop.clock())
    reasons = []
    if abs(apart) > CLOCK_APART:
        reasons.append(Reason("clock", f"Đồng hồ lệch {apart:.0f} giây so với cơ sở dữ liệu", f"{apart:.0f} s apart from the database's"))
    is_up_long = time.monotonic() - _BEGAN > WORKER_LATE
    if services.settings.worker and is_up_long and (beat is None or beat > WORKER_LATE):
        since = "never" if beat is None else f"{beat:.0f} s ago"
        reasons.append(Reason("worker", "Tiến trình nền không hoạt động", f"last seen at work {since}"))
    return reasons


def _of_disk(home: Path) -> list[Reason]:
    usage = shutil.disk_usage(home if home.exists() else ".")
    free = 100 * usage.free / usage.total
    if free >= LEAST_FREE_PERCENT:
        return []
    return [Reason("disk", f"Đĩa chỉ còn trống {free:.1f} %", f"only {free:.1f} % of the disk is free")]


def _answer(status: int, body: object) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json", headers={"Cache-Control": "no-store"})
