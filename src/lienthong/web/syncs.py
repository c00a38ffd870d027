"""`/v1/syncs…`: how copies stand, for the agency that has one, the owner of the data and the operator; and what may be asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Actor, Identity, Role
from lienthong.errors import Conflict, NotFound
from lienthong.settings import Settings
from lienthong.sharing import syncing
from lienthong.sharing.filters import read_known, read_limit
from lienthong.sharing.sync_definitions import SyncDefinition, load_syncs
from lienthong.sharing.sync_view import now_for
from lienthong.store import syncs as store
from lienthong.store.syncs import SyncState
from lienthong.web import acting
from lienthong.web.asking import Counter, json_answer
from lienthong.web.sync_round import office_of

LOOKERS = (Role.DATA_OFFICER, Role.STEWARD, Role.INTEGRATOR, Role.OPERATOR, Role.AUDITOR)
ASKED = ("run", "check", "repair")
MOST_DRIFTS = 1_000
Handler = Callable[[Request], Any]


def routes_of(counter: Counter, settings: Settings, register: Callable[[], Any]) -> list[Route]:
    desk = _Desk(counter, settings, register)
    return [
        Route("/v1/syncs", partial(_answer, desk.listed)),
        Route("/v1/syncs/{sync}", partial(_answer, desk.shown)),
        Route("/v1/syncs/{sync}/{act}", partial(_answer, desk.asked), methods=["POST"]),
    ]


async def _answer(handler: Handler, request: Request) -> Response:
    return json_answer(await run_in_threadpool(handler, request))


class _Desk:
    def __init__(self, counter: Counter, settings: Settings, register: Callable[[], Any]) -> None:
        self._counter = counter
        self._settings = settings
        self._register = register

    def listed(self, request: Request) -> Mapping[str, Any]:
        """The syncs the caller's agency has, or whose data is its own; all of them for the operator."""
        actor = acting.require(request, *LOOKERS)
        read_known(request.query_params.multi_items(), ())
        with self._counter.workshop.database.connect() as connection:
            states = store.states(connection)
            definitions = [d for d in self._definitions().values() if self._concerns(actor, d)]
            newest = store.newest_versions(connection, [d.dataset for d in definitions])
        return {"syncs": [_told(d, states.get(d.id), newest.get(d.dataset, 0)) for d in definitions]}

    def shown(self, request: Request) -> Mapping[str, Any]:
        """One of them, with rows that were not as they should be for who may see the rows themselves."""
        actor = acting.require(request, *LOOKERS)
        definition = self._one(actor, request)
        limit = read_limit(read_known(request.query_params.multi_items(), ("limit",)).get("limit"), MOST_DRIFTS) or 100
        with self._counter.workshop.database.connect() as connection:
            known = store.state(connection, definition.id)
            newest = store.newest_versions(connection, [definition.dataset]).get(definition.dataset, 0)
            drifts = store.drifts(connection, definition.id, limit) if self._owns(actor, definition) else []
        named = [{"found_at": d.found_at, "key": d.key, "kind": d.kind, "fields": d.fields, "put_back_at": d.put_back_at} for d in drifts]
        return {**_told(definition, known, newest), "drifts": named}

    def asked(self, request: Request) -> Mapping[str, Any]:
        """Run, check, repair: done by the worker at once. Accept: announced columns may change now."""
        actor = acting.require(request, Role.DATA_OFFICER, Role.INTEGRATOR)
        definition = self._one(actor, request)
        read_known(request.query_params.multi_items(), ())
        what = request.path_params["act"]
        if what not in (*ASKED, "accept"):
            raise NotFound(f"A sync takes {', '.join(ASKED)} and accept.", vi=f"Đồng bộ chỉ nhận {', '.join(ASKED)}, accept.")
        acting.require(request, Role.DATA_OFFICER, Role.INTEGRATOR, agency=Identity.parse(definition.consumer).agency)
        workshop = self._counter.workshop
        if what == "accept":
            syncing.accept(office_of(self._settings, workshop, self._register()), definition, actor.name)
            return {"sync": definition.id, "asked": "accept"}
        with workshop.database.connect(autocommit=True) as connection:
            if not store.ask(connection, definition.id, what, actor.name):
                raise Conflict(f"`{definition.id}` has not run yet: it runs by itself.", vi=f"`{definition.id}` chưa chạy lần nào.")
        return {"sync": definition.id, "asked": what}

    def _definitions(self) -> Mapping[str, SyncDefinition]:
        """All of them, each for the subsystem that stands now where its definition names one."""
        register, at = self._register(), self._counter.clock()
        found = load_syncs(Path(self._settings.syncs), self._counter.contracts)
        return {id: now_for(each, register, at) for id, each in found.items()}

    def _one(self, actor: Actor, request: Request) -> SyncDefinition:
        found = self._definitions().get(request.path_params["sync"])
        if found is None or not self._concerns(actor, found):
            raise NotFound("There is no such sync among those that concern you.", vi="Không có đồng bộ này trong phạm vi của bạn.")
        return found

    def _concerns(self, actor: Actor, definition: SyncDefinition) -> bool:
        return self._owns(actor, definition) or actor.may(Role.OPERATOR, Role.AUDITOR)

    def _owns(self, actor: Actor, definition: SyncDefinition) -> bool:
        owner = self._counter.contracts[definition.dataset].agency
        return actor.is_of(Identity.parse(definition.consumer).agency) or actor.is_of(owner)


def _told(definition: SyncDefinition, known: SyncState | None, newest: int) -> dict[str, Any]:
    return {
        "id": definition.id,
        "title": definition.title_vi,
        "title_en": definition.title_en,
        "consumer": definition.consumer,
        "dataset": definition.dataset,
        "target": definition.where,
        "state": "new" if known is None else known.state,
        "why": "" if known is None else known.said_vi,
        "why_en": "" if known is None else known.said_en,
        "version": None if known is None else known.version,
        "newest": newest,
        "delivered": 0 if known is None else known.delivered,
        "worked_at": None if known is None else known.worked_at,
        "next_try_at": None if known is None else known.next_try_at,
        "announced": None if known is None else known.announced,
        "checked_at": None if known is None else known.checked_at,
        "checked": None if known is None else known.checked,
    }
