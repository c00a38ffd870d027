"""`/v1/monitoring/alerts`: what is unusual, who looks into it, how it ended."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lienthong.access import Actor, Role
from lienthong.errors import BadRequest, NotFound
from lienthong.pipeline import alerting
from lienthong.pipeline.alert_rules import WORDS
from lienthong.sharing.filters import read_known
from lienthong.store.alerts import Alert, alert_standing, list_alerts
from lienthong.web.acting import actor_of, require
from lienthong.web.asking import Counter, json_answer
from lienthong.web.bodies import read_json
from lienthong.web.monitoring import asker_of

MOST_ALERTS = 500
LARGEST_BODY = 10_000
LARGEST_NUMBER = 2**63 - 1
STATES = ("open", "taken", "closed")
KEEPERS = (Role.OPERATOR, Role.AUDITOR, Role.DATA_OFFICER)


def routes_of(counter: Counter) -> list[Route]:
    """The routes of this file."""
    root = "/v1/monitoring/alerts"
    return [
        Route(root, partial(_listed, counter)),
        Route(f"{root}/{{alert}}/take", partial(_taken, counter), methods=["POST"]),
        Route(f"{root}/{{alert}}/close", partial(_closed, counter), methods=["POST"]),
    ]


async def _listed(counter: Counter, request: Request) -> Response:
    return await run_in_threadpool(_list, counter, request)


def _list(counter: Counter, request: Request) -> Response:
    asker = asker_of(actor_of(request))
    known = read_known(request.query_params.multi_items(), ("state",))
    state = known.get("state")
    if state is not None and state not in STATES:
        raise BadRequest("`state`: expected open, taken or closed.", vi="`state`: open, taken hoặc closed.")
    with counter.connection() as connection:
        found = list_alerts(connection, asker.agency, state, MOST_ALERTS)
    return json_answer({"alerts": [document(alert) for alert in found]})


def document(alert: Alert) -> dict[str, Any]:
    """An alert as it is told."""
    vi, en = WORDS.get(alert.kind, (alert.kind, alert.kind))
    return {**asdict(alert), "title": vi, "title_en": en}


async def _taken(counter: Counter, request: Request) -> Response:
    def act() -> Response:
        alert, actor = _asked(counter, request)
        alerting.take(counter.workshop, alert, actor)
        return json_answer({"alert": alert, "state": "taken"})

    return await run_in_threadpool(act)


async def _closed(counter: Counter, request: Request) -> Response:
    body = await read_json(request, LARGEST_BODY)

    def act() -> Response:
        alert, actor = _asked(counter, request)
        reason = body.get("reason") if isinstance(body, dict) and set(body) == {"reason"} else None
        if not isinstance(reason, str):
            raise BadRequest('Expected {"reason": "…"}.', vi='Cần {"reason": "…"}.')
        alerting.close(counter.workshop, alert, actor, reason)
        return json_answer({"alert": alert, "state": "closed"})

    return await run_in_threadpool(act)


def _asked(counter: Counter, request: Request) -> tuple[int, Actor]:
    """(alert, who acts). An agency's officer acts on the agency's own alerts; of others they hear that there are none."""
    actor = require(request, *KEEPERS)
    text = request.path_params["alert"]
    number = int(text[:20]) if text.isascii() and text.isdigit() else 0
    with counter.connection() as connection:
        standing = alert_standing(connection, number) if 0 < number <= LARGEST_NUMBER else None
    agency = asker_of(actor).agency
    if standing is None or (agency is not None and standing[0] != agency):
        raise NotFound("There is no such alert.", vi="Không có cảnh báo này.")
    return number, actor
