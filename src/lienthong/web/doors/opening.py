"""`/v1/open-data`: the list of open data, what is overdue on it, the history of an entry, and the acts on it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Actor, Role
from lienthong.access.opening import STEPS, OpenAct, OpenState
from lienthong.catalog.open_data import listed
from lienthong.clock import vietnam_date
from lienthong.errors import BadRequest, NotFound, Unprocessable
from lienthong.pipeline.opening import Said, move
from lienthong.settings import Settings
from lienthong.sharing.filters import read_known, shown
from lienthong.store import catalogue, pages
from lienthong.store.catalogue import OpenEntry
from lienthong.web.acting import require
from lienthong.web.asking import Counter, contract_of, json_answer, public_contracts
from lienthong.web.bodies import read_json

LARGEST_BODY = 20_000
WORDS = ("words", "legal_text", "decision", "publish_on")


def routes_of(counter: Counter, settings: Settings) -> list[Route]:
    """The routes of this file."""
    root = "/v1/open-data"
    return [
        Route(root, partial(_in_thread, partial(_list, counter, settings))),
        Route(f"{root}/{{dataset}}", partial(_in_thread, partial(_history, counter))),
        Route(f"{root}/{{dataset}}/{{act}}", partial(_act, counter), methods=["POST"]),
    ]


async def _in_thread(answer: Any, request: Request) -> Response:
    return await run_in_threadpool(answer, request)


def _list(counter: Counter, settings: Settings, request: Request) -> Response:
    asked = read_known(request.query_params.multi_items(), ("state", "overdue", "agency"))
    state = asked.get("state", "")
    if state and state not in tuple(OpenState):
        raise BadRequest(f"`state`: expected one of {', '.join(OpenState)}.", vi=f"`state`: cần một trong {', '.join(OpenState)}.")
    if asked.get("overdue", "false") not in ("true", "false"):
        raise BadRequest("`overdue`: expected true or false.", vi="`overdue`: cần true hoặc false.")
    with counter.connection() as connection:
        entries, standings = catalogue.open_entries(connection), pages.standings(connection)
    today = vietnam_date(counter.clock())
    found = listed(
        entries, {c.id: c for c in public_contracts(counter)}, standings, today, settings, overdue_only=asked.get("overdue") == "true"
    )
    chosen = [each for each in found if state in ("", each["state"]) and asked.get("agency") in (None, each["agency"])]
    return json_answer({"entries": chosen}, is_public=True)


def _history(counter: Counter, request: Request) -> Response:
    read_known(request.query_params.multi_items(), ())
    with counter.connection() as connection:
        found = catalogue.open_history(connection, request.path_params["dataset"].replace("\x00", ""))
    if not found:
        raise NotFound("It is not on the list of open data.", vi="Chưa có trong danh mục dữ liệu mở.")
    return json_answer({"history": [_entry(each) for each in found]}, is_public=True)


def _entry(entry: OpenEntry) -> dict[str, Any]:
    """What everybody may know: which role acted is in the ledger, the person's name stays there."""
    return {name: value for name, value in asdict(entry).items() if name != "by_whom"}


async def _act(counter: Counter, request: Request) -> Response:
    name = request.path_params["act"]
    if name not in tuple(OpenAct):
        raise NotFound(f"There is no act `{shown(name)}`: one of {', '.join(OpenAct)}.", vi=f"Không có việc `{shown(name)}`.")
    read_known(request.query_params.multi_items(), ())
    actor = await run_in_threadpool(_actor, counter, request, OpenAct(name))
    said = _said(await read_json(request, LARGEST_BODY))

    def act() -> Response:
        return json_answer(_entry(move(counter.workshop, actor, request.path_params["dataset"], OpenAct(name), said)))

    return await run_in_threadpool(act)


def _actor(counter: Counter, request: Request, act: OpenAct) -> Actor:
    """Who acts: a data officer on the own agency's data alone."""
    roles = STEPS[act].roles
    contract = contract_of(counter, request)
    actor = require(request, *roles)
    others = [role for role in roles if role is not Role.DATA_OFFICER]
    return actor if actor.may(*others) else require(request, *roles, agency=contract.agency)


def _said(body: Any) -> Said:
    if not isinstance(body, dict) or set(body) - set(WORDS) or not all(isinstance(value, str) for value in body.values()):
        raise Unprocessable(f"Expected an object with texts: {', '.join(WORDS)}.", vi=f"Cần một đối tượng gồm các chữ: {', '.join(WORDS)}.")
    day = body.get("publish_on", "")
    try:
        publish_on = date.fromisoformat(day) if day else None
    except ValueError as error:
        raise Unprocessable("`publish_on`: expected a day.", vi="`publish_on`: cần một ngày.") from error
    return Said(body.get("words", ""), body.get("legal_text", ""), body.get("decision", ""), publish_on)
